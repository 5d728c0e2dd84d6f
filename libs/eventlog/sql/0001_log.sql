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
set plan_cache_mode = force_custom_plan
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
        select c.ord::int as ord, c.command_id, c.aggregate_type, c.aggregate_id, c.expected, c.events
          from unnest(p_command_id, p_aggregate_type, p_aggregate_id, p_expected, p_events)
               with ordinality as c(command_id, aggregate_type, aggregate_id, expected, events, ord)
    ), known as (
        select a.ord, k.aggregate_id, k.version, k.first_position, k.last_position
          from asked a join log.commands k on k.command_id = a.command_id
    ), base as (
        select i.id, coalesce((select max(e.sequence) from log.events e where e.aggregate_id = i.id), 0) as version
          from (select distinct a.aggregate_id as id from asked a) i
    ), fresh as (
        select a.*, b.version as current,
               b.version + coalesce(sum(a.events) over (partition by a.aggregate_id order by a.ord
                                    rows between unbounded preceding and 1 preceding), 0) as due
          from asked a join base b on b.id = a.aggregate_id
         where not exists (select from known k where k.ord = a.ord)
    ), judged as (
        select f.*, bool_and(f.expected = f.due) over (partition by f.aggregate_id order by f.ord) as ok
          from fresh f
    ), won as (
        select j.*, (v_head + sum(j.events) over (order by j.ord) - j.events)::bigint as before
          from judged j where j.ok
    ), written as (
        insert into log.events
        select w.before + e.idx, e.id, p_context, e.name, w.aggregate_type, w.aggregate_id, w.expected + e.idx,
               e.organisation, 'epoch'::timestamptz + p_occurred_us[w.ord] * interval '1 microsecond', clock_timestamp(),
               p_correlation[w.ord], p_causation[w.ord], p_causation_pos[w.ord], w.command_id, p_actor[w.ord]::jsonb,
               e.orgnr, e.kommunenummer, e.related::uuid[], e.class, p_traceparent[w.ord], e.data, e.payload::jsonb
          from unnest(e_command, e_index, e_id, e_name, e_organisation, e_orgnr, e_kommunenummer, e_related, e_class, e_data, e_payload)
               as e(command, idx, id, name, organisation, orgnr, kommunenummer, related, class, data, payload)
          join won w on w.ord = e.command
         order by w.before + e.idx
    ), remembered as (
        insert into log.commands
        select w.command_id, w.aggregate_id, w.expected + w.events, w.before + least(w.events, 1), w.before + w.events from won w
    ), moved as (
        update log.head set position = v_head + (select coalesce(sum(w.events), 0) from won w)
    )
    select j.ord, case when j.ok then 'ok' else 'conflict' end, j.aggregate_id,
           case when j.ok then j.expected + j.events else j.current end,
           coalesce(w.before + least(w.events, 1), 0), coalesce(w.before + w.events, 0)
      from judged j left join won w on w.ord = j.ord
    union all
    select k.ord, 'duplicate', k.aggregate_id, k.version, k.first_position, k.last_position from known k
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
