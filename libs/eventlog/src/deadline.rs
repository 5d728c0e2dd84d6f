//! Deadlines: commands that fall due, set and cancelled by what happens, and sent by the business clock.

use std::sync::Arc;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use ryggrad_decider::Timer;
use sqlx::postgres::PgRow;
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
    /// The schedule that it is on.
    pub schedule: String,
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
    /// Why it was refused, or why its command failed the last time.
    pub note: Option<String>,
    /// How often its command has failed since it was set.
    pub attempts: u32,
    /// When it is tried again, by the wall clock; none for one that has not failed.
    pub again_at: Option<Timestamp>,
}

/// Which deadlines are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Pending ones whose commands have failed, for no fault of their own, and are tried again.
    Failing,
    /// All pending ones.
    Pending,
    /// Those whose commands the domain refused.
    Refused,
    /// All of an aggregate, whatever became of them.
    Of(Uuid),
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
/// at most a few hundred at a time, and different aggregates' side by side. Outages are waited out. A command that fails for no
/// fault of its own, at an event of a later version say, is tried again, after a second at first and every ten minutes in the
/// end; what its aggregate has due after it waits with it.
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

/// Deadlines in the schema of the pool, at most so many, by due time: those after the one with this due time and id.
///
/// # Errors
/// When the database fails.
pub async fn list(
    pool: &PgPool,
    which: Which,
    after: Option<(Timestamp, Uuid)>,
    limit: u32,
) -> Result<Vec<Listed>, sqlx::Error> {
    let (condition, aggregate_id) = match which {
        Which::Failing => ("state = 'pending' and again_at is not null", None),
        Which::Pending => ("state = 'pending'", None),
        Which::Refused => ("state = 'refused'", None),
        Which::Of(aggregate_id) => ("true", Some(aggregate_id)),
    };
    let sql = format!(
        "select id, consumer, timer, nature, due_at, aggregate_type, aggregate_id, state, note, attempts, again_at from deadlines
          where {condition} and ($1::timestamptz is null or (due_at, id) > ($1, $2)) and ($4::uuid is null or aggregate_id = $4)
          order by due_at, id limit $3"
    );
    sqlx::query(&sql)
        .bind(after.map(|(due_at, _)| due_at.to_sqlx()))
        .bind(after.map(|(_, id)| id))
        .bind(i64::from(limit))
        .bind(aggregate_id)
        .fetch_all(pool)
        .await?
        .iter()
        .map(listed)
        .collect()
}

fn listed(row: &PgRow) -> Result<Listed, sqlx::Error> {
    let again_at: Option<jiff_sqlx::Timestamp> = row.try_get("again_at")?;
    let attempts: i32 = row.try_get("attempts")?;
    Ok(Listed {
        id: row.try_get("id")?,
        schedule: row.try_get("consumer")?,
        timer: row.try_get("timer")?,
        nature: row.try_get("nature")?,
        due_at: row.try_get::<jiff_sqlx::Timestamp, _>("due_at")?.to_jiff(),
        aggregate_type: row.try_get("aggregate_type")?,
        aggregate_id: row.try_get("aggregate_id")?,
        state: row.try_get("state")?,
        note: row.try_get("note")?,
        attempts: attempts.unsigned_abs(),
        again_at: again_at.map(jiff_sqlx::Timestamp::to_jiff),
    })
}
