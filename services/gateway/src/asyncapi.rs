//! The stream as an AsyncAPI 3 document, from the descriptors that everything comes from.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use ryggrad_proto::json_schema::Schemas;
use ryggrad_proto::{EventType, catalogue};
use serde_json::{Map, Value, json};

use crate::catalogue::class_name;
use crate::cloudevents::{BATCH, STRUCTURED, dataschema};

/// Where schemas are in the document.
const SCHEMAS: &str = "#/components/schemas/";

/// The document, made once.
pub(crate) fn document() -> &'static str {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    DOCUMENT.get_or_init(|| whole().to_string())
}

fn whole() -> Value {
    let (mut messages, mut schemas) = (Map::new(), Schemas::default());
    let mut seen = BTreeSet::new();
    for event in catalogue().iter().filter(|event| seen.insert(event.ce_type.as_str())) {
        schemas.add(&event.message, SCHEMAS);
        messages.insert(event.ce_type.clone(), message(event));
    }
    let every: Map<_, _> = messages
        .keys()
        .map(|name| (name.clone(), json!({ "$ref": format!("#/components/messages/{name}") })))
        .collect();
    json!({
        "asyncapi": "3.0.0",
        "id": "urn:ryggrad:events",
        "info": {
            "title": "Ryggrad: events",
            "version": "v1",
            "description": "What happens to voluntary organisations, in one order: CloudEvents 1.0. Generated from the contracts.",
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": STRUCTURED,
        "channels": {
            "stream": {
                "address": "/v1/events/stream",
                "title": "Server-sent events",
                "description": "id is the position, event the type, data the CloudEvent in JSON.",
                "messages": every,
            },
            "feed": {
                "address": "/v1/events",
                "title": "The feed",
                "description": format!("Pages of CloudEvents ({BATCH}), with long polling."),
                "messages": every,
            },
        },
        "operations": {
            "stream": operation("stream", "Follow by server-sent events"),
            "feed": operation("feed", "Read page by page"),
        },
        "components": { "messages": messages, "schemas": schemas.into_map() },
    })
}

/// What we do at a channel: send, when somebody asks.
fn operation(channel: &str, summary: &str) -> Value {
    json!({
        "action": "send",
        "channel": { "$ref": format!("#/channels/{channel}") },
        "summary": summary,
        "bindings": { "http": { "method": "GET", "bindingVersion": "0.3.0" } },
    })
}

fn message(event: &EventType) -> Value {
    json!({
        "name": event.ce_type,
        "title": event.norwegian_term,
        "summary": event.doc,
        "contentType": STRUCTURED,
        "tags": [
            { "name": event.context },
            { "name": event.aggregate },
            { "name": class_name(event.class) },
        ],
        "payload": {
            "type": "object",
            "required": ["specversion", "id", "source", "type", "position", "data"],
            "properties": {
                "specversion": { "const": "1.0" },
                "id": { "type": "string", "format": "uuid" },
                "source": { "const": format!("/ryggrad/{}", event.context) },
                "type": { "const": event.ce_type },
                "subject": { "type": "string", "format": "uuid", "description": "The organisation." },
                "time": { "type": "string", "format": "date-time", "description": "When it happened, by the business clock." },
                "dataschema": { "const": dataschema(&event.ce_type) },
                "datacontenttype": { "const": "application/json" },
                "position": { "type": "string", "pattern": "^[0-9]+$", "description": "Position in the log: the cursor." },
                "privacyclass": { "type": "string", "enum": ["public", "org", "pers", "conf"] },
                "data": { "$ref": format!("{SCHEMAS}{}", event.message.full_name()) },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every reference in the document.
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str));
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_event_is_a_message_and_every_reference_leads_somewhere() {
        let document: Value = serde_json::from_str(document()).unwrap();
        for event in catalogue() {
            let message = &document["components"]["messages"][&event.ce_type];
            assert_eq!(message["payload"]["properties"]["type"]["const"], event.ce_type);
            assert!(document["channels"]["stream"]["messages"][&event.ce_type].is_object());
        }
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > catalogue().len());
        for reference in found {
            let at = reference.trim_start_matches('#');
            assert!(document.pointer(at).is_some(), "{reference}");
        }
    }
}
