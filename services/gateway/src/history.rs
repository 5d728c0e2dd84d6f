//! Catching up: pages of the log, read ahead and already in the form in which they are sent.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::TryStreamExt as _;
use ryggrad_eventlog::event::COLUMNS;
use sqlx::PgPool;
use tokio::sync::mpsc;

use crate::envelope::Writer;
use crate::frame::Batch;
use ryggrad_access::Filter;

mod tuple;

use tuple::Reader;

/// Fewest and most events of a page. A subscriber that takes its pages quickly gets larger ones; what a slow one keeps
/// in memory stays small.
const PAGE: (u64, u64) = (128, 2_048);
/// A subscriber that lets a finished page wait for so long is slow.
const SLOW: Duration = Duration::from_millis(100);
/// Bytes of a frame, unless a single event has more.
pub(crate) const FRAME_BYTES: usize = 128 << 10;

/// Events after a position that pass the filter.
#[derive(Debug)]
pub(crate) struct Page {
    /// Position up to which the log was read for it.
    pub(crate) through: u64,
    /// The events; empty when none passed.
    pub(crate) batch: Batch,
}

/// The log after a position, read by a task of its own. Ends with the log; then there may be more again.
#[derive(Debug)]
pub(crate) struct History {
    pages: mpsc::Receiver<Result<Page, sqlx::Error>>,
}

// === impl History ===

impl History {
    /// Starts reading. The task ends by itself when nobody wants its pages any more: a COPY must be read to its end,
    /// or its connection is of no use afterwards.
    pub(crate) fn after(pool: PgPool, filter: Filter, position: u64) -> Self {
        let (sender, pages) = mpsc::channel(1);
        tokio::spawn(read(pool, filter, position, sender));
        Self { pages }
    }

    /// The next page; none at the end of the log.
    pub(crate) async fn next(&mut self) -> Option<Result<Page, sqlx::Error>> {
        self.pages.recv().await
    }
}

async fn read(pool: PgPool, filter: Filter, mut position: u64, pages: mpsc::Sender<Result<Page, sqlx::Error>>) {
    let mut reader = Reader::default();
    let mut limit = PAGE.0;
    loop {
        let read = rows(&pool, position, limit)
            .await
            .and_then(|rows| split(&rows, &mut reader, &filter));
        let found = match read {
            Ok(found) => found,
            Err(error) => {
                let _ = pages.send(Err(error)).await;
                return;
            }
        };
        let Some(last) = found.last().map(|page| page.through) else {
            return;
        };
        let since = Instant::now();
        for page in found {
            if pages.send(Ok(page)).await.is_err() {
                return;
            }
        }
        // Positions have no holes: fewer than asked for is the end.
        if last < position + limit {
            return;
        }
        position = last;
        limit = if since.elapsed() > SLOW {
            (limit / 2).max(PAGE.0)
        } else {
            (limit * 2).min(PAGE.1)
        };
    }
}

/// The rows after a position, as PostgreSQL sends them.
async fn rows(pool: &PgPool, after: u64, limit: u64) -> Result<Vec<Bytes>, sqlx::Error> {
    let range = format!("position > {after} and position <= {}", after.saturating_add(limit));
    let sql =
        format!("copy (select {COLUMNS} from log.events where {range} order by position) to stdout (format binary)");
    let mut connection = pool.acquire().await?;
    let read = async { connection.copy_out_raw(&sql).await?.try_collect().await };
    let rows = read.await;
    if rows.is_err() {
        connection.close_on_drop();
    }
    rows
}

/// The events that pass, as pages of about a frame each.
fn split(rows: &[Bytes], reader: &mut Reader, filter: &Filter) -> Result<Vec<Page>, sqlx::Error> {
    let mut pages = Vec::new();
    let mut writer = Writer::default();
    let everything = filter.is_everything();
    let mut through = None;
    let mut close = |writer: &mut Writer, through| {
        let mut batch = Batch::default();
        batch.push(writer.take());
        pages.push(Page { through, batch });
    };
    for row in rows {
        let read = reader.read(row, |fields| {
            through = Some(fields.position);
            if everything || filter.passes(&fields.key()) {
                writer.push(fields);
            }
        });
        read.map_err(|error| sqlx::Error::Decode(error.into()))?;
        if writer.len() >= FRAME_BYTES
            && let Some(through) = through.take()
        {
            close(&mut writer, through);
        }
    }
    if let Some(through) = through {
        close(&mut writer, through);
    }
    Ok(pages)
}
