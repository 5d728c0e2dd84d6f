//! The end of the log in memory, read once for all endpoints of a process.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ryggrad_access::Key;
use ryggrad_eventlog::{Log, Recorded};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::access::changes_access;
use crate::envelope::Fields;
use crate::hub::{Hub, Tip};

/// Events that are kept at the most, and bytes of their data.
const KEPT: (usize, usize) = (2_048, 8 << 20);
/// Events that are read at once.
const PAGE: u32 = 1_000;
/// How often the log is looked at when the stream does not tell of anything: it may be away.
const LOOK: Duration = Duration::from_millis(500);

/// An event, and what filters and gates look at.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) event: Recorded,
    pub(crate) key: Key,
}

/// The end of the log.
#[derive(Debug)]
pub(crate) struct Recent {
    log: Log,
    entries: RwLock<Entries>,
    seen: watch::Sender<Seen>,
    /// Whether anybody needs it.
    wanted: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Entries {
    recent: VecDeque<Arc<Entry>>,
    bytes: usize,
}

/// How far the log was read.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// Position of the last event.
    last: u64,
    /// Position of the last event that may have changed what somebody may see.
    access: u64,
}

// === impl Entry ===

impl From<Recorded> for Entry {
    fn from(event: Recorded) -> Self {
        let key = Fields::of(&event).key();
        Self { event, key }
    }
}

// === impl Recent ===

impl Recent {
    pub(crate) fn new(log: Log) -> Self {
        Self {
            log,
            entries: RwLock::default(),
            seen: watch::Sender::default(),
            wanted: watch::Sender::new(false),
        }
    }

    /// Says whether anybody delivers.
    pub(crate) fn want(&self, wanted: bool) {
        self.wanted
            .send_if_modified(|before| std::mem::replace(before, wanted) != wanted);
    }

    /// Position of the last event that was read.
    pub(crate) fn last(&self) -> u64 {
        self.seen.borrow().last
    }

    /// Position of the last event that may have changed what somebody may see.
    pub(crate) fn access(&self) -> u64 {
        self.seen.borrow().access
    }

    /// Waits until there are events after a position.
    pub(crate) async fn beyond(&self, position: u64) {
        let mut seen = self.seen.subscribe();
        // The sender is ours and lives.
        let _ = seen.wait_for(|seen| seen.last > position).await;
    }

    /// Events after a position, at most `limit`: from memory where they are, else from the log.
    pub(crate) async fn after(&self, position: u64, limit: u32) -> Result<Vec<Arc<Entry>>, sqlx::Error> {
        if let Some(found) = self.kept(position, limit) {
            return Ok(found);
        }
        let read = self.log.after(position, limit).await?;
        Ok(read.into_iter().map(|event| Arc::new(event.into())).collect())
    }

    fn kept(&self, position: u64, limit: u32) -> Option<Vec<Arc<Entry>>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let first = entries.recent.front()?.event.position;
        let skip = usize::try_from((position + 1).checked_sub(first)?).ok()?;
        if skip >= entries.recent.len() {
            return None;
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Some(entries.recent.iter().skip(skip).take(limit).cloned().collect())
    }

    /// Reads on whenever the stream moves, as long as anybody needs it, until the token ends.
    pub(crate) async fn run(&self, hub: &Hub, token: &CancellationToken) {
        let mut tip = hub.tip();
        let mut wanted = self.wanted.subscribe();
        let work = async {
            loop {
                if wanted.wait_for(|wanted| *wanted).await.is_err() {
                    return;
                }
                tokio::select! {
                    () = self.follow(&mut tip) => {}
                    _ = wanted.wait_for(|wanted| !*wanted) => {}
                }
            }
        };
        token.run_until_cancelled(work).await;
    }

    async fn follow(&self, tip: &mut watch::Receiver<Tip>) {
        let mut last = loop {
            match self.log.head().await {
                Ok(head) => break head.position,
                Err(error) => tracing::warn!(%error, "the log cannot be read; trying again"),
            }
            tokio::time::sleep(LOOK).await;
        };
        *self.entries.write().unwrap_or_else(PoisonError::into_inner) = Entries::default();
        self.seen.send_replace(Seen { last, access: last });
        loop {
            match self.log.after(last, PAGE).await {
                Ok(events) if events.is_empty() => {
                    // Whichever comes first: the hub lives as long as this does.
                    let _ = tokio::time::timeout(LOOK, tip.changed()).await;
                }
                Ok(events) => last = self.take(events),
                Err(error) => {
                    tracing::debug!(%error, "the log could not be read");
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
    }

    fn take(&self, events: Vec<Recorded>) -> u64 {
        let access = events.iter().rev().find(|event| changes_access(event));
        let access = access.map(|event| event.position);
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            entries.bytes += event.data.len();
            entries.recent.push_back(Arc::new(event.into()));
        }
        while entries.recent.len() > KEPT.0 || entries.bytes > KEPT.1 {
            let Some(oldest) = entries.recent.pop_front() else {
                break;
            };
            entries.bytes -= oldest.event.data.len();
        }
        let last = entries.recent.back().map_or(self.last(), |entry| entry.event.position);
        drop(entries);
        self.seen.send_modify(|seen| {
            seen.last = last;
            seen.access = access.unwrap_or(seen.access);
        });
        last
    }
}
