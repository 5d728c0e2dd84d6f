//! Group commit: one writer a process, which appends whatever queued while the commits before it ran.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, PgPool};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::append::{Append, Outcome, append};
use crate::trace;

/// How many commands one commit takes at the most.
const BATCH: usize = 2_048;
/// How many bytes of events one commit takes at the most, unless a single command has more.
const BATCH_BYTES: usize = 8 << 20;
/// Commits under way at once; the head row puts them in order.
const IN_FLIGHT: usize = 2;
/// How many commands have to wait for a commit to be sent after one that is under way. It would only queue at the head, which
/// is worth it when there is much to prepare; fewer commands share the next commit instead, for each costs a flush.
const MANY: usize = 192;
/// From how many commands on a commit was shared by clients who may all ask again at once.
const SHARED: usize = 8;
/// How long those who were just answered have to ask again, so that the first of them does not get a commit for itself.
const GATHER: Duration = Duration::from_micros(150);
/// How many commands wait in the queue before those who come after are held back.
const QUEUE: usize = 8_192;
/// After how long without commands the connections give back what large commits took.
const IDLE: Duration = Duration::from_secs(1);
/// How long a command waits for a database that is away.
const PATIENCE: Duration = Duration::from_secs(10);

/// The way into the log for one context. Cheap to clone; all clones share one writer task, which ends with the last.
#[derive(Debug, Clone)]
pub struct Writer {
    queue: mpsc::Sender<Job>,
    head: watch::Receiver<u64>,
}

/// Why a command did not get an answer from the log.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WriteError {
    /// The database was away for longer than a command waits. The command may have been written: send it again with its id.
    #[error("the log cannot be reached: {0}")]
    Unavailable(Arc<sqlx::Error>),
    /// The database refused this command, and not its neighbours.
    #[error("the log refused the command: {0}")]
    Refused(Arc<sqlx::Error>),
    /// The writer has been shut down.
    #[error("the writer is shut down")]
    Closed,
}

/// Commands that were decided on one another's outcome. When one of them fails, those behind it were decided on
/// something that never happened, and fail unseen by the database.
#[derive(Debug, Clone, Default)]
pub struct Chain(Arc<Links>);

#[derive(Debug, Default)]
struct Links {
    severed: AtomicBool,
    riding: AtomicUsize,
}

/// A command's seat on its chain, held until it is answered.
#[derive(Debug)]
pub struct Seat {
    chain: Chain,
    answered: CancellationToken,
}

/// A place in the writer's queue.
#[derive(Debug)]
pub struct Place<'a>(mpsc::Permit<'a, Job>);

/// What the writer says to one command.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The log's word.
    Decided(Outcome),
    /// A command that this one was decided on has failed.
    ChainBroken,
}

#[derive(Debug)]
struct Job {
    append: Append,
    seat: Seat,
    answer: oneshot::Sender<Result<Answer, WriteError>>,
    since: Instant,
}

/// The answer to come of a queued command.
pub type Pending = oneshot::Receiver<Result<Answer, WriteError>>;

// === impl Chain ===

impl Chain {
    /// Takes a seat; the token ends when the seat is given back.
    pub fn ride(&self) -> (Seat, CancellationToken) {
        self.0.riding.fetch_add(1, Ordering::AcqRel);
        let answered = CancellationToken::new();
        (
            Seat {
                chain: self.clone(),
                answered: answered.clone(),
            },
            answered,
        )
    }

    /// Whether no command of the chain waits for its answer.
    pub fn is_idle(&self) -> bool {
        self.0.riding.load(Ordering::Acquire) == 0
    }

    /// Whether a command of the chain has failed.
    pub fn is_severed(&self) -> bool {
        self.0.severed.load(Ordering::Acquire)
    }

    fn sever(&self) {
        self.0.severed.store(true, Ordering::Release);
    }
}

// === impl Seat ===

impl Drop for Seat {
    fn drop(&mut self) {
        self.chain.0.riding.fetch_sub(1, Ordering::AcqRel);
        self.answered.cancel();
    }
}

// === impl Place ===

impl Place<'_> {
    /// Queues a command and answers at once with the answer to come. Commands are taken in the order in which they are queued.
    pub fn queue(self, append: Append, seat: Seat) -> Pending {
        let (answer, pending) = oneshot::channel();
        self.0.send(Job {
            append,
            seat,
            answer,
            since: Instant::now(),
        });
        pending
    }
}

// === impl Writer ===

