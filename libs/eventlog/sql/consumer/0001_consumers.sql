-- What the consumers of a service need, in the service's own schema.

-- How far each consumer has come. Written in the transaction of its effect, so every event has its effect once (I6).
create table checkpoints (
    consumer text   primary key collate "C",
    position bigint not null check (position >= 0)
);

-- Organisations that a consumer cannot go on with (I11). Their later events wait in the log.
create table parked (
    consumer        text        not null collate "C",
    organisation_id uuid        not null,
    -- What it is parked in: the consumer, or one generation of a view.
    place           text        not null collate "C",
    -- The first event that was not taken in.
    position        bigint      not null,
    event_id        uuid        not null,
    event_name      text        not null,
    cause           text        not null,
    -- Parked because its next event also concerns this one, which is.
    waits_for       uuid,
    parked_at       timestamptz not null default clock_timestamp(),
    -- Asked to be tried again.
    released        boolean     not null default false,
    primary key (place, organisation_id)
);

-- The generations of the views' tables. Readers use the live one; the next is filled beside it and takes over (I10).
create table projections (
    name       text        not null collate "C",
    generation int         not null,
    version    int         not null,
    state      text        not null check (state in ('building', 'live', 'retired')),
    table_name text        not null collate "C" unique,
    asked_at   timestamptz not null default clock_timestamp(),
    state_at   timestamptz not null default clock_timestamp(),
    -- Events a second, when last measured.
    rate       double precision not null default 0,
    -- When it was last seen at work.
    seen_at    timestamptz,
    primary key (name, generation)
);
create unique index projections_one_live on projections (name) where state = 'live';
create unique index projections_one_building on projections (name) where state = 'building';

-- Commands that fall due.
create table deadlines (
    id             uuid        primary key,
    consumer       text        not null collate "C",
    timer          text        not null,
    nature         text        not null,
    due_at         timestamptz not null,
    aggregate_type text        not null,
    aggregate_id   uuid        not null,
    command        bytea       not null,
    -- The event that set it: a deadline set again is another one.
    position       bigint      not null,
    correlation_id uuid        not null,
    causation_id   uuid        not null,
    state          text        not null check (state in ('pending', 'done', 'cancelled', 'refused')),
    -- Why it was refused.
    note           text
);
create index deadlines_due on deadlines (due_at, id) where state = 'pending';
create index deadlines_of_aggregate on deadlines (aggregate_id);

-- What reactions remember between events.
create table reaction_states (
    reaction text  not null collate "C",
    key      uuid  not null,
    state    bytea not null,
    primary key (reaction, key)
);
