//! Keeps a view up to date: follows the stream for the live table, and fills the next one beside it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use crate::consumer::{self, Failure, Follower, Source};
use crate::event::Recorded;
use crate::log::Log;
use crate::projection::Projection;
use crate::projection::generations::{self, Generation, State};
use crate::projection::pace::Pace;
use crate::projection::turn::Turn;
use crate::projection::view::View;
use crate::trace;

/// How many events are folded together at the most.
const BATCH: usize = 2_500;
/// How many of them are read at once by a table that takes over.
const PAGE: u32 = 1_000;
/// How long a table that is being filled waits for a fuller batch.
const LINGER: Duration = Duration::from_millis(20);
/// How often the generations and the parked organisations are looked at.
const ROUND: Duration = Duration::from_millis(200);
/// How long a query may still be reading a table that was retired.
const GRACE: Duration = Duration::from_secs(30);
/// How far behind the end of the log a filled table may be when its indexes are made.
const NEAR: u64 = 10_000;
/// The same when it takes over: it takes the rest in while the rows before it are held. Whoever keeps up with those who write is
/// no more than a batch behind after each.
const THERE: u64 = BATCH as u64;
/// After how long without events a view lets go of the rows that it remembers.
const IDLE: Duration = Duration::from_secs(1);
/// How long to wait after a failure, at first and at the most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// Runs one view. Cheap to clone.
pub struct Projector<P> {
    shared: Arc<Shared<P>>,
    grace: Duration,
}

struct Shared<P> {
    pool: PgPool,
    source: Source,
    projection: P,
    live: watch::Sender<u64>,
}

// === impl Projector ===

impl<P> Clone for Projector<P> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            grace: self.grace,
        }
    }
}

impl<P: Projection> std::fmt::Debug for Projector<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Projector")
            .field("view", &P::NAME)
            .finish_non_exhaustive()
    }
}

impl<P: Projection> Projector<P> {
    /// A view in the first schema of the pool's search path, where [`crate::consumer::install`] has been; the pool's role
    /// may read the log. It takes connections of its own, beside those of the pool.
    pub fn new(pool: PgPool, source: impl Into<Source>, projection: P) -> Self {
        Self {
            shared: Arc::new(Shared {
                pool,
                source: source.into(),
                projection,
                live: watch::Sender::new(0),
            }),
            grace: GRACE,
        }
    }

    /// How long a retired table stays for those who read it, 30 s unless said otherwise.
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// The view for reading; waits for positions without asking the database over and over.
    pub fn view(&self) -> View {
        View::new(self.shared.pool.clone(), P::NAME).followed(self.shared.live.subscribe())
    }

    /// Keeps the view up to date until the token ends, then finishes the batch. Outages of database and broker are
    /// waited out.
    pub async fn run(&self, token: CancellationToken) {
        let mut at_work: HashMap<i32, (CancellationToken, AbortOnDropHandle<()>)> = HashMap::new();
        let mut pause = PAUSE.0;
        while !token.is_cancelled() {
            if let Err(error) = self.supervise(&token, &mut at_work).await {
                tracing::warn!(view = P::NAME, %error, "the view's generations cannot be read");
                pause = (pause * 2).min(PAUSE.1);
                token.run_until_cancelled(tokio::time::sleep(pause)).await;
            }
        }
        for (_, (_, task)) in at_work {
            // A panic of a task has been reported by the runtime.
            let _ = task.await;
        }
    }

    /// Sees to it that the generations that there should be are worked on, and no others.
    async fn supervise(
        &self,
        token: &CancellationToken,
        at_work: &mut HashMap<i32, (CancellationToken, AbortOnDropHandle<()>)>,
    ) -> Result<(), sqlx::Error> {
        let mut connection = self.shared.pool.acquire().await?.detach();
        while !token.is_cancelled() {
            let generations = generations::settle(&mut connection, P::NAME, P::VERSION).await?;
            if generations.iter().any(|g| g.state == State::Retired) {
                generations::sweep(&mut connection, P::NAME, self.grace).await?;
            }
            let wanted = |g: &&Generation| g.state != State::Retired && g.version == P::VERSION;
            at_work.retain(|number, (stop, task)| {
                let keep = generations.iter().filter(wanted).any(|g| g.number == *number);
                if !keep {
                    stop.cancel();
                }
                keep && !task.is_finished()
            });
            for generation in generations.iter().filter(wanted) {
                at_work.entry(generation.number).or_insert_with(|| {
                    let stop = token.child_token();
                    let task = tokio::spawn(work(Arc::clone(&self.shared), generation.clone(), stop.clone()));
                    (stop, AbortOnDropHandle::new(task))
                });
            }
            token.run_until_cancelled(tokio::time::sleep(ROUND)).await;
        }
        connection.close().await
    }
}

