//! An event as a CloudEvent 1.0: one list of attributes behind the feed, server-sent events, webhooks and the protobuf format.
//!
//! The extensions have the names that they have as headers in the stream. Numbers of the log are strings: a CloudEvents integer
//! ends at 2³¹.

use std::collections::HashMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ryggrad_eventlog::Recorded;
use ryggrad_eventlog::event::partition;
use ryggrad_eventlog::stream::class_token;
use ryggrad_proto::Timestamp;
use ryggrad_proto::cloudevents::v1::CloudEvent;
use ryggrad_proto::cloudevents::v1::cloud_event::cloud_event_attribute_value::Attr;
use ryggrad_proto::cloudevents::v1::cloud_event::{CloudEventAttributeValue, Data};
use ryggrad_proto::event::write_json;
use ryggrad_proto::options::v1::PrivacyClass;
use ryggrad_proto::wkt::Any;
use ryggrad_service::error::DOMAIN;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::envelope::Fields;

/// Version of the specification.
const SPEC: &str = "1.0";
/// Media type of the data.
pub(crate) const DATA: &str = "application/json";
/// Media type of the data of an event that this build has no type for, and of those in protobuf.
pub(crate) const PROTOBUF: &str = "application/protobuf";
/// Media type of a whole event.
pub(crate) const STRUCTURED: &str = "application/cloudevents+json";
/// Media type of an array of whole events.
pub(crate) const BATCH: &str = "application/cloudevents-batch+json";

