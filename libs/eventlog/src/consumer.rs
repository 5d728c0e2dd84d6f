//! Consumers: read the stream in order, from where they were, and never take an event twice or miss one.

use sqlx::{Connection as _, PgConnection, PgPool, Row as _};

use crate::event::{Recorded, signed, unsigned};
use crate::schema::{self, Step};

mod feed;
mod follower;
mod pull;
mod source;

pub use feed::Feed;
pub use follower::Follower;
pub use source::Source;

/// An event that a consumer cannot digest, and why. Its organisation is parked; everybody else goes on (I11).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Poison(String);

/// Another process moved the checkpoint meanwhile: two run the same consumer, and this one has to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another process runs the same consumer")]
pub struct Overtaken;

/// Why a consumer did not take events in: it looks again where it is, and goes on from there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Overtaken(#[from] Overtaken),
}

/// Room for events that a consumer at rest keeps.
const FEW: usize = 64;

/// The steps that make the tables of consumers, kept for ever. A service with tables of its own numbers them from 10.
pub const STEPS: &[Step] = &[
    Step {
        version: 1,
        description: "consumers",
        sql: include_str!("../sql/consumer/0001_consumers.sql"),
    },
    Step {
        version: 2,
        description: "traces",
        sql: include_str!("../sql/consumer/0002_traces.sql"),
    },
    Step {
        version: 3,
        description: "due",
        sql: include_str!("../sql/consumer/0003_due.sql"),
    },
    Step {
        version: 4,
        description: "failing",
        sql: include_str!("../sql/consumer/0004_failing.sql"),
    },
];

// === impl Poison ===

impl Poison {
    /// An event that cannot be digested for this cause.
    pub fn new(cause: impl std::fmt::Display) -> Self {
        Self(cause.to_string())
    }
}

impl From<prost::DecodeError> for Poison {
    fn from(error: prost::DecodeError) -> Self {
        Self::new(error)
    }
}

/// Makes the tables that consumers need, in the first schema of the pool's search path. Harmless when they are there.
///
/// # Errors
/// When the database fails or refuses.
pub async fn install(pool: &PgPool) -> Result<(), sqlx::migrate::MigrateError> {
    schema::apply(pool, STEPS).await
}

/// The position up to which a consumer has taken everything in; 0 when it has not begun.
///
/// # Errors
/// When the database fails.
pub async fn checkpoint(connection: &mut PgConnection, consumer: &str) -> Result<u64, sqlx::Error> {
    let row = sqlx::query("select position from checkpoints where consumer = $1")
        .bind(consumer)
        .fetch_optional(connection)
        .await?;
    row.map_or(Ok(0), |row| Ok(unsigned(row.try_get(0)?)))
}

/// Holds a checkpoint where it is, until the transaction ends.
///
/// # Errors
/// When the database fails.
pub(crate) async fn hold(connection: &mut PgConnection, consumer: &str) -> Result<(), sqlx::Error> {
    sqlx::query("select from checkpoints where consumer = $1 for update")
        .bind(consumer)
        .execute(connection)
        .await?;
    Ok(())
}

/// Gives back what a burst of events took: room for them, and in the buffers of the connection.
pub(crate) fn rest(connection: &mut PgConnection, batch: &mut Vec<Recorded>) {
    connection.shrink_buffers();
    batch.shrink_to(FEW);
}

/// Moves a checkpoint, in the transaction of the effect (I6). False when it was not at `from`: then the effect has been
/// had already, by somebody else, and the transaction must be rolled back.
///
/// # Errors
/// When the database fails.
pub async fn advance(connection: &mut PgConnection, consumer: &str, from: u64, to: u64) -> Result<bool, sqlx::Error> {
    let sql = "insert into checkpoints as c (consumer, position) select $1, $3 where $2 = 0
                   on conflict (consumer) do update set position = excluded.position where c.position = $2";
    let update = "update checkpoints set position = $3 where consumer = $1 and position = $2";
    let query = sqlx::query(if from == 0 { sql } else { update });
    let done = query
        .bind(consumer)
        .bind(signed(from))
        .bind(signed(to))
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}
