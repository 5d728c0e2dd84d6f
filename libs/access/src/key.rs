//! What filters and gates look at: the envelope of an event, parsed once for everybody.

use ryggrad_proto::options::v1::PrivacyClass;
use uuid::Uuid;

use crate::vocabulary::UNKNOWN;

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
    /// Organisation number of the one as whom somebody acted: the customer, when a system user did, and who gave the mandate,
    /// when one was used; 0 when it was nobody with a token.
    pub actor: u32,
    /// Its organisation.
    pub organisation: Uuid,
    /// Others that it concerns.
    pub related: Box<[Uuid]>,
}

// === impl Key ===

impl Key {
    /// The key of an organisation itself, as views are asked about it: no event, so no type and no class but CONF.
    pub fn about(organisation: Uuid, orgnr: Option<&str>, kommunenummer: Option<&str>) -> Self {
        Self {
            event_type: UNKNOWN,
            context: UNKNOWN,
            aggregate: UNKNOWN,
            class: PrivacyClass::Conf as u8,
            kommune: kommunenummer.and_then(|text| text.parse().ok()).unwrap_or(0),
            orgnr: orgnr.and_then(|text| text.parse().ok()).unwrap_or(0),
            actor: 0,
            organisation,
            related: Box::default(),
        }
    }
}
