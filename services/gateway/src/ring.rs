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

#[cfg(test)]
mod tests {
    use ryggrad_eventlog::Recorded;

    use super::*;
    use crate::envelope::tests::full;
    use crate::format::Format;
    use crate::frame::{Batch, Frame};
    use crate::sieve::Sieve;
    use ryggrad_proto::options::v1::PrivacyClass;

    /// A ring with blocks of these sizes, beginning after position 100.
    fn ring(events: usize, sizes: &[u64]) -> Ring {
        let mut ring = Ring::new(
            Bounds {
                events,
                bytes: usize::MAX,
            },
            100,
        );
        for size in sizes {
            let first = ring.last + 1;
            let recorded: Vec<_> = (first..first + size)
                .map(|position| Recorded {
                    position,
                    class: PrivacyClass::Public,
                    ..full()
                })
                .collect();
            for block in Block::build(&recorded) {
                ring.push(block);
            }
        }
        ring
    }

    #[test]
    fn the_oldest_events_leave_when_it_is_full() {
        let ring = ring(10, &[4, 4, 4]);
        assert!(matches!(ring.after(103, 1), Recent::TooOld), "the first block has left");
        assert!(matches!(ring.after(104, 1), Recent::Blocks(blocks) if blocks[0].first() == 105));
        assert!(matches!(ring.after(112, 1), Recent::Nothing));
        assert!(
            matches!(ring.after(999, 1), Recent::Nothing),
            "who is ahead of the stream waits"
        );
    }

    #[test]
    fn an_empty_ring_knows_what_it_never_had() {
        let ring = ring(10, &[]);
        assert!(matches!(ring.after(99, 1), Recent::TooOld));
        assert!(matches!(ring.after(100, 1), Recent::Nothing));
    }

    #[test]
    fn a_subscriber_in_the_middle_of_a_block_gets_the_rest_of_it() {
        let ring = ring(100, &[5, 5]);
        let Recent::Blocks(blocks) = ring.after(103, usize::MAX) else {
            panic!("there are events")
        };
        let mut batch = Batch::default();
        for block in blocks {
            block.select(Format::Envelope, 103, &mut Sieve::default(), usize::MAX, &mut batch);
        }
        let frame = Frame::Batch(batch).message().unwrap().frame.unwrap();
        let ryggrad_proto::events::v1::subscribe_response::Frame::Batch(sent) = frame else {
            panic!("a batch")
        };
        assert!(sent.events.iter().map(|event| event.position).eq(104..=110));
    }
}
