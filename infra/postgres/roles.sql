-- The login role of each service, made once by the owner of the database before `ryggrad serve migrate`.
--
-- The passwords come from the environment: RYGGRAD_REGISTRATION_PASSWORD and so on. What the roles may do is granted by the
-- migrations of the log (invariant I3). Run with psql 14 or later; harmless when run again.
\set ON_ERROR_STOP on
\getenv registration RYGGRAD_REGISTRATION_PASSWORD
\getenv views RYGGRAD_VIEWS_PASSWORD
\getenv gateway RYGGRAD_GATEWAY_PASSWORD
\getenv ecosystem RYGGRAD_ECOSYSTEM_PASSWORD
\getenv relay RYGGRAD_RELAY_PASSWORD

select format('create role %I login', name)
from unnest(array['ryggrad_registration', 'ryggrad_views', 'ryggrad_gateway', 'ryggrad_ecosystem', 'ryggrad_relay']) as name
where not exists (select from pg_roles where rolname = name)
\gexec

alter role ryggrad_registration password :'registration';
alter role ryggrad_views password :'views';
alter role ryggrad_gateway password :'gateway';
alter role ryggrad_ecosystem password :'ecosystem';
alter role ryggrad_relay password :'relay';
