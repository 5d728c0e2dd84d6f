//! The connection behind a subscription: made, watched, and made again.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use ryggrad_proto::events::v1::subscribe_response::Frame;
use ryggrad_proto::events::v1::{SubscribeRequest, SubscribeResponse};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tonic::Streaming;
use tonic_types::StatusExt as _;

use crate::client::{Client, Options, Start};
use crate::order::Order;
use crate::subscription::{Batch, Message};
use crate::{Cursor, Error, Event, Filter};

/// The first and the longest pause before connecting again.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
/// After so many heartbeats without one the server is taken for lost.
const MISSED: u32 = 3;
/// Room for the way of a heartbeat.
const GRACE: Duration = Duration::from_millis(500);
/// How long the server may take to answer a request.
const ANSWER: Duration = Duration::from_secs(15);
/// How often in a row the server may fail before that is the end.
const FAULTS: u32 = 5;
/// How long a subscription that is to end at the head goes on without hearing of the server.
const GIVE_UP: Duration = Duration::from_secs(10);
/// The reason of a refusal that says that the log is another one.
const OTHER_EPOCH: &str = "OTHER_EPOCH";

/// A subscription and how far it has come.
pub(crate) struct Session {
    client: Client,
    start: Start,
    filter: Filter,
    options: Options,
    /// Name of the durable subscription, when it is one.
    durable: Option<String>,
    messages: mpsc::Sender<Batch>,
    /// Whether the server has not said yet where it begins.
    is_new: bool,
    /// Epoch and order, once the server has been asked where the log is.
    state: Option<(String, Order)>,
    pause: Duration,
    /// Failures of the server since it was heard of last.
    faults: u32,
    /// When it was heard of last.
    heard: Instant,
}

/// Why a stretch ended well.
enum Done {
    /// Nobody listens any more, or the head was reached and that was all.
    Finished,
    /// The server ended the stream without a word.
    Closed,
}

// === impl Session ===

impl Session {
    pub(crate) fn new(
        client: Client,
        start: Start,
        filter: Filter,
        options: Options,
        durable: Option<String>,
        messages: mpsc::Sender<Batch>,
    ) -> Self {
        Self {
            client,
            start,
            filter,
            options,
            durable,
            messages,
            is_new: true,
            state: None,
            pause: PAUSE.0,
            faults: 0,
            heard: Instant::now(),
        }
    }

    /// Follows until an error that trying again does not mend, or until nobody listens.
    pub(crate) async fn run(mut self) {
        loop {
            match self.stretch().await {
                Ok(Done::Finished) => return,
                Ok(Done::Closed) => {}
                Err(error) if self.is_worth_another_try(&error) => {
                    tracing::warn!(%error, "the subscription was interrupted and is tried again");
                }
                Err(error) => {
                    let _ = self.messages.send(Err(error)).await;
                    return;
                }
            }
            if self.messages.is_closed() {
                return;
            }
            tokio::time::sleep(jitter(self.pause)).await;
            self.pause = (self.pause * 2).min(PAUSE.1);
        }
    }

    /// Whether trying again can help, and the time for that is not over.
    fn is_worth_another_try(&mut self, error: &Error) -> bool {
        self.faults += u32::from(error.is_fault());
        let is_over = self.options.stop_at_head && self.heard.elapsed() > GIVE_UP;
        !is_over && (error.is_transient() || error.is_fault() && self.faults < FAULTS)
    }

    /// One connection, from the last event on.
    async fn stretch(&mut self) -> Result<Done, Error> {
        let (epoch, order) = match self.state.take() {
            Some(state) => state,
            None => self.begin().await?,
        };
        let (_, order) = self.state.insert((epoch.clone(), order));
        let heartbeat_ms = u32::try_from(self.options.heartbeat.as_millis()).unwrap_or(u32::MAX);
        let request = SubscribeRequest {
            after: order.last,
            epoch: epoch.clone(),
            // One that is remembered by its name is remembered with its filter.
            filter: (self.durable.is_none() || !self.filter.is_everything()).then(|| self.filter.clone().into()),
            heartbeat_ms,
            stop_at_head: self.options.stop_at_head,
            durable: self.durable.clone().unwrap_or_default(),
            ..SubscribeRequest::default()
        };
        let mut stub = self.client.stub.clone();
        let answer = timeout(ANSWER, stub.subscribe(request))
            .await
            .map_err(|_| Error::Silent)?;
        let mut frames = answer.map_err(|status| refused(status, &epoch))?.into_inner();
        let patience = self.options.heartbeat * MISSED + GRACE;
        let mut caught_up = false;
        while let Some(response) = next(&mut frames, patience, &epoch).await? {
            (self.pause, self.faults, self.heard) = (PAUSE.0, 0, Instant::now());
            let Some(frame) = response.frame else { continue };
            caught_up |= matches!(frame, Frame::CaughtUp(_));
            if let Frame::Started(said) = &frame
                && self.durable.is_some()
                && std::mem::take(&mut self.is_new)
            {
                order.last = said.after;
            }
            let again = self.durable.is_some();
            let messages = take(frame, order, &epoch, again)?;
            if self.messages.send(Ok((messages, epoch.clone()))).await.is_err() {
                return Ok(Done::Finished);
            }
        }
        Ok(if caught_up && self.options.stop_at_head {
            Done::Finished
        } else {
            Done::Closed
        })
    }

