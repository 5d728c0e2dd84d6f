//! Reads the log ahead of the publishing.

use async_nats::{Client, Subscriber};
use futures::StreamExt as _;
use sqlx::PgPool;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::event::Recorded;
use crate::log::Log;
use crate::relay::POLL;
use crate::stream;

/// How many events are read at once.
const PAGE: u32 = 1_000;
/// How many pages are read ahead.
const AHEAD: usize = 2;

/// What says that the log has grown: a writer in this process, one in another, or nobody for a while.
#[derive(Debug)]
pub(super) struct Wake {
    committed: Option<watch::Receiver<u64>>,
    pings: Option<Subscriber>,
}

/// A task that reads the log onward; ends when dropped.
#[derive(Debug)]
pub(super) struct Reading {
    pages: mpsc::Receiver<Result<Vec<Recorded>, sqlx::Error>>,
    task: JoinHandle<()>,
}

// === impl Wake ===

impl Wake {
    pub(super) async fn new(client: &Client, mut committed: Option<watch::Receiver<u64>>) -> Self {
        if let Some(committed) = &mut committed {
            committed.mark_changed();
        }
        Self {
            committed,
            pings: client.subscribe(stream::WAKE).await.ok(),
        }
    }

    async fn wait(&mut self) {
        let committed = async {
            let grown = match &mut self.committed {
                Some(committed) => committed.changed().await.is_ok(),
                None => false,
            };
            if !grown {
                std::future::pending::<()>().await;
            }
        };
        let pinged = async {
            let pinged = match &mut self.pings {
                Some(pings) => pings.next().await.is_some(),
                None => false,
            };
            if !pinged {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = committed => {}
            () = pinged => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

// === impl Reading ===

impl Reading {
    /// Starts reading after a position.
    pub(super) fn after(pool: PgPool, position: u64, wake: Wake) -> Self {
        let (sender, pages) = mpsc::channel(AHEAD);
        Self {
            pages,
            task: tokio::spawn(read(Log::new(pool), position, wake, sender)),
        }
    }

    /// The next events, at least one, as soon as there are any.
    pub(super) async fn next(&mut self) -> Result<Vec<Recorded>, sqlx::Error> {
        self.pages.recv().await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(log: Log, mut position: u64, mut wake: Wake, pages: mpsc::Sender<Result<Vec<Recorded>, sqlx::Error>>) {
    loop {
        let page = log.after(position, PAGE).await;
        let (full, failed) = match &page {
            Ok(events) => (events.len() == PAGE as usize, false),
            Err(_) => (false, true),
        };
        match &page {
            Ok(events) if events.is_empty() => {}
            _ => {
                if let Ok([.., last]) = page.as_deref() {
                    position = last.position;
                }
                if pages.send(page).await.is_err() || failed {
                    return;
                }
            }
        }
        if !full {
            wake.wait().await;
        }
    }
}