impl Writer {
    /// Starts the writer of a context, connecting as a pool does whose role may append its events. It has connections of
    /// its own, so that readers of the pool cannot keep it waiting.
    pub fn spawn(pool: &PgPool, context: &'static str) -> Self {
        let options = (*pool.connect_options()).clone();
        let (queue, jobs) = mpsc::channel(QUEUE);
        let (moved, head) = watch::channel(0);
        let writer = Loop {
            options,
            idle: Vec::new(),
            context,
            moved,
            waiting: VecDeque::new(),
            busy: HashSet::new(),
            is_wide: false,
        };
        tokio::spawn(writer.run(jobs));
        Self { queue, head }
    }

    /// Waits for a place in the queue.
    ///
    /// # Errors
    /// [`WriteError::Closed`] when the writer is gone.
    pub async fn reserve(&self) -> Result<Place<'_>, WriteError> {
        self.queue.reserve().await.map(Place).map_err(|_| WriteError::Closed)
    }

    /// Appends a command that rides on no other, and waits for the log's word.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn append(&self, append: Append) -> Result<Outcome, WriteError> {
        let (seat, _) = Chain::default().ride();
        match self
            .reserve()
            .await?
            .queue(append, seat)
            .await
            .map_err(|_| WriteError::Closed)??
        {
            Answer::Decided(outcome) => Ok(outcome),
            Answer::ChainBroken => unreachable!("the chain has one link"),
        }
    }

    /// The highest position that this process has committed; changes wake the relay.
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.head.clone()
    }
}

/// The writer task.
struct Loop {
    options: PgConnectOptions,
    /// Connections that no commit uses now.
    idle: Vec<PgConnection>,
    context: &'static str,
    moved: watch::Sender<u64>,
    waiting: VecDeque<Job>,
    /// Aggregates and command ids of the commits under way: what touches them waits, so that order and chains hold.
    busy: HashSet<Uuid>,
    /// Whether the connections have grown with large commits.
    is_wide: bool,
}

type Done = Vec<(Job, Result<Outcome, WriteError>)>;

// === impl Loop ===

impl Loop {
    async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut flying: FuturesUnordered<BoxFuture<'static, (Link, Done)>> = FuturesUnordered::new();
        let mut open = true;
        while open || !flying.is_empty() || !self.waiting.is_empty() {
            tokio::select! {
                biased;
                Some((link, done)) = flying.next(), if !flying.is_empty() => {
                    self.idle.extend(link.connection);
                    let answered = done.len();
                    self.answer(done);
                    if answered >= SHARED && flying.is_empty() {
                        self.gather(&mut jobs, answered).await;
                    }
                }
                job = jobs.recv(), if open && self.waiting.len() < QUEUE => match job {
                    Some(job) => self.waiting.push_back(job),
                    None => open = false,
                },
                () = tokio::time::sleep(IDLE), if self.is_wide && flying.is_empty() => {
                    self.idle.iter_mut().for_each(PgConnection::shrink_buffers);
                    self.is_wide = false;
                }
            }
            self.drain(&mut jobs);
            while flying.is_empty() || (flying.len() < IN_FLIGHT && self.waiting.len() >= MANY) {
                let batch = self.next_batch();
                if batch.is_empty() {
                    break;
                }
                self.is_wide |= batch.len() > SHARED;
                let link = Link {
                    options: self.options.clone(),
                    connection: self.idle.pop(),
                };
                flying.push(Box::pin(commit(link, self.context, batch)));
            }
        }
    }

    fn drain(&mut self, jobs: &mut mpsc::Receiver<Job>) {
        while self.waiting.len() < QUEUE {
            match jobs.try_recv() {
                Ok(job) => self.waiting.push_back(job),
                Err(_) => break,
            }
        }
    }

    /// Waits a moment for as many commands as were just answered. Timers are too coarse for it.
    async fn gather(&mut self, jobs: &mut mpsc::Receiver<Job>, answered: usize) {
        let since = Instant::now();
        self.drain(jobs);
        while self.waiting.len() < answered && since.elapsed() < GATHER && !jobs.is_closed() {
            tokio::task::yield_now().await;
            self.drain(jobs);
        }
    }

    /// Takes what can be committed now, in order; what touches a commit under way, or follows something that does, stays.
    fn next_batch(&mut self) -> Vec<Job> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut ids = HashSet::new();
        let mut held: HashSet<Uuid> = HashSet::new();
        let mut kept = VecDeque::new();
        while let Some(job) = self.waiting.pop_front() {
            if job.seat.chain.is_severed() {
                let _ = job.answer.send(Ok(Answer::ChainBroken));
                continue;
            }
            let Append {
                aggregate_id,
                command_id,
                ..
            } = job.append;
            if batch.len() >= BATCH || bytes > BATCH_BYTES {
                kept.push_back(job);
                break;
            }
            let waits = self.busy.contains(&aggregate_id)
                || self.busy.contains(&command_id)
                || held.contains(&aggregate_id)
                || ids.contains(&command_id);
            if waits {
                held.insert(aggregate_id);
                kept.push_back(job);
                continue;
            }
            bytes += job
                .append
                .events
                .iter()
                .map(|e| e.data.len() + e.payload.len())
                .sum::<usize>();
            ids.insert(command_id);
            batch.push(job);
        }
        while let Some(job) = kept.pop_back() {
            self.waiting.push_front(job);
        }
        for job in &batch {
            self.busy.insert(job.append.aggregate_id);
            self.busy.insert(job.append.command_id);
        }
        batch
    }

    fn answer(&mut self, done: Done) {
        let mut highest = 0;
        for (job, result) in done {
            self.busy.remove(&job.append.aggregate_id);
            self.busy.remove(&job.append.command_id);
            match &result {
                Ok(Outcome::Appended(appended)) => highest = highest.max(appended.last_position),
                Ok(Outcome::Duplicate(_) | Outcome::Conflict { .. }) | Err(_) => job.seat.chain.sever(),
            }
            metrics::histogram!("ryggrad_append_seconds", "context" => self.context).record(job.since.elapsed());
            let _ = job.answer.send(result.map(Answer::Decided));
        }
        self.moved.send_if_modified(|head| {
            let moved = highest > *head;
            *head = highest.max(*head);
            moved
        });
    }
}

