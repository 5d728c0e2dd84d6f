-- The log: the truth about everything that happened. Positions are dense, in commit order, and nothing is ever changed.

create schema log;

-- One row: the position of the last event, and which log this is. Held by every append until it commits, so position
-- order is commit order and readers never see a hole.
create table log.head (
    only_row   boolean primary key default true check (only_row),
    position   bigint  not null check (position >= 0),
    -- Changes when the log is restored from a backup: positions after it may have been given twice.
    epoch      uuid    not null
);
insert into log.head (position, epoch) values (0, gen_random_uuid());

-- Which login role may append the events of which context (I3).
create table log.writers (
    role    name primary key,
    context text not null
);

create table log.events (
    position           bigint      primary key,
    event_id           uuid        not null,
    context            text        not null,
    name               text        not null,
    aggregate_type     text        not null,
    aggregate_id       uuid        not null,
    sequence           bigint      not null,
    organisation_id    uuid        not null,
    occurred_at        timestamptz not null,
    recorded_at        timestamptz not null,
    correlation_id     uuid        not null,
    causation_id       uuid,
    causation_position bigint,
    command_id         uuid        not null,
    actor              jsonb       not null,
    orgnr              text,
    kommunenummer      text,
    related            uuid[],
    class              smallint    not null check (class between 1 and 4),
    traceparent        text,
    -- The published bytes, written once by the service that decided.
    data               bytea       not null,
    -- The same event as canonical proto JSON, for people and for SQL.
    payload            jsonb       not null,
    constraint events_aggregate_sequence unique (aggregate_id, sequence)
);

-- Which organisation has which number: an import asks for all of them.
create index events_registered on log.events (orgnr, aggregate_id) where name = 'OrganisationRegistered';

-- A command id keeps its receipt for ever (I4).
create table log.commands (
    command_id     uuid   primary key,
    aggregate_id   uuid   not null,
    version        bigint not null,
    first_position bigint not null,
    last_position  bigint not null
);

-- Appends a batch of commands. Each gets its own answer, in the order given:
--   ok         its events are in the log at first_position … last_position
--   duplicate  its id was used before; the first receipt again
--   conflict   its aggregate is not at the version it expected; version tells where it is
-- A command that follows another on the same aggregate in the batch expects the version after that one; if the first
-- fails, so do those that rode on it.
create function log.append(
    p_context         text,
    -- one element a command
    p_command_id      uuid[],
    p_aggregate_type  text[],
    p_aggregate_id    uuid[],
    p_expected        bigint[],
    p_events          int[],
    p_correlation     uuid[],
    p_causation       uuid[],
    p_causation_pos   bigint[],
    p_actor           text[],
    p_traceparent     text[],
    p_occurred_us     bigint[],
    -- one element an event, in command order
    e_command         int[],
    e_index           int[],
    e_id              uuid[],
    e_name            text[],
    e_organisation    uuid[],
    e_orgnr           text[],
    e_kommunenummer   text[],
    e_related         text[],
    e_class           smallint[],
    e_data            bytea[],
    e_payload         text[]
) returns table (ordinal int, status text, aggregate uuid, version bigint, first_position bigint, last_position bigint)
language plpgsql volatile security definer
set search_path = pg_catalog, log
-- Planned once a session: planning takes longer than appending what a few dozen clients send. Such a plan knows nothing of
-- the arrays' sizes, so the look-ups in tables are subqueries, which go by index, and all that is left to join is hashed.
set plan_cache_mode = force_generic_plan
set enable_nestloop = off
as $$
declare
    v_head bigint;
begin
    if not exists (select from log.writers w where w.role = session_user and w.context = p_context) then
        raise exception 'role % may not append events of context %', session_user, p_context
            using errcode = 'insufficient_privilege';
    end if;

    select position into strict v_head from log.head for update;

    -- A new statement, so a snapshot that sees what the last holder of the head committed.
    return query
    with asked as (
        select c.ord::int as ord, c.command_id, c.aggregate_type, c.aggregate_id, c.expected, c.events,
               c.correlation, c.causation, c.causation_pos, c.actor, c.traceparent, c.occurred_us,
               (select k from log.commands k where k.command_id = c.command_id) as known,
               coalesce((select max(e.sequence) from log.events e where e.aggregate_id = c.aggregate_id), 0) as current
          from unnest(p_command_id, p_aggregate_type, p_aggregate_id, p_expected, p_events,
                      p_correlation, p_causation, p_causation_pos, p_actor, p_traceparent, p_occurred_us)
               with ordinality as c(command_id, aggregate_type, aggregate_id, expected, events,
                                    correlation, causation, causation_pos, actor, traceparent, occurred_us, ord)
    ), fresh as (
        select a.*, a.current + coalesce(sum(a.events) over (partition by a.aggregate_id order by a.ord
                                         rows between unbounded preceding and 1 preceding), 0) as due
          from asked a
         where (a.known).command_id is null
    ), judged as (
        select f.*, bool_and(f.expected = f.due) over (partition by f.aggregate_id order by f.ord) as ok
          from fresh f
    ), placed as (
        select j.*, (v_head + coalesce(sum(j.events) filter (where j.ok) over (order by j.ord
                              rows between unbounded preceding and 1 preceding), 0))::bigint as before
          from judged j
    ), written as (
        insert into log.events
        select p.before + e.idx, e.id, p_context, e.name, p.aggregate_type, p.aggregate_id, p.expected + e.idx,
               e.organisation, 'epoch'::timestamptz + p.occurred_us * interval '1 microsecond', clock_timestamp(),
               p.correlation, p.causation, p.causation_pos, p.command_id, p.actor::jsonb,
               e.orgnr, e.kommunenummer, e.related::uuid[], e.class, p.traceparent, e.data, e.payload::jsonb
          from unnest(e_command, e_index, e_id, e_name, e_organisation, e_orgnr, e_kommunenummer, e_related, e_class, e_data, e_payload)
               as e(command, idx, id, name, organisation, orgnr, kommunenummer, related, class, data, payload)
          join placed p on p.ord = e.command and p.ok
         order by p.before + e.idx
    ), remembered as (
        insert into log.commands
        select p.command_id, p.aggregate_id, p.expected + p.events, p.before + least(p.events, 1), p.before + p.events
          from placed p
         where p.ok
    ), moved as (
        update log.head set position = v_head + (select coalesce(sum(p.events), 0) from placed p where p.ok)
    )
    select p.ord, case when p.ok then 'ok' else 'conflict' end, p.aggregate_id,
           case when p.ok then p.expected + p.events else p.current end,
           case when p.ok then p.before + least(p.events, 1) else 0 end, case when p.ok then p.before + p.events else 0 end
      from placed p
    union all
    select a.ord, 'duplicate', (a.known).aggregate_id, (a.known).version, (a.known).first_position, (a.known).last_position
      from asked a
     where (a.known).command_id is not null
    order by 1;
end
$$;

revoke all on function log.append from public;

-- Opens the log to a service: its role may read it, and append the events of its own context.
create function log.admit_writer(p_role name, p_context text) returns void
language plpgsql as $$
begin
    insert into log.writers values (p_role, p_context)
        on conflict (role) do update set context = excluded.context;
    perform log.admit_reader(p_role);
    execute format('grant execute on function log.append to %I', p_role);
end
$$;

create function log.admit_reader(p_role name) returns void
language plpgsql as $$
begin
    execute format('grant usage on schema log to %I', p_role);
    execute format('grant select on log.head, log.events, log.commands to %I', p_role);
end
$$;

revoke all on function log.admit_writer, log.admit_reader from public;
