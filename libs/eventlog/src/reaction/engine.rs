//! Runs a reaction: react, carry the commands out, then move the checkpoint. A crash in between repeats commands whose ids
//! are known, which is harmless.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use prost::Message as _;
use sqlx::{Connection as _, PgConnection, PgPool, Row as _};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::consumer::{self, Failure, Follower, Overtaken, Poison, Source};
use crate::event::Recorded;
use crate::log::Log;
use crate::order::{self, Again, Carried, Order};
use crate::parked::{Lot, digest};
use crate::reaction::{Reaction, command_id};
use crate::trace;

/// How many events are reacted to together at the most.
const BATCH: usize = 1_000;
/// How often the checkpoint is stored when nothing concerns the reaction, and parked organisations are looked at.
const ROUND: Duration = Duration::from_millis(500);
/// How long to wait after a failure.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) struct Engine<R, F> {
    pool: PgPool,
    source: Source,
    reaction: Arc<R>,
    execute: F,
}

/// What a batch asks for: the new states, and the commands by organisation with the event of each.
struct Plan<'a, R: Reaction> {
    states: HashMap<Uuid, R::State>,
    orders: Vec<(&'a Recorded, Order<R::Command>)>,
}

// === impl Engine ===

impl<R, F, Fut> Engine<R, F>
where
    R: Reaction,
    F: Fn(Order<R::Command>) -> Fut + Send + Sync,
    Fut: Future<Output = Result<Carried, Again>> + Send,
{
    pub(super) fn new(pool: PgPool, source: Source, reaction: Arc<R>, execute: F) -> Self {
        Self {
            pool,
            source,
            reaction,
            execute,
        }
    }

    pub(super) async fn run(&self, token: CancellationToken) {
        while !token.is_cancelled() {
            if let Err(error) = self.stretch(&token).await {
                tracing::warn!(reaction = R::NAME, %error, "the reaction was interrupted; it goes on");
                token.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
            }
        }
    }

    async fn stretch(&self, token: &CancellationToken) -> Result<(), Failure> {
        let mut connection = self.pool.acquire().await?.detach();
        let mut stored = consumer::checkpoint(&mut connection, R::NAME).await?;
        let mut position = stored;
        let mut lot = Lot::load(&mut connection, R::NAME, R::NAME).await?;
        let mut feed = Follower::after(&self.source, Log::new(self.pool.clone()), position);
        let mut round = tokio::time::interval(ROUND);
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                biased;
                () = token.cancelled() => break,
                _ = round.tick() => {
                    lot.measure();
                    consumer::rest(&mut connection, &mut batch);
                    // As with a batch: leaves them when told to stop, however long a command is tried.
                    let letting_out = self.let_out(&mut connection, &mut lot, stored, position);
                    match token.run_until_cancelled(letting_out).await {
                        Some(done) => stored = done?,
                        None => break,
                    }
                }
                () = feed.next(&mut batch, BATCH) => {
                    position = batch.last().map_or(position, |event: &Recorded| event.position);
                    let concerns = batch.iter().any(|event| !matches!(self.key(event), Ok(None)));
                    if !concerns {
                        batch.clear();
                        continue;
                    }
                    // Leaves the batch when told to stop: it is reacted to again.
                    let taking = self
                        .take_in(&mut connection, &mut lot, &batch, stored, position)
                        .instrument(trace::taking_in(R::NAME, &batch));
                    match token.run_until_cancelled(taking).await {
                        Some(done) => done?,
                        None => break,
                    }
                    stored = position;
                    batch.clear();
                }
            }
            if position > stored {
                advance(&mut connection, stored, position, R::NAME).await?;
                stored = position;
            }
        }
        connection.close().await?;
        Ok(())
    }

    /// Reacts to what the organisations missed that are to be tried again, as far as it gets before it is somebody else's turn;
    /// answers where the checkpoint is then.
    async fn let_out(
        &self,
        connection: &mut PgConnection,
        lot: &mut Lot,
        mut stored: u64,
        position: u64,
    ) -> Result<u64, Failure> {
        let began = Instant::now();
        while lot.is_asked(connection, began).await? {
            let mut tx = connection.begin().await?;
            let events = lot.let_out(&mut tx, position).await?;
            self.settle(&mut tx, lot, &events, stored, position).await?;
            tx.commit().await?;
            stored = position;
        }
        Ok(stored)
    }

    async fn take_in(
        &self,
        connection: &mut PgConnection,
        lot: &mut Lot,
        batch: &[Recorded],
        from: u64,
        to: u64,
    ) -> Result<(), Failure> {
        let mut tx = connection.begin().await?;
        self.settle(&mut tx, lot, batch, from, to).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Reacts to events, carries the commands out and stores what is remembered.
    async fn settle(
        &self,
        connection: &mut PgConnection,
        lot: &mut Lot,
        events: &[Recorded],
        from: u64,
        to: u64,
    ) -> Result<(), Failure> {
        let known = self.states(connection, events).await?;
        let plan = loop {
            let plan = self.plan(known.clone(), lot, events);
            let failed = self.carry_out(&plan).await;
            if failed.is_empty() {
                break plan;
            }
            // What it remembers of them must stop before the event whose command failed: plan again without.
            for (event, cause) in failed {
                lot.park(event, &Poison::new(cause));
            }
        };
        let (keys, states): (Vec<Uuid>, Vec<Vec<u8>>) = plan
            .states
            .iter()
            .map(|(key, state)| (*key, state.encode_to_vec()))
            .unzip();
        let sql = "insert into reaction_states (reaction, key, state) select $1, * from unnest($2::uuid[], $3::bytea[])
                       on conflict (reaction, key) do update set state = excluded.state";
        if size_of::<R::State>() > 0 {
            sqlx::query(sql)
                .bind(R::NAME)
                .bind(keys)
                .bind(states)
                .execute(&mut *connection)
                .await?;
        }
        lot.store(connection).await?;
        advance(connection, from, to, R::NAME).await
    }

    async fn states(
        &self,
        connection: &mut PgConnection,
        events: &[Recorded],
    ) -> Result<HashMap<Uuid, R::State>, sqlx::Error> {
        if size_of::<R::State>() == 0 {
            return Ok(HashMap::new());
        }
        let keys: Vec<Uuid> = events
            .iter()
            .filter_map(|event| self.key(event).ok().flatten())
            .collect();
        let sql = "select key, state from reaction_states where reaction = $1 and key = any($2)";
        let rows = sqlx::query(sql).bind(R::NAME).bind(keys).fetch_all(connection).await?;
        rows.iter()
            .map(|row| {
                let state = R::State::decode(row.try_get::<&[u8], _>(1)?).map_err(|e| sqlx::Error::ColumnDecode {
                    index: "state".into(),
                    source: e.into(),
                })?;
                Ok((row.try_get(0)?, state))
            })
            .collect()
    }

    fn key(&self, event: &Recorded) -> Result<Option<Uuid>, Poison> {
        digest(|| Ok(self.reaction.key(event)))
    }

    fn plan<'a>(&self, mut states: HashMap<Uuid, R::State>, lot: &mut Lot, events: &'a [Recorded]) -> Plan<'a, R> {
        let mut orders = Vec::new();
        for event in events {
            let key = self.key(event);
            if matches!(key, Ok(None)) || lot.holds(event) {
                continue;
            }
            let reacted = key.map(Option::unwrap_or_default).and_then(|key| {
                let mut state = states.get(&key).cloned().unwrap_or_default();
                let commands = digest(|| self.reaction.react(&mut state, event))?;
                states.insert(key, state);
                Ok(commands)
            });
            match reacted {
                Ok(commands) => {
                    orders.extend(
                        commands
                            .into_iter()
                            .enumerate()
                            .map(|(n, command)| (event, order_of::<R>(event, n, command))),
                    );
                }
                Err(poison) => lot.park(event, &poison),
            }
        }
        Plan { states, orders }
    }

    /// Carries the commands of a plan out and answers the events whose commands failed.
    async fn carry_out<'a>(&self, plan: &Plan<'a, R>) -> Vec<(&'a Recorded, String)> {
        let groups = order::grouped(&plan.orders, |(event, _)| event.organisation_id);
        let orders = groups
            .iter()
            .map(|group| group.iter().map(|(_, order)| order.clone()).collect())
            .collect();
        let mut failed = Vec::new();
        for (group, ended) in groups.iter().zip(order::carry_out(&self.execute, orders).await) {
            for ((event, order), carried) in group.iter().zip(ended) {
                match carried {
                    Carried::Done => {}
                    Carried::Refused(reason) => {
                        tracing::warn!(reaction = R::NAME, command = %order.id, position = event.position, reason, "the domain refused a command of a reaction");
                        metrics::counter!("ryggrad_reaction_refused_total", "reaction" => R::NAME).increment(1);
                    }
                    Carried::Failed(cause) => failed.push((*event, cause)),
                }
            }
        }
        failed
    }
}

fn order_of<R: Reaction>(event: &Recorded, n: usize, command: R::Command) -> Order<R::Command> {
    Order {
        id: command_id(R::NAME, event.position, n),
        command,
        correlation_id: event.correlation_id,
        causation: (event.event_id, event.position),
        traceparent: event.traceparent.clone(),
    }
}

async fn advance(connection: &mut PgConnection, from: u64, to: u64, name: &str) -> Result<(), Failure> {
    if consumer::advance(connection, name, from, to).await? {
        Ok(())
    } else {
        Err(Overtaken.into())
    }
}
