//! From a message of the stream to the event.

use std::sync::Arc;

use async_nats::HeaderMap;
use bytes::Bytes;
use jiff::Timestamp;
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::options::v1::PrivacyClass;
use uuid::Uuid;

use crate::event::Recorded;
use crate::stream::{class_of, percent};

/// A message that is not an event of the log: somebody else published it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A header of the envelope is not there.
    #[error("message {sequence} has no header {name}")]
    Missing {
        /// Sequence of the message in the stream.
        sequence: u64,
        /// The header.
        name: &'static str,
    },
    /// A header has a value that the envelope does not have.
    #[error("message {sequence} has a header {name} that cannot be read")]
    Value {
        /// Sequence of the message in the stream.
        sequence: u64,
        /// The header.
        name: String,
    },
    /// The event stands at another number than its own (I1).
    #[error("message {sequence} carries the event of position {position}")]
    Position {
        /// Sequence of the message in the stream.
        sequence: u64,
        /// The position that it claims.
        position: u64,
    },
}

/// Reads the event that stands at a sequence of the stream.
///
/// # Errors
/// When it is not the log's event of that position.
pub fn decode(sequence: u64, headers: &HeaderMap, data: Bytes) -> Result<Recorded, DecodeError> {
    let mut draft = Draft::default();
    for (name, values) in headers.iter() {
        let Some(value) = values.last() else { continue };
        let name = name.as_ref();
        draft.set(name, value.as_str()).ok_or_else(|| DecodeError::Value {
            sequence,
            name: name.to_owned(),
        })?;
    }
    draft.finish(sequence, data)
}

/// An event of which some headers have been read.
#[derive(Debug, Default)]
pub struct Draft {
    event_id: Option<Uuid>,
    kind: Option<(Arc<str>, Arc<str>)>,
    organisation_id: Option<Uuid>,
    occurred_at: Option<Timestamp>,
    position: Option<u64>,
    aggregate_type: Option<Arc<str>>,
    aggregate_id: Option<Uuid>,
    sequence: Option<u64>,
    recorded_at: Option<Timestamp>,
    correlation_id: Option<Uuid>,
    command_id: Option<Uuid>,
    class: Option<PrivacyClass>,
    causation_id: Option<Uuid>,
    causation_position: Option<u64>,
    related: Vec<Uuid>,
    actor: Actor,
    orgnr: Option<String>,
    kommunenummer: Option<String>,
    traceparent: Option<String>,
}

// === impl Draft ===

impl Draft {
    /// Takes a header in; `None` when its value cannot be read. Headers that are not of the envelope are passed over.
    pub fn set(&mut self, name: &str, value: &str) -> Option<()> {
        // Reads as a table: the name, where it goes, how it is read.
        match name.strip_prefix("ce-").unwrap_or_default() {
            "id" => self.event_id = Some(uuid(value)?),
            "type" => self.kind = Some(kind(value)?),
            "subject" => self.organisation_id = Some(uuid(value)?),
            "time" => self.occurred_at = Some(value.parse().ok()?),
            "position" => self.position = Some(value.parse().ok()?),
            "aggregatetype" => self.aggregate_type = Some(value.into()),
            "aggregateid" => self.aggregate_id = Some(uuid(value)?),
            "sequence" => self.sequence = Some(value.parse().ok()?),
            "recordedtime" => self.recorded_at = Some(value.parse().ok()?),
            "correlationid" => self.correlation_id = Some(uuid(value)?),
            "commandid" => self.command_id = Some(uuid(value)?),
            "privacyclass" => self.class = Some(class_of(value)?),
            "causationid" => self.causation_id = Some(uuid(value)?),
            "causationposition" => self.causation_position = Some(value.parse().ok()?),
            "related" => self.related = value.split(',').map(uuid).collect::<Option<_>>()?,
            "actorkind" => self.actor.kind = percent::decode(value)?,
            "actorref" => self.actor.r#ref = percent::decode(value)?,
            "actoractingfor" => self.actor.acting_for = percent::decode(value)?,
            "actormandate" => self.actor.mandate = percent::decode(value)?,
            "actorsupplier" => self.actor.supplier = percent::decode(value)?,
            "actorauthenticated" => self.actor.authenticated = value.parse().ok()?,
            "orgnr" => self.orgnr = Some(percent::decode(value)?),
            "kommunenummer" => self.kommunenummer = Some(percent::decode(value)?),
            "traceparent" => self.traceparent = Some(percent::decode(value)?),
            _ => {}
        }
        Some(())
    }

    /// The event, when all of it was there and it stands at its own number.
    ///
    /// # Errors
    /// When a header is missing, or the position is not the sequence.
    pub fn finish(self, sequence: u64, data: Bytes) -> Result<Recorded, DecodeError> {
        let missing = |name| DecodeError::Missing { sequence, name };
        let position = self.position.ok_or_else(|| missing("ce-position"))?;
        if position != sequence {
            return Err(DecodeError::Position { sequence, position });
        }
        let (context, name) = self.kind.ok_or_else(|| missing("ce-type"))?;
        Ok(Recorded {
            position,
            event_id: self.event_id.ok_or_else(|| missing("ce-id"))?,
            context,
            name,
            aggregate_type: self.aggregate_type.ok_or_else(|| missing("ce-aggregatetype"))?,
            aggregate_id: self.aggregate_id.ok_or_else(|| missing("ce-aggregateid"))?,
            sequence: self.sequence.ok_or_else(|| missing("ce-sequence"))?,
            organisation_id: self.organisation_id.ok_or_else(|| missing("ce-subject"))?,
            occurred_at: self.occurred_at.ok_or_else(|| missing("ce-time"))?,
            recorded_at: self.recorded_at.ok_or_else(|| missing("ce-recordedtime"))?,
            correlation_id: self.correlation_id.ok_or_else(|| missing("ce-correlationid"))?,
            causation_id: self.causation_id,
            causation_position: self.causation_position,
            command_id: self.command_id.ok_or_else(|| missing("ce-commandid"))?,
            actor: self.actor,
            orgnr: self.orgnr,
            kommunenummer: self.kommunenummer,
            related: self.related,
            class: self.class.ok_or_else(|| missing("ce-privacyclass"))?,
            traceparent: self.traceparent,
            data,
        })
    }
}

fn uuid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok()
}

/// Context and name of `no.ryggrad.<context>.<name>.v1`.
fn kind(ce_type: &str) -> Option<(Arc<str>, Arc<str>)> {
    let (context, name) = ce_type
        .strip_prefix("no.ryggrad.")?
        .strip_suffix(".v1")?
        .split_once('.')?;
    Some((context.into(), name.into()))
}

#[cfg(test)]
mod tests;
