//! The stream of messages as the consumer sees it.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::Stream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::{Cursor, Error, Event};

/// What a subscription brings.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all messages are events")]
pub enum Message {
    /// An event.
    Event(Event),
    /// Everything recorded until now has come. Said once, and again after every time that we fell behind.
    CaughtUp {
        /// Everything up to here that passes the filter has come.
        position: u64,
        /// Position of the last event of the log.
        head: u64,
    },
    /// There is nothing new, and contact is not lost.
    Heartbeat {
        /// Everything up to here that passes the filter has come.
        position: u64,
        /// Position of the last event of the log.
        head: u64,
    },
}

/// Messages of one frame, and the epoch that they are of.
pub(crate) type Batch = Result<(Vec<Message>, String), Error>;

/// Follows the stream until it is dropped, or until an error that trying again does not mend, which is its last item.
#[derive(Debug)]
pub struct Subscription {
    batches: mpsc::Receiver<Batch>,
    task: JoinHandle<()>,
    waiting: VecDeque<Message>,
    cursor: Cursor,
}

// === impl Message ===

impl Message {
    /// Where a consumer stands that has dealt with the message.
    pub fn position(&self) -> u64 {
        match self {
            Self::Event(event) => event.position(),
            Self::CaughtUp { position, .. } | Self::Heartbeat { position, .. } => *position,
        }
    }
}

// === impl Subscription ===

impl Subscription {
    pub(crate) fn spawn<F: Future<Output = ()> + Send + 'static>(run: impl FnOnce(mpsc::Sender<Batch>) -> F) -> Self {
        let (sender, batches) = mpsc::channel(2);
        Self {
            batches,
            task: tokio::spawn(run(sender)),
            waiting: VecDeque::new(),
            cursor: Cursor::default(),
        }
    }

    /// Where to go on after the messages that were taken so far.
    pub fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// The next event; signs of life are passed over. `None` when the subscription was to stop at the head and has.
    ///
    /// # Errors
    /// When the subscription has ended with one.
    pub async fn next_event(&mut self) -> Result<Option<Event>, Error> {
        loop {
            match std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await {
                Some(Ok(Message::Event(event))) => return Ok(Some(event)),
                Some(Ok(Message::CaughtUp { .. } | Message::Heartbeat { .. })) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(None),
            }
        }
    }
}

impl Stream for Subscription {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(message) = self.waiting.pop_front() {
                self.cursor.position = message.position();
                return Poll::Ready(Some(Ok(message)));
            }
            match ready!(self.batches.poll_recv(cx)) {
                Some(Ok((messages, epoch))) => {
                    self.waiting = messages.into();
                    self.cursor.epoch = epoch;
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.task.abort();
    }
}
