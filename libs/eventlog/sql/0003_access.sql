-- What the log is asked about callers, by index: what they began, and their mandates, subscriptions and affiliates.

create index events_begun on log.events ((actor->>'ref'))
    where (sequence = 1 or name = 'OrganisationFounded') and orgnr is null and actor->>'authenticated' = 'true';
create index events_mandates on log.events ((payload->>'toOrgnr')) where name = 'MandateGranted';
create index events_subscriptions on log.events ((payload->>'subscriber')) where name = 'SubscriptionApproved';
create index events_affiliates on log.events ((payload->>'parentOrgnr')) where name = 'AffiliationEstablished';
