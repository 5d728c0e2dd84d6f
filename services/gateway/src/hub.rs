//! The one reader of the stream: it encodes every event once and keeps the recent ones for all subscribers.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use async_nats::Client;
use ryggrad_eventlog::consumer::Feed;
use ryggrad_eventlog::{Head, Log, Recorded};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::access;
use crate::block::Block;
use crate::ring::{Bounds, Recent, Ring};

/// How many events are taken from the stream at once.
const BATCH: usize = 2_048;
/// How often the log is asked for its head, so that heartbeats are right when the stream is behind or away.
const LOOK: Duration = Duration::from_secs(1);
/// How long to wait before a database that is away is asked again.
const PAUSE: Duration = Duration::from_millis(200);

/// Where everything stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tip {
    /// Which log it is; none until it has been read for the first time.
    pub(crate) epoch: Option<Uuid>,
    /// Position of the last event that came by the stream.
    pub(crate) live: u64,
    /// Position of the last event of the log, as far as is known.
    pub(crate) head: u64,
    /// Number of facts about anybody's access that came by the stream.
    pub(crate) access: u64,
    /// The process is stopping.
    pub(crate) stopping: bool,
}

/// The recent events, and who waits for the next ones.
#[derive(Debug)]
pub(crate) struct Hub {
    bounds: Bounds,
    ring: RwLock<Ring>,
    tip: watch::Sender<Tip>,
    /// Number of facts about an organisation's access that came by the stream.
    facts: RwLock<HashMap<u32, u64>>,
}

// === impl Hub ===

impl Hub {
    /// A hub that has not read anything yet.
    pub(crate) fn new(bounds: Bounds) -> Self {
        let tip = Tip {
            epoch: None,
            live: 0,
            head: 0,
            access: 0,
            stopping: false,
        };
        Self {
            bounds,
            ring: RwLock::new(Ring::new(bounds, 0)),
            tip: watch::Sender::new(tip),
            facts: RwLock::default(),
        }
    }

    /// Where everything stands, now and from now on.
    pub(crate) fn tip(&self) -> watch::Receiver<Tip> {
        self.tip.subscribe()
    }

    /// What there is in memory after a position.
    pub(crate) fn after(&self, position: u64, budget: usize) -> Recent {
        self.read().after(position, budget)
    }

    /// Number of facts about an organisation's access that came by the stream so far.
    pub(crate) fn facts_about(&self, orgnr: u32) -> u64 {
        let facts = self.facts.read().unwrap_or_else(PoisonError::into_inner);
        facts.get(&orgnr).copied().unwrap_or_default()
    }

    /// Somebody read the head of the log.
    pub(crate) fn saw(&self, head: Head) {
        self.tip.send_if_modified(|tip| {
            let moved = tip.epoch == Some(head.epoch) && head.position > tip.head;
            if moved {
                tip.head = head.position;
            }
            // Nobody has to wake for it.
            false
        });
    }

    /// Reads the stream from the end of the log on until the token ends; then every subscription ends too.
    pub(crate) async fn run(&self, log: &Log, nats: &Client, token: &CancellationToken) {
        while let Some(head) = token.run_until_cancelled(Self::head(log)).await {
            self.begin(head);
            tracing::info!(position = head.position, epoch = %head.epoch, "following the stream");
            tokio::select! {
                () = token.cancelled() => break,
                () = self.follow(nats, head.position) => {}
                () = self.watch(log, head.epoch) => tracing::error!("the log is another one: it was restored"),
            }
        }
        self.tip.send_modify(|tip| tip.stopping = true);
    }

    /// The head of the log, as soon as the database answers.
    async fn head(log: &Log) -> Head {
        loop {
            match log.head().await {
                Ok(head) => return head,
                Err(error) => tracing::warn!(%error, "the log cannot be read; trying again"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn begin(&self, head: Head) {
        *self.write() = Ring::new(self.bounds, head.position);
        self.tip.send_modify(|tip| {
            tip.epoch = Some(head.epoch);
            tip.live = head.position;
            tip.head = head.position;
        });
    }

    /// Takes in what comes by the stream. The feed sees to it that nothing is missing or comes twice.
    async fn follow(&self, nats: &Client, after: u64) {
        let mut feed = Feed::after(nats.clone(), after);
        let mut events = Vec::with_capacity(BATCH);
        loop {
            feed.next(&mut events, BATCH).await;
            self.take(&events);
            events.clear();
        }
    }

    fn take(&self, events: &[Recorded]) {
        let Some(last) = events.last() else { return };
        let blocks = Block::build(events);
        let access = self.count(events);
        {
            let mut ring = self.write();
            for block in blocks {
                ring.push(block);
            }
        }
        self.tip.send_modify(|tip| {
            tip.live = last.position;
            tip.head = tip.head.max(last.position);
            tip.access += access;
        });
        metrics::counter!("ryggrad_gateway_live_events_total").increment(events.len() as u64);
    }

    /// Counts the facts about anybody's access.
    fn count(&self, events: &[Recorded]) -> u64 {
        let mut counted = 0;
        for number in events.iter().filter_map(access::concerned) {
            let mut facts = self.facts.write().unwrap_or_else(PoisonError::into_inner);
            *facts.entry(number).or_default() += 1;
            counted += 1;
        }
        counted
    }

    /// Keeps the head right; ends when the log is another one.
    async fn watch(&self, log: &Log, epoch: Uuid) {
        loop {
            tokio::time::sleep(LOOK).await;
            match log.head().await {
                Ok(head) if head.epoch != epoch => return,
                Ok(head) => self.saw(head),
                Err(error) => tracing::debug!(%error, "the head of the log could not be read"),
            }
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Ring> {
        self.ring.write().unwrap_or_else(PoisonError::into_inner)
    }
}
