//! Sends what has fallen due.

use std::time::Duration;

use sqlx::{PgPool, Row as _};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::clock::Clock;
use crate::deadline::{Due, Schedule, command_id};
use crate::event::{signed, unsigned};
use crate::order::{self, Again, Carried, Order};

/// How many commands are sent between two looks at the table.
const BATCH: i64 = 512;
/// How often the table is looked at when nobody says that it has changed: another process may plan.
const LOOK: Duration = Duration::from_secs(1);
/// How long to wait after a failure of the database.
const PAUSE: Duration = Duration::from_millis(500);
/// How long to wait before a command that failed is tried again, at first and at the most.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(10));

/// What is counted when a command has ended, and how many deadlines fail.
const ENDED: &str = "ryggrad_deadlines_total";
const FAILING: &str = "ryggrad_deadlines_failing";

struct Row {
    id: Uuid,
    position: u64,
    attempts: u32,
    order: Order<Due>,
}

/// How commands ended, a column each.
#[derive(Default)]
struct Ends {
    ids: Vec<Uuid>,
    positions: Vec<i64>,
    states: Vec<&'static str>,
    notes: Vec<Option<String>>,
    failed: Vec<bool>,
    /// Seconds until it is tried again.
    pauses: Vec<Option<f64>>,
}

pub(super) async fn run<S, F, Fut>(
    pool: &PgPool,
    clock: &Clock,
    execute: &F,
    planned: &Notify,
    token: &CancellationToken,
) where
    S: Schedule,
    F: Fn(Order<Due>) -> Fut + Send + Sync,
    Fut: Future<Output = Result<Carried, Again>> + Send,
{
    let ticking = async {
        loop {
            // Before the table is read, so that no move of the clock falls in between.
            let mut moves = clock.changes();
            match tick::<S, _, _>(pool, clock, execute).await {
                Ok(0) => {}
                Ok(_) => continue,
                Err(error) => {
                    tracing::warn!(schedule = S::NAME, %error, "deadlines cannot be read; trying again");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            }
            let next = next::<S>(pool).await.unwrap_or_default();
            let until_next = async {
                match next {
                    Some(next) => clock.until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = moves.changed() => {}
                () = until_next => {}
                () = planned.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    };
    // A command that is left half way has its id, and is sent again.
    token
        .run_until_cancelled::<_>(async {
            let () = ticking.await;
        })
        .await;
}

/// Sends the next that are due and answers how many.
async fn tick<S, F, Fut>(pool: &PgPool, clock: &Clock, execute: &F) -> Result<usize, sqlx::Error>
where
    S: Schedule,
    F: Fn(Order<Due>) -> Fut + Send + Sync,
    Fut: Future<Output = Result<Carried, Again>> + Send,
{
    let groups = order::grouped(due::<S>(pool, clock).await?, |row| row.order.command.aggregate_id);
    let count = groups.iter().map(Vec::len).sum();
    if count == 0 {
        return Ok(0);
    }
    let orders = groups
        .iter()
        .map(|group| group.iter().map(|row| row.order.clone()).collect())
        .collect();
    let ended = order::carry_out(execute, orders).await;
    let mut ends = Ends::default();
    for (group, ended) in groups.iter().zip(ended) {
        ends.take(S::NAME, group, ended);
    }
    ends.note(pool).await?;
    Ok(count)
}

// === impl Ends ===

impl Ends {
    /// How the commands of one aggregate ended. What comes after one that failed waits with it.
    fn take(&mut self, schedule: &'static str, group: &[Row], ended: Vec<Carried>) {
        let mut pause = None;
        let mut ended = ended.into_iter();
        for row in group {
            let (state, note) = match ended.next() {
                Some(Carried::Done) => ("done", None),
                Some(Carried::Refused(reason)) => ("refused", Some(reason)),
                Some(Carried::Failed(cause)) => {
                    tracing::error!(deadline = %row.id, cause, "the command of a deadline failed; it is tried again");
                    pause = Some(pause_after(row.attempts));
                    ("failed", Some(cause))
                }
                None => ("pending", None),
            };
            if state != "pending" {
                metrics::counter!(ENDED, "schedule" => schedule, "state" => state).increment(1);
            }
            self.ids.push(row.id);
            self.positions.push(signed(row.position));
            self.failed.push(state == "failed");
            self.states.push(if state == "failed" { "pending" } else { state });
            self.notes.push(note);
            self.pauses.push(pause.map(|pause| pause.as_secs_f64()));
        }
    }

    async fn note(self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let sql = "update deadlines d set state = u.state, note = coalesce(u.note, d.note), attempts = d.attempts + u.failed::int,
                          again_at = clock_timestamp() + make_interval(secs => u.pause)
                     from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::bool[], $6::float8[])
                          as u(id, position, state, note, failed, pause)
                    where d.id = u.id and d.position = u.position and d.state = 'pending'";
        sqlx::query(sql)
            .bind(self.ids)
            .bind(self.positions)
            .bind(self.states)
            .bind(self.notes)
            .bind(self.failed)
            .bind(self.pauses)
            .execute(pool)
            .await?;
        Ok(())
    }
}

/// How long to wait after so many failures and one more.
fn pause_after(attempts: u32) -> Duration {
    (AGAIN.0 * 2_u32.pow(attempts.min(16))).min(AGAIN.1)
}

async fn due<S: Schedule>(pool: &PgPool, clock: &Clock) -> Result<Vec<Row>, sqlx::Error> {
    let sql = "select id, timer, due_at, aggregate_type, aggregate_id, command, position, correlation_id, causation_id, traceparent, attempts from deadlines
                where state = 'pending' and consumer = $1 and due_at <= $2 and (again_at is null or again_at <= clock_timestamp())
                order by due_at, id limit $3";
    let now = jiff_sqlx::ToSqlx::to_sqlx(clock.now());
    let rows = sqlx::query(sql)
        .bind(S::NAME)
        .bind(now)
        .bind(BATCH)
        .fetch_all(pool)
        .await?;
    rows.iter()
        .map(|row| {
            let (id, position) = (row.try_get("id")?, unsigned(row.try_get("position")?));
            let attempts: i32 = row.try_get("attempts")?;
            let due = Due {
                timer: row.try_get("timer")?,
                due_at: row.try_get::<jiff_sqlx::Timestamp, _>("due_at")?.to_jiff(),
                aggregate_type: row.try_get("aggregate_type")?,
                aggregate_id: row.try_get("aggregate_id")?,
                command: row.try_get("command")?,
            };
            let order = Order {
                id: command_id(id, position),
                command: due,
                correlation_id: row.try_get("correlation_id")?,
                causation: (row.try_get("causation_id")?, position),
                traceparent: row.try_get("traceparent")?,
            };
            Ok(Row {
                id,
                position,
                attempts: attempts.unsigned_abs(),
                order,
            })
        })
        .collect()
}

/// When the next falls due that has not failed; also tells how many have.
async fn next<S: Schedule>(pool: &PgPool) -> Result<Option<jiff::Timestamp>, sqlx::Error> {
    let sql = "select (select min(due_at) from deadlines where state = 'pending' and consumer = $1 and again_at is null),
                      (select count(*) from deadlines where state = 'pending' and consumer = $1 and again_at is not null)";
    let row = sqlx::query(sql).bind(S::NAME).fetch_one(pool).await?;
    let (next, failing): (Option<jiff_sqlx::Timestamp>, i64) = (row.try_get(0)?, row.try_get(1)?);
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    metrics::gauge!(FAILING, "schedule" => S::NAME).set(failing as f64);
    Ok(next.map(jiff_sqlx::Timestamp::to_jiff))
}
