//! One endpoint's deliverer, in the hands of the process that has its lease.
//!
//! Events come from the log after the cursor; from the queue, when what failed is due; and from spans of the log that are
//! gone through again. Each is sent by a task of its own, so many at once as the endpoint takes. What came of them is
//! kept in one transaction with the cursor: a crash before it sends some again, with the same ids, and loses none.

mod breaker;
mod flight;
mod lane;
mod reading;
mod settle;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use ryggrad_access::Registry;
use ryggrad_eventlog::Clock;
use ryggrad_eventlog::clock::wall;
use ryggrad_service::{ApiError, Readings};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use uuid::Uuid;

use self::breaker::{Breaker, Pace};
use self::flight::{Flights, Item, Way};
pub(crate) use self::flight::{Report, Verdict};
use self::lane::Lane;
use super::access::Access;
use super::client::Client;
use super::endpoint::{Endpoint, State};
use super::extras::Extras;
use super::message::Target;
use super::options::Options;
use super::queue::{CommitError, Queue, Records, Redrive};
use super::recent::Recent;
use super::seal::{Seal, SealError};
use super::store::Store;

/// How far the cursor moves, or how long it waits, before it is kept although nothing was sent.
const QUIET: (u64, Duration) = (5_000, Duration::from_secs(1));
/// How long to wait before a database that is away is asked again.
const PAUSE: Duration = Duration::from_millis(200);
/// How long what is on its way may take when the process stops.
const DRAIN: Duration = Duration::from_secs(5);

/// What all deliverers of a process share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) registry: Registry,
    pub(crate) readings: Readings,
    pub(crate) clock: Clock,
    pub(crate) recent: Recent,
    pub(crate) client: Client,
    pub(crate) seal: Arc<Seal>,
    pub(crate) options: Options,
    /// Places for deliveries beside the first one of each endpoint.
    pub(crate) extras: Extras,
    /// Tells that something was changed, so that it has its effect at once.
    pub(crate) hurry: Notify,
}

/// What a deliverer is told by the one who has the leases.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lease {
    /// Version of the endpoint; another one means that something was changed.
    pub(crate) version: i64,
    /// Until when nobody else delivers.
    pub(crate) until: Instant,
    pub(crate) stop: bool,
}

/// One endpoint's deliverer.
pub(crate) struct Worker {
    shared: Arc<Shared>,
    lease: watch::Receiver<Lease>,
    queue: Queue,
    endpoint: Endpoint,
    target: Arc<Target>,
    access: Access,
    log: Lane,
    /// What is on record after the cursor that it was taken up at: delivered, or in the queue.
    on_record: BTreeSet<u64>,
    redrive: Option<(Redrive, Lane)>,
    retries: VecDeque<Item>,
    /// When the queue has something to send next.
    next_due: Option<Timestamp>,
    /// What is in the queue, by organisation.
    held: HashMap<Uuid, BTreeSet<u64>>,
    flights: Flights,
    breaker: Breaker,
    pace: Pace,
    /// Whose turn it is: the queue's, the log's, or the span's.
    turn: usize,
    records: Records,
    /// The cursor as it was kept last, and when.
    kept: (u64, Instant),
    /// Events of the log after the cursor, for the metrics.
    lag: Arc<AtomicU64>,
}

/// Why nothing more is sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// As many are on their way as may be: one has to come back.
    Full,
    /// The endpoint does not want more yet.
    TooSoon,
    /// There is nothing that may go.
    Nothing,
}

/// Why a deliverer does not start or go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkerError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Who is about to be told of what cannot be written down.
    #[error(transparent)]
    Untraced(#[from] ApiError),
    #[error("the lease was lost")]
    LeaseLost,
}

// === impl Worker ===

impl Worker {
    /// Takes an endpoint up where it was left.
    pub(crate) async fn open(
        shared: Arc<Shared>,
        endpoint: Endpoint,
        holder: Uuid,
        lease: watch::Receiver<Lease>,
        lag: Arc<AtomicU64>,
    ) -> Result<Self, WorkerError> {
        let queue = Queue {
            pool: shared.store.pool.clone(),
            endpoint: endpoint.id,
            holder,
        };
        let caller = endpoint.owner.caller(&shared.options.parties);
        let access = Access::open(&endpoint, caller, &shared.registry, &shared.clock, &shared.recent).await?;
        Ok(Self {
            target: target(&shared, &endpoint).await?,
            held: queue.held().await?,
            redrive: queue.redrive().await?.map(with_lane),
            log: Lane::new(endpoint.cursor, u64::MAX),
            on_record: queue.on_record(endpoint.cursor).await?,
            retries: VecDeque::new(),
            next_due: Some(wall()),
            flights: Flights::default(),
            breaker: Breaker::new(shared.options.probes),
            pace: Pace::new(endpoint.rate_per_second, endpoint.allowed_per_minute),
            turn: 0,
            records: Records::default(),
            kept: (endpoint.cursor, Instant::now()),
            shared,
            lease,
            queue,
            endpoint,
            access,
            lag,
        })
    }

