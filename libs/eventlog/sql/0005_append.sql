-- Appending costs less: what nearly every batch is, commands that are new and decided on what is there, is recognised by
-- one look at each, and answered with one row. The way to judge the others is as before.

drop function log.append;

-- Appends a batch of commands. A single row with ordinal 0 says that all of them are in the log, in the order given, their
-- events one after the other from the position after first_position on. Otherwise each gets its own answer:
--   ok         its events are in the log at first_position … last_position
--   duplicate  its id was used before; the first receipt again
--   conflict   its aggregate is not at the version it expected; version tells where it is
-- A command that follows another on the same aggregate in the batch expects the version after that one, and names it by
-- p_follows; if the first fails, so do those that rode on it.
create function log.append(
    p_context         text,
    -- one element a command
    p_command_id      uuid[],
    p_aggregate_type  text[],
    p_aggregate_id    uuid[],
    p_expected        bigint[],
    p_events          int[],
    p_follows         int[],
    p_correlation     uuid[],
    p_causation       uuid[],
    p_causation_pos   bigint[],
    p_actor           text[],
    p_traceparent     text[],
    p_occurred_at     timestamptz[],
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
    v_head     bigint;
    v_now      timestamptz;
    -- Whether every command is new, and decided on what is there.
    v_plain    boolean;
    -- Else, of each command: the position before its first event; null when it is not appended.
    v_before   bigint[];
    v_written  bigint;
    v_status   text[];
    v_answer   uuid[];
    v_version  bigint[];
    v_first    bigint[];
    v_last     bigint[];
begin
    perform log.check_writer(p_context, p_aggregate_type, p_aggregate_id);

    select position into strict v_head from log.head for update;

    -- From here on statements have snapshots that see what the last holder of the head committed.
    v_now := clock_timestamp();
    perform from unnest(p_command_id, p_aggregate_id, p_expected, p_follows) with ordinality
                 as c(id, aggregate_id, expected, follows, ord)
      where (select k.command_id from log.commands k where k.command_id = c.id) is not null
         or c.expected <> case
                when c.follows is null
                then coalesce((select max(e.sequence) from log.events e where e.aggregate_id = c.aggregate_id), 0)
                when c.follows < c.ord and p_aggregate_id[c.follows] = c.aggregate_id
                then p_expected[c.follows] + p_events[c.follows]
                else -1 end;
    v_plain := not found;
    if v_plain then
        v_written := coalesce(array_length(e_id, 1), 0);
    else
        with asked as (
            select c.*,
                   (select k from log.commands k where k.command_id = c.command_id) as known,
                   coalesce((select max(e.sequence) from log.events e where e.aggregate_id = c.aggregate_id), 0) as current
              from unnest(p_command_id, p_aggregate_id, p_expected, p_events)
                   with ordinality as c(command_id, aggregate_id, expected, events, ord)
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
        ), answered as (
            select p.ord, case when p.ok then 'ok' else 'conflict' end as status, p.aggregate_id as answer,
                   case when p.ok then p.expected + p.events else p.current end as version,
                   case when p.ok then p.before + least(p.events, 1) else 0 end as first,
                   case when p.ok then p.before + p.events else 0 end as last,
                   case when p.ok then p.before end as before, case when p.ok then p.events else 0 end as written
              from placed p
            union all
            select a.ord, 'duplicate', (a.known).aggregate_id, (a.known).version, (a.known).first_position,
                   (a.known).last_position, null, 0
              from asked a
             where (a.known).command_id is not null
        )
        select array_agg(a.before order by a.ord), coalesce(sum(a.written), 0), array_agg(a.status order by a.ord),
               array_agg(a.answer order by a.ord), array_agg(a.version order by a.ord), array_agg(a.first order by a.ord),
               array_agg(a.last order by a.ord)
          into v_before, v_written, v_status, v_answer, v_version, v_first, v_last
          from answered a;
    end if;

    insert into log.events
    select case when v_plain then v_head + e.ord else c.before + e.idx end, e.id, p_context, e.name, c.aggregate_type, c.aggregate_id, c.expected + e.idx,
           e.organisation, c.occurred_at, v_now, c.correlation, c.causation, c.causation_pos, c.command_id, c.actor::jsonb,
           e.orgnr, e.kommunenummer, e.related::uuid[], e.class, c.traceparent, e.data, e.payload::jsonb
      from unnest(e_command, e_index, e_id, e_name, e_organisation, e_orgnr, e_kommunenummer, e_related, e_class, e_data, e_payload)
           with ordinality
           as e(command, idx, id, name, organisation, orgnr, kommunenummer, related, class, data, payload, ord)
      join unnest(v_before, p_command_id, p_aggregate_type, p_aggregate_id, p_expected, p_correlation, p_causation,
                  p_causation_pos, p_actor, p_traceparent, p_occurred_at) with ordinality
           as c(before, command_id, aggregate_type, aggregate_id, expected, correlation, causation,
                causation_pos, actor, traceparent, occurred_at, ord)
        on c.ord = e.command
     where v_plain or c.before is not null;

    insert into log.commands
    select c.command_id, c.aggregate_id, c.expected + c.events, c.last - c.events + least(c.events, 1), c.last
      from (select u.*, case when v_plain then (v_head + sum(u.events) over (rows unbounded preceding))::bigint
                             else u.before + u.events end as last
              from unnest(v_before, p_command_id, p_aggregate_id, p_expected, p_events)
                   as u(before, command_id, aggregate_id, expected, events)) as c
     where c.last is not null;

    update log.head set position = v_head + v_written where v_written > 0;

    if v_plain then
        return query select 0, 'ok', null::uuid, null::bigint, v_head, v_head + v_written;
    else
        return query select u.ord::int, u.status, u.answer, u.version, u.first, u.last
                       from unnest(v_status, v_answer, v_version, v_first, v_last) with ordinality
                            as u(status, answer, version, first, last, ord)
                      order by u.ord;
    end if;
end
$$;

revoke all on function log.append from public;
