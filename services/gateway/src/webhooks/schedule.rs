//! When a failed delivery is tried again: later each time, spread at random, over three days.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use jiff::Timestamp;

/// Longest pause that an endpoint can ask for with `Retry-After`.
const MOST: Duration = Duration::from_hours(24);

/// Mean pauses before each further attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(Vec<Duration>);

// === impl Schedule ===

impl Default for Schedule {
    /// 5 s, 30 s, 2 min, 10 min, 1 h, 3 h, 6 h, 12 h, 24 h, 24 h: eleven attempts within about three days.
    fn default() -> Self {
        let (minute, hour) = (60, 3_600);
        let seconds = [
            5,
            30,
            2 * minute,
            10 * minute,
            hour,
            3 * hour,
            6 * hour,
            12 * hour,
            24 * hour,
            24 * hour,
        ];
        Self::new(seconds.map(Duration::from_secs))
    }
}

impl Schedule {
    /// A schedule with these mean pauses; one more attempt than there are pauses.
    pub fn new(pauses: impl IntoIterator<Item = Duration>) -> Self {
        Self(pauses.into_iter().collect())
    }

    /// The pause after an attempt (1, 2, 3, …) that failed; none when it was the last one.
    ///
    /// `fraction`, evenly distributed from 0 to 1, spreads it from nothing to twice the mean (full jitter): what failed
    /// together does not come back together.
    pub(crate) fn pause(&self, attempt: u32, fraction: f64) -> Option<Duration> {
        let index = usize::try_from(attempt).ok()?.checked_sub(1)?;
        let mean = self.0.get(index)?;
        Some(mean.mul_f64(2.0 * fraction.clamp(0.0, 1.0)))
    }
}

/// How long an answer asks to wait (`Retry-After` in seconds or as a date), bounded.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let asked = if let Ok(seconds) = text.parse() {
        Duration::from_secs(seconds)
    } else {
        let then = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Duration::try_from(then.duration_since(now)).unwrap_or_default()
    };
    Some(asked.min(MOST))
}

/// A number evenly distributed from 0 to 1.
pub(crate) fn fraction() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness the mean is as good a pause as any.
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        return 0.5;
    }
    f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_grow_to_three_days() {
        let schedule = Schedule::default();
        let pauses: Vec<_> = (1..).map_while(|attempt| schedule.pause(attempt, 0.5)).collect();
        assert!(pauses.is_sorted());
        assert_eq!((pauses.len(), pauses[0]), (10, Duration::from_secs(5)));
        let days = pauses.iter().sum::<Duration>().as_secs_f64() / 86_400.0;
        assert!((2.5..=3.0).contains(&days), "{days}");
    }

    #[test]
    fn a_pause_is_spread_from_nothing_to_twice_its_mean() {
        let schedule = Schedule::new([Duration::from_secs(10)]);
        for (fraction, seconds) in [(0.0, 0), (0.5, 10), (1.0, 20), (7.0, 20)] {
            assert_eq!(schedule.pause(1, fraction), Some(Duration::from_secs(seconds)));
        }
        assert_eq!(schedule.pause(2, 0.5), None, "that was the last attempt");
        assert_eq!(schedule.pause(0, 0.5), None);
    }

    #[test]
    fn what_is_drawn_is_spread() {
        let drawn: Vec<_> = (0..1_000).map(|_| fraction()).collect();
        let mean = drawn.iter().sum::<f64>() / 1_000.0;
        assert!((0.4..0.6).contains(&mean), "{mean}");
        assert!(drawn.iter().all(|fraction| (0.0..=1.0).contains(fraction)));
    }

    #[test]
    fn what_the_endpoint_asks_for_is_understood_and_bounded() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let asked = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(asked("120"), Some(Duration::from_mins(2)));
        assert_eq!(asked("99999999"), Some(MOST));
        assert_eq!(asked("Sun, 01 Mar 2026 12:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(asked("Sun, 01 Mar 2026 11:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(asked("soon"), None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
