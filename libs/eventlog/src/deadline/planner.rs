//! Folds events into the table of deadlines.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use jiff_sqlx::ToSqlx as _;
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::consumer::{self, Failure, Follower, Overtaken, Source};
use crate::deadline::{Action, Deadline, Schedule};
use crate::event::{Recorded, signed};
use crate::log::Log;
use crate::parked::{Lot, digest};
use crate::trace;

/// How many events are taken in together at the most.
const BATCH: usize = 5_000;
/// How often the checkpoint is stored when nothing is planned, and parked organisations are looked at.
const ROUND: Duration = Duration::from_millis(500);
/// How long to wait after a failure.
const PAUSE: Duration = Duration::from_millis(500);

/// What a batch does to the table.
#[derive(Default)]
struct Plan<'a> {
    cancelled: Vec<Uuid>,
    emptied: Vec<Uuid>,
    set: HashMap<Uuid, (Deadline, &'a Recorded)>,
}

pub(super) async fn run<S: Schedule>(
    pool: &PgPool,
    source: &Source,
    schedule: &S,
    planned: &Notify,
    token: &CancellationToken,
) {
    while !token.is_cancelled() {
        if let Err(error) = stretch(pool, source, schedule, planned, token).await {
            tracing::warn!(schedule = S::NAME, %error, "planning of deadlines was interrupted; it goes on");
            token.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
        }
    }
}

async fn stretch<S: Schedule>(
    pool: &PgPool,
    source: &Source,
    schedule: &S,
    planned: &Notify,
    token: &CancellationToken,
) -> Result<(), Failure> {
    let mut connection = pool.acquire().await?.detach();
    let mut stored = consumer::checkpoint(&mut connection, S::NAME).await?;
    let mut position = stored;
    let mut lot = Lot::load(&mut connection, S::NAME, S::NAME).await?;
    let mut feed = Follower::after(source, Log::new(pool.clone()), position);
    let mut round = tokio::time::interval(ROUND);
    let mut batch: Vec<Recorded> = Vec::new();
    loop {
        let mut store = false;
        tokio::select! {
            biased;
            () = token.cancelled() => break,
            _ = round.tick() => {
                lot.measure();
                consumer::rest(&mut connection, &mut batch);
                match token.run_until_cancelled(let_out(&mut connection, schedule, &mut lot, stored, position)).await {
                    Some(done) => {
                        if done? {
                            stored = position;
                            planned.notify_one();
                        }
                    }
                    None => break,
                }
                store = position > stored;
            }
            () = feed.next(&mut batch, BATCH) => {}
        }
        position = batch.last().map_or(position, |event| event.position);
        let plan = plan(schedule, &mut lot, &batch);
        if store || !plan.is_empty() || lot.freshly_parked().next().is_some() {
            let taking = async {
                let mut tx = connection.begin().await?;
                write::<S>(&mut tx, plan).await?;
                finish::<S>(&mut tx, &mut lot, stored, position).await?;
                tx.commit().await?;
                Ok::<_, Failure>(())
            };
            taking.instrument(trace::taking_in(S::NAME, &batch)).await?;
            stored = position;
            planned.notify_one();
        }
        batch.clear();
    }
    connection.close().await?;
    Ok(())
}

/// Plans what the organisations missed that are to be tried again, as far as it gets before it is somebody else's turn. Whether
/// there was any.
async fn let_out<S: Schedule>(
    connection: &mut PgConnection,
    schedule: &S,
    lot: &mut Lot,
    mut stored: u64,
    position: u64,
) -> Result<bool, Failure> {
    let began = Instant::now();
    let mut any = false;
    while lot.is_asked(connection, began).await? {
        let mut tx = connection.begin().await?;
        let events = lot.let_out(&mut tx, position).await?;
        write::<S>(&mut tx, plan(schedule, lot, &events)).await?;
        finish::<S>(&mut tx, lot, stored, position).await?;
        tx.commit().await?;
        stored = position;
        any = true;
    }
    Ok(any)
}

async fn finish<S: Schedule>(connection: &mut PgConnection, lot: &mut Lot, from: u64, to: u64) -> Result<(), Failure> {
    lot.store(connection).await?;
    if consumer::advance(connection, S::NAME, from, to).await? {
        Ok(())
    } else {
        Err(Overtaken.into())
    }
}

