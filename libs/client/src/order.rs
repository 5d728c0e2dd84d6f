//! Nothing missing, nothing twice: checked for every event that comes.

use crate::Error;

/// The order in which events have to come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    /// Position of the last event that came, or up to which there was nothing to come.
    pub(crate) last: u64,
    /// Whether nothing may be held back: no filter, and a caller that may see everything.
    pub(crate) gapless: bool,
}

// === impl Order ===

impl Order {
    /// An event came.
    pub(crate) fn event(&mut self, position: u64) -> Result<(), Error> {
        let expected = self.last + 1;
        let fits = if self.gapless {
            position == expected
        } else {
            position >= expected
        };
        if !fits {
            return Err(Error::Gap {
                expected,
                got: position,
            });
        }
        self.last = position;
        Ok(())
    }

    /// The server said that everything up to a position was sent.
    pub(crate) fn mark(&mut self, position: u64) -> Result<(), Error> {
        let fits = if self.gapless {
            position == self.last
        } else {
            position >= self.last
        };
        if !fits {
            return Err(Error::Gap {
                expected: self.last,
                got: position,
            });
        }
        self.last = position;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_nothing_is_held_back_each_event_is_the_one_after_the_last() {
        let mut order = Order { last: 4, gapless: true };
        order.event(5).unwrap();
        order.mark(5).unwrap();
        for got in [5, 7] {
            assert!(matches!(order.event(got), Err(Error::Gap { expected: 6, .. })), "{got}");
        }
        assert!(order.mark(6).is_err(), "event 6 has not come");
    }

    #[test]
    fn where_events_may_be_held_back_positions_rise() {
        let mut order = Order {
            last: 4,
            gapless: false,
        };
        order.event(9).unwrap();
        order.mark(20).unwrap();
        assert!(order.event(20).is_err(), "twenty was said to have nothing");
        assert!(order.mark(19).is_err());
    }
}