/// Commits a batch, whatever happens to the connection: command ids make a second try harmless. A command that the
/// database cannot take is found by halving, so that its neighbours are not refused with it.
async fn commit(mut link: Link, context: &'static str, batch: Vec<Job>) -> (Link, Done) {
    metrics::histogram!("ryggrad_append_batch_size", "context" => context)
        .record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
    let span = tracing::info_span!("append", otel.kind = "client", context, commands = batch.len());
    trace::join(&span, batch.iter().map(|job| job.append.traceparent.as_deref()));
    let done = append_all(&mut link, context, batch).instrument(span).await;
    (link, done)
}

async fn append_all(link: &mut Link, context: &'static str, batch: Vec<Job>) -> Done {
    let mut done = Vec::with_capacity(batch.len());
    let mut parts = vec![batch];
    while let Some(mut part) = parts.pop() {
        let appends: Vec<_> = part.iter().map(|job| &job.append).collect();
        match link.append(context, &appends).await {
            Ok(outcomes) => done.extend(part.into_iter().zip(outcomes).map(|(job, outcome)| (job, Ok(outcome)))),
            Err(WriteError::Refused(_)) if part.len() > 1 => {
                let second = part.split_off(part.len() / 2);
                parts.push(second);
                parts.push(part);
            }
            Err(error) => {
                tracing::error!(%error, commands = part.len(), "append failed");
                done.extend(part.into_iter().map(|job| (job, Err(error.clone()))));
            }
        }
    }
    done
}

/// A connection that is made when it is needed, and given up when it says nothing.
struct Link {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

// === impl Link ===

impl Link {
    /// Appends a batch, trying again on a new connection for as long as commands wait.
    async fn append(&mut self, context: &str, batch: &[&Append]) -> Result<Vec<Outcome>, WriteError> {
        let since = Instant::now();
        let mut pause = Duration::from_millis(20);
        loop {
            let error = match self.attempt(context, batch).await {
                Ok(outcomes) => return Ok(outcomes),
                Err(error) => error,
            };
            if !is_transient(&error) && !is_replaced(&error) {
                return Err(WriteError::Refused(Arc::new(error)));
            }
            // What is half said on the old connection is not for the next one to hear.
            self.connection = None;
            if since.elapsed() > PATIENCE {
                return Err(WriteError::Unavailable(Arc::new(error)));
            }
            tracing::warn!(%error, "the log is away; trying again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    }

    async fn attempt(&mut self, context: &str, batch: &[&Append]) -> Result<Vec<Outcome>, sqlx::Error> {
        let asked = async {
            let connection = match &mut self.connection {
                Some(connection) => connection,
                none => none.insert(PgConnection::connect_with(&self.options).await?),
            };
            append(connection, context, batch).await
        };
        tokio::time::timeout(PATIENCE, asked)
            .await
            .unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }
}

/// Whether the way into the log is another one since a migration. A process of this version may never find it again; one of
/// the next does, so whoever sends the command again is heard.
fn is_replaced(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.as_deref() == Some("42883")
}

/// Whether trying again can help: the connection or the server went away, rather than said no.
pub(crate) fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(e) => e
            .code()
            .is_some_and(|code| matches!(&code[..2], "57" | "53" | "08" | "40" | "58")),
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed | sqlx::Error::Tls(_) => true,
        // A server that dies while it speaks leaves half a message behind.
        sqlx::Error::Protocol(text) => !text.starts_with("log.append"),
        _ => false,
    }
}
