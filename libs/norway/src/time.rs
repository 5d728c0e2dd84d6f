//! The time that Norwegian deadlines are counted in.

use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Europe/Oslo, the time zone of all deadlines (handbook 2.6); UTC only if the bundled table should ever lack it.
pub fn oslo() -> &'static TimeZone {
    static OSLO: OnceLock<TimeZone> = OnceLock::new();
    OSLO.get_or_init(|| TimeZone::get("Europe/Oslo").unwrap_or(TimeZone::UTC))
}

/// The day that it is in Norway.
pub fn day(instant: Timestamp) -> Date {
    instant.to_zoned(oslo().clone()).date()
}
