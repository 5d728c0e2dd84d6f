//! From an event to the headers of its message: CloudEvents 1.0 in binary mode.

use std::fmt::Write as _;

use async_nats::HeaderMap;
use async_nats::header::{HeaderName, NATS_EXPECTED_LAST_SEQUENCE, NATS_MESSAGE_ID};
use uuid::Uuid;

use crate::event::Recorded;
use crate::stream::{class_token, percent};

/// What a message says about its bytes.
pub(super) const CONTENT: &str = "application/protobuf";

/// The headers of an event's message. What the event does not have is left out.
pub fn headers(event: &Recorded) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: String| headers.insert(HeaderName::from_static(name), value);
    set("ce-specversion", "1.0".to_owned());
    set("ce-id", event.event_id.to_string());
    set("ce-source", crate::event::source(&event.context));
    set("ce-type", event.ce_type());
    set("ce-subject", event.organisation_id.to_string());
    set("ce-time", event.occurred_at.to_string());
    set("ce-datacontenttype", CONTENT.to_owned());
    set("ce-position", event.position.to_string());
    set("ce-aggregatetype", event.aggregate_type.to_string());
    set("ce-aggregateid", event.aggregate_id.to_string());
    set("ce-sequence", event.sequence.to_string());
    set("ce-recordedtime", event.recorded_at.to_string());
    set("ce-correlationid", event.correlation_id.to_string());
    set("ce-commandid", event.command_id.to_string());
    set("ce-privacyclass", class_token(event.class).to_owned());
    if let Some(id) = event.causation_id {
        set("ce-causationid", id.to_string());
    }
    if let Some(position) = event.causation_position {
        set("ce-causationposition", position.to_string());
    }
    if !event.related.is_empty() {
        set("ce-related", list(&event.related));
    }
    let actor = &event.actor;
    if actor.authenticated {
        set("ce-actorauthenticated", "true".to_owned());
    }
    let texts = [
        ("ce-actorkind", Some(&actor.kind)),
        ("ce-actorref", Some(&actor.r#ref)),
        ("ce-actoractingfor", Some(&actor.acting_for)),
        ("ce-actormandate", Some(&actor.mandate)),
        ("ce-actorsupplier", Some(&actor.supplier)),
        ("ce-orgnr", event.orgnr.as_ref()),
        ("ce-kommunenummer", event.kommunenummer.as_ref()),
        ("ce-traceparent", event.traceparent.as_ref()),
    ];
    for (name, text) in texts {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            set(name, percent::encode(text).into_owned());
        }
    }
    headers.insert(NATS_MESSAGE_ID, event.event_id.to_string());
    headers.insert(NATS_EXPECTED_LAST_SEQUENCE, (event.position - 1).to_string());
    headers
}

fn list(ids: &[Uuid]) -> String {
    let mut list = String::with_capacity(ids.len() * 37);
    for (n, id) in ids.iter().enumerate() {
        let comma = if n == 0 { "" } else { "," };
        write!(list, "{comma}{id}").expect("a string takes everything");
    }
    list
}
