//! Stock cqrs-es and postgres-es, as their documentation sets them up, with the same aggregate.

use cqrs_es::AggregateError;
use cqrs_es::persist::{PersistedEventRepository as _, SerializedEvent};
use postgres_es::{PostgresCqrs, PostgresEventRepository, postgres_cqrs};
use ryggrad_decider::cqrs::{Asked, Hosted, Stored};
use ryggrad_decider::{Context, Decider as _};
use ryggrad_proto::common::v1::Actor;
use sqlx::PgPool;
use std::sync::Arc;
use uuid::Uuid;

use super::counter::{Counter, Hold};

/// The table of postgres-es's own documentation.
const TABLES: &str = "create table events (
    aggregate_type text not null, aggregate_id text not null, sequence bigint check (sequence >= 0) not null,
    event_type text not null, event_version text not null, payload json not null, metadata json not null,
    primary key (aggregate_type, aggregate_id, sequence))";

/// The contestant.
#[derive(Clone)]
pub(super) struct Baseline {
    repository: Arc<PostgresEventRepository>,
    framework: Arc<PostgresCqrs<Hosted<Counter>>>,
}

// === impl Baseline ===

impl Baseline {
    pub(super) async fn open(pool: PgPool) -> anyhow::Result<Self> {
        sqlx::query(TABLES).execute(&pool).await?;
        let framework = postgres_cqrs(pool.clone(), Vec::new(), ());
        Ok(Self {
            repository: Arc::new(PostgresEventRepository::new(pool)),
            framework: Arc::new(framework),
        })
    }

    /// Appends the first event of a new aggregate.
    pub(super) async fn append(&self) -> anyhow::Result<bool> {
        let id = Uuid::now_v7();
        let events = Counter::decide(&0, &Hold(7), &context(id))?;
        let payload = serde_json::to_value(Stored(events[0].clone()))?;
        let event = SerializedEvent {
            aggregate_id: id.to_string(),
            sequence: 1,
            aggregate_type: Counter::AGGREGATE.to_owned(),
            event_type: "TrialActivityHeld".to_owned(),
            event_version: "1".to_owned(),
            payload,
            metadata: serde_json::json!({}),
        };
        self.repository.persist::<Hosted<Counter>>(&[event], None).await?;
        Ok(true)
    }

    /// Loads, decides, appends; `false` when another was faster.
    pub(super) async fn execute(&self, id: Uuid) -> anyhow::Result<bool> {
        let asked = Asked {
            command: Hold(7),
            context: context(id),
        };
        match self.framework.execute(&id.to_string(), asked).await {
            Ok(()) => Ok(true),
            Err(AggregateError::AggregateConflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn context(aggregate_id: Uuid) -> Context {
    let id = Uuid::now_v7();
    Context {
        now: jiff::Timestamp::UNIX_EPOCH,
        aggregate_id,
        command_id: id,
        new_id: id,
        actor: Actor::default(),
    }
}
