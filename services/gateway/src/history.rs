//! Reading the log: pages of it, already in the form in which they are sent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::TryStreamExt as _;
use ryggrad_access::Key;
use ryggrad_eventlog::event::COLUMNS;
use ryggrad_proto::options::v1::PrivacyClass;
use sqlx::PgPool;
use tokio::sync::{Semaphore, mpsc};

use crate::access;
use crate::envelope::Fields;
use crate::format::{Format, Writer};
use crate::frame::Batch;
use crate::sieve::Sieve;

mod tuple;

use tuple::Reader;

/// Fewest and most events of a page. A subscriber that takes its pages quickly gets larger ones; what a slow one keeps
/// in memory stays small.
const PAGE: (u64, u64) = (128, 2_048);
/// A subscriber that lets a finished page wait for so long is slow.
const SLOW: Duration = Duration::from_millis(100);
/// Bytes of a frame, unless a single event has more.
pub(crate) const FRAME_BYTES: usize = 128 << 10;

/// Events after a position that pass.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Position up to which the log was read for it.
    pub(crate) through: u64,
    /// The events; empty when none passed.
    pub(crate) batch: Batch,
    /// Events with which the caller itself began something.
    pub(crate) began: Vec<Key>,
    /// Position of the last fact about anybody's access in it; 0 when there is none.
    pub(crate) access: u64,
}

/// The log, for those who follow it. They read by turns, for as long as it takes, on half of the connections: when a thousand
/// of them are behind at once, calls that somebody waits for still find one.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    pool: PgPool,
    turns: Arc<Semaphore>,
}

/// The log after a position, read by a task of its own. Ends with the log; then there may be more again.
#[derive(Debug)]
pub(crate) struct History {
    pages: mpsc::Receiver<Result<Page, sqlx::Error>>,
}

/// How a piece of the log is made into pages.
struct Cutter<'a> {
    sieve: &'a mut Sieve,
    writer: Writer,
    /// Most events in all.
    room: usize,
    page: Page,
    /// Events on the page being written.
    count: usize,
}

// === impl Past ===

impl Past {
    /// The log that a pool's role may read.
    pub(crate) fn new(pool: PgPool) -> Self {
        let turns = usize::try_from(pool.options().get_max_connections() / 2).unwrap_or_default();
        Self {
            pool,
            turns: Arc::new(Semaphore::new(turns.max(1))),
        }
    }

    /// Starts reading. The task ends by itself when nobody wants its pages any more: a COPY must be read to its end,
    /// or its connection is of no use afterwards.
    pub(crate) fn after(&self, sieve: Sieve, format: Format, position: u64) -> History {
        let (sender, pages) = mpsc::channel(1);
        tokio::spawn(read(self.clone(), sieve, format, position, sender));
        History { pages }
    }

    async fn rows(&self, after: u64, limit: u64) -> Result<Vec<Bytes>, sqlx::Error> {
        let _turn = self.turns.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
        rows(&self.pool, after, limit).await
    }
}

// === impl History ===

impl History {
    /// The next page; none at the end of the log.
    pub(crate) async fn next(&mut self) -> Option<Result<Page, sqlx::Error>> {
        self.pages.recv().await
    }
}

/// The events after a position that pass, at most `most` of them from at most `scan` positions; no page at the end of the
/// log.
pub(crate) async fn page(
    pool: &PgPool,
    sieve: &mut Sieve,
    format: Format,
    after: u64,
    scan: u64,
    most: usize,
) -> Result<Option<Page>, sqlx::Error> {
    let rows = rows(pool, after, scan).await?;
    let pages = split(&rows, &mut Reader::default(), sieve, format, most)?;
    Ok(pages.into_iter().reduce(|mut page, next| {
        page.through = next.through;
        page.batch.append(next.batch);
        page.access = page.access.max(next.access);
        page
    }))
}

async fn read(
    past: Past,
    mut sieve: Sieve,
    format: Format,
    mut position: u64,
    pages: mpsc::Sender<Result<Page, sqlx::Error>>,
) {
    let mut reader = Reader::default();
    let mut limit = PAGE.0;
    loop {
        let read = past
            .rows(position, limit)
            .await
            .and_then(|rows| split(&rows, &mut reader, &mut sieve, format, usize::MAX));
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

/// The first `most` events that pass, as pages of about a frame each.
fn split(
    rows: &[Bytes],
    reader: &mut Reader,
    sieve: &mut Sieve,
    format: Format,
    most: usize,
) -> Result<Vec<Page>, sqlx::Error> {
    let mut pages = Vec::new();
    let mut cutter = Cutter {
        sieve,
        writer: Writer::new(format),
        room: most,
        page: Page::default(),
        count: 0,
    };
    for row in rows {
        reader
            .read(row, |fields| cutter.take(fields))
            .map_err(|error| sqlx::Error::Decode(error.into()))?;
        if cutter.writer.len() >= FRAME_BYTES {
            pages.extend(cutter.cut());
        }
        if cutter.room == 0 {
            break;
        }
    }
    pages.extend(cutter.cut());
    Ok(pages)
}

// === impl Cutter ===

impl Cutter<'_> {
    fn take(&mut self, fields: &Fields<'_>) {
        if self.room == 0 {
            return;
        }
        self.page.through = fields.position;
        if access::is_about_access(fields.context, fields.name) {
            self.page.access = fields.position;
        }
        if self.passes(fields) {
            self.writer.push(fields);
            self.count += 1;
            self.room -= 1;
        }
    }

    fn passes(&mut self, fields: &Fields<'_>) -> bool {
        let own = self.sieve.is_known() && fields.actor.authenticated;
        if self.sieve.wants_everything() && fields.class == PrivacyClass::Public as i32 && !own {
            return true;
        }
        let key = fields.key();
        let passes = |sieve: &Sieve| sieve.passes(fields.position, &key);
        if own && self.sieve.began(&key) {
            self.sieve.notice(&key);
            let passes = passes(self.sieve);
            self.page.began.push(key);
            return passes;
        }
        passes(self.sieve)
    }

    /// The page that has been written; none when nothing was looked at.
    fn cut(&mut self) -> Option<Page> {
        let mut page = std::mem::take(&mut self.page);
        page.batch.push(self.writer.take(), std::mem::take(&mut self.count));
        (page.through > 0).then_some(page)
    }
}
