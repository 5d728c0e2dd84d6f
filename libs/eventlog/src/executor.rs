//! Commands on aggregates: load, decide, append, answer.
//!
//! Commands on one aggregate in one process are decided one after another, each on the state that the one before *will*
//! have produced, without waiting for its commit: they ride in the same batch. When one fails, those decided on it fail
//! with it ([`Chain`]) and are decided anew.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use moka::sync::Cache;
use rand::Rng as _;
use ryggrad_decider::{Context, Decider, Refusal, Text};
use ryggrad_proto::common::v1::{Actor, Receipt};
use ryggrad_proto::event::EventPayload as _;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row as _};
use tokio::sync::{Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::append::{Append, Appended, NewEvent, Outcome, holds_nul};
use crate::clock::Clock;
use crate::event::{signed, unsigned};
use crate::writer::{Answer, Chain, WriteError, Writer};

mod held;

pub use held::Held;

/// How often a command that lost a race is decided again before it is answered with the conflict (I5).
const RACES: u32 = 5;
/// How often a command is decided again because one that it was decided on failed.
const RIDES: u32 = 100;
/// How many aggregates a process remembers.
const REMEMBERED: u64 = 100_000;

/// A command with all that comes with it.
#[derive(Debug, Clone)]
pub struct Request<C> {
    /// The command.
    pub command: C,
    /// The aggregate that it is for.
    pub aggregate_id: Uuid,
    /// Its id: one effect for ever (I4).
    pub command_id: Uuid,
    /// The version that the client decided on; then a lost race is answered and not retried.
    pub expected_version: Option<u64>,
    /// Who acts.
    pub actor: Actor,
    /// The journey; the command's id when none is given.
    pub correlation_id: Option<Uuid>,
    /// The event that caused it, and its position.
    pub causation: Option<(Uuid, u64)>,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

/// Why a command has no receipt.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ExecuteError {
    /// The domain says no.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// Others changed the aggregate first.
    #[error("aggregate {aggregate_id} is at version {version}")]
    Conflict {
        /// The aggregate.
        aggregate_id: Uuid,
        /// The version that it is at.
        version: u64,
    },
    /// The log cannot be reached now. Send the command again with the same id.
    #[error("the log cannot be reached")]
    Unavailable(#[source] Arc<sqlx::Error>),
    /// Something is broken; it is not the command's fault.
    #[error("the command could not be carried out")]
    Fault(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

/// Executes the commands of one kind of aggregate. Cheap to clone; clones share the memory of aggregates.
pub struct Executor<D: Decider> {
    shared: Arc<Shared<D>>,
}

struct Shared<D: Decider> {
    writer: Writer,
    pool: PgPool,
    clock: Clock,
    cache: Cache<Uuid, Slot<D>>,
}

/// What a process remembers of one aggregate: its state as it will be when all that is riding is written.
struct Live<D: Decider> {
    state: D::State,
    version: u64,
    /// State and version known to be in the log, to fall back on.
    base: (D::State, u64),
    chain: Chain,
    /// Ends when the command decided last is answered.
    last: CancellationToken,
    /// Whether the log has to be asked before the next decision.
    stale: bool,
}

type Slot<D> = Arc<Mutex<Live<D>>>;

/// How one try to execute a command ended.
enum Try {
    Receipt(Receipt),
    /// Lost a race; the aggregate is at this version.
    Lost(u64),
    /// Decided on something that did not happen.
    Unseated,
}

// === impl Executor ===

impl<D: Decider> Clone for Executor<D> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<D: Decider> std::fmt::Debug for Executor<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor")
            .field("aggregate", &D::AGGREGATE)
            .finish_non_exhaustive()
    }
}

impl<D: Decider> Executor<D> {
    /// An executor that loads through a pool and appends through a writer of the decider's context.
    pub fn new(pool: PgPool, writer: Writer, clock: Clock) -> Self {
        Self {
            shared: Arc::new(Shared {
                writer,
                pool,
                clock,
                cache: Cache::new(REMEMBERED),
            }),
        }
    }

    /// Carries out a command and answers when its events are durable.
    ///
    /// # Errors
    /// See [`ExecuteError`]; only [`ExecuteError::Unavailable`] leaves open whether the command was written.
    #[tracing::instrument(name = "execute", level = "debug", skip_all, fields(aggregate = D::AGGREGATE, id = %request.aggregate_id, command = %request.command_id))]
    pub async fn execute(&self, request: Request<D::Command>) -> Result<Receipt, ExecuteError> {
        let slot = self
            .shared
            .cache
            .get_with(request.aggregate_id, || Arc::new(Mutex::new(Live::new())));
        self.shared.carry_out(&slot, &request).await
    }

    /// The state of an aggregate as the log has it now, and its version; version 0 when nothing happened to it.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn state(&self, aggregate_id: Uuid) -> Result<(D::State, u64), ExecuteError> {
        let mut live = (D::State::default(), 0);
        self.shared.load(aggregate_id, &mut live.0, &mut live.1).await?;
        Ok(live)
    }
}

// === impl Shared ===

impl<D: Decider> Shared<D> {
    /// Tries until there is an answer that can be given.
    async fn carry_out(&self, slot: &Slot<D>, request: &Request<D::Command>) -> Result<Receipt, ExecuteError> {
        let (mut races, mut rides) = (0, 0);
        loop {
            match self.attempt(slot, request).await? {
                Try::Receipt(receipt) => return Ok(receipt),
                Try::Lost(version) if request.expected_version.is_some() || races >= RACES => {
                    return Err(ExecuteError::Conflict {
                        aggregate_id: request.aggregate_id,
                        version,
                    });
                }
                Try::Lost(_) => {
                    races += 1;
                    metrics::counter!("ryggrad_races_lost_total", "aggregate" => D::AGGREGATE).increment(1);
                    tokio::time::sleep(jitter(races)).await;
                }
                Try::Unseated if rides >= RIDES => {
                    let version = slot.lock().await.base.1;
                    return Err(ExecuteError::Conflict {
                        aggregate_id: request.aggregate_id,
                        version,
                    });
                }
                Try::Unseated => rides += 1,
            }
        }
    }

    async fn attempt(&self, slot: &Slot<D>, request: &Request<D::Command>) -> Result<Try, ExecuteError> {
        // The place in the queue comes first: from the decision to the queue nothing waits, so a caller that goes away
        // cannot leave a decision behind that was never queued.
        let place = self.writer.reserve().await.map_err(not_written)?;
        let mut live = slot.lock().await;
        self.freshen(&mut live, request.aggregate_id).await?;
        let Ok(events) = self.decide(&live.state, live.version, request) else {
            return self.look_again(slot, live, request).await;
        };
        if live.chain.is_idle() {
            live.base = (live.state.clone(), live.version);
        }
        let append = self.seal(&mut live, request, &events)?;
        let (seat, last) = live.chain.ride();
        live.last = last;
        let pending = place.queue(append, seat);
        drop(live);
        match pending.await.unwrap_or(Err(WriteError::Closed)).map_err(not_written)? {
            Answer::Decided(Outcome::Appended(appended)) => {
                Ok(Try::Receipt(receipt(request.command_id, appended, false)))
            }
            Answer::Decided(Outcome::Duplicate(appended)) => {
                Ok(Try::Receipt(receipt(request.command_id, appended, true)))
            }
            Answer::Decided(Outcome::Conflict { version }) => Ok(Try::Lost(version)),
            Answer::ChainBroken => Ok(Try::Unseated),
        }
    }

    /// Asks the log where that has to be done before the next decision.
    async fn freshen(&self, live: &mut Live<D>, aggregate_id: Uuid) -> Result<(), ExecuteError> {
        live.recover();
        if live.stale {
            self.load(aggregate_id, &mut live.state, &mut live.version).await?;
            live.base = (live.state.clone(), live.version);
            live.stale = false;
        }
        Ok(())
    }

    /// Decides once more on what is in the log, before anybody hears a no: the command may have been accepted earlier,
    /// others may have moved the aggregate, and what it was decided on may not have come to pass.
    async fn look_again(
        &self,
        slot: &Slot<D>,
        live: MutexGuard<'_, Live<D>>,
        request: &Request<D::Command>,
    ) -> Result<Try, ExecuteError> {
        let last = live.last.clone();
        let (mut state, mut version) = live.base.clone();
        drop(live);
        last.cancelled().await;
        self.load(request.aggregate_id, &mut state, &mut version).await?;
        if let Some(receipt) = self.receipt(request.command_id).await? {
            return Ok(Try::Receipt(receipt));
        }
        self.decide(&state, version, request)?;
        let mut live = slot.lock().await;
        if live.base.1 < version {
            // On an aggregate that is never at rest, whoever looks next reads on from here.
            live.base = (state.clone(), version);
        }
        if live.version < version && live.chain.is_idle() {
            live.state = state;
            live.version = version;
        }
        Ok(Try::Unseated)
    }

    fn decide(
        &self,
        state: &D::State,
        version: u64,
        request: &Request<D::Command>,
    ) -> Result<Vec<D::Event>, ExecuteError> {
        if request.expected_version.is_some_and(|expected| expected != version) {
            return Err(ExecuteError::Conflict {
                aggregate_id: request.aggregate_id,
                version,
            });
        }
        let context = Context {
            now: self.clock.now(),
            aggregate_id: request.aggregate_id,
            command_id: request.command_id,
            new_id: new_id(),
            actor: request.actor.clone(),
        };
        Ok(D::decide(state, &request.command, &context)?)
    }

    /// Takes the events into the live state and makes what the writer appends.
    fn seal(
        &self,
        live: &mut Live<D>,
        request: &Request<D::Command>,
        events: &[D::Event],
    ) -> Result<Append, ExecuteError> {
        let mut sealed = Vec::with_capacity(events.len());
        let mut state = live.state.clone();
        for event in events {
            D::evolve(&mut state, event);
            let about = D::about(&state);
            let payload = event.json().map_err(fault)?;
            if holds_nul(&payload) {
                return Err(Refusal::invalid("", NUL).into());
            }
            sealed.push(NewEvent {
                id: new_id(),
                name: event.name(),
                organisation_id: about.organisation_id.unwrap_or(request.aggregate_id),
                orgnr: about.orgnr,
                kommunenummer: about.kommunenummer,
                related: about.related,
                class: event.class(),
                data: Bytes::from(event.encode()),
                payload,
            });
        }
        let append = Append {
            command_id: request.command_id,
            aggregate_type: D::AGGREGATE,
            aggregate_id: request.aggregate_id,
            expected: live.version,
            correlation_id: request.correlation_id.unwrap_or(request.command_id),
            causation: request.causation,
            actor: serde_json::to_string(&request.actor).map_err(fault)?,
            traceparent: request.traceparent.clone(),
            occurred_at: self.clock.now(),
            events: sealed,
        };
        live.state = state;
        live.version += append.events.len() as u64;
        Ok(append)
    }

    /// Reads the events after a version into a state.
    async fn load(&self, aggregate_id: Uuid, state: &mut D::State, version: &mut u64) -> Result<(), ExecuteError> {
        let rows = sqlx::query("select aggregate_type, sequence, name, data from log.events where aggregate_id = $1 and sequence > $2 order by sequence")
            .bind(aggregate_id)
            .bind(signed(*version))
            .fetch_all(&self.pool)
            .await
            .map_err(read_failed)?;
        rows.iter().try_for_each(|row| take_in::<D>(row, state, version))
    }

    /// What a command id gave earlier.
    async fn receipt(&self, command_id: Uuid) -> Result<Option<Receipt>, ExecuteError> {
        let row = sqlx::query(
            "select aggregate_id, version, first_position, last_position from log.commands where command_id = $1",
        )
        .bind(command_id)
        .fetch_optional(&self.pool)
        .await
        .map_err(read_failed)?;
        let Some(row) = row else { return Ok(None) };
        let number = |column: &str| row.try_get(column).map(unsigned).map_err(fault);
        let appended = Appended {
            aggregate_id: row.try_get("aggregate_id").map_err(fault)?,
            version: number("version")?,
            first_position: number("first_position")?,
            last_position: number("last_position")?,
        };
        Ok(Some(receipt(command_id, appended, true)))
    }
}

// === impl Live ===

impl<D: Decider> Live<D> {
    fn new() -> Self {
        let last = CancellationToken::new();
        last.cancel();
        Self {
            state: D::State::default(),
            version: 0,
            base: (D::State::default(), 0),
            chain: Chain::default(),
            last,
            stale: true,
        }
    }

    /// Forgets what was decided on a chain that broke.
    fn recover(&mut self) {
        if self.chain.is_severed() {
            (self.state, self.version) = self.base.clone();
            self.chain = Chain::default();
            self.stale = true;
        }
    }
}

/// An event of a later version of the service than this one.
#[derive(Debug, thiserror::Error)]
#[error("event {0} is not known to this version")]
struct Unknown(String);

const NUL: Text = Text::new(
    "Teksten inneholder NUL-tegn, som ikke kan lagres. Fjern dem.",
    "Teksten inneheld NUL-teikn, som ikkje kan lagrast. Fjern dei.",
    "the text contains NUL characters, which cannot be stored: remove them",
);

const OTHER_AGGREGATE: Text = Text::new(
    "Denne id-en tilhører noe annet enn det kommandoen gjelder.",
    "Denne id-en høyrer til noko anna enn det kommandoen gjeld.",
    "this id belongs to something else than what the command is for",
);

/// Takes the event of a row into a state.
fn take_in<D: Decider>(row: &PgRow, state: &mut D::State, version: &mut u64) -> Result<(), ExecuteError> {
    let name: &str = row.try_get("name").map_err(fault)?;
    let aggregate: &str = row.try_get("aggregate_type").map_err(fault)?;
    if aggregate != D::AGGREGATE {
        return Err(Refusal::invalid("aggregate_id", OTHER_AGGREGATE)
            .with("aggregate", aggregate)
            .into());
    }
    let data: &[u8] = row.try_get("data").map_err(fault)?;
    let event = D::Event::decode(name, data)
        .map_err(fault)?
        .ok_or_else(|| fault(Unknown(name.to_owned())))?;
    D::evolve(state, &event);
    *version = unsigned(row.try_get("sequence").map_err(fault)?);
    Ok(())
}

/// A new id (UUID v7) for what the log does not know yet.
#[expect(
    clippy::disallowed_methods,
    reason = "the executor is where ids come in with the command"
)]
fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// A pause for one who lost so many races, so that the same two do not meet again.
#[expect(clippy::disallowed_methods, reason = "how long one waits decides nothing")]
fn jitter(races: u32) -> Duration {
    Duration::from_millis(rand::rng().random_range(0..2_u64 << races))
}

fn receipt(command_id: Uuid, appended: Appended, duplicate: bool) -> Receipt {
    Receipt {
        aggregate_id: appended.aggregate_id.to_string(),
        version: appended.version,
        position: appended.last_position,
        first_position: appended.first_position,
        command_id: command_id.to_string(),
        duplicate,
    }
}

fn fault(error: impl std::error::Error + Send + Sync + 'static) -> ExecuteError {
    ExecuteError::Fault(Arc::new(error))
}

fn not_written(error: WriteError) -> ExecuteError {
    match error {
        WriteError::Unavailable(source) => ExecuteError::Unavailable(source),
        WriteError::Refused(_) => ExecuteError::Fault(Arc::new(error)),
        WriteError::Closed => ExecuteError::Unavailable(Arc::new(sqlx::Error::PoolClosed)),
    }
}

fn read_failed(error: sqlx::Error) -> ExecuteError {
    if crate::writer::is_transient(&error) {
        ExecuteError::Unavailable(Arc::new(error))
    } else {
        fault(error)
    }
}
