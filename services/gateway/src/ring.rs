//! The recent events in memory: as many as fit, the oldest leave first.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::block::Block;

/// How much the ring keeps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Events at the most.
    pub(crate) events: usize,
    /// Bytes at the most.
    pub(crate) bytes: usize,
}

/// Blocks that follow each other without a hole.
#[derive(Debug)]
pub(crate) struct Ring {
    bounds: Bounds,
    blocks: VecDeque<Arc<Block>>,
    /// Position of the last event.
    last: u64,
    events: usize,
    bytes: usize,
}

/// What the ring has after a position.
#[derive(Debug)]
pub(crate) enum Recent {
    /// The next events.
    Blocks(Vec<Arc<Block>>),
    /// Nothing yet.
    Nothing,
    /// The next event has left the ring: it must be read from the log.
    TooOld,
}

// === impl Ring ===

impl Ring {
    /// An empty ring whose first event will be the one after a position.
    pub(crate) fn new(bounds: Bounds, after: u64) -> Self {
        Self {
            bounds,
            blocks: VecDeque::new(),
            last: after,
            events: 0,
            bytes: 0,
        }
    }

    /// Adds the block that follows.
    pub(crate) fn push(&mut self, block: Block) {
        debug_assert_eq!(block.first(), self.last + 1, "blocks follow each other");
        self.last = block.last();
        self.events += block.count();
        self.bytes += block.size();
        self.blocks.push_back(Arc::new(block));
        while self.events > self.bounds.events || self.bytes > self.bounds.bytes {
            let Some(oldest) = self.blocks.pop_front() else { break };
            self.events -= oldest.count();
            self.bytes -= oldest.size();
        }
    }

    /// The blocks with the events after a position, until they have `budget` bytes.
    pub(crate) fn after(&self, position: u64, budget: usize) -> Recent {
        if position >= self.last {
            return Recent::Nothing;
        }
        let index = self.blocks.partition_point(|block| block.last() <= position);
        match self.blocks.get(index) {
            Some(block) if block.first() <= position + 1 => {}
            _ => return Recent::TooOld,
        }
        let mut blocks = Vec::new();
        let mut bytes = 0;
        for block in self.blocks.range(index..) {
            bytes += block.size();
            blocks.push(Arc::clone(block));
            if bytes >= budget {
                break;
            }
        }
        Recent::Blocks(blocks)
    }
}
