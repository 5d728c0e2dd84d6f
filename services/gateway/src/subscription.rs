//! One subscriber: from the log until it has caught up, from memory from then on, and back when it falls behind.

use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use ryggrad_proto::events::v1::{CaughtUp, Heartbeat, Started};
use ryggrad_service::ApiError;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::access::Pass;
use crate::durable::Lease;
use crate::format::Format;
use crate::frame::{Batch, Frame};
use crate::history::{FRAME_BYTES, History, Past};
use crate::hub::{Hub, Tip};
use crate::refusal;
use crate::ring::Recent;
use crate::sieve::Sieve;

/// How long to wait for a log that does not have yet what the stream had already.
const PAUSE: Duration = Duration::from_millis(50);
/// Name of the gauge of open subscriptions.
const SUBSCRIBERS: &str = "ryggrad_gateway_subscribers";

/// A subscription that was accepted.
#[derive(Debug)]
pub(crate) struct Subscription {
    hub: Arc<Hub>,
    past: Past,
    tip: watch::Receiver<Tip>,
    epoch: Uuid,
    sieve: Sieve,
    /// What keeps the gate right; none for those without a token.
    pass: Option<Box<Pass>>,
    format: Format,
    /// The first frame, until it was sent.
    started: Option<Box<Started>>,
    /// The durable subscription that is followed.
    lease: Option<Box<Lease>>,
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
    /// The first frame: where it begins in which log.
    pub(crate) started: Started,
    /// The log's epoch.
    pub(crate) epoch: Uuid,
    /// Which events.
    pub(crate) sieve: Sieve,
    /// What keeps the gate right.
    pub(crate) pass: Option<Pass>,
    /// How events are written.
    pub(crate) format: Format,
    /// The durable subscription that is followed.
    pub(crate) lease: Option<Lease>,
    /// Time between signs of life.
    pub(crate) heartbeat: Duration,
    /// Whether to end when everything recorded until now is sent.
    pub(crate) stop_at_head: bool,
}

// === impl Subscription ===

impl Subscription {
    /// A subscription that begins when it is first polled.
    pub(crate) fn new(hub: Arc<Hub>, past: Past, wish: Wish) -> Self {
        let tip = hub.tip();
        metrics::gauge!(SUBSCRIBERS).increment(1);
        Self {
            hub,
            past,
            tip,
            epoch: wish.epoch,
            sieve: wish.sieve,
            pass: wish.pass.map(Box::new),
            format: wish.format,
            position: wish.started.after,
            target: Some(wish.started.head),
            started: Some(Box::new(wish.started)),
            lease: wish.lease.map(Box::new),
            history: None,
            heartbeat: wish.heartbeat,
            due: Instant::now() + wish.heartbeat,
            stop_at_head: wish.stop_at_head,
        }
    }

