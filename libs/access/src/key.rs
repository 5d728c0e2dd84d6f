//! What filters and gates look at: the envelope of an event, parsed once for everybody.

use uuid::Uuid;

/// The part of an envelope that decides whom it reaches.
#[derive(Debug, Clone)]
pub struct Key {
    /// Number of the event's type in the vocabulary, `UNKNOWN` for one of a later version.
    pub event_type: u16,
    /// Number of its context.
    pub context: u16,
    /// Number of its aggregate type.
    pub aggregate: u16,
    /// Number of its privacy class.
    pub class: u8,
    /// Municipality as a number; 0 when not known.
    pub kommune: u16,
    /// Organisation number as a number; 0 when there is none.
    pub orgnr: u32,
    /// Organisation number of the one who acted; 0 when it was nobody with a token.
    pub actor: u32,
    /// Its organisation.
    pub organisation: Uuid,
    /// Others that it concerns.
    pub related: Box<[Uuid]>,
}
