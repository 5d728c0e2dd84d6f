-- When a token of its owner last proved what an endpoint rests on: supplier, system user and scopes. Those that are there
-- already count from now.
alter table webhook_endpoints add column proved_at timestamptz not null default now();
