//! Deadlines: commands that fall due, set and cancelled by what happens, and sent by the business clock.

use std::sync::Arc;

use jiff::Timestamp;
use ryggrad_decider::Timer;
use sqlx::{PgPool, Row as _};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::clock::Clock;
use crate::consumer::{Poison, Source};
use crate::event::Recorded;
use crate::order::{Again, Carried, Order};

mod planner;
mod ticker;

/// Which deadlines a service's events set and cancel: pure.
pub trait Schedule: Send + Sync + 'static {
    /// Its name.
    const NAME: &'static str;

    /// What an event does to the deadlines, in order; nothing for most.
    ///
    /// # Errors
    /// When the event cannot be digested; its organisation is parked.
    fn plan(&self, event: &Recorded) -> Result<Vec<Action>, Poison>;
}

/// What an event does to a deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Sets it, or sets it anew when it is there.
    Set(Deadline),
    /// Takes it away, if it is still pending.
    Cancel(Uuid),
    /// Takes all pending ones of an aggregate away.
    CancelAll(Uuid),
}

/// A command that falls due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    /// Which one it is; see [`id`].
    pub id: Uuid,
    /// The timer of the domain that it follows; its nature (law, practice, design, …) is kept with it.
    pub timer: &'static Timer,
    /// When it falls due, by the business clock.
    pub due_at: Timestamp,
    /// The kind of aggregate that the command is for.
    pub aggregate_type: &'static str,
    /// The aggregate that the command is for.
    pub aggregate_id: Uuid,
    /// The command in the bytes that the service understands.
    pub command: Vec<u8>,
}

/// A deadline that has fallen due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Number of the timer: `T-2.3`.
    pub timer: String,
    /// When it fell due.
    pub due_at: Timestamp,
    /// The kind of aggregate that the command is for.
    pub aggregate_type: String,
    /// The aggregate that the command is for.
    pub aggregate_id: Uuid,
    /// The command in the bytes that the service understands.
    pub command: Vec<u8>,
}

/// A deadline as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Which one it is.
    pub id: Uuid,
    /// Number of the timer.
    pub timer: String,
    /// What kind of deadline it is: law, practice, design, …
    pub nature: String,
    /// When it falls, or fell, due.
    pub due_at: Timestamp,
    /// The kind of aggregate.
    pub aggregate_type: String,
    /// The aggregate.
    pub aggregate_id: Uuid,
    /// pending, done, cancelled or refused.
    pub state: String,
    /// Why it was refused.
    pub note: Option<String>,
}

/// The id of an aggregate's deadline under a timer; `which` tells apart several under the same one.
pub fn id(aggregate_id: Uuid, timer: &Timer, which: &str) -> Uuid {
    Uuid::new_v5(&aggregate_id, format!("{}/{which}", timer.id).as_bytes())
}

/// The id of the command that a deadline gives, as set by the event at a position.
pub fn command_id(deadline: Uuid, position: u64) -> Uuid {
    Uuid::new_v5(&deadline, position.to_string().as_bytes())
}

/// Plans deadlines, and sends what falls due, in the first schema of the pool's search path, where
/// [`crate::consumer::install`] has been, until the token ends. What is due is carried out in the order of its due times,
/// at most a few hundred at a time, and different aggregates' side by side. Outages are waited out.
pub async fn run<S, F, Fut>(
    pool: PgPool,
    source: impl Into<Source>,
    clock: Clock,
    schedule: S,
    execute: F,
    token: CancellationToken,
) where
    S: Schedule,
    F: Fn(Order<Due>) -> Fut + Send + Sync,
    Fut: Future<Output = Result<Carried, Again>> + Send,
{
    let source = source.into();
    let planned = Arc::new(Notify::new());
    tokio::join!(
        planner::run(&pool, &source, &schedule, &planned, &token),
        ticker::run::<S, _, _>(&pool, &clock, &execute, &planned, &token),
    );
}

/// The deadlines of an aggregate, by due time.
///
/// # Errors
/// When the database fails.
pub async fn of_aggregate(pool: &PgPool, aggregate_id: Uuid) -> Result<Vec<Listed>, sqlx::Error> {
    let sql = "select id, timer, nature, due_at, aggregate_type, aggregate_id, state, note from deadlines where aggregate_id = $1 order by due_at, id";
    listed(&sqlx::query(sql).bind(aggregate_id).fetch_all(pool).await?)
}

/// The next pending deadlines, by due time.
///
/// # Errors
/// When the database fails.
pub async fn pending(pool: &PgPool, limit: u32) -> Result<Vec<Listed>, sqlx::Error> {
    let sql = "select id, timer, nature, due_at, aggregate_type, aggregate_id, state, note from deadlines where state = 'pending' order by due_at, id limit $1";
    listed(&sqlx::query(sql).bind(i64::from(limit)).fetch_all(pool).await?)
}

fn listed(rows: &[sqlx::postgres::PgRow]) -> Result<Vec<Listed>, sqlx::Error> {
    rows.iter()
        .map(|row| {
            Ok(Listed {
                id: row.try_get("id")?,
                timer: row.try_get("timer")?,
                nature: row.try_get("nature")?,
                due_at: row.try_get::<jiff_sqlx::Timestamp, _>("due_at")?.to_jiff(),
                aggregate_type: row.try_get("aggregate_type")?,
                aggregate_id: row.try_get("aggregate_id")?,
                state: row.try_get("state")?,
                note: row.try_get("note")?,
            })
        })
        .collect()
}