fn plan<'a, S: Schedule>(schedule: &S, lot: &mut Lot, events: &'a [Recorded]) -> Plan<'a> {
    let mut plan = Plan::default();
    for event in events {
        match digest(|| schedule.plan(event)) {
            Ok(actions) if actions.is_empty() => {}
            _ if lot.holds(event) => {}
            Ok(actions) => actions.into_iter().for_each(|action| plan.take(action, event)),
            Err(poison) => lot.park(event, &poison),
        }
    }
    plan
}

// === impl Plan ===

impl<'a> Plan<'a> {
    fn is_empty(&self) -> bool {
        self.cancelled.is_empty() && self.emptied.is_empty() && self.set.is_empty()
    }

    fn take(&mut self, action: Action, event: &'a Recorded) {
        match action {
            Action::Set(deadline) => {
                self.set.insert(deadline.id, (deadline, event));
            }
            Action::Cancel(id) => {
                self.set.remove(&id);
                self.cancelled.push(id);
            }
            Action::CancelAll(aggregate_id) => {
                self.set
                    .retain(|_, (deadline, _)| deadline.aggregate_id != aggregate_id);
                self.emptied.push(aggregate_id);
            }
        }
    }
}

/// Writes a plan: first what goes away, then what is set, since what is set and taken away again is in neither.
async fn write<S: Schedule>(connection: &mut PgConnection, plan: Plan<'_>) -> Result<(), sqlx::Error> {
    let cancel = "update deadlines set state = 'cancelled' where state = 'pending' and consumer = $2 and";
    for (column, ids) in [("id", plan.cancelled), ("aggregate_id", plan.emptied)] {
        if !ids.is_empty() {
            sqlx::query(&format!("{cancel} {column} = any($1)"))
                .bind(ids)
                .bind(S::NAME)
                .execute(&mut *connection)
                .await?;
        }
    }
    if plan.set.is_empty() {
        return Ok(());
    }
    let set: Vec<_> = plan.set.into_values().collect();
    let sql = "insert into deadlines (id, consumer, timer, nature, due_at, aggregate_type, aggregate_id, command, position, correlation_id, causation_id, traceparent, state)
               select u.id, $1, u.timer, u.nature, u.due_at, u.aggregate_type, u.aggregate_id, u.command, u.position, u.correlation_id, u.causation_id, u.traceparent, 'pending'
                 from unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::uuid[], $8::bytea[], $9::bigint[], $10::uuid[], $11::uuid[], $12::text[])
                      as u(id, timer, nature, due_at, aggregate_type, aggregate_id, command, position, correlation_id, causation_id, traceparent)
               on conflict (id) do update set timer = excluded.timer, nature = excluded.nature, due_at = excluded.due_at, command = excluded.command,
                   position = excluded.position, correlation_id = excluded.correlation_id, causation_id = excluded.causation_id, traceparent = excluded.traceparent, state = 'pending', note = null, attempts = 0, again_at = null";
    sqlx::query(sql)
        .bind(S::NAME)
        .bind(set.iter().map(|(d, _)| d.id).collect::<Vec<_>>())
        .bind(set.iter().map(|(d, _)| d.timer.id).collect::<Vec<_>>())
        .bind(set.iter().map(|(d, _)| d.timer.nature.as_str()).collect::<Vec<_>>())
        .bind(set.iter().map(|(d, _)| d.due_at.to_sqlx()).collect::<Vec<_>>())
        .bind(set.iter().map(|(d, _)| d.aggregate_type).collect::<Vec<_>>())
        .bind(set.iter().map(|(d, _)| d.aggregate_id).collect::<Vec<_>>())
        .bind(set.iter().map(|(d, _)| d.command.as_slice()).collect::<Vec<_>>())
        .bind(set.iter().map(|(_, e)| signed(e.position)).collect::<Vec<_>>())
        .bind(set.iter().map(|(_, e)| e.correlation_id).collect::<Vec<_>>())
        .bind(set.iter().map(|(_, e)| e.event_id).collect::<Vec<_>>())
        .bind(set.iter().map(|(_, e)| e.traceparent.as_deref()).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