/// Works on a generation until told to stop.
async fn work<P: Projection>(shared: Arc<Shared<P>>, mut generation: Generation, stop: CancellationToken) {
    let mut pause = PAUSE.0;
    while !stop.is_cancelled() {
        let began = Instant::now();
        match stretch(&shared, &mut generation, &stop).await {
            Ok(()) => return,
            Err(Failure::Overtaken(error)) => {
                tracing::info!(view = P::NAME, %error, "standing by");
                stop.run_until_cancelled(tokio::time::sleep(PAUSE.1)).await;
            }
            Err(Failure::Database(error)) => {
                tracing::warn!(view = P::NAME, %error, "the view was interrupted; it goes on");
                pause = if began.elapsed() > PAUSE.1 * 2 {
                    PAUSE.0
                } else {
                    (pause * 2).min(PAUSE.1)
                };
                stop.run_until_cancelled(tokio::time::sleep(pause)).await;
            }
        }
    }
}

/// One stretch of undisturbed work on a generation.
async fn stretch<P: Projection>(
    shared: &Shared<P>,
    generation: &mut Generation,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let mut connection = shared.pool.acquire().await?.detach();
    // What a crash of the database takes away, rows and checkpoint together, is folded again.
    sqlx::query("set synchronous_commit = off")
        .execute(&mut connection)
        .await?;
    // Whether a take-over came to pass is not known when its connection broke.
    generation.state = generations::state(&mut connection, P::NAME, generation.number).await?;
    if generation.state == State::Retired {
        return Ok(());
    }
    let mut turn = Turn::<P>::open(&mut connection, generation.table.clone()).await?;
    if generation.state == State::Live {
        turn.index(&mut connection).await?;
        shared.live.send_replace(turn.position);
    }
    let mut feed = Follower::after(&shared.source, Log::new(shared.pool.clone()), turn.position);
    let mut batch: Vec<Recorded> = Vec::new();
    let mut pace = Pace::new(turn.position);
    let mut round = tokio::time::interval(ROUND);
    let mut busy = Instant::now();
    let mut is_indexed = generation.state == State::Live;
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            _ = round.tick() => {
                if !turn.lot.is_empty() {
                    turn.let_out(&mut connection, &shared.projection).await?;
                }
                pace.note(&mut connection, generation, &turn).await?;
                if busy.elapsed() > IDLE {
                    turn.forget();
                    consumer::rest(&mut connection, &mut batch);
                }
            }
            () = gather(&mut feed, &mut batch, generation.state) => {
                turn.take_in(&mut connection, &shared.projection, &batch)
                    .instrument(trace::taking_in(P::NAME, &batch))
                    .await?;
                measure::<P>(&batch);
                batch.clear();
                busy = Instant::now();
            }
        }
        if generation.state == State::Building {
            is_indexed = try_to_take_over(shared, &mut connection, generation, &mut turn, is_indexed).await?;
            if generation.state == State::Live {
                // It is further than what was gathered.
                batch.clear();
                feed = Follower::after(&shared.source, Log::new(shared.pool.clone()), turn.position);
            }
        }
        if generation.state == State::Live {
            shared
                .live
                .send_if_modified(|live| std::mem::replace(live, turn.position) != turn.position);
        }
    }
    connection.close().await?;
    Ok(())
}

fn measure<P: Projection>(batch: &[Recorded]) {
    if let Some(event) = batch.last() {
        let delay = crate::clock::wall().duration_since(event.recorded_at).as_secs_f64();
        metrics::histogram!("ryggrad_projection_delay_seconds", "view" => P::NAME).record(delay.max(0.0));
    }
}

/// The next events: at once for a view that is served, in fuller batches for one that is being filled. When it is dropped,
/// the batch keeps what came.
async fn gather(feed: &mut Follower, batch: &mut Vec<Recorded>, state: State) {
    if batch.is_empty() {
        feed.next(batch, BATCH).await;
    }
    if state == State::Building && batch.len() < BATCH {
        let more = async {
            while batch.len() < BATCH {
                feed.next(batch, BATCH - batch.len()).await;
            }
        };
        let _ = tokio::time::timeout(LINGER, more).await;
    }
}

/// Makes the indexes when the end of the log is near, and takes over when it is there. Answers whether there are indexes.
async fn try_to_take_over<P: Projection>(
    shared: &Shared<P>,
    connection: &mut PgConnection,
    generation: &mut Generation,
    turn: &mut Turn<P>,
    is_indexed: bool,
) -> Result<bool, Failure> {
    let log = Log::new(shared.pool.clone());
    let mut head = log.head().await?.position;
    if !is_indexed {
        if turn.position + NEAR < head {
            return Ok(false);
        }
        turn.index(connection).await?;
        head = log.head().await?.position;
    }
    if turn.position + THERE >= head {
        let mut tx = connection.begin().await?;
        if generations::hold_live(&mut tx, P::NAME, generation.number).await? {
            // The old rows are no further than the log is now, however fast it grows.
            let head = log.head().await?.position;
            while turn.position < head {
                let events = log.after(turn.position, PAGE).await?;
                turn.take_in(&mut tx, &shared.projection, &events).await?;
            }
            generations::take_over(&mut tx, P::NAME, generation.number, turn.position).await?;
            tx.commit().await?;
            generation.state = State::Live;
        }
    }
    Ok(true)
}