    /// The frames, one when the one before has been taken: whoever reads slowly waits for nothing but itself.
    pub(crate) fn frames(self) -> impl Stream<Item = Result<Frame, ApiError>> + Send {
        // A box is moved from one turn to the next, and not all of it.
        futures::stream::unfold(Some(Box::new(self)), |subscription| async move {
            let mut subscription = subscription?;
            match subscription.next().await {
                Ok(Some(frame)) => {
                    subscription.due = Instant::now() + subscription.heartbeat;
                    if let Some(lease) = &subscription.lease {
                        lease.delivered(subscription.position);
                    }
                    Some((Ok(frame), Some(subscription)))
                }
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    /// The next frame. What is seldom done has memory of its own while it is done: most of the time a subscription waits.
    async fn next(&mut self) -> Result<Option<Frame>, ApiError> {
        if let Some(started) = self.started.take() {
            return Ok(Some(Frame::Started(*started)));
        }
        loop {
            let tip = *self.tip.borrow_and_update();
            if let Some(epoch) = tip.epoch.filter(|epoch| *epoch != self.epoch) {
                return Err(refusal::other_epoch(&self.epoch.to_string(), epoch));
            }
            if let Some(lease) = &mut self.lease {
                Box::pin(lease.keep()).await?;
            }
            if self.pass.as_ref().is_some_and(|pass| pass.is_stale(&self.hub)) {
                Box::pin(self.reopen(tip.head)).await?;
            }
            let batch = match self.hub.after(self.position, FRAME_BYTES) {
                Recent::Blocks(blocks) => {
                    self.history = None;
                    let mut batch = Batch::default();
                    for block in &blocks {
                        let position = self.position;
                        self.position = block.select(self.format, position, &mut self.sieve, usize::MAX, &mut batch);
                    }
                    batch
                }
                Recent::TooOld | Recent::Nothing if tip.stopping => return Err(refusal::stopping()),
                Recent::TooOld => Box::pin(self.catch_up()).await?,
                // The log may be ahead of the stream; what was there at the beginning comes from the log then.
                Recent::Nothing if self.target.is_some_and(|target| self.position < target) => {
                    Box::pin(self.catch_up()).await?
                }
                Recent::Nothing => match self.at_head(tip.head).await {
                    Rest::Send(frame) => return Ok(Some(frame)),
                    Rest::End => return Ok(None),
                    Rest::GoOn => continue,
                },
            };
            if !batch.is_empty() {
                if let Some(pass) = &self.pass {
                    Box::pin(pass.record(&self.sieve)).await?;
                }
                return Ok(Some(match self.format {
                    Format::CloudEvents => Frame::CloudEvents(batch),
                    Format::Envelope | Format::Json | Format::ServerSent => Frame::Batch(batch),
                }));
            }
            if Instant::now() >= self.due {
                return Ok(Some(self.sign_of_life(tip.head)));
            }
            // A filter that lets nothing pass must not keep the thread to itself.
            tokio::task::yield_now().await;
        }
    }

    /// Makes the gate anew. What was read ahead was read through the old one.
    async fn reopen(&mut self, head: u64) -> Result<(), ApiError> {
        if let Some(pass) = &mut self.pass {
            let gate = pass.renew(&self.hub, head).await?;
            self.sieve.reopen(gate);
            self.history = None;
        }
        Ok(())
    }

    /// The next page of the log.
    async fn catch_up(&mut self) -> Result<Batch, ApiError> {
        self.target.get_or_insert(self.position);
        let history = self
            .history
            .get_or_insert_with(|| self.past.after(self.sieve.clone(), self.format, self.position));
        // A log that answers slowly must not look like lost contact.
        let Ok(page) = tokio::time::timeout_at(self.due, history.next()).await else {
            return Ok(Batch::default());
        };
        match page {
            // A fact about access that the gate does not know yet: read again through one that does.
            Some(Ok(page)) if self.pass.as_ref().is_some_and(|pass| page.access > pass.as_of()) => {
                self.reopen(page.access).await?;
                Ok(Batch::default())
            }
            Some(Ok(page)) => {
                page.began.iter().for_each(|key| self.sieve.notice(key));
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
    async fn at_head(&mut self, head: u64) -> Rest {
        self.history = None;
        if self.target.take().is_some() {
            let head = head.max(self.position);
            return Rest::Send(Frame::CaughtUp(CaughtUp {
                position: self.position,
                head,
                epoch: self.epoch.to_string(),
            }));
        }
        if self.stop_at_head {
            return Rest::End;
        }
        let lost = self.lease.as_ref().map(|lease| lease.lost());
        tokio::select! {
            // Somebody else follows the durable subscription: the next turn says so.
            () = taken_over(lost) => Rest::GoOn,
            // The hub lives as long as its subscriptions: waiting never fails.
            _ = self.tip.changed() => Rest::GoOn,
            () = tokio::time::sleep_until(self.due) => Rest::Send(self.sign_of_life(self.tip.borrow().head)),
        }
    }

    fn sign_of_life(&self, head: u64) -> Frame {
        let at = Some(ryggrad_eventlog::clock::wall().into());
        Frame::Heartbeat(Heartbeat {
            position: self.position,
            head: head.max(self.position),
            at,
        })
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        metrics::gauge!(SUBSCRIBERS).decrement(1);
    }
}

/// Waits until a lease is lost; for ever without one.
async fn taken_over(lost: Option<CancellationToken>) {
    match lost {
        Some(lost) => Box::pin(lost.cancelled_owned()).await,
        None => std::future::pending().await,
    }
}

/// What a subscriber at the head does next.
enum Rest {
    Send(Frame),
    End,
    GoOn,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::Bounds;

    #[tokio::test]
    async fn a_thousand_that_have_nothing_to_do_take_less_than_a_megabyte() {
        let bounds = Bounds { events: 1, bytes: 1 };
        let past = Past::new(sqlx::PgPool::connect_lazy("postgres://nobody@127.0.0.1/nothing").unwrap());
        let wish = Wish {
            started: Started::default(),
            epoch: Uuid::nil(),
            sieve: Sieve::default(),
            pass: None,
            format: Format::Envelope,
            lease: None,
            heartbeat: Duration::from_secs(5),
            stop_at_head: false,
        };
        let subscription = Subscription::new(Arc::new(Hub::new(bounds)), past, wish);
        let (itself, frames) = (size_of_val(&subscription), size_of_val(&subscription.frames()));
        assert!(itself + frames < 1_000, "{itself} and {frames} bytes");
    }
}
