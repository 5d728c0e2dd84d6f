//! One event as it was received.

use ryggrad_proto::common::v1::Envelope;
use ryggrad_proto::event::EventPayload;
use ryggrad_proto::{EventType, event_type};

/// One event: its envelope, and its payload still in the bytes that were published first.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The envelope as it came.
    pub envelope: Envelope,
}

// === impl Event ===

impl Event {
    /// Position in the log: the cursor.
    pub fn position(&self) -> u64 {
        self.envelope.position
    }

    /// Name of its message, for example `OrganisationRegistered`.
    pub fn name(&self) -> &str {
        self.kind().1
    }

    /// Context that it belongs to, for example `registration`.
    pub fn context(&self) -> &str {
        self.kind().0
    }

    /// Organisation number; empty when the organisation has none yet.
    pub fn orgnr(&self) -> &str {
        &self.envelope.orgnr
    }

    /// What the contracts of this build say about its type; `None` for one of a later version.
    pub fn event_type(&self) -> Option<&'static EventType> {
        let (context, name) = self.kind();
        event_type(context, name)
    }

    /// The event as one of an aggregate's; `None` when it is of another aggregate, or of a later version.
    ///
    /// # Errors
    /// When the bytes are not that message.
    pub fn decode<E: EventPayload>(&self) -> Result<Option<E>, prost::DecodeError> {
        E::decode(self.name(), &self.envelope.data)
    }

    /// Canonical proto JSON of the payload; `None` for a type of a later version.
    ///
    /// # Errors
    /// When the bytes are not that message.
    pub fn json(&self) -> Result<Option<serde_json::Value>, prost::DecodeError> {
        self.event_type()
            .map(|known| known.json(&self.envelope.data))
            .transpose()
    }

    /// Context and name in `no.ryggrad.<context>.<name>.v1`.
    fn kind(&self) -> (&str, &str) {
        let mut words = self.envelope.r#type.split('.').skip(2);
        (words.next().unwrap_or_default(), words.next().unwrap_or_default())
    }
}

impl From<Envelope> for Event {
    fn from(envelope: Envelope) -> Self {
        Self { envelope }
    }
}
