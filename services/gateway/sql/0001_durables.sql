-- Named durable subscriptions: how far the consumer of each has come.

create table durables (
    -- Organisation number of the one whose it is.
    orgnr           text        not null,
    name            text        not null,
    -- The filter that it was made with, as ryggrad.events.v1.EventFilter in protobuf.
    filter          bytea       not null,
    -- The approved subscription that it rests on.
    subscription    uuid,
    -- Which log the positions are of.
    epoch           uuid        not null,
    acknowledged    bigint      not null check (acknowledged >= 0),
    -- What was sent, at least: written every second while something is.
    delivered       bigint      not null check (delivered >= acknowledged),
    -- Who follows it now, or did last: the newest takes over.
    session         uuid        not null,
    created_at      timestamptz not null default clock_timestamp(),
    acknowledged_at timestamptz,
    primary key (orgnr, name)
);