    /// Delivers until it is told to stop, the lease is lost, or the endpoint is not to be called any more. Ends with
    /// everything kept that came back.
    pub(crate) async fn run(mut self) -> Result<(), WorkerError> {
        while self.goes_on() {
            let turn = self.turn().await;
            match turn {
                Ok(wake) => self.rest(wake).await,
                Err(WorkerError::Database(error)) => {
                    tracing::warn!(%error, endpoint = %self.endpoint.id, "the queue cannot be read or written now");
                    tokio::time::sleep(PAUSE).await;
                }
                Err(WorkerError::Untraced(error)) => {
                    tracing::warn!(%error, endpoint = %self.endpoint.id, "nothing is sent that leaves no trace");
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
        let drained = tokio::time::timeout(DRAIN, async {
            while !self.flights.is_empty() {
                let landed = self.flights.landed().await;
                self.settle(landed);
            }
        });
        if drained.await.is_err() {
            tracing::info!(endpoint = %self.endpoint.id, "deliveries on their way are sent again by whoever is next");
        }
        self.keep(true).await
    }

    fn goes_on(&self) -> bool {
        let lease = self.lease.borrow();
        let told = lease.stop || self.endpoint.state != State::Active;
        !told && Instant::now() < lease.until && self.records.disabled.is_none()
    }

    /// Everything that can be done now; answers when there is something to do again by itself.
    async fn turn(&mut self) -> Result<Instant, WorkerError> {
        self.dispatch();
        self.keep(false).await?;
        let version = self.lease.borrow_and_update().version;
        if version > self.endpoint.version {
            self.reload().await?;
        }
        self.fill().await?;
        let stop = self.dispatch();
        Ok(self.wake(stop))
    }

    /// Waits until something comes back, comes in, is due, or changes.
    async fn rest(&mut self, wake: Instant) {
        let Self {
            flights,
            shared,
            log,
            lease,
            ..
        } = self;
        let wants = log.wants(shared.options.window);
        let beyond = log.scanned;
        let landed = tokio::select! {
            landed = flights.landed() => Some(landed),
            () = shared.recent.beyond(beyond), if wants => None,
            () = tokio::time::sleep_until(wake) => None,
            _ = lease.changed() => None,
        };
        if let Some(landed) = landed {
            self.settle(landed);
        }
        while let Some(landed) = self.flights.try_landed() {
            self.settle(landed);
        }
    }

    /// Sends what is ready, as far as there is room; why it stopped.
    fn dispatch(&mut self) -> Stop {
        if !self.goes_on() || !self.access.is_current(&self.shared.clock, &self.shared.recent) {
            return Stop::Nothing;
        }
        loop {
            let window = if self.breaker.is_down() {
                1
            } else {
                self.shared.options.window
            };
            if self.flights.len() >= window {
                return Stop::Full;
            }
            if self.pace.next() > Instant::now() || self.endpoint.not_before.is_some_and(|until| until > wall()) {
                return Stop::TooSoon;
            }
            let Some(place) = self.flights.place(&self.shared.extras, self.endpoint.owner.consumer) else {
                return Stop::Full;
            };
            let Some(item) = self.pick() else { return Stop::Nothing };
            self.pace.went(Instant::now());
            let (target, client) = (Arc::clone(&self.target), self.shared.client.clone());
            self.flights.send(item, place, target, client);
        }
    }

    /// The next event that may go: the queue, the log and the span take turns.
    fn pick(&mut self) -> Option<Item> {
        for offset in 0..3 {
            let turn = (self.turn + offset) % 3;
            let item = match turn {
                0 => self.pick_retry(),
                1 => self.pick_new(Way::Log),
                _ => self.pick_new(Way::Redrive),
            };
            if item.is_some() {
                self.turn = turn + 1;
                return item;
            }
        }
        None
    }

    fn pick_retry(&mut self) -> Option<Item> {
        let (ordered, flights) = (self.endpoint.is_ordered, &self.flights);
        let waits = |item: &Item| {
            let event = &item.entry.event;
            flights.has(event.position) || (ordered && flights.has_organisation(event.organisation_id))
        };
        let index = self.retries.iter().position(|item| !waits(item))?;
        self.retries.remove(index)
    }

    fn pick_new(&mut self, way: Way) -> Option<Item> {
        if self.breaker.next().is_some_and(|next| Instant::now() < next) {
            return None;
        }
        loop {
            let (ordered, flights) = (self.endpoint.is_ordered, &self.flights);
            let lane = match way {
                Way::Redrive => &mut self.redrive.as_mut()?.1,
                Way::Log | Way::Queue => &mut self.log,
            };
            let entry = lane.next(|event| {
                flights.has(event.position) || (ordered && flights.has_organisation(event.organisation_id))
            })?;
            let item = Item {
                entry,
                way,
                attempts: 0,
                first_failed_at: None,
            };
            let event = &item.entry.event;
            match self.held.get(&event.organisation_id).filter(|_| ordered) {
                // It is in the queue itself, and goes when its time has come.
                Some(held) if held.contains(&event.position) => self.done(&item),
                Some(_) => self.hold_back(&item),
                None => return Some(item),
            }
        }
    }

    /// Keeps what came back, and the cursor now and then.
    async fn keep(&mut self, all: bool) -> Result<(), WorkerError> {
        let cursor = self.log.cursor();
        self.lag
            .store(self.shared.recent.last().saturating_sub(cursor), Ordering::Relaxed);
        let moved = cursor - self.kept.0.min(cursor);
        let long = moved >= QUIET.0 || (moved > 0 && (all || self.kept.1.elapsed() >= QUIET.1));
        let redrive = self.redrive.as_mut().map(|(redrive, lane)| {
            redrive.cursor = lane.cursor();
            (*redrive, lane.is_done())
        });
        let span_is_done = redrive.is_some_and(|(_, done)| done);
        if self.records.is_empty() && !long && !span_is_done {
            return Ok(());
        }
        match self
            .queue
            .commit(
                &self.endpoint.url,
                cursor,
                redrive.map(|(redrive, _)| redrive),
                &self.records,
            )
            .await
        {
            Ok(()) => {}
            Err(CommitError::LeaseLost) => return Err(WorkerError::LeaseLost),
            Err(CommitError::Database(error)) => return Err(error.into()),
        }
        let disabled = self.records.disabled.take();
        self.records = Records {
            disabled,
            ..Records::default()
        };
        self.kept = (cursor, Instant::now());
        if span_is_done {
            self.redrive = self.queue.redrive().await?.map(with_lane);
        }
        Ok(())
    }

    /// When there is something to do again by itself.
    fn wake(&self, stop: Stop) -> Instant {
        let now = (Instant::now(), wall());
        let at = |then: Timestamp| now.0 + Duration::try_from(then.duration_since(now.1)).unwrap_or_default();
        let low = self.shared.options.window * 2;
        let redrive = self.redrive.as_ref().map(|(_, lane)| lane);
        let current = self.access.is_current(&self.shared.clock, &self.shared.recent);
        if !current || !self.records.is_empty() || redrive.is_some_and(|lane| lane.wants(low)) {
            return now.0;
        }
        let ready = self.log.has_ready() || redrive.is_some_and(Lane::has_ready);
        let times = [
            (stop == Stop::TooSoon).then(|| self.endpoint.not_before.map_or(now.0, at).max(self.pace.next())),
            self.breaker.next().filter(|_| ready && stop == Stop::Nothing),
            self.next_due.filter(|_| self.retries.is_empty()).map(at),
            (self.log.cursor() > self.kept.0).then(|| self.kept.1 + QUIET.1),
        ];
        times
            .into_iter()
            .flatten()
            .fold(self.lease.borrow().until, Instant::min)
    }
}

/// Where and how an endpoint is called, with the keys that sign now.
pub(crate) async fn target(shared: &Shared, endpoint: &Endpoint) -> Result<Arc<Target>, WorkerError> {
    let sealed = shared.store.keys(endpoint.id, wall()).await?;
    let mut keys = Vec::with_capacity(sealed.len());
    for sealed in &sealed {
        match sealed.open(endpoint.id, &shared.seal) {
            Ok(opened) => keys.push((opened, sealed.ends_at)),
            // The older ones may be from before the operator's key was changed: what the newest sign is signed.
            Err(error) if !keys.is_empty() => {
                tracing::warn!(%error, endpoint = %endpoint.id, "old webhook keys are left out");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Arc::new(Target {
        url: endpoint.url.clone(),
        is_structured: endpoint.is_structured,
        keys,
    }))
}

fn with_lane(redrive: Redrive) -> (Redrive, Lane) {
    (redrive, Lane::new(redrive.cursor, redrive.through))
}
