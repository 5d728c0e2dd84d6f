-- What somebody began is found under the organisation as which they acted: the customer, when a platform's system user did.

drop index log.events_begun;
create index events_begun on log.events ((coalesce(nullif(actor->>'actingFor', ''), actor->>'ref')))
    where (sequence = 1 or name = 'OrganisationFounded') and orgnr is null and actor->>'authenticated' = 'true';
