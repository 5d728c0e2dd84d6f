//! `access_log`: every reading of facts about an organisation by somebody else, in order. Nothing is ever changed in it.
//!
//! The key of an entry is the organisation's id and the position, as in `org_timeline`.

use ryggrad_eventlog::Recorded;
use ryggrad_eventlog::consumer::Poison;
use ryggrad_eventlog::projection::{Column, Projection, Value};
use ryggrad_proto::ecosystem::v1::access_log_event::Event;
use ryggrad_proto::views::v1::AccessLogEntry;

use crate::org_timeline;

/// The fold.
#[derive(Debug, Clone, Copy, Default)]
pub struct AccessLog;

// === impl AccessLog ===

impl AccessLog {
    /// The aggregate whose facts it is made of.
    pub(crate) const AGGREGATE: &'static str = "AccessLog";
}

impl Projection for AccessLog {
    type Row = AccessLogEntry;

    const NAME: &'static str = "access_log";
    const VERSION: i32 = 1;
    const COLUMNS: &'static [Column] = &[];
    const APPEND_ONLY: bool = true;

    fn keys(&self, event: &Recorded) -> Result<Vec<String>, Poison> {
        if &*event.aggregate_type != Self::AGGREGATE {
            return Ok(Vec::new());
        }
        let Some(Event::ViewAccessed(accessed)) = event.decode::<Event>()? else {
            return Ok(Vec::new());
        };
        let mut keys: Vec<String> = accessed
            .organisation_ids
            .iter()
            .map(|organisation| org_timeline::key(organisation, event.position))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }

    fn fold(&self, key: &str, row: Option<AccessLogEntry>, event: &Recorded) -> Result<Option<AccessLogEntry>, Poison> {
        let Some(Event::ViewAccessed(accessed)) = event.decode::<Event>()? else {
            return Ok(row);
        };
        Ok(Some(AccessLogEntry {
            position: event.position,
            organisation_id: key
                .split_once('/')
                .map_or(key, |(organisation, _)| organisation)
                .to_owned(),
            reader: accessed.reader,
            stakeholder: accessed.stakeholder,
            view: accessed.view,
            legal_basis: accessed.legal_basis,
            basis_id: accessed.basis_id,
            at: accessed.at,
            supplier: accessed.supplier,
        }))
    }

    fn values(&self, _key: &str, _row: &AccessLogEntry) -> Vec<Value> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use ryggrad_proto::ecosystem::v1::ViewAccessed;

    use super::*;
    use crate::example;

    fn read(position: u64, organisations: &[&str]) -> Recorded {
        let accessed = Event::ViewAccessed(ViewAccessed {
            reader: "399000203".into(),
            view: "register_case".into(),
            organisation_ids: organisations.iter().map(ToString::to_string).collect(),
            ..ViewAccessed::default()
        });
        let event = example::event(position, AccessLog::AGGREGATE, example::id(9), &accessed);
        Recorded {
            context: "ecosystem".into(),
            ..event
        }
    }

    #[test]
    fn every_organisation_that_was_read_has_an_entry_of_its_own() {
        let rows = example::fold(&AccessLog, &[read(7, &["a", "b", "a"]), read(8, &["b"])]);
        let told: Vec<_> = rows
            .values()
            .map(|row| (row.organisation_id.as_str(), row.position))
            .collect();
        assert_eq!(told, [("a", 7), ("b", 7), ("b", 8)]);
    }

    #[test]
    fn nothing_else_is_in_it() {
        let other = example::named("registration", "Organisation", "OrganisationRegistered");
        assert!(example::fold(&AccessLog, &[other]).is_empty());
    }
}
