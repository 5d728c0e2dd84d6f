//! Catching up: pages of the log, read ahead and already in the form in which they are sent.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use ryggrad_eventlog::{Log, Recorded};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::filter::Filter;
use crate::frame::{Batch, encode_event};
use crate::key::Key;

/// Fewest and most events of a page. A subscriber that takes its pages quickly gets larger ones; what a slow one keeps
/// in memory stays small.
const PAGE: (u32, u32) = (128, 2_048);
/// A subscriber that lets a finished page wait for so long is slow.
const SLOW: Duration = Duration::from_millis(100);
/// Bytes of a frame, unless a single event has more.
pub(crate) const FRAME_BYTES: usize = 128 << 10;

/// Events after a position that pass the filter.
#[derive(Debug)]
pub(crate) struct Page {
    /// Position up to which the log was read for it.
    pub(crate) through: u64,
    /// The events; empty when none passed, or when the log ends here.
    pub(crate) batch: Batch,
}

/// The log after a position, read by a task of its own. Ends with the log; then there may be more again.
#[derive(Debug)]
pub(crate) struct History {
    pages: mpsc::Receiver<Result<Page, sqlx::Error>>,
    task: JoinHandle<()>,
}

// === impl History ===

impl History {
    /// Starts reading.
    pub(crate) fn after(log: Log, filter: Filter, position: u64) -> Self {
        let (sender, pages) = mpsc::channel(1);
        Self { pages, task: tokio::spawn(read(log, filter, position, sender)) }
    }

    /// The next page; none at the end of the log.
    pub(crate) async fn next(&mut self) -> Option<Result<Page, sqlx::Error>> {
        self.pages.recv().await
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(log: Log, filter: Filter, mut position: u64, pages: mpsc::Sender<Result<Page, sqlx::Error>>) {
    let mut limit = PAGE.0;
    loop {
        let events = match log.after(position, limit).await {
            Ok(events) => events,
            Err(error) => {
                let _ = pages.send(Err(error)).await;
                return;
            }
        };
        let Some(last) = events.last() else { return };
        position = last.position;
        let ends = events.len() < limit as usize;
        let since = Instant::now();
        for page in split(&events, &filter) {
            if pages.send(Ok(page)).await.is_err() {
                return;
            }
        }
        if ends {
            return;
        }
        limit = if since.elapsed() > SLOW { (limit / 2).max(PAGE.0) } else { (limit * 2).min(PAGE.1) };
    }
}

/// The events that pass, as pages of about a frame each.
fn split(events: &[Recorded], filter: &Filter) -> Vec<Page> {
    let mut pages = Vec::new();
    let mut buffer = BytesMut::new();
    let mut close = |buffer: &mut BytesMut, through| {
        let mut batch = Batch::default();
        if !buffer.is_empty() {
            batch.push(buffer.split().freeze());
        }
        pages.push(Page { through, batch });
    };
    let everything = filter.is_everything();
    for event in events {
        if everything || filter.passes(&Key::of(event)) {
            encode_event(event, &mut buffer);
        }
        if buffer.len() >= FRAME_BYTES {
            close(&mut buffer, event.position);
        }
    }
    if let Some(last) = events.last() {
        close(&mut buffer, last.position);
    }
    pages
}
