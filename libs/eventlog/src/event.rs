//! An event as it is read, from the log or from the stream: the same value from both.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use ryggrad_proto::common::v1::{Actor, Envelope};
use ryggrad_proto::event::EventPayload;
use ryggrad_proto::options::v1::PrivacyClass;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

/// How many partitions the organisations are spread over.
pub const PARTITIONS: u8 = 64;

/// An event with its envelope.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Position in the log and sequence in the stream: 1, 2, 3, … (I1).
    pub position: u64,
    /// Id of the event (UUID v7).
    pub event_id: Uuid,
    /// Context that it belongs to: `registration`.
    pub context: Arc<str>,
    /// Name of its message: `OrganisationRegistered`.
    pub name: Arc<str>,
    /// Aggregate that it belongs to: `Organisation`.
    pub aggregate_type: Arc<str>,
    /// Id of the aggregate.
    pub aggregate_id: Uuid,
    /// Its number in the aggregate: 1, 2, 3, …
    pub sequence: u64,
    /// The organisation that it is about; the aggregate's id when there is none yet.
    pub organisation_id: Uuid,
    /// When it happened, by the business clock.
    pub occurred_at: Timestamp,
    /// When it was written, by the wall clock.
    pub recorded_at: Timestamp,
    /// The journey that it belongs to.
    pub correlation_id: Uuid,
    /// The event that caused it, when known.
    pub causation_id: Option<Uuid>,
    /// The position of the event that caused it, when known.
    pub causation_position: Option<u64>,
    /// The command that gave it.
    pub command_id: Uuid,
    /// Who acted.
    pub actor: Actor,
    /// Organisation number, when there is one.
    pub orgnr: Option<String>,
    /// Municipality, when known.
    pub kommunenummer: Option<String>,
    /// Other organisations and cases that it concerns.
    pub related: Vec<Uuid>,
    /// Whom it may reach.
    pub class: PrivacyClass,
    /// W3C trace context of the command.
    pub traceparent: Option<String>,
    /// The message itself, in the bytes that were published first.
    pub data: Bytes,
}

/// The columns of `log.events` that [`Recorded::from_row`] reads.
pub const COLUMNS: &str = "position, event_id, context, name, aggregate_type, aggregate_id, sequence, organisation_id, occurred_at, recorded_at, \
     correlation_id, causation_id, causation_position, command_id, actor::text as actor, orgnr, kommunenummer, related, class, traceparent, data";

// === impl Recorded ===

impl Recorded {
    /// Reads a row of [`COLUMNS`].
    ///
    /// # Errors
    /// When a column is missing or of another type.
    pub fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let actor: &str = row.try_get("actor")?;
        Ok(Self {
            position: unsigned(row.try_get("position")?),
            event_id: row.try_get("event_id")?,
            context: row.try_get::<&str, _>("context")?.into(),
            name: row.try_get::<&str, _>("name")?.into(),
            aggregate_type: row.try_get::<&str, _>("aggregate_type")?.into(),
            aggregate_id: row.try_get("aggregate_id")?,
            sequence: unsigned(row.try_get("sequence")?),
            organisation_id: row.try_get("organisation_id")?,
            occurred_at: row.try_get::<jiff_sqlx::Timestamp, _>("occurred_at")?.to_jiff(),
            recorded_at: row.try_get::<jiff_sqlx::Timestamp, _>("recorded_at")?.to_jiff(),
            correlation_id: row.try_get("correlation_id")?,
            causation_id: row.try_get("causation_id")?,
            causation_position: row.try_get::<Option<i64>, _>("causation_position")?.map(unsigned),
            command_id: row.try_get("command_id")?,
            actor: serde_json::from_str(actor).map_err(|e| sqlx::Error::ColumnDecode {
                index: "actor".into(),
                source: e.into(),
            })?,
            orgnr: row.try_get("orgnr")?,
            kommunenummer: row.try_get("kommunenummer")?,
            related: row.try_get::<Option<Vec<Uuid>>, _>("related")?.unwrap_or_default(),
            class: PrivacyClass::try_from(i32::from(row.try_get::<i16, _>("class")?)).unwrap_or(PrivacyClass::Conf),
            traceparent: row.try_get("traceparent")?,
            data: Bytes::from(row.try_get::<Vec<u8>, _>("data")?),
        })
    }

    /// The CloudEvents type: `no.ryggrad.registration.OrganisationRegistered.v1`.
    pub fn ce_type(&self) -> String {
        ce_type(&self.context, &self.name)
    }

    /// The partition of its organisation, 0 to 63.
    pub fn partition(&self) -> u8 {
        partition(self.organisation_id)
    }

    /// The event as a message of an aggregate; `None` when it is of another aggregate or of a later version of this one.
    ///
    /// # Errors
    /// When the bytes are not that message.
    pub fn decode<E: EventPayload>(&self) -> Result<Option<E>, prost::DecodeError> {
        E::decode(&self.name, &self.data)
    }

    /// Every organisation and case that the event concerns, its own organisation first.
    pub fn concerned(&self) -> impl Iterator<Item = Uuid> + '_ {
        std::iter::once(self.organisation_id).chain(self.related.iter().copied())
    }

    /// The event as everybody outside sees it.
    pub fn envelope(&self) -> Envelope {
        let id = |id: Uuid| id.to_string();
        Envelope {
            position: self.position,
            event_id: id(self.event_id),
            r#type: self.ce_type(),
            source: source(&self.context),
            organisation_id: id(self.organisation_id),
            aggregate_type: self.aggregate_type.to_string(),
            aggregate_id: id(self.aggregate_id),
            sequence: self.sequence,
            occurred_at: Some(self.occurred_at.into()),
            recorded_at: Some(self.recorded_at.into()),
            correlation_id: id(self.correlation_id),
            causation_id: self.causation_id.map(id).unwrap_or_default(),
            causation_position: self.causation_position.unwrap_or_default(),
            command_id: id(self.command_id),
            actor: Some(self.actor.clone()),
            orgnr: self.orgnr.clone().unwrap_or_default(),
            kommunenummer: self.kommunenummer.clone().unwrap_or_default(),
            related: self.related.iter().copied().map(id).collect(),
            class: self.class as i32,
            traceparent: self.traceparent.clone().unwrap_or_default(),
            data: self.data.clone(),
        }
    }
}

/// The CloudEvents type of an event.
pub fn ce_type(context: &str, name: &str) -> String {
    format!("no.ryggrad.{context}.{name}.v1")
}

/// The CloudEvents source of a context.
pub fn source(context: &str) -> String {
    format!("/ryggrad/{context}")
}

/// The partition of an organisation, 0 to 63: stable for ever, and even although its ids begin with the time.
pub fn partition(organisation_id: Uuid) -> u8 {
    let folded = organisation_id
        .as_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    u8::try_from(folded >> 58).expect("the upper six bits are below 64")
}

/// Positions, sequences and versions are never negative in the database.
pub(crate) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).expect("the log counts from one")
}

/// PostgreSQL has no unsigned integers; no log has 2^63 events.
pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).expect("no position is above 2^63")
}
