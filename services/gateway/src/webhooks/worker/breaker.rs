//! An endpoint that answers nothing any more is asked now and then, instead of with everything there is; and never more
//! often than it wants.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

/// Events that failed, and none that was delivered between, after which an endpoint counts as down.
const FAILURES: usize = 10;

/// Whether an endpoint is down. Then one new event at a time is tried, in growing pauses; the rest waits in the log, where
/// it costs nothing.
#[derive(Debug)]
pub(super) struct Breaker {
    /// Positions of what failed since something was delivered.
    failing: HashSet<u64>,
    /// Shortest and longest pause between tries.
    pauses: (Duration, Duration),
    down: Option<Down>,
}

#[derive(Debug, Clone, Copy)]
struct Down {
    next: Instant,
    pause: Duration,
}

/// Time between deliveries.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    next: Instant,
}

// === impl Breaker ===

impl Breaker {
    pub(super) fn new(pauses: (Duration, Duration)) -> Self {
        Self {
            failing: HashSet::new(),
            pauses,
            down: None,
        }
    }

    /// A delivery failed.
    pub(super) fn failed(&mut self, position: u64, now: Instant) {
        self.failing.insert(position);
        if self.failing.len() < FAILURES {
            return;
        }
        let pause = match self.down {
            None => self.pauses.0,
            // What was on its way when it went down says nothing new.
            Some(down) if now < down.next => return,
            Some(down) => (down.pause * 2).min(self.pauses.1),
        };
        self.down = Some(Down {
            next: now + pause,
            pause,
        });
    }

    /// A delivery succeeded; whether the endpoint was down until now.
    pub(super) fn succeeded(&mut self) -> bool {
        self.failing.clear();
        self.down.take().is_some()
    }

    /// Events that failed since something was delivered.
    pub(super) fn failing(&self) -> usize {
        self.failing.len()
    }

    /// Whether the endpoint is down.
    pub(super) fn is_down(&self) -> bool {
        self.down.is_some()
    }

    /// When a new event may be tried; none when it is not down.
    pub(super) fn next(&self) -> Option<Instant> {
        self.down.map(|down| down.next)
    }
}

// === impl Pace ===

impl Pace {
    /// At most so many deliveries a second, and so many a minute; 0 and none for no limit.
    pub(super) fn new(per_second: u32, per_minute: Option<u32>) -> Self {
        let own = Duration::from_secs(1).checked_div(per_second).unwrap_or_default();
        let allowed = per_minute.and_then(|count| Duration::from_mins(1).checked_div(count));
        Self {
            interval: own.max(allowed.unwrap_or_default()),
            next: Instant::now(),
        }
    }

    /// When the next delivery may go.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// A delivery goes.
    pub(super) fn went(&mut self, now: Instant) {
        // Counted from when it was due, so that a late wake-up costs no pace; but time that passed idly is not made up for.
        let earliest = now.checked_sub(self.interval).unwrap_or(now);
        self.next = self.next.max(earliest) + self.interval;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn an_endpoint_is_down_after_ten_events_that_failed() {
        let now = Instant::now();
        let mut breaker = Breaker::new((SECOND, 4 * SECOND));
        for _ in 0..20 {
            breaker.failed(1, now);
        }
        assert!(!breaker.is_down(), "one event is no endpoint");
        assert!(!breaker.succeeded());
        for position in 1..=10 {
            breaker.failed(position, now);
        }
        assert_eq!((breaker.failing(), breaker.next()), (10, Some(now + SECOND)));
        breaker.failed(11, now);
        assert_eq!(breaker.next(), Some(now + SECOND), "it was on its way already");
        let mut then = now + SECOND;
        for pause in [2, 4, 4] {
            breaker.failed(12, then);
            assert_eq!(breaker.next(), Some(then + pause * SECOND));
            then += pause * SECOND;
        }
        assert!(breaker.succeeded() && !breaker.is_down());
    }

    #[test]
    fn the_slower_limit_counts() {
        let began = Instant::now();
        let mut pace = Pace::new(10, Some(60));
        pace.went(pace.next());
        assert!(pace.next() >= began + SECOND);
        let mut free = Pace::new(0, None);
        free.went(Instant::now());
        assert!(free.next() <= Instant::now());
    }

    #[test]
    fn time_that_passed_is_not_made_up_for_in_a_burst() {
        let mut pace = Pace::new(1, None);
        let later = Instant::now() + 100 * SECOND;
        pace.went(later);
        pace.went(later);
        assert!(pace.next() >= later + SECOND, "one at once at the most");
    }
}
