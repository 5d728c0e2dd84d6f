//! An event on its way out, borrowed from where it was read, and the envelope, written straight from it.
//!
//! This is `Recorded::envelope().encode()` without a string or a message made in between, which is most of the cost of
//! following a long log. A test holds the two equal, but for one thing: for whom, by which mandate and through which supplier
//! somebody acted is not open data, and is left out of events that are (ADR 0050).

use std::borrow::Cow;

use prost::encoding::{WireType, encode_key, encode_varint};
use ryggrad_eventlog::Recorded;
use ryggrad_proto::Timestamp;
use ryggrad_proto::common::v1::{Actor, Envelope};
use ryggrad_proto::options::v1::PrivacyClass;
use uuid::Uuid;

use ryggrad_access::Key;
use ryggrad_access::{UNKNOWN, Vocabulary};

/// An event as the envelope needs it, borrowed from where it was read.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    pub(crate) position: u64,
    pub(crate) event_id: Uuid,
    pub(crate) context: &'a str,
    pub(crate) name: &'a str,
    pub(crate) aggregate_type: &'a str,
    pub(crate) aggregate_id: Uuid,
    pub(crate) sequence: u64,
    pub(crate) organisation_id: Uuid,
    pub(crate) occurred_at: Timestamp,
    pub(crate) recorded_at: Timestamp,
    pub(crate) correlation_id: Uuid,
    pub(crate) causation_id: Option<Uuid>,
    pub(crate) causation_position: u64,
    pub(crate) command_id: Uuid,
    pub(crate) actor: &'a Actor,
    pub(crate) orgnr: &'a str,
    pub(crate) kommunenummer: &'a str,
    pub(crate) related: &'a [Uuid],
    pub(crate) class: i32,
    pub(crate) traceparent: &'a str,
    pub(crate) data: &'a [u8],
}

// === impl Fields ===

impl<'a> Fields<'a> {
    /// The fields of an event as it was read.
    pub(crate) fn of(event: &'a Recorded) -> Self {
        Self {
            position: event.position,
            event_id: event.event_id,
            context: &event.context,
            name: &event.name,
            aggregate_type: &event.aggregate_type,
            aggregate_id: event.aggregate_id,
            sequence: event.sequence,
            organisation_id: event.organisation_id,
            occurred_at: event.occurred_at.into(),
            recorded_at: event.recorded_at.into(),
            correlation_id: event.correlation_id,
            causation_id: event.causation_id,
            causation_position: event.causation_position.unwrap_or_default(),
            command_id: event.command_id,
            actor: &event.actor,
            orgnr: event.orgnr.as_deref().unwrap_or_default(),
            kommunenummer: event.kommunenummer.as_deref().unwrap_or_default(),
            related: &event.related,
            class: event.class as i32,
            traceparent: event.traceparent.as_deref().unwrap_or_default(),
            data: &event.data,
        }
    }

    /// The fields of an envelope, when it is one that we wrote. `related` is where its ids are put.
    pub(crate) fn of_envelope(envelope: &'a Envelope, actor: &'a Actor, related: &'a mut Vec<Uuid>) -> Option<Self> {
        let id = |text: &str| Uuid::try_parse(text).ok();
        let (context, name) = envelope
            .r#type
            .strip_prefix("no.ryggrad.")?
            .strip_suffix(".v1")?
            .split_once('.')?;
        related.clear();
        related.extend(envelope.related.iter().filter_map(|text| id(text)));
        Some(Self {
            position: envelope.position,
            event_id: id(&envelope.event_id)?,
            context,
            name,
            aggregate_type: &envelope.aggregate_type,
            aggregate_id: id(&envelope.aggregate_id)?,
            sequence: envelope.sequence,
            organisation_id: id(&envelope.organisation_id)?,
            occurred_at: envelope.occurred_at?,
            recorded_at: envelope.recorded_at?,
            correlation_id: id(&envelope.correlation_id)?,
            causation_id: id(&envelope.causation_id),
            causation_position: envelope.causation_position,
            command_id: id(&envelope.command_id)?,
            actor: envelope.actor.as_ref().unwrap_or(actor),
            orgnr: &envelope.orgnr,
            kommunenummer: &envelope.kommunenummer,
            related,
            class: envelope.class,
            traceparent: &envelope.traceparent,
            data: &envelope.data,
        })
    }

