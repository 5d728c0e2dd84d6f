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

/// The last second of the day, in Norway, on which a period that is counted in days ends; on the next working day when that is a
/// Saturday, a Sunday or a public holiday (ADR 0023).
pub(crate) fn last_second(timer: &Timer, from: Timestamp) -> Timestamp {
    let end = ryggrad_norway::working_day_from(day(due(timer, 0, from)));
    let midnight = end.at(23, 59, 59, 0).to_zoned(oslo().clone());
    midnight.map_or(from, |zoned| zoned.timestamp())
}

/// The first moment of the day after, in Norway.
pub(crate) fn next_day(instant: Timestamp) -> Timestamp {
    let next = day(instant).tomorrow().ok();
    let begins = next.and_then(|day| day.to_zoned(oslo().clone()).ok());
    begins.map_or(instant, |zoned| zoned.timestamp())
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
    fn a_period_ends_with_its_last_day_whenever_the_letter_came() {
        for (letter, end) in [
            // Monday to Monday, and over the change to summer time.
            ("2026-03-02T08:00:00Z", "2026-03-23T22:59:59Z"),
            ("2026-03-02T22:59:59Z", "2026-03-23T22:59:59Z"),
            ("2026-03-17T08:00:00Z", "2026-04-07T21:59:59Z"),
            // 2 April 2026 is Maundy Thursday; the next working day is the Tuesday after Easter.
            ("2026-03-12T08:00:00Z", "2026-04-07T21:59:59Z"),
            // A Saturday and a Sunday.
            ("2026-05-30T10:00:00Z", "2026-06-22T21:59:59Z"),
            ("2026-05-31T10:00:00Z", "2026-06-22T21:59:59Z"),
        ] {
            let from = letter.parse().expect("an instant");
            assert_eq!(
                last_second(&ryggrad_decider::timers::T_2_4, from).to_string(),
                end,
                "{letter}"
            );
        }
    }

    #[test]
    fn a_day_begins_at_midnight_in_norway() {
        let late: Timestamp = "2026-03-23T22:59:59Z".parse().expect("an instant");
        assert_eq!(next_day(late).to_string(), "2026-03-23T23:00:00Z");
    }

    #[test]
    fn the_day_is_norways_day() {
        let late: Timestamp = "2026-03-01T23:30:00Z".parse().expect("an instant");
        assert_eq!(day(late), date(2026, 3, 2));
        assert_eq!(days_between(date(2026, 3, 2), date(2026, 3, 23)), 21);
    }
}
