-- A deadline whose command fails for no fault of its own stays pending, and is tried again later and later.

alter table deadlines add column attempts int not null default 0;
-- When it is tried again, by the wall clock; null as long as it has not failed.
alter table deadlines add column again_at timestamptz;
create index deadlines_failing on deadlines (consumer, again_at) where state = 'pending' and again_at is not null;
