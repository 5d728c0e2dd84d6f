-- Who may append what, down to a type of aggregate: the doors that answer write who was answered, and nothing else of that
-- context. And what is written stays written, even for the owner.

alter table log.writers drop constraint writers_pkey;
-- Null: every type of the context.
alter table log.writers add column aggregate_type text;
alter table log.writers add constraint writers_once unique nulls not distinct (role, context, aggregate_type);

-- Raises unless who is logged in may append to all of these aggregates. Who may write one type only must not reach another's
-- aggregate under its name either.
create function log.check_writer(p_context text, p_aggregate_type text[], p_aggregate_id uuid[]) returns void
language plpgsql stable
set search_path = pg_catalog, log
as $$
declare
    v_type text;
begin
    if exists (select from log.writers w
                where w.role = session_user and w.context = p_context and w.aggregate_type is null) then
        return;
    end if;
    if not exists (select from log.writers w where w.role = session_user and w.context = p_context) then
        raise exception 'role % may not append events of context %', session_user, p_context
            using errcode = 'insufficient_privilege';
    end if;
    select t into v_type
      from unnest(p_aggregate_type) as t
     where not exists (select from log.writers w
                        where w.role = session_user and w.context = p_context and w.aggregate_type = t)
     limit 1;
    if found then
        raise exception 'role % may not append events of aggregate type % of context %', session_user, v_type, p_context
            using errcode = 'insufficient_privilege';
    end if;
    if exists (select from unnest(p_aggregate_type, p_aggregate_id) as c(type, id)
                 join log.events e on e.aggregate_id = c.id and e.sequence = 1
                where e.context <> p_context or e.aggregate_type <> c.type) then
        raise exception 'role % may not append to an aggregate of another type', session_user
            using errcode = 'insufficient_privilege';
    end if;
end
$$;

revoke all on function log.check_writer from public;

create or replace function log.append(
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
    perform log.check_writer(p_context, p_aggregate_type, p_aggregate_id);

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

drop function log.admit_writer(name, text);

-- Opens the log to a service: its role may read it, and append the events of a context, or of one type of aggregate in it.
create function log.admit_writer(p_role name, p_context text, p_aggregate_type text) returns void
language plpgsql as $$
begin
    insert into log.writers (role, context, aggregate_type) values (p_role, p_context, p_aggregate_type)
        on conflict on constraint writers_once do nothing;
    perform log.admit_reader(p_role);
    execute format('grant execute on function log.append to %I', p_role);
end
$$;

revoke all on function log.admit_writer from public;

create function log.refuse_change() returns trigger
language plpgsql as $$
begin
    raise exception '% of log.%: the log is append-only', tg_op, tg_table_name
        using errcode = 'object_not_in_prerequisite_state';
end
$$;

create trigger events_never_change before update or delete or truncate on log.events
    for each statement execute function log.refuse_change();
create trigger commands_never_change before update or delete or truncate on log.commands
    for each statement execute function log.refuse_change();
