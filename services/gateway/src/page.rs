//! One page of the log: the events after a position that pass, from memory or from the database.

use ryggrad_service::ApiError;

use crate::api::Api;
use crate::format::Format;
use crate::frame::Batch;
use crate::history::{self, FRAME_BYTES};
use crate::refusal;
use crate::ring::Recent;
use crate::sieve::Sieve;

/// Bytes of a page, about: clients take 4 MiB.
const BYTES: usize = 3 << 20;
/// Positions that one page looks through at the most, however little passes.
const SCAN: u64 = 20_000;
/// Positions that are read from the database at once, fewest and most.
const READ: (u64, u64) = (100, 2_048);

/// A page, and where the next one begins.
#[derive(Debug)]
pub(crate) struct Page {
    /// The events.
    pub(crate) batch: Batch,
    /// Position up to which the log was looked at.
    pub(crate) next: u64,
    /// Whether it ends because it is full.
    pub(crate) full: bool,
}

impl Api {
    /// At most `most` events after a position, looking no further than `head`.
    pub(crate) async fn page(
        &self,
        sieve: &mut Sieve,
        format: Format,
        after: u64,
        head: u64,
        most: usize,
    ) -> Result<Page, ApiError> {
        let mut batch = Batch::default();
        let mut next = after;
        let end = after.saturating_add(SCAN);
        while next < head && next < end && batch.events() < most && batch.len() < BYTES {
            match self.hub.after(next, FRAME_BYTES) {
                Recent::Blocks(blocks) => {
                    for block in &blocks {
                        if batch.events() < most {
                            next = block.select(format, next, sieve, most, &mut batch);
                        }
                    }
                }
                Recent::TooOld | Recent::Nothing => {
                    let room = most - batch.events();
                    let scan = u64::try_from(room).unwrap_or(u64::MAX).clamp(READ.0, READ.1);
                    let page = history::page(&self.pool, sieve, format, next, scan, room).await;
                    let Some(page) = page.map_err(|error| refusal::unreadable(&error))? else {
                        break;
                    };
                    next = page.through;
                    batch.append(page.batch);
                }
            }
        }
        let full = batch.events() >= most;
        Ok(Page { batch, next, full })
    }
}
