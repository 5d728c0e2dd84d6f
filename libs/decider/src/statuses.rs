//! The states that each aggregate can be in, generated from `data/statuses.csv`.

include!(concat!(env!("OUT_DIR"), "/statuses.rs"));

/// The states of an aggregate, by its name in the table.
pub fn of(aggregate: &str) -> Option<&'static [&'static str]> {
    STATUSES
        .iter()
        .find(|(name, ..)| *name == aggregate)
        .map(|(_, states, _)| *states)
}