    /// What filters look at.
    pub(crate) fn key(&self) -> Key {
        let words = Vocabulary::get();
        Key {
            event_type: words.event_type(self.context, self.name).unwrap_or(UNKNOWN),
            context: words.context(self.context).unwrap_or(UNKNOWN),
            aggregate: words.aggregate(self.aggregate_type).unwrap_or(UNKNOWN),
            class: u8::try_from(self.class).unwrap_or(u8::MAX),
            kommune: self.kommunenummer.parse().unwrap_or(0),
            orgnr: self.orgnr.parse().unwrap_or(0),
            actor: proved(self.actor),
            organisation: self.organisation_id,
            related: self.related.into(),
        }
    }

    /// Who acted, as it is shown: of open data without whom it acted for, by which mandate and through which supplier.
    pub(crate) fn actor(&self) -> Cow<'a, Actor> {
        let tells = |actor: &Actor| {
            let relations = [&actor.acting_for, &actor.mandate, &actor.supplier];
            relations.into_iter().any(|relation| !relation.is_empty())
        };
        if self.class != PrivacyClass::Public as i32 || !tells(self.actor) {
            return Cow::Borrowed(self.actor);
        }
        Cow::Owned(Actor {
            kind: self.actor.kind.clone(),
            r#ref: self.actor.r#ref.clone(),
            authenticated: self.actor.authenticated,
            ..Actor::default()
        })
    }

    /// Writes the envelope, field by field as in the contract.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        number(1, self.position, out);
        id(2, self.event_id, out);
        text(3, &["no.ryggrad.", self.context, ".", self.name, ".v1"], out);
        text(4, &["/ryggrad/", self.context], out);
        id(5, self.organisation_id, out);
        text(6, &[self.aggregate_type], out);
        id(7, self.aggregate_id, out);
        number(8, self.sequence, out);
        prost::encoding::message::encode(9, &self.occurred_at, out);
        prost::encoding::message::encode(10, &self.recorded_at, out);
        id(11, self.correlation_id, out);
        if let Some(causation) = self.causation_id {
            id(12, causation, out);
        }
        number(13, self.causation_position, out);
        id(14, self.command_id, out);
        prost::encoding::message::encode(15, self.actor().as_ref(), out);
        text(16, &[self.orgnr], out);
        text(17, &[self.kommunenummer], out);
        for related in self.related {
            id(18, *related, out);
        }
        number(19, u64::try_from(self.class).unwrap_or_default(), out);
        text(20, &[self.traceparent], out);
        if !self.data.is_empty() {
            encode_key(21, WireType::LengthDelimited, out);
            encode_varint(self.data.len() as u64, out);
            out.extend_from_slice(self.data);
        }
    }
}

fn number(tag: u32, value: u64, out: &mut Vec<u8>) {
    if value != 0 {
        encode_key(tag, WireType::Varint, out);
        encode_varint(value, out);
    }
}

fn id(tag: u32, id: Uuid, out: &mut Vec<u8>) {
    let mut buffer = Uuid::encode_buffer();
    text(tag, &[id.hyphenated().encode_lower(&mut buffer)], out);
}

fn text(tag: u32, pieces: &[&str], out: &mut Vec<u8>) {
    let len: usize = pieces.iter().map(|piece| piece.len()).sum();
    if len > 0 {
        encode_key(tag, WireType::LengthDelimited, out);
        encode_varint(len as u64, out);
        for piece in pieces {
            out.extend_from_slice(piece.as_bytes());
        }
    }
}

