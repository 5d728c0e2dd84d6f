-- The simulated business clock: one row when there is one. It stands still until it is moved, and never goes back.
create table log.clock (
    only_row boolean     primary key default true check (only_row),
    now      timestamptz not null
);

-- Starts the simulated clock, unless it was started before, and tells what it shows.
create function log.start_clock(p_now timestamptz) returns timestamptz
language sql volatile security definer
set search_path = pg_catalog, log
as $$
    insert into log.clock (now) values (p_now) on conflict (only_row) do update set now = log.clock.now returning now;
$$;

-- Moves the simulated clock forward and tells what it shows then; null when there is none.
create function log.move_clock(p_now timestamptz) returns timestamptz
language sql volatile security definer
set search_path = pg_catalog, log
as $$
    update log.clock set now = greatest(now, p_now) returning now;
$$;

revoke all on function log.start_clock, log.move_clock from public;

create or replace function log.admit_reader(p_role name) returns void
language plpgsql as $$
begin
    execute format('grant usage on schema log to %I', p_role);
    execute format('grant select on log.head, log.events, log.commands, log.clock to %I', p_role);
    execute format('grant execute on function log.start_clock, log.move_clock to %I', p_role);
end
$$;
