//! What a filter looks at: the envelope of an event, parsed once for all subscribers.

use uuid::Uuid;

/// The filterable part of an envelope.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// Number of the event's type in the vocabulary, `UNKNOWN` for one of a later version.
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
