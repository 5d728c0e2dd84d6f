//! JSON Schema 2020-12 of the canonical JSON of messages, from their descriptors and comments.

use std::collections::BTreeMap;

use prost_reflect::{Cardinality, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use crate::catalogue::doc;

/// The dialect that the schemas are in.
pub const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Schemas of messages by their full names, for a document that has them all in one place.
#[derive(Debug, Default)]
pub struct Schemas {
    by_name: BTreeMap<String, Value>,
}

/// The schema of one message by itself: what it is made of is under `$defs`.
pub fn of(message: &MessageDescriptor, id: &str) -> Value {
    let mut schemas = Schemas::default();
    let mut whole = schemas.object(message, "#/$defs/");
    whole.insert("$schema".to_owned(), DIALECT.into());
    whole.insert("$id".to_owned(), id.into());
    whole.insert("title".to_owned(), message.name().into());
    if !schemas.by_name.is_empty() {
        whole.insert("$defs".to_owned(), schemas.into_map().into());
    }
    whole.into()
}

// === impl Schemas ===

impl Schemas {
    /// Adds a message and what it is made of; references begin with `at`: `#/components/schemas/`.
    pub fn add(&mut self, message: &MessageDescriptor, at: &str) {
        if self.by_name.contains_key(message.full_name()) {
            return;
        }
        // There before it is known, for messages that contain themselves.
        self.by_name.insert(message.full_name().to_owned(), Value::Null);
        let schema = self.object(message, at);
        self.by_name.insert(message.full_name().to_owned(), schema.into());
    }

    /// The schemas by the full names of their messages.
    pub fn into_map(self) -> Map<String, Value> {
        self.by_name.into_iter().collect()
    }

    /// A reader of today takes what a writer of tomorrow adds: unknown properties are allowed.
    fn object(&mut self, message: &MessageDescriptor, at: &str) -> Map<String, Value> {
        let mut properties = Map::new();
        for field in message.fields() {
            let mut schema = self.field(&field, at);
            let doc = doc(&message.parent_file(), field.path());
            if !doc.is_empty() {
                schema.insert("description".to_owned(), doc.into());
            }
            properties.insert(field.json_name().to_owned(), schema.into());
        }
        let mut object = Map::new();
        object.insert("type".to_owned(), "object".into());
        let doc = doc(&message.parent_file(), message.path());
        if !doc.is_empty() {
            object.insert("description".to_owned(), doc.into());
        }
        object.insert("properties".to_owned(), properties.into());
        object
    }

    fn field(&mut self, field: &FieldDescriptor, at: &str) -> Map<String, Value> {
        if let Kind::Message(entry) = field.kind()
            && field.is_map()
        {
            let values = self.kind(&entry.map_entry_value_field().kind(), at);
            return map(json!({ "type": "object", "additionalProperties": values }));
        }
        let schema = self.kind(&field.kind(), at);
        if field.cardinality() == Cardinality::Repeated {
            map(json!({ "type": "array", "items": schema }))
        } else {
            map(schema)
        }
    }

    fn kind(&mut self, kind: &Kind, at: &str) -> Value {
        match kind {
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => json!({ "type": "integer", "format": "int32" }),
            Kind::Uint32 | Kind::Fixed32 => json!({ "type": "integer", "minimum": 0 }),
            // Canonical JSON writes what a double cannot hold as text.
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => json!({ "type": "string", "pattern": "^-?[0-9]+$" }),
            Kind::Uint64 | Kind::Fixed64 => json!({ "type": "string", "pattern": "^[0-9]+$" }),
            Kind::Float | Kind::Double => json!({ "type": "number" }),
            Kind::String => json!({ "type": "string" }),
            Kind::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
            Kind::Enum(values) => json!({ "type": "string", "enum": names(values) }),
            Kind::Message(message) if message.full_name() == "google.protobuf.Timestamp" => {
                json!({ "type": "string", "format": "date-time" })
            }
            Kind::Message(message) if message.full_name().starts_with("google.protobuf.") => json!({}),
            Kind::Message(message) => {
                self.add(message, at);
                json!({ "$ref": format!("{at}{}", message.full_name()) })
            }
        }
    }
}

fn names(values: &EnumDescriptor) -> Vec<String> {
    values.values().map(|value| value.name().to_owned()).collect()
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a value fits to a schema, as far as the schemas here go.
    fn fits(value: &Value, schema: &Value, whole: &Value) -> bool {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.strip_prefix("#/$defs/").expect("a reference within the schema");
            return fits(value, &whole["$defs"][name], whole);
        }
        match schema["type"].as_str() {
            Some("object") => value.as_object().is_some_and(|object| {
                object.iter().all(|(name, value)| {
                    let known = schema["properties"].get(name).or(schema.get("additionalProperties"));
                    known.is_some_and(|schema| fits(value, schema, whole))
                })
            }),
            Some("array") => value
                .as_array()
                .is_some_and(|values| values.iter().all(|value| fits(value, &schema["items"], whole))),
            Some("string") => value.as_str().is_some_and(|text| {
                let of_enum = schema["enum"].as_array().is_none_or(|names| names.contains(value));
                of_enum && (schema["pattern"] != "^[0-9]+$" || text.parse::<u64>().is_ok())
            }),
            Some("integer") => value.is_i64(),
            Some("number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            _ => true,
        }
    }

    #[test]
    fn the_example_of_every_event_fits_to_its_schema() {
        for event in crate::catalogue() {
            let schema = of(&event.message, "urn:test");
            let example = serde_json::to_value(crate::example::of(&event.message)).expect("its JSON");
            assert!(fits(&example, &schema, &schema), "{}: {example} {schema}", event.name);
            assert_eq!(schema["description"], event.doc, "{}", event.name);
        }
    }
}
