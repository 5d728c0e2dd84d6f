-- Durable subscriptions are of an organisation with the one who was authorised: a platform that is the system user of several
-- customers has others with each of them. Who made those that are there is known, and not for whom: they stay with their maker
-- itself. A customer's that was made before begins anew, which brings events once more and loses none.

alter table durables add column owner text;
update durables set owner = orgnr;
alter table durables alter column owner set not null;
alter table durables drop constraint durables_pkey;
alter table durables add primary key (owner, orgnr, name);
comment on column durables.owner is 'Organisation number of the one whose it is: the customer, when a system user asked.';
comment on column durables.orgnr is 'Organisation number of the one who was authorised.';
