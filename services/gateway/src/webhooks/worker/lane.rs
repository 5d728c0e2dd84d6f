//! A way through the log: what was looked at, what is ready to be sent, and how far everything is done.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use ryggrad_eventlog::Recorded;

use crate::webhooks::recent::Entry;

/// A way through the log, from a position on.
#[derive(Debug)]
pub(super) struct Lane {
    /// Every event up to here was looked at.
    pub(super) scanned: u64,
    /// Where it ends.
    through: u64,
    ready: VecDeque<Arc<Entry>>,
    /// Positions that are ready or on their way.
    open: BTreeSet<u64>,
}

// === impl Lane ===

impl Lane {
    /// From after one position to another, included.
    pub(super) fn new(after: u64, through: u64) -> Self {
        Self {
            scanned: after,
            through,
            ready: VecDeque::new(),
            open: BTreeSet::new(),
        }
    }

    /// Everything up to here is done.
    pub(super) fn cursor(&self) -> u64 {
        self.open.first().map_or(self.scanned, |first| first - 1)
    }

    /// Whether nothing is left.
    pub(super) fn is_done(&self) -> bool {
        self.scanned >= self.through && self.open.is_empty()
    }

    /// Whether there is room for more events, and the way goes on.
    pub(super) fn wants(&self, low: usize) -> bool {
        self.ready.len() < low && self.scanned < self.through
    }

    /// Whether something is ready.
    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Looks at the events that follow; those that pass become ready.
    pub(super) fn look_at(&mut self, events: Vec<Arc<Entry>>, passes: impl Fn(&Entry) -> bool) {
        for entry in events {
            let position = entry.event.position;
            if position > self.through {
                self.scanned = self.through;
                return;
            }
            self.scanned = position;
            if passes(&entry) {
                self.open.insert(position);
                self.ready.push_back(entry);
            }
        }
    }

    /// Looks again at what is ready.
    pub(super) fn retain(&mut self, passes: impl Fn(&Entry) -> bool) {
        let Self { ready, open, .. } = self;
        ready.retain(|entry| {
            let keep = passes(entry);
            if !keep {
                open.remove(&entry.event.position);
            }
            keep
        });
    }

    /// The next event, passing over those that have to wait.
    pub(super) fn next(&mut self, waits: impl Fn(&Recorded) -> bool) -> Option<Arc<Entry>> {
        let index = self.ready.iter().position(|entry| !waits(&entry.event))?;
        self.ready.remove(index)
    }

    /// An event is done with: delivered, or in the queue.
    pub(super) fn settle(&mut self, position: u64) {
        self.open.remove(&position);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::envelope::tests::full;

    fn events(organisations: &[u128]) -> Vec<Arc<Entry>> {
        let numbered = organisations.iter().zip(1..);
        let recorded = numbered.map(|(organisation, position)| Recorded {
            position,
            organisation_id: Uuid::from_u128(*organisation),
            ..full()
        });
        recorded.map(|event| Arc::new(Entry::from(event))).collect()
    }

    fn lane(organisations: &[u128]) -> Lane {
        let mut lane = Lane::new(0, u64::MAX);
        lane.look_at(events(organisations), |_| true);
        lane
    }

    #[test]
    fn the_cursor_stays_before_what_is_not_done() {
        let mut lane = lane(&[1, 2, 3]);
        let taken: Vec<_> = std::iter::from_fn(|| lane.next(|_| false))
            .map(|entry| entry.event.position)
            .collect();
        assert_eq!((taken, lane.cursor()), (vec![1, 2, 3], 0));
        lane.settle(3);
        lane.settle(1);
        assert_eq!(lane.cursor(), 1);
        lane.settle(2);
        assert_eq!(lane.cursor(), 3);
    }

    #[test]
    fn what_does_not_pass_is_done_at_once() {
        let mut lane = Lane::new(0, u64::MAX);
        lane.look_at(events(&[1, 1, 1]), |entry| entry.event.position == 2);
        assert_eq!(lane.cursor(), 1);
        lane.retain(|_| false);
        assert_eq!((lane.cursor(), lane.has_ready()), (3, false));
    }

    #[test]
    fn busy_organisations_are_passed_over_in_their_own_order() {
        let mut lane = lane(&[1, 1, 2, 1]);
        let busy = |event: &Recorded| event.organisation_id == Uuid::from_u128(1);
        assert_eq!(lane.next(busy).map(|entry| entry.event.position), Some(3));
        assert!(lane.next(busy).is_none());
        assert_eq!(lane.next(|_| false).map(|entry| entry.event.position), Some(1));
    }

    #[test]
    fn a_way_with_an_end_ends_there() {
        let mut lane = Lane::new(0, 2);
        lane.look_at(events(&[1, 1, 1]), |_| true);
        assert!(!lane.wants(10) && !lane.is_done());
        for position in [1, 2] {
            assert_eq!(lane.next(|_| false).map(|entry| entry.event.position), Some(position));
            lane.settle(position);
        }
        assert!(lane.next(|_| false).is_none() && lane.is_done());
        assert_eq!(lane.cursor(), 2);
    }
}
