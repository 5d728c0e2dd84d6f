//! One subscriber: from the log until it has caught up, from memory from then on, and back when it falls behind.

use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use ryggrad_proto::events::v1::{CaughtUp, Heartbeat};
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::time::Instant;
use tonic::Status;
use uuid::Uuid;

use crate::frame::{Batch, Frame};
use crate::history::{FRAME_BYTES, History};
use crate::hub::{Hub, Tip};
use crate::refusal;
use crate::ring::Recent;
use ryggrad_access::Filter;

/// How long to wait for a log that does not have yet what the stream had already.
const PAUSE: Duration = Duration::from_millis(50);
/// Name of the gauge of open subscriptions.
const SUBSCRIBERS: &str = "ryggrad_gateway_subscribers";

/// A subscription that was accepted.
#[derive(Debug)]
pub(crate) struct Subscription {
    hub: Arc<Hub>,
    pool: PgPool,
    tip: watch::Receiver<Tip>,
    epoch: Uuid,
    filter: Filter,
    /// Everything up to here that passes has been sent.
    position: u64,
    /// `caught_up` is said when the position gets here; none when it has been said.
    target: Option<u64>,
    history: Option<History>,
    heartbeat: Duration,
    due: Instant,
    stop_at_head: bool,
}

/// What was asked for, checked.
#[derive(Debug)]
pub(crate) struct Wish {
    /// Position after which to begin.
    pub(crate) after: u64,
    /// The log's position when it was asked for.
    pub(crate) head: u64,
    /// The log's epoch.
    pub(crate) epoch: Uuid,
    /// Which events.
    pub(crate) filter: Filter,
    /// Time between signs of life.
    pub(crate) heartbeat: Duration,
    /// Whether to end when everything recorded until now is sent.
    pub(crate) stop_at_head: bool,
}

// === impl Subscription ===

impl Subscription {
    /// A subscription that begins when it is first polled.
    pub(crate) fn new(hub: Arc<Hub>, pool: PgPool, wish: Wish) -> Self {
        let Wish {
            after,
            head,
            epoch,
            filter,
            heartbeat,
            stop_at_head,
        } = wish;
        let tip = hub.tip();
        metrics::gauge!(SUBSCRIBERS).increment(1);
        Self {
            hub,
            pool,
            tip,
            epoch,
            filter,
            position: after,
            target: Some(head),
            history: None,
            heartbeat,
            due: Instant::now() + heartbeat,
            stop_at_head,
        }
    }

    /// The frames, one when the one before has been taken: whoever reads slowly waits for nothing but itself.
    pub(crate) fn frames(self) -> impl Stream<Item = Result<Frame, Status>> + Send {
        futures::stream::unfold(Some(self), |subscription| async move {
            let mut subscription = subscription?;
            match subscription.next().await {
                Ok(Some(frame)) => {
                    subscription.due = Instant::now() + subscription.heartbeat;
                    Some((Ok(frame), Some(subscription)))
                }
                Ok(None) => None,
                Err(status) => Some((Err(status), None)),
            }
        })
    }

    async fn next(&mut self) -> Result<Option<Frame>, Status> {
        loop {
            let tip = *self.tip.borrow_and_update();
            if tip.epoch.is_some_and(|epoch| epoch != self.epoch) {
                return Err(refusal::other_epoch(
                    &self.epoch.to_string(),
                    tip.epoch.unwrap_or_default(),
                ));
            }
            let batch = match self.hub.after(self.position, FRAME_BYTES) {
                Recent::Blocks(blocks) => {
                    self.history = None;
                    let mut batch = Batch::default();
                    for block in &blocks {
                        block.select(self.position, &self.filter, &mut batch);
                        self.position = block.last();
                    }
                    batch
                }
                Recent::TooOld | Recent::Nothing if tip.stopping => return Err(refusal::stopping()),
                Recent::TooOld => self.catch_up().await?,
                // The log may be ahead of the stream; what was there at the beginning comes from the log then.
                Recent::Nothing if self.target.is_some_and(|target| self.position < target) => self.catch_up().await?,
                Recent::Nothing => match self.at_head(tip).await {
                    Rest::Send(frame) => return Ok(Some(frame)),
                    Rest::End => return Ok(None),
                    Rest::GoOn => continue,
                },
            };
            if !batch.is_empty() {
                return Ok(Some(Frame::Batch(batch)));
            }
            if Instant::now() >= self.due {
                return Ok(Some(self.sign_of_life(tip)));
            }
            // A filter that lets nothing pass must not keep the thread to itself.
            tokio::task::yield_now().await;
        }
    }

    /// The next page of the log.
    async fn catch_up(&mut self) -> Result<Batch, Status> {
        self.target.get_or_insert(self.position);
        let history = self
            .history
            .get_or_insert_with(|| History::after(self.pool.clone(), self.filter.clone(), self.position));
        // A log that answers slowly must not look like lost contact.
        let Ok(page) = tokio::time::timeout_at(self.due, history.next()).await else {
            return Ok(Batch::default());
        };
        match page {
            Some(Ok(page)) => {
                self.position = page.through;
                Ok(page.batch)
            }
            Some(Err(error)) => Err(refusal::unreadable(&error)),
            None => {
                // Read to the end; what has come since is in memory, or will be read from here.
                self.history = None;
                tokio::time::sleep(PAUSE).await;
                Ok(Batch::default())
            }
        }
    }

    /// Everything was sent: says so once, then waits.
    async fn at_head(&mut self, tip: Tip) -> Rest {
        self.history = None;
        if self.target.take().is_some() {
            let head = tip.head.max(self.position);
            return Rest::Send(Frame::CaughtUp(CaughtUp {
                position: self.position,
                head,
                epoch: self.epoch.to_string(),
            }));
        }
        if self.stop_at_head {
            return Rest::End;
        }
        tokio::select! {
            // The hub lives as long as its subscriptions: waiting never fails.
            _ = self.tip.changed() => Rest::GoOn,
            () = tokio::time::sleep_until(self.due) => Rest::Send(self.sign_of_life(*self.tip.borrow())),
        }
    }

    fn sign_of_life(&self, tip: Tip) -> Frame {
        let at = Some(ryggrad_eventlog::clock::wall().into());
        Frame::Heartbeat(Heartbeat {
            position: self.position,
            head: tip.head.max(self.position),
            at,
        })
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        metrics::gauge!(SUBSCRIBERS).decrement(1);
    }
}

/// What a subscriber at the head does next.
enum Rest {
    Send(Frame),
    End,
    GoOn,
}
