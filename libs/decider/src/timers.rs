//! The timers of the domain, generated from `data/deadlines.csv`.

use jiff::Span;

use crate::rules::Nature;

/// A timer: what falls due, counted from what, and what kind of deadline it is.
#[derive(Debug, PartialEq, Eq)]
pub struct Timer {
    /// Its number: `T-2.3`.
    pub id: &'static str,
    /// What falls due.
    pub what: &'static str,
    /// What it is counted from.
    pub starts_from: &'static str,
    /// ISO 8601 durations or a date, as in the table.
    pub due: &'static str,
    /// What kind of deadline it is.
    pub nature: Nature,
    /// Its sources, as numbered in the handbook.
    pub sources: &'static [&'static str],
}

// === impl Timer ===

impl Timer {
    /// The ISO 8601 durations that the table names for it, in its order; what is not a duration is left out.
    pub fn spans(&self) -> Vec<Span> {
        self.due
            .split(',')
            .filter_map(|part| part.trim().parse().ok())
            .collect()
    }
}

include!(concat!(env!("OUT_DIR"), "/timers.rs"));

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    #[test]
    fn a_timer_knows_its_durations() {
        let days: Vec<_> = super::T_2_2.spans().iter().map(jiff::Span::get_days).collect();
        assert_eq!(days, [3, 7, 14]);
        assert_eq!(super::T_2_4.spans()[0].fieldwise(), 3.weeks().fieldwise());
    }
}
