-- What runs as the log's owner looks up nothing in a caller's temporary schema: unless it is named last, PostgreSQL looks
-- there first for tables and types, so that a role could have put a `jsonb` of its own, with a check that runs as the owner.

alter function log.append set search_path = pg_catalog, log, pg_temp;
alter function log.check_writer set search_path = pg_catalog, log, pg_temp;
alter function log.start_clock set search_path = pg_catalog, log, pg_temp;
alter function log.move_clock set search_path = pg_catalog, log, pg_temp;
