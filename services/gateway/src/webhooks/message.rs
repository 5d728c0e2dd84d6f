//! The request that carries an event: a CloudEvent, signed as Standard Webhooks has it.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use ryggrad_eventlog::Recorded;
use ryggrad_eventlog::stream::percent_encode;
use ryggrad_proto::event::write_json;
use serde_json::json;

use super::keys::{Keys, signature};
use crate::cloudevents;
use crate::envelope::Fields;

/// CloudEvents type of a test.
pub(crate) const TEST: &str = "no.ryggrad.webhooks.Test.v1";

/// Where and how an endpoint is called.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) url: String,
    pub(crate) is_structured: bool,
    /// Keys, and until when each signs.
    pub(crate) keys: Vec<(Keys, Option<Timestamp>)>,
}

/// A request ready to be sent.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

// === impl Target ===

impl Target {
    /// The request that carries an event. Its id is the same at every attempt, its timestamp is not.
    ///
    /// Data that this build cannot read, of a later type or broken, goes as it was published.
    pub(crate) fn message(&self, event: &Recorded, now: Timestamp) -> Message {
        let id = event.event_id.to_string();
        let mut headers = HeaderMap::new();
        let mut body = Vec::with_capacity(1_024);
        if self.is_structured {
            cloudevents::write(&Fields::of(event), &mut body);
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(cloudevents::STRUCTURED));
            return self.signed(&id, headers, body, now);
        }
        let written = write_json(&event.context, &event.name, &event.data, &mut body);
        let kind = if written.unwrap_or(false) {
            cloudevents::DATA
        } else {
            body.clear();
            body.extend_from_slice(&event.data);
            cloudevents::PROTOBUF
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        binary(&mut headers, cloudevents::attributes(event));
        self.signed(&id, headers, body, now)
    }

    /// A request that carries a made-up event.
    pub(crate) fn test(&self, id: &str, subject: &str, now: Timestamp) -> Message {
        let attributes = vec![
            ("specversion", "1.0".to_owned()),
            ("id", id.to_owned()),
            ("source", "/ryggrad/webhooks".to_owned()),
            ("type", TEST.to_owned()),
            ("subject", subject.to_owned()),
            ("time", now.to_string()),
            ("datacontenttype", cloudevents::DATA.to_owned()),
        ];
        let data = json!({ "message": "This is a test of your webhook." });
        let mut headers = HeaderMap::new();
        let body = if self.is_structured {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(cloudevents::STRUCTURED));
            cloudevents::whole(attributes, data)
        } else {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(cloudevents::DATA));
            binary(&mut headers, attributes);
            data
        };
        self.signed(id, headers, body.to_string().into_bytes(), now)
    }

    fn signed(&self, id: &str, mut headers: HeaderMap, body: Vec<u8>, now: Timestamp) -> Message {
        let timestamp = now.as_second();
        let keys = self
            .keys
            .iter()
            .filter(|(_, ends)| ends.is_none_or(|ends| now < ends))
            .map(|(keys, _)| keys);
        set(&mut headers, "webhook-id", id);
        set(&mut headers, "webhook-timestamp", &timestamp.to_string());
        set(
            &mut headers,
            "webhook-signature",
            &signature(keys, id, timestamp, &body),
        );
        Message {
            headers,
            body: body.into(),
        }
    }
}

/// The attributes of an event as headers. Its media type is the request's own.
fn binary(headers: &mut HeaderMap, attributes: Vec<(&'static str, String)>) {
    for (name, value) in attributes {
        if name != "datacontenttype" {
            set(headers, &format!("ce-{name}"), &percent_encode(&value));
        }
    }
}

/// Sets a header of a name that is ours and a value that was made to be one.
fn set(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}
