//! A consumer's way through the log: the past from the log itself, the present from the stream.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::consumer::source::{Found, Source};
use crate::event::Recorded;
use crate::log::Log;

/// How many events are read from the log at once.
const PAGE: u32 = 1_000;
/// How long to wait to be told that more of the stream has been read before looking whether it has.
const LOOK: Duration = Duration::from_secs(1);
/// How long to wait after the log could not be read.
const PAUSE: Duration = Duration::from_millis(200);

/// How long a consumer rests after a batch of less than [`FEW`] events: what comes meanwhile shares its transaction.
const REST: Duration = Duration::from_millis(15);
/// From how many events on a batch is worth a transaction of its own.
const FEW: usize = 500;

/// Follows the log after a position: every event once, in order, without a gap. What is long past is read from the log,
/// which costs a fraction of what the broker's messages cost; what is new comes from the stream, at the same positions.
#[derive(Debug)]
pub struct Follower {
    source: Source,
    log: Log,
    position: u64,
    moved: watch::Receiver<u64>,
    /// Until when to rest.
    rested: Instant,
    /// The next page of the log, read while the last one is being worked on.
    ahead: Option<(u64, Page)>,
}

type Page = AbortOnDropHandle<Result<Vec<Recorded>, sqlx::Error>>;

// === impl Follower ===

impl Follower {
    /// Follows a source after a position; the log is that which the source carries.
    pub fn after(source: &Source, log: Log, position: u64) -> Self {
        Self {
            moved: source.begin(),
            source: source.clone(),
            log,
            position,
            rested: Instant::now(),
            ahead: None,
        }
    }

    /// Waits for the next events and puts whatever there is, at least one and at most `limit`, at the end of `batch`.
    /// The first event after a silence comes at once; in a steady trickle there are 15 ms between batches, or every event
    /// would cost every consumer a transaction. Nothing is lost when the future is dropped.
    pub async fn next(&mut self, batch: &mut Vec<Recorded>, limit: usize) {
        tokio::time::sleep_until(self.rested).await;
        loop {
            self.moved.mark_unchanged();
            let from = batch.len();
            match self.source.after(self.position, batch, limit) {
                Found::Some => {}
                Found::NotYet => self.wait().await,
                Found::Past => {
                    if !self.past(batch).await {
                        self.wait().await;
                    }
                }
            }
            if let Some(last) = batch[from..].last() {
                self.position = last.position;
                if batch.len() - from < FEW {
                    self.rested = Instant::now() + REST;
                }
                return;
            }
        }
    }

    async fn wait(&mut self) {
        // The sender lives in our source.
        let _ = tokio::time::timeout(LOOK, self.moved.changed()).await;
    }

    /// Reads the next page of the log; false when there is nothing more.
    async fn past(&mut self, batch: &mut Vec<Recorded>) -> bool {
        // A page that was read ahead is of no use when the stream has led us past its beginning.
        if self.ahead.as_ref().is_none_or(|(after, _)| *after != self.position) {
            self.ahead = Some((self.position, read(self.log.clone(), self.position)));
        }
        let Some((_, page)) = &mut self.ahead else { return false };
        let page = page.await;
        self.ahead = None;
        match page {
            Ok(Ok(events)) => {
                if events.len() == PAGE as usize {
                    self.ahead = events
                        .last()
                        .map(|last| (last.position, read(self.log.clone(), last.position)));
                }
                let is_some = !events.is_empty();
                batch.extend(events);
                is_some
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "the log cannot be read; trying again");
                tokio::time::sleep(PAUSE).await;
                true
            }
            Err(_) => false,
        }
    }
}

fn read(log: Log, position: u64) -> Page {
    AbortOnDropHandle::new(tokio::spawn(async move { log.after(position, PAGE).await }))
}
