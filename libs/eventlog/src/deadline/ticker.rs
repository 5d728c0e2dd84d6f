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
/// How long to wait after a failure.
const PAUSE: Duration = Duration::from_millis(500);

struct Row {
    id: Uuid,
    position: u64,
    order: Order<Due>,
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
    let (mut ids, mut positions, mut states, mut notes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (row, carried) in groups
        .iter()
        .zip(ended)
        .flat_map(|(group, ended)| group.iter().zip(ended))
    {
        let (state, note) = match carried {
            Carried::Done => ("done", None),
            Carried::Refused(reason) => ("refused", Some(reason)),
            Carried::Failed(cause) => {
                tracing::error!(deadline = %row.id, cause, "the command of a deadline failed");
                ("refused", Some(cause))
            }
        };
        metrics::counter!("ryggrad_deadlines_total", "schedule" => S::NAME, "state" => state).increment(1);
        ids.push(row.id);
        positions.push(signed(row.position));
        states.push(state);
        notes.push(note);
    }
    let sql = "update deadlines d set state = u.state, note = u.note
                 from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[]) as u(id, position, state, note)
                where d.id = u.id and d.position = u.position and d.state = 'pending'";
    sqlx::query(sql)
        .bind(ids)
        .bind(positions)
        .bind(states)
        .bind(notes)
        .execute(pool)
        .await?;
    Ok(count)
}

async fn due<S: Schedule>(pool: &PgPool, clock: &Clock) -> Result<Vec<Row>, sqlx::Error> {
    let sql = "select id, timer, due_at, aggregate_type, aggregate_id, command, position, correlation_id, causation_id, traceparent from deadlines
                where state = 'pending' and consumer = $1 and due_at <= $2 order by due_at, id limit $3";
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
            Ok(Row { id, position, order })
        })
        .collect()
}

async fn next<S: Schedule>(pool: &PgPool) -> Result<Option<jiff::Timestamp>, sqlx::Error> {
    let sql = "select min(due_at) from deadlines where state = 'pending' and consumer = $1";
    let next: Option<jiff_sqlx::Timestamp> = sqlx::query(sql).bind(S::NAME).fetch_one(pool).await?.try_get(0)?;
    Ok(next.map(jiff_sqlx::Timestamp::to_jiff))
}