/// An event as it is shown to somebody who may see it.
pub(crate) fn shown(event: &Recorded) -> Envelope {
    let actor = Fields::of(event).actor().into_owned();
    Envelope {
        actor: Some(actor),
        ..event.envelope()
    }
}

/// Organisation number of the one as whom somebody acted, when a token proved it.
fn proved(actor: &Actor) -> u32 {
    let acted_as = if actor.acting_for.is_empty() {
        &actor.r#ref
    } else {
        &actor.acting_for
    };
    if actor.authenticated {
        acted_as.parse().unwrap_or(0)
    } else {
        0
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use prost::Message as _;
    use ryggrad_proto::events::v1::EventBatch;

    use super::*;
    use crate::format::{Format, Writer};

    /// An event that has everything.
    pub(crate) fn full() -> Recorded {
        let id = |n: u128| Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + n);
        Recorded {
            position: 4711,
            event_id: id(1),
            context: "registration".into(),
            name: "OrganisationRegistered".into(),
            aggregate_type: "Organisation".into(),
            aggregate_id: id(2),
            sequence: 12,
            organisation_id: id(3),
            occurred_at: "2026-03-01T12:00:00.000001Z".parse().unwrap(),
            recorded_at: "1969-03-01T12:00:00.5Z".parse().unwrap(),
            correlation_id: id(4),
            causation_id: Some(id(5)),
            causation_position: Some(17),
            command_id: id(6),
            actor: Actor {
                kind: "person".into(),
                r#ref: id(7).to_string(),
                authenticated: true,
                ..Actor::default()
            },
            orgnr: Some("310000019".into()),
            kommunenummer: Some("4601".into()),
            related: vec![id(8), id(9)],
            class: PrivacyClass::Org,
            traceparent: Some("00-1-2-01".into()),
            data: vec![7; 300].into(),
        }
    }

    #[test]
    fn for_whom_somebody_acted_is_not_shown_with_open_data() {
        let relations = Actor {
            kind: "platform".into(),
            r#ref: "399001218".into(),
            acting_for: "310000019".into(),
            mandate: "a2b1".into(),
            authenticated: true,
            supplier: "399001307".into(),
        };
        let of = |class| Recorded {
            actor: relations.clone(),
            class,
            ..full()
        };
        let bare = Actor {
            acting_for: String::new(),
            mandate: String::new(),
            supplier: String::new(),
            ..relations.clone()
        };
        for (class, expected) in [(PrivacyClass::Public, &bare), (PrivacyClass::Org, &relations)] {
            let event = of(class);
            assert_eq!(shown(&event).actor.as_ref(), Some(expected));
            let mut writer = Writer::new(Format::Envelope);
            writer.push(&Fields::of(&event));
            let written = EventBatch::decode(writer.take()).unwrap().events.remove(0);
            assert_eq!(written, shown(&event));
            let attributes = crate::cloudevents::attributes(&event);
            let told = |name: &str| attributes.iter().any(|(told, _)| *told == name);
            for name in ["actoractingfor", "actormandate", "actorsupplier"] {
                assert_eq!(told(name), class != PrivacyClass::Public, "{name}");
            }
            assert!(told("actorref"));
            // To whom what was begun belongs is looked at, and not what is shown.
            assert_eq!(Fields::of(&event).key().actor, 310_000_019);
        }
    }

    #[test]
    fn what_is_written_is_the_envelope_to_the_byte() {
        let bare = Recorded {
            causation_id: None,
            causation_position: None,
            actor: Actor::default(),
            orgnr: None,
            kommunenummer: None,
            related: vec![],
            traceparent: None,
            data: vec![].into(),
            ..full()
        };
        let events = [full(), bare];
        let mut writer = Writer::new(Format::Envelope);
        for event in &events {
            writer.push(&Fields::of(event));
        }
        let contract = EventBatch {
            events: events.iter().map(Recorded::envelope).collect(),
        };
        assert_eq!(writer.take(), contract.encode_to_vec());
    }
}
