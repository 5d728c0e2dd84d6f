//! `org_timeline`: every event of one organisation, and those that name it, in order. Nothing is ever changed in it.
//!
//! The key of an entry is the organisation's id and the position, so that a timeline is one stretch of the primary key, and
//! the view needs no other index. The registration of an organisation also has an entry under the organisation number: it
//! leads from the number to the id, in the same snapshot.

use prost::Name as _;
use ryggrad_eventlog::Recorded;
use ryggrad_eventlog::consumer::Poison;
use ryggrad_eventlog::projection::{Column, Kind, Projection, Value};
use ryggrad_proto::registration::v1::OrganisationRegistered;
use ryggrad_proto::views::v1::TimelineEntry;

use crate::AccessLog;
use crate::fact::Fact;

mod summary;
#[cfg(test)]
mod tests;

/// The fold.
#[derive(Debug, Clone, Copy, Default)]
pub struct OrgTimeline;

/// The stretch of keys of one organisation: after the first, before the second.
pub(crate) fn stretch(organisation: &str) -> (String, String) {
    // '0' comes after '/'.
    (format!("{organisation}/"), format!("{organisation}0"))
}

/// The key of an entry.
pub(crate) fn key(organisation: &str, position: u64) -> String {
    format!("{organisation}/{position:019}")
}

impl Projection for OrgTimeline {
    type Row = TimelineEntry;

    const NAME: &'static str = "org_timeline";
    const VERSION: i32 = 2;
    const COLUMNS: &'static [Column] = &[Column::new("event", Kind::Text)];
    const APPEND_ONLY: bool = true;

    fn keys(&self, event: &Recorded) -> Result<Vec<String>, Poison> {
        // Who has looked is not a part of an organisation's life; it has a view of its own.
        if &*event.aggregate_type == AccessLog::AGGREGATE {
            return Ok(Vec::new());
        }
        let mut keys = Vec::with_capacity(2 + event.related.len());
        for organisation in event.concerned() {
            let key = key(organisation.as_hyphenated().encode_lower(&mut [0; 36]), event.position);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        // By its name alone: to look into every event twice would cost more than the rest of the fold.
        if *event.name == *OrganisationRegistered::NAME {
            keys.extend(event.orgnr.as_deref().map(|orgnr| key(orgnr, event.position)));
        }
        Ok(keys)
    }

    fn fold(&self, key: &str, _row: Option<TimelineEntry>, event: &Recorded) -> Result<Option<TimelineEntry>, Poison> {
        let own = event.organisation_id.to_string();
        let of = key.split_once('/').map_or(key, |(of, _)| of);
        let related = of != own && Some(of) != event.orgnr.as_deref();
        let facts = Fact::of(event)?.map(|fact| summary::of(&fact)).unwrap_or_default();
        Ok(Some(TimelineEntry {
            position: event.position,
            organisation_id: if related { of.to_owned() } else { own.clone() },
            event: event.name.to_string(),
            norwegian_term: String::new(),
            phase: 0,
            context: event.context.to_string(),
            aggregate_type: event.aggregate_type.to_string(),
            aggregate_id: event.aggregate_id.to_string(),
            occurred_at: Some(event.occurred_at.into()),
            class: event.class.into(),
            orgnr: event.orgnr.clone().unwrap_or_default(),
            related,
            event_id: event.event_id.to_string(),
            facts,
            owner_id: own,
            kommunenummer: event.kommunenummer.clone().unwrap_or_default(),
        }))
    }

    fn values(&self, _key: &str, row: &TimelineEntry) -> Vec<Value> {
        vec![Value::Text(Some(row.event.clone()))]
    }
}
