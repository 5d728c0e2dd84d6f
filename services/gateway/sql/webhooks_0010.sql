-- Webhooks: who is called, what failed, and what came of every attempt. Everything else is in the log.

create table webhook_endpoints (
    endpoint_id        uuid        primary key,
    -- Whose it is: the organisation (the customer, when a system user asked), and who was authorised.
    owner              text        not null,
    consumer           text        not null,
    supplier           text,
    system_user_id     text,
    -- What its maker's token allowed; what it may see is asked with these scopes at every batch.
    scopes             text        not null,
    url                text        not null,
    filter             jsonb       not null,
    subscription_id    uuid,
    is_structured      boolean     not null,
    is_ordered         boolean     not null,
    rate_per_second    integer     not null check (rate_per_second >= 0),
    description        text        not null,
    state              text        not null check (state in ('pending', 'active', 'paused', 'disabled')),
    reason             text        not null default '',
    -- Grows with every change that the one who delivers has to know of.
    version            bigint      not null default 1,
    -- Every event up to here was delivered, is in the queue, or was not for this endpoint.
    cursor             bigint      not null,
    not_before         timestamptz,
    created_at         timestamptz not null,
    validated_at       timestamptz,
    last_success_at    timestamptz,
    -- Deliveries a minute that the endpoint allowed; none when it set no limit.
    allowed_per_minute integer,
    -- SHA-256 of what the address for granting permission afterwards has in it, and until when it is good.
    grant_hash         bytea,
    grant_until        timestamptz,
    -- Which process delivers, and until when without saying so again.
    lease_holder       uuid,
    lease_until        timestamptz
);
create index webhook_endpoints_owner on webhook_endpoints (owner, consumer, created_at);

-- Keys, sealed. The newest two that have not ended sign.
create table webhook_keys (
    key_id      uuid        primary key,
    endpoint_id uuid        not null references webhook_endpoints on delete cascade,
    -- Secret of v1 and seed of v1a, sealed with the key of the configuration; which one that was.
    sealed      bytea       not null,
    sealed_with bytea       not null,
    public_key  bytea       not null,
    created_at  timestamptz not null,
    ends_at     timestamptz
);
create index webhook_keys_endpoint on webhook_keys (endpoint_id, created_at);

-- What failed, and in ordered endpoints what waits behind it. Nothing else: what was not tried yet is in the log.
create table webhook_queue (
    endpoint_id     uuid        not null references webhook_endpoints on delete cascade,
    position        bigint      not null,
    organisation_id uuid        not null,
    event_id        uuid        not null,
    event_type      text        not null,
    state           text        not null check (state in ('due', 'waiting', 'dead')),
    attempts        integer     not null,
    next_attempt_at timestamptz,
    first_failed_at timestamptz,
    dead_at         timestamptz,
    error           text        not null default '',
    primary key (endpoint_id, position)
);
create index webhook_queue_due on webhook_queue (endpoint_id, next_attempt_at) where state = 'due';
create index webhook_queue_organisation on webhook_queue (endpoint_id, organisation_id, position) where state <> 'dead';
create index webhook_queue_dead on webhook_queue (endpoint_id, position) where state = 'dead';

-- What is gone through again: the positions after cursor up to through.
create table webhook_redrives (
    redrive_id  uuid        primary key,
    endpoint_id uuid        not null references webhook_endpoints on delete cascade,
    cursor      bigint      not null,
    through     bigint      not null,
    asked_at    timestamptz not null
);
create index webhook_redrives_endpoint on webhook_redrives (endpoint_id, asked_at);

-- The delivery log. Cleared away after some weeks.
create table webhook_attempts (
    attempt_id      bigint      generated always as identity primary key,
    endpoint_id     uuid        not null references webhook_endpoints on delete cascade,
    position        bigint      not null,
    event_id        uuid        not null,
    event_type      text        not null,
    number          integer     not null,
    at              timestamptz not null,
    duration_ms     integer     not null,
    outcome         text        not null check (outcome in ('delivered', 'failed', 'dead', 'gone')),
    status          integer     not null,
    error           text        not null,
    answer          text        not null,
    next_attempt_at timestamptz
);
create index webhook_attempts_endpoint on webhook_attempts (endpoint_id, attempt_id);
create index webhook_attempts_position on webhook_attempts (endpoint_id, position, attempt_id);
create index webhook_attempts_at on webhook_attempts using brin (at);
