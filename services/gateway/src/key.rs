//! What a filter looks at: the envelope of an event, parsed once for all subscribers.

use ryggrad_eventlog::Recorded;
use uuid::Uuid;

use crate::vocabulary::{UNKNOWN, Vocabulary};

/// The filterable part of an envelope.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// Number of the event's type in the vocabulary, [`UNKNOWN`] for one of a later version.
    pub(crate) event_type: u16,
    /// Number of its context.
    pub(crate) context: u16,
    /// Number of its aggregate type.
    pub(crate) aggregate: u16,
    /// Number of its privacy class.
    pub(crate) class: u8,
    /// Municipality as a number; 0 when not known.
    pub(crate) kommune: u16,
    /// Organisation number as a number; 0 when there is none.
    pub(crate) orgnr: u32,
    /// Its organisation.
    pub(crate) organisation: Uuid,
    /// Others that it concerns.
    pub(crate) related: Box<[Uuid]>,
}

// === impl Key ===

impl Key {
    /// The key of an event.
    pub(crate) fn of(event: &Recorded) -> Self {
        let words = Vocabulary::get();
        Self {
            event_type: words.event_type(&event.context, &event.name).unwrap_or(UNKNOWN),
            context: words.context(&event.context).unwrap_or(UNKNOWN),
            aggregate: words.aggregate(&event.aggregate_type).unwrap_or(UNKNOWN),
            class: u8::try_from(event.class as i32).unwrap_or(u8::MAX),
            kommune: event.kommunenummer.as_deref().and_then(|number| number.parse().ok()).unwrap_or(0),
            orgnr: event.orgnr.as_deref().and_then(|number| number.parse().ok()).unwrap_or(0),
            organisation: event.organisation_id,
            related: event.related.clone().into_boxed_slice(),
        }
    }
}
