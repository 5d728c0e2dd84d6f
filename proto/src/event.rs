//! What the generated event oneofs have in common.

use crate::options::v1::PrivacyClass;

/// The events of one aggregate: the generated oneof `<aggregate>_event::Event`.
pub trait EventPayload: Sized + Clone + Send + Sync + 'static {
    /// Names of all events of the aggregate, in the order of the contract.
    const NAMES: &'static [&'static str];

    /// Name of the event's message, for example `InitiativeSketched`.
    fn name(&self) -> &'static str;

    /// Privacy class that the contract gives the event.
    fn class(&self) -> PrivacyClass;

    /// Bytes of the event's own message, as stored and published.
    fn encode(&self) -> Vec<u8>;

    /// Canonical proto JSON of the event's own message.
    ///
    /// # Errors
    /// When a value has no JSON form, such as an instant out of range.
    fn json(&self) -> serde_json::Result<String>;

    /// Reads an event from its name and bytes; `None` when the name is not an event of this aggregate. Unknown fields
    /// are skipped: a reader of yesterday loads what a writer of today stored.
    ///
    /// # Errors
    /// When the bytes are not a message of that name.
    fn decode(name: &str, data: &[u8]) -> Result<Option<Self>, prost::DecodeError>;

    /// Reads an event from its name and canonical proto JSON; `None` when the name is not an event of this aggregate.
    ///
    /// # Errors
    /// When the JSON is not a message of that name, or has a field that the message does not have.
    fn from_json(name: &str, json: serde_json::Value) -> serde_json::Result<Option<Self>>;
}

/// The bytes of an event are not the message that its name says, or have a value without a JSON form.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// They are not that message.
    #[error("an event is not the message that its name says")]
    Message(#[from] prost::DecodeError),
    /// A value has no JSON form.
    #[error("an event has no JSON form")]
    Json(#[from] serde_json::Error),
}

/// Adds the canonical proto JSON of an event to `out`, by its context, its name and its bytes. `false`, and nothing is added,
/// when the contracts of this build do not have such an event.
///
/// # Errors
/// When the bytes are not a message of that name. Some of it may have been added then.
pub fn write_json(context: &str, name: &str, data: &[u8], out: &mut Vec<u8>) -> Result<bool, Unreadable> {
    crate::payloads::canonical(context, name, data, out)
}
