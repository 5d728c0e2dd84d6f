//! Days and periods in the time that deadlines are counted in: Europe/Oslo.

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use ryggrad_decider::Timer;
pub(crate) use ryggrad_norway::time::{day, oslo};

/// An instant so much later, at the same time of day; the instant itself when the calendar ends before.
pub(crate) fn after(instant: Timestamp, span: Span) -> Timestamp {
    instant
        .to_zoned(oslo().clone())
        .checked_add(span)
        .map_or(instant, |later| later.timestamp())
}

/// When the nth duration of a timer is over, counted from an instant.
pub(crate) fn due(timer: &Timer, nth: usize, from: Timestamp) -> Timestamp {
    timer.spans().get(nth).map_or(from, |span| after(from, *span))
}

/// Whole days from one day to another; negative when the other comes first.
pub(crate) fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn three_weeks_over_the_change_to_summer_time_end_at_the_same_time_of_day() {
        let from: Timestamp = "2026-03-20T11:00:00Z".parse().expect("an instant");
        let due = due(&ryggrad_decider::timers::T_2_4, 0, from);
        assert_eq!(due.to_string(), "2026-04-10T10:00:00Z");
    }

    #[test]
    fn the_day_is_norways_day() {
        let late: Timestamp = "2026-03-01T23:30:00Z".parse().expect("an instant");
        assert_eq!(day(late), date(2026, 3, 2));
        assert_eq!(days_between(date(2026, 3, 2), date(2026, 3, 23)), 21);
    }
}
