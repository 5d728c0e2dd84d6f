//! A run of events without a hole, encoded once, from which any number of subscribers are served.

use bytes::Bytes;
use ryggrad_eventlog::Recorded;

use crate::envelope::{Fields, Writer};
use crate::frame::Batch;
use ryggrad_access::Filter;
use ryggrad_access::Key;

/// How many bytes of events go into one block, unless a single event has more.
const BLOCK_BYTES: usize = 64 << 10;

/// A run of events without a hole.
#[derive(Debug)]
pub(crate) struct Block {
    first: u64,
    /// Each event's key, and where its bytes end.
    events: Vec<(Key, usize)>,
    bytes: Bytes,
}

// === impl Block ===

impl Block {
    /// Blocks of events whose positions follow each other.
    pub(crate) fn build(events: &[Recorded]) -> Vec<Self> {
        let mut blocks = Vec::new();
        let mut writer = Writer::default();
        let mut ends: Vec<(Key, usize)> = Vec::new();
        let mut first = events.first().map_or(0, |event| event.position);
        for event in events {
            let fields = Fields::of(event);
            writer.push(&fields);
            ends.push((fields.key(), writer.len()));
            if writer.len() >= BLOCK_BYTES {
                blocks.push(Self {
                    first,
                    events: std::mem::take(&mut ends),
                    bytes: writer.take(),
                });
                first = event.position + 1;
            }
        }
        if !ends.is_empty() {
            blocks.push(Self {
                first,
                events: ends,
                bytes: writer.take(),
            });
        }
        blocks
    }

    /// Position of its first event.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// Position of its last event.
    pub(crate) fn last(&self) -> u64 {
        self.first + self.events.len() as u64 - 1
    }

    /// Number of its events.
    pub(crate) fn count(&self) -> usize {
        self.events.len()
    }

    /// What it takes in memory, near enough.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len() + self.events.len() * size_of::<(Key, usize)>()
    }

    /// Adds the events after a position that pass the filter to a batch. Neighbours are added in one piece.
    pub(crate) fn select(&self, after: u64, filter: &Filter, batch: &mut Batch) {
        let skip = usize::try_from((after + 1).saturating_sub(self.first))
            .unwrap_or(usize::MAX)
            .min(self.events.len());
        let mut start = if skip == 0 { 0 } else { self.events[skip - 1].1 };
        if filter.is_everything() {
            if start < self.bytes.len() {
                batch.push(self.bytes.slice(start..));
            }
            return;
        }
        let mut end = start;
        for (key, ends) in &self.events[skip..] {
            if filter.passes(key) {
                end = *ends;
                continue;
            }
            if start < end {
                batch.push(self.bytes.slice(start..end));
            }
            start = *ends;
            end = *ends;
        }
        if start < end {
            batch.push(self.bytes.slice(start..end));
        }
    }
}
