//! Days on which nobody can be asked to meet a deadline: weekends and Norway's public holidays.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};

/// Days from Easter Sunday to Maundy Thursday, Good Friday, itself, Monday, Ascension, Whit Sunday and Whit Monday.
const MOVABLE: [i32; 7] = [-3, -2, 0, 1, 39, 49, 50];

/// Whether a day is a working day: no Saturday, no Sunday, and no public holiday (helligdager, 1 May and 17 May). Christmas Eve and
/// New Year's Eve are working days.
pub fn is_working_day(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !is_public_holiday(day)
}

/// The day itself when it is a working day, or else the next one.
pub fn working_day_from(day: Date) -> Date {
    let mut day = day;
    while !is_working_day(day) && day < Date::MAX {
        day = day.saturating_add(1.day());
    }
    day
}

fn is_public_holiday(day: Date) -> bool {
    if matches!((day.month(), day.day()), (1, 1) | (5, 1 | 17) | (12, 25 | 26)) {
        return true;
    }
    let after_easter = easter_sunday(day.year())
        .and_then(|easter| easter.until(day).ok())
        .map(|span| span.get_days());
    after_easter.is_some_and(|days| MOVABLE.contains(&days))
}

/// Easter Sunday of the Gregorian calendar, by the computus of Meeus, Jones and Butcher.
#[expect(
    clippy::many_single_char_names,
    reason = "the names that the computus is published with"
)]
fn easter_sunday(year: i16) -> Option<Date> {
    if year < 1583 {
        return None;
    }
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let f = (b + 8) / 25;
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    Some(date(year, i8::try_from(n / 31).ok()?, i8::try_from(n % 31 + 1).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easter_is_where_the_calendar_has_it() {
        for (year, month, day) in [
            (1818, 3, 22),
            (1943, 4, 25),
            (2000, 4, 23),
            (2024, 3, 31),
            (2026, 4, 5),
            (2038, 4, 25),
        ] {
            assert_eq!(easter_sunday(year), Some(date(year, month, day)));
        }
    }

    #[test]
    fn the_public_holidays_of_2026_are_no_working_days() {
        let holidays = [
            date(2026, 1, 1),
            date(2026, 4, 2),
            date(2026, 4, 3),
            date(2026, 4, 6),
            date(2026, 5, 1),
            date(2026, 5, 14),
            date(2026, 5, 17),
            date(2026, 5, 25),
            date(2026, 12, 25),
        ];
        for day in holidays {
            assert!(!is_working_day(day), "{day}");
        }
        for day in [
            date(2026, 4, 1),
            date(2026, 4, 7),
            date(2026, 12, 24),
            date(2026, 12, 31),
        ] {
            assert!(is_working_day(day), "{day}");
        }
    }

    #[test]
    fn the_next_working_day_is_after_the_whole_of_easter() {
        assert_eq!(working_day_from(date(2026, 4, 2)), date(2026, 4, 7));
        assert_eq!(working_day_from(date(2026, 4, 7)), date(2026, 4, 7));
        assert_eq!(working_day_from(date(2026, 12, 25)), date(2026, 12, 28));
    }

    #[test]
    fn years_before_the_calendar_have_no_easter_and_the_last_day_no_next() {
        assert_eq!(easter_sunday(1582), None);
        assert_eq!(working_day_from(Date::MAX), Date::MAX);
    }
}
