//! The recent end of the stream, read once for all consumers of a process.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use async_nats::Client;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use crate::consumer::Feed;
use crate::event::Recorded;
use crate::stream;

/// How many of the latest events are kept for consumers that are a little behind.
const KEPT: usize = 4_096;
/// How many are taken over at once.
const BATCH: usize = 512;
/// How long to wait before the broker is asked again where the stream ends.
const PAUSE: Duration = Duration::from_millis(100);

/// Where consumers get their events from. Cheap to clone; the consumers that were given clones of one source share one
/// reader of the stream, instead of having the broker deliver every event to each of them.
#[derive(Debug, Clone)]
pub struct Source {
    hub: Arc<Hub>,
}

#[derive(Debug)]
struct Hub {
    client: Client,
    recent: Mutex<VecDeque<Recorded>>,
    /// Position of the last event that was read or passed over.
    last: watch::Sender<u64>,
    reader: Mutex<Option<AbortOnDropHandle<()>>>,
}

/// What the recent end of the stream has for a consumer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The next events were put in the batch.
    Some,
    /// The next event has not been published yet.
    NotYet,
    /// The next event is not among the recent ones.
    Past,
}

// === impl Source ===

impl From<Client> for Source {
    fn from(client: Client) -> Self {
        Self::new(client)
    }
}

impl Source {
    /// A source of its own on a connection to the broker.
    pub fn new(client: Client) -> Self {
        let hub = Hub {
            client,
            recent: Mutex::new(VecDeque::with_capacity(KEPT)),
            last: watch::Sender::new(0),
            reader: Mutex::new(None),
        };
        Self { hub: Arc::new(hub) }
    }

    /// Starts the reader, the first time, and tells when it reads something.
    pub(super) fn begin(&self) -> watch::Receiver<u64> {
        let mut reader = self.hub.reader.lock().expect("nobody panics with it");
        if reader.is_none() {
            *reader = Some(AbortOnDropHandle::new(tokio::spawn(read(
                self.hub.client.clone(),
                Arc::downgrade(&self.hub),
            ))));
        }
        self.hub.last.subscribe()
    }

    /// Copies the events after a position to a batch, at most `limit`.
    pub(super) fn after(&self, position: u64, batch: &mut Vec<Recorded>, limit: usize) -> Found {
        let recent = self.hub.recent();
        let last = *self.hub.last.borrow();
        if let Some(first) = recent
            .front()
            .filter(|first| first.position <= position + 1 && position < last)
        {
            let from = usize::try_from(position + 1 - first.position).expect("no longer than what is kept");
            batch.extend(recent.range(from..recent.len().min(from + limit)).cloned());
            return Found::Some;
        }
        if position < last || last == 0 {
            Found::Past
        } else {
            Found::NotYet
        }
    }
}

// === impl Hub ===

impl Hub {
    fn recent(&self) -> MutexGuard<'_, VecDeque<Recorded>> {
        self.recent.lock().expect("nobody panics with it")
    }

    fn take(&self, batch: &mut Vec<Recorded>) {
        let Some(last) = batch.last().map(|event| event.position) else {
            return;
        };
        let mut recent = self.recent();
        recent.extend(batch.drain(..));
        let surplus = recent.len().saturating_sub(KEPT);
        recent.drain(..surplus);
        drop(recent);
        self.last.send_replace(last);
    }

    /// Passes over what the stream has up to a position: consumers get it from the log.
    fn pass_over(&self, last: u64) {
        self.recent().clear();
        self.last.send_replace(last);
    }
}

/// Keeps the recent end of the stream, from where it ends now on. When more comes at once than is kept, as while a register
/// is imported, it begins at the end anew: every message costs the broker and us several times what a row of the log costs.
async fn read(client: Client, hub: Weak<Hub>) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let Ok(end) = stream::last_sequence(&client).await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        match hub.upgrade() {
            Some(hub) => hub.pass_over(end),
            None => return,
        }
        let mut feed = Feed::after(client.clone(), end);
        while !feed.is_behind() {
            feed.next(&mut batch, BATCH).await;
            let Some(hub) = hub.upgrade() else { return };
            hub.take(&mut batch);
        }
    }
}