/// The value of an attribute, of a type that the specification has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Attribute<'a> {
    /// A text.
    Text(&'a str),
    /// An absolute URI.
    Uri(&'a str),
    /// A URI-reference.
    UriRef(&'a str),
    /// An instant.
    Instant(Timestamp),
    /// Yes or no.
    Flag(bool),
}

/// Where the schema of a type is named.
pub(crate) fn dataschema(ce_type: &str) -> String {
    format!("https://{DOMAIN}/schemas/{ce_type}")
}

/// Tells every attribute that an event has, but `datacontenttype`, which depends on how its data is written. What it does
/// not have is left out.
pub(crate) fn each_attribute(event: &Fields<'_>, mut tell: impl FnMut(&'static str, Attribute<'_>)) {
    use Attribute::{Flag, Instant, Text, Uri, UriRef};
    let id = |id: Uuid| id.to_string();
    let ce_type = ryggrad_eventlog::event::ce_type(event.context, event.name);
    tell("specversion", Text(SPEC));
    tell("id", Text(&id(event.event_id)));
    tell("source", UriRef(&ryggrad_eventlog::event::source(event.context)));
    tell("type", Text(&ce_type));
    tell("subject", Text(&id(event.organisation_id)));
    tell("time", Instant(event.occurred_at));
    tell("dataschema", Uri(&dataschema(&ce_type)));
    tell("position", Text(&event.position.to_string()));
    tell("aggregatetype", Text(event.aggregate_type));
    tell("aggregateid", Text(&id(event.aggregate_id)));
    tell("sequence", Text(&event.sequence.to_string()));
    tell("recordedtime", Instant(event.recorded_at));
    tell(
        "partitionkey",
        Text(&format!("{:02}", partition(event.organisation_id))),
    );
    tell("correlationid", Text(&id(event.correlation_id)));
    tell("commandid", Text(&id(event.command_id)));
    let class = PrivacyClass::try_from(event.class).unwrap_or(PrivacyClass::Conf);
    tell("privacyclass", Text(class_token(class)));
    if let Some(causation) = event.causation_id {
        tell("causationid", Text(&id(causation)));
    }
    if event.causation_position > 0 {
        tell("causationposition", Text(&event.causation_position.to_string()));
    }
    if !event.related.is_empty() {
        let related: Vec<_> = event.related.iter().copied().map(id).collect();
        tell("related", Text(&related.join(",")));
    }
    let actor = event.actor();
    if actor.authenticated {
        tell("actorauthenticated", Flag(true));
    }
    for (name, text) in [
        ("actorkind", actor.kind.as_str()),
        ("actorref", &actor.r#ref),
        ("actoractingfor", &actor.acting_for),
        ("actormandate", &actor.mandate),
        ("actorsupplier", &actor.supplier),
        ("orgnr", event.orgnr),
        ("kommunenummer", event.kommunenummer),
        ("traceparent", event.traceparent),
    ] {
        if !text.is_empty() {
            tell(name, Text(text));
        }
    }
}

/// Adds the whole event in the JSON format. Data that this build cannot read, of a later type or broken, is in `data_base64`
/// as it was published.
pub(crate) fn write(event: &Fields<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    each_attribute(event, |name, value| {
        out.push(b'"');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        value.write(out);
        out.push(b',');
    });
    let begun = out.len();
    out.extend_from_slice(br#""datacontenttype":"application/json","data":"#);
    let written = write_json(event.context, event.name, event.data, out);
    if let Err(error) = &written {
        tracing::warn!(%error, position = event.position, "the data of an event cannot be read");
    }
    if !written.unwrap_or(false) {
        out.truncate(begun);
        let unknown =
            json!({ "datacontenttype": PROTOBUF, "data_base64": BASE64_STANDARD.encode(event.data) }).to_string();
        out.extend_from_slice(&unknown.as_bytes()[1..unknown.len() - 1]);
    }
    out.push(b'}');
}

/// The whole event in the protobuf format. Its data is its message, in the bytes that were published first.
pub(crate) fn message(event: &Fields<'_>) -> CloudEvent {
    let mut whole = CloudEvent {
        data: Some(Data::ProtoData(Any {
            type_url: format!("type.googleapis.com/ryggrad.{}.v1.{}", event.context, event.name),
            value: event.data.to_vec().into(),
        })),
        ..CloudEvent::default()
    };
    let mut attributes = HashMap::new();
    each_attribute(event, |name, value| match (name, value) {
        ("specversion", Attribute::Text(text)) => text.clone_into(&mut whole.spec_version),
        ("id", Attribute::Text(text)) => text.clone_into(&mut whole.id),
        ("source", Attribute::UriRef(text)) => text.clone_into(&mut whole.source),
        ("type", Attribute::Text(text)) => text.clone_into(&mut whole.r#type),
        (name, value) => drop(attributes.insert(name.to_owned(), value.message())),
    });
    attributes.insert("datacontenttype".to_owned(), Attribute::Text(PROTOBUF).message());
    whole.attributes = attributes;
    whole
}

/// Every attribute as text, as headers have them, with what the JSON of its data is.
pub(crate) fn attributes(event: &Recorded) -> Vec<(&'static str, String)> {
    let mut attributes = vec![("datacontenttype", DATA.to_owned())];
    each_attribute(&Fields::of(event), |name, value| attributes.push((name, value.text())));
    attributes
}

/// A whole event in the JSON format, of these attributes and this data.
pub(crate) fn whole(attributes: Vec<(&'static str, String)>, data: Value) -> Value {
    let mut whole: Map<_, _> = attributes
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::String(value)))
        .collect();
    whole.insert("data".to_owned(), data);
    Value::Object(whole)
}

// === impl Attribute ===

impl Attribute<'_> {
    fn write(self, out: &mut Vec<u8>) {
        let written = match self {
            Self::Text(text) | Self::Uri(text) | Self::UriRef(text) => serde_json::to_writer(&mut *out, text),
            Self::Instant(instant) => serde_json::to_writer(&mut *out, &instant),
            Self::Flag(flag) => serde_json::to_writer(&mut *out, &flag),
        };
        if written.is_err() {
            // Only an instant beyond the year 9999 has no text; the log has none.
            out.extend_from_slice(b"null");
        }
    }

    fn text(self) -> String {
        match self {
            Self::Text(text) | Self::Uri(text) | Self::UriRef(text) => text.to_owned(),
            Self::Instant(instant) => serde_json::to_value(instant)
                .ok()
                .and_then(|value| Some(value.as_str()?.to_owned()))
                .unwrap_or_default(),
            Self::Flag(flag) => flag.to_string(),
        }
    }

    fn message(self) -> CloudEventAttributeValue {
        let attr = match self {
            Self::Text(text) => Attr::CeString(text.to_owned()),
            Self::Uri(text) => Attr::CeUri(text.to_owned()),
            Self::UriRef(text) => Attr::CeUriRef(text.to_owned()),
            Self::Instant(instant) => Attr::CeTimestamp(instant),
            Self::Flag(flag) => Attr::CeBoolean(flag),
        };
        CloudEventAttributeValue { attr: Some(attr) }
    }
}

#[cfg(test)]
mod tests {
    use prost_reflect::prost::Message as _;
    use ryggrad_proto::registration::v1::{OrganisationRegistered, organisation_event};

    use super::*;
    use crate::envelope::tests::full;

    fn registered() -> Recorded {
        let message = OrganisationRegistered {
            orgnr: "310000019".to_owned(),
            ..Default::default()
        };
        let payload = organisation_event::Event::OrganisationRegistered(message);
        Recorded {
            data: ryggrad_proto::EventPayload::encode(&payload).into(),
            ..full()
        }
    }

    fn written(event: &Recorded) -> Value {
        let mut out = Vec::new();
        write(&Fields::of(event), &mut out);
        serde_json::from_slice(&out).expect("JSON")
    }

    #[test]
    fn an_event_is_a_cloudevent_with_its_canonical_data() {
        let event = registered();
        let json = written(&event);
        for (name, value) in [
            ("specversion", "1.0"),
            ("type", "no.ryggrad.registration.OrganisationRegistered.v1"),
            ("source", "/ryggrad/registration"),
            ("subject", event.organisation_id.to_string().as_str()),
            ("position", "4711"),
            ("sequence", "12"),
            ("orgnr", "310000019"),
            ("privacyclass", "org"),
            ("time", "2026-03-01T12:00:00.000001Z"),
            ("datacontenttype", DATA),
        ] {
            assert_eq!(json[name], value, "{name}");
        }
        assert_eq!(json["actorauthenticated"], true);
        assert_eq!(
            json["data"],
            ryggrad_proto::event_type(&event.context, &event.name)
                .unwrap()
                .json(&event.data)
                .unwrap()
        );
        assert_eq!(json["data"]["orgnr"], "310000019");
        let allowed = |name: &str| {
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let names: Vec<_> = json.as_object().unwrap().keys().collect();
        assert!(names.iter().all(|name| allowed(name)), "{names:?}");
    }

    #[test]
    fn headers_and_both_formats_say_the_same() {
        let event = registered();
        let json = written(&event);
        let said: Map<String, Value> = attributes(&event)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect();
        let mut expected = json.as_object().unwrap().clone();
        expected.remove("data");
        expected.insert("actorauthenticated".to_owned(), "true".into());
        assert_eq!(said, expected);
        let message = message(&Fields::of(&event));
        assert_eq!(message.attributes.len() + 4, expected.len());
        assert_eq!(
            (message.id.as_str(), message.spec_version.as_str()),
            (event.event_id.to_string().as_str(), SPEC)
        );
        let Some(Data::ProtoData(any)) = message.data else {
            panic!("a message")
        };
        let descriptor = ryggrad_proto::pool().get_message_by_name(any.type_url.rsplit('/').next().unwrap());
        assert!(descriptor.is_some(), "{}", any.type_url);
        assert_eq!(any.value, event.data);
        assert_eq!(OrganisationRegistered::decode(any.value).unwrap().orgnr, "310000019");
    }

    #[test]
    fn what_an_event_does_not_have_is_left_out() {
        let event = Recorded {
            orgnr: None,
            causation_id: None,
            causation_position: None,
            related: vec![],
            traceparent: Some(String::new()),
            ..full()
        };
        let names: Vec<_> = attributes(&event).into_iter().map(|(name, _)| name).collect();
        for missing in ["orgnr", "causationid", "causationposition", "related", "traceparent"] {
            assert!(!names.contains(&missing), "{missing}");
        }
    }

    #[test]
    fn data_that_cannot_be_read_is_passed_on_as_it_is() {
        let later = Recorded {
            name: "OrganisationDreamt".into(),
            ..registered()
        };
        let broken = Recorded {
            data: vec![0x0a, 0xff].into(),
            ..full()
        };
        for event in [later, broken] {
            let json = written(&event);
            assert_eq!(json["datacontenttype"], PROTOBUF);
            assert_eq!(json["data_base64"], BASE64_STANDARD.encode(&event.data));
            assert!(json.get("data").is_none());
        }
    }
}
