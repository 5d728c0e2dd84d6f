-- Appending holds the head for a shorter time: JSON is parsed before it is taken, and arrays are read by subscript, which
-- costs a third of unnesting them, since each unnested array is first copied into a table of its own. The caller counts the
-- events through each command, so that nothing has to be summed.

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
    -- how many events the commands have, up to and including this one
    p_through         int[],
    p_follows         int[],
    p_correlation     uuid[],
    p_causation       uuid[],
    p_causation_pos   bigint[],
    p_actor           text[],
    p_traceparent     text[],
    p_occurred_at     timestamptz[],
    -- one element an event, in command order
    e_command         int[],
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
-- the arrays' sizes, so the look-ups in tables are subqueries, which go by index.
set plan_cache_mode = force_generic_plan
set enable_nestloop = off
as $$
declare
    v_actor    jsonb[] := array(select a::jsonb from unnest(p_actor) as a);
    v_payload  jsonb[] := array(select p::jsonb from unnest(e_payload) as p);
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
    if cardinality(e_id) <> p_through[cardinality(p_through)] then
        raise exception 'commands with % events come with %', p_through[cardinality(p_through)], cardinality(e_id)
            using errcode = 'invalid_parameter_value';
    end if;

    select position into strict v_head from log.head for update;

    -- From here on statements have snapshots that see what the last holder of the head committed.
    v_now := clock_timestamp();
    perform from generate_series(1, cardinality(p_command_id)) as c
      where (select k.command_id from log.commands k where k.command_id = p_command_id[c]) is not null
         or p_expected[c] <> case
                when p_follows[c] is null
                then coalesce((select max(e.sequence) from log.events e where e.aggregate_id = p_aggregate_id[c]), 0)
                when p_follows[c] < c and p_aggregate_id[p_follows[c]] = p_aggregate_id[c]
                then p_expected[p_follows[c]] + p_through[p_follows[c]] - coalesce(p_through[p_follows[c] - 1], 0)
                else -1 end;
    v_plain := not found;
    if v_plain then
        v_written := cardinality(e_id);
    else
        with asked as (
            select c as ord, p_aggregate_id[c] as aggregate_id, p_expected[c] as expected,
                   p_through[c] - coalesce(p_through[c - 1], 0) as events,
                   (select k from log.commands k where k.command_id = p_command_id[c]) as known,
                   coalesce((select max(e.sequence) from log.events e where e.aggregate_id = p_aggregate_id[c]), 0) as current
              from generate_series(1, cardinality(p_command_id)) as c
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
    select case when v_plain then v_head + i else v_before[c] + index end, e_id[i], p_context, e_name[i], p_aggregate_type[c],
           p_aggregate_id[c], p_expected[c] + index, e_organisation[i], p_occurred_at[c], v_now, p_correlation[c],
           p_causation[c], p_causation_pos[c], p_command_id[c], v_actor[c], e_orgnr[i], e_kommunenummer[i],
           e_related[i]::uuid[], e_class[i], p_traceparent[c], e_data[i], v_payload[i]
      -- The offset keeps the look-up of the command from being repeated for each column.
      from (select i, e_command[i] as c, i - coalesce(p_through[e_command[i] - 1], 0) as index
              from generate_series(1, cardinality(e_id)) as i offset 0) as e
     where v_plain or v_before[c] is not null;

    insert into log.commands
    select p_command_id[c], p_aggregate_id[c], p_expected[c] + events, before + least(events, 1), before + events
      from (select c, p_through[c] - coalesce(p_through[c - 1], 0) as events,
                   case when v_plain then v_head + coalesce(p_through[c - 1], 0) else v_before[c] end as before
              from generate_series(1, cardinality(p_command_id)) as c offset 0) as e
     where before is not null;

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