    /// Asks which log it is, and where to begin.
    async fn begin(&self) -> Result<(String, Order), Error> {
        let head = timeout(ANSWER, self.client.head())
            .await
            .map_err(|_| Error::Silent)??
            .cursor;
        let last = match &self.start {
            Start::Beginning => 0,
            Start::After(position) => *position,
            Start::Now => head.position,
            Start::From(Cursor { epoch, position }) => {
                if !epoch.is_empty() && *epoch != head.epoch {
                    return Err(Error::Epoch {
                        expected: epoch.clone(),
                        got: head.epoch,
                    });
                }
                *position
            }
        };
        Ok((
            head.epoch,
            Order {
                last,
                gapless: self.options.gapless,
            },
        ))
    }
}

async fn next(
    frames: &mut Streaming<SubscribeResponse>,
    patience: Duration,
    epoch: &str,
) -> Result<Option<SubscribeResponse>, Error> {
    let frame = timeout(patience, frames.message()).await.map_err(|_| Error::Silent)?;
    frame.map_err(|status| refused(status, epoch))
}

/// The messages of a frame, checked. What a durable subscription brings `again`, because it was not acknowledged before the
/// connection broke, is passed over.
fn take(frame: Frame, order: &mut Order, epoch: &str, again: bool) -> Result<Vec<Message>, Error> {
    let passed = |position: u64, order: &Order| again && position <= order.last;
    match frame {
        Frame::Batch(batch) => {
            let mut messages = Vec::with_capacity(batch.events.len());
            for envelope in batch.events {
                if passed(envelope.position, order) {
                    continue;
                }
                order.event(envelope.position)?;
                messages.push(Message::Event(Event::from(envelope)));
            }
            Ok(messages)
        }
        // Only for those who asked for CloudEvents.
        Frame::CloudEvents(_) => Ok(Vec::new()),
        Frame::Started(said) if said.epoch != epoch => Err(Error::Epoch {
            expected: epoch.to_owned(),
            got: said.epoch,
        }),
        Frame::Started(said) => {
            if !passed(said.after, order) {
                order.mark(said.after)?;
            }
            Ok(Vec::new())
        }
        Frame::CaughtUp(said) if said.epoch != epoch => Err(Error::Epoch {
            expected: epoch.to_owned(),
            got: said.epoch,
        }),
        Frame::CaughtUp(said) => {
            order.mark(if again {
                said.position.max(order.last)
            } else {
                said.position
            })?;
            Ok(vec![Message::CaughtUp {
                position: said.position,
                head: said.head,
            }])
        }
        Frame::Heartbeat(said) if passed(said.position, order) => Ok(Vec::new()),
        Frame::Heartbeat(said) => {
            order.mark(said.position)?;
            Ok(vec![Message::Heartbeat {
                position: said.position,
                head: said.head,
            }])
        }
    }
}

fn refused(status: tonic::Status, epoch: &str) -> Error {
    match status.get_details_error_info() {
        Some(info) if info.reason == OTHER_EPOCH => Error::Epoch {
            expected: epoch.to_owned(),
            got: info.metadata.get("epoch").cloned().unwrap_or_default(),
        },
        _ => status.into(),
    }
}

/// Between half of a pause and all of it, so that those who lost the server together do not come back together.
fn jitter(pause: Duration) -> Duration {
    let random = u32::try_from(RandomState::new().hash_one(0) % 1_000).unwrap_or_default();
    pause / 2 + pause / 2 * random / 1_000
}
