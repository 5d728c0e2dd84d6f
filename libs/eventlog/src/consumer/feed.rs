//! The stream as one endless sequence of events, whatever happens to broker and connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::Client;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::consumer::pull::{Ended, Pull};
use crate::event::Recorded;
use crate::stream;

/// How many decoded events wait for a consumer that is slow, before reading waits for it.
const AHEAD: usize = 2_048;
/// How many events behind the end of the stream is far.
const BEHIND: u64 = 5_000;
/// How long to wait before looking again, at first and at the most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(250));
/// How long to wait after a message that should not be there: somebody has to put the stream right first.
const FOREIGN: Duration = Duration::from_secs(5);

/// Reads the stream after a position: every event once, in order, without a gap. Outages, restarts and a stream that is
/// deleted and refilled are waited out. Reading stops when it is dropped.
#[derive(Debug)]
pub struct Feed {
    events: mpsc::Receiver<Recorded>,
    pending: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

// === impl Feed ===

impl Feed {
    /// Starts reading after a position.
    pub fn after(client: Client, position: u64) -> Self {
        let (sender, events) = mpsc::channel(AHEAD);
        let pending = Arc::new(AtomicU64::new(0));
        let task = tokio::spawn(read(client, position, sender, Arc::clone(&pending)));
        Self { events, pending, task }
    }

    /// Whether the stream has thousands of events more than have been read.
    pub(super) fn is_behind(&self) -> bool {
        self.pending.load(Ordering::Relaxed) > BEHIND
    }

    /// Waits for the next events and puts whatever there is, at least one and at most `limit`, at the end of `batch`.
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self, batch: &mut Vec<Recorded>, limit: usize) {
        if self.events.recv_many(batch, limit).await == 0 {
            // Only a panic ends the reading; there is nothing to come.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(client: Client, mut position: u64, events: mpsc::Sender<Recorded>, pending: Arc<AtomicU64>) {
    let mut pause = PAUSE.0;
    loop {
        let began = position;
        let ended = stretch(&client, &mut position, &events, &pending).await;
        let Err(ended) = ended else { return };
        pause = if position > began {
            PAUSE.0
        } else {
            (pause * 2).min(PAUSE.1)
        };
        match ended {
            Ended::Foreign(error) => {
                tracing::error!(%error, "the stream has a message that is not an event of the log");
                pause = FOREIGN;
            }
            Ended::Short(_) | Ended::Silent | Ended::Broker(_) | Ended::Gap { .. } => {
                tracing::debug!(%ended, position, "reading was interrupted");
            }
        }
        tokio::time::sleep(pause).await;
    }
}

/// Reads until something comes in between; ends well when nobody wants events any more.
async fn stretch(
    client: &Client,
    position: &mut u64,
    events: &mpsc::Sender<Recorded>,
    pending: &AtomicU64,
) -> Result<(), Ended> {
    if !stream::is_connected(client) {
        return Err(Ended::Silent);
    }
    let mut pull = Pull::open(client, *position).await?;
    loop {
        // The room first: an event that was taken from the broker must not wait with nobody knowing of it.
        let Ok(room) = events.reserve().await else {
            return Ok(());
        };
        let event = pull.next().await?;
        *position = event.position;
        pending.store(pull.pending, Ordering::Relaxed);
        room.send(event);
    }
}
