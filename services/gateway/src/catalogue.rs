//! Which events there are to subscribe to, as an answer: the contracts of this build.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use prost::Message as _;
use prost_reflect::prost_types::FileDescriptorSet;
use prost_reflect::{FileDescriptor, MessageDescriptor};
use ryggrad_access::Scope;
use ryggrad_proto::events::v1::{CatalogueRequest, CatalogueResponse, EventField, EventTypeInfo};
use ryggrad_proto::options::v1::PrivacyClass;
use ryggrad_proto::{EventType, catalogue, example, json_schema};
use ryggrad_service::ApiError;
use serde_json::{Value, json};

use crate::cloudevents::dataschema;

/// The events that a request asks for.
pub(crate) fn answer(request: &CatalogueRequest) -> Result<CatalogueResponse, ApiError> {
    let chosen = chosen(request)?;
    let types = chosen.iter().map(|event| info(event, request.brief)).collect();
    let messages = chosen.iter().map(|event| &event.message);
    Ok(CatalogueResponse {
        types,
        descriptors: if request.brief {
            Vec::new()
        } else {
            descriptors(messages)
        },
    })
}

/// The same as a document of JSON, with schemas and examples as what they are.
pub(crate) fn document(request: &CatalogueRequest) -> Result<Value, ApiError> {
    let types = chosen(request)?.into_iter().map(|event| {
        let info = info(event, true);
        let mut entry = json!({
            "type": info.r#type,
            "name": info.name,
            "context": info.context,
            "aggregate": info.aggregate,
            "class": class_name(event.class),
            "norwegianTerm": info.norwegian_term,
            "phase": info.phase,
            "stakeholders": info.stakeholders,
            "documentation": info.documentation,
            "message": info.message,
            "dataschema": info.dataschema,
        });
        if !info.scope.is_empty() {
            entry["scope"] = info.scope.into();
        }
        if !request.brief {
            entry["jsonSchema"] = schema(event);
            entry["example"] = example_of(event);
        }
        entry
    });
    Ok(json!({ "types": types.collect::<Vec<_>>() }))
}

fn chosen(request: &CatalogueRequest) -> Result<Vec<&'static EventType>, ApiError> {
    for (index, name) in request.types.iter().enumerate() {
        if !catalogue().iter().any(|event| is_called(event, name)) {
            let problem = format!("there is no event type {name:?}");
            return Err(ApiError::invalid(format!("types[{index}]"), problem));
        }
    }
    for (index, name) in request.contexts.iter().enumerate() {
        if !catalogue().iter().any(|event| event.context == *name) {
            let problem = format!("there is no context {name:?}");
            return Err(ApiError::invalid(format!("contexts[{index}]"), problem));
        }
    }
    let among = |event: &EventType| {
        let types = &request.types;
        (types.is_empty() || types.iter().any(|name| is_called(event, name)))
            && (request.contexts.is_empty() || request.contexts.contains(&event.context))
            && (request.classes.is_empty() || request.classes.contains(&(event.class as i32)))
    };
    let mut seen = BTreeSet::new();
    // An event of two aggregates is one type.
    let once = |event: &&'static EventType| seen.insert(event.ce_type.as_str());
    Ok(catalogue().iter().filter(|event| among(event)).filter(once).collect())
}

fn is_called(event: &EventType, name: &str) -> bool {
    event.name == name || event.ce_type == name
}

fn info(event: &EventType, brief: bool) -> EventTypeInfo {
    let text = |value: Value| if brief { String::new() } else { value.to_string() };
    let fields = event.fields.iter().map(|field| EventField {
        name: field.json_name.clone(),
        kind: field.kind.clone(),
        documentation: field.doc.clone(),
    });
    EventTypeInfo {
        r#type: event.ce_type.clone(),
        name: event.name.clone(),
        context: event.context.clone(),
        aggregate: event.aggregate.clone(),
        class: event.class.into(),
        norwegian_term: event.norwegian_term.clone(),
        phase: event.phase,
        stakeholders: event.views.clone(),
        documentation: event.doc.clone(),
        message: event.message.full_name().to_owned(),
        json_schema: text(schema(event)),
        example: text(example_of(event)),
        scope: Scope::of_class(event.class).map_or(String::new(), |scope| scope.name().to_owned()),
        dataschema: dataschema(&event.ce_type),
        fields: fields.collect(),
    }
}

pub(crate) fn schema(event: &EventType) -> Value {
    json_schema::of(&event.message, &dataschema(&event.ce_type))
}

fn example_of(event: &EventType) -> Value {
    serde_json::to_value(example::of(&event.message)).unwrap_or_default()
}

/// PUBLIC, ORG, PERS or CONF.
pub(crate) fn class_name(class: PrivacyClass) -> &'static str {
    class.as_str_name().trim_start_matches("PRIVACY_CLASS_")
}

/// The files of these messages and what they import, without their comments, as a `FileDescriptorSet`.
fn descriptors<'a>(messages: impl Iterator<Item = &'a MessageDescriptor>) -> Vec<u8> {
    let mut set = FileDescriptorSet::default();
    let mut seen = BTreeSet::new();
    for message in messages {
        add(&message.parent_file(), &mut seen, &mut set);
    }
    set.encode_to_vec()
}

/// Imports come before those who import them, as readers of a set expect.
fn add(file: &FileDescriptor, seen: &mut BTreeSet<String>, set: &mut FileDescriptorSet) {
    if !seen.insert(file.name().to_owned()) {
        return;
    }
    for import in file.dependencies() {
        add(&import, seen, set);
    }
    let mut bare = file.file_descriptor_proto().clone();
    bare.source_code_info = None;
    set.file.push(bare);
}

/// The whole catalogue, made once.
pub(crate) fn whole() -> &'static Value {
    static WHOLE: OnceLock<Value> = OnceLock::new();
    WHOLE.get_or_init(|| document(&CatalogueRequest::default()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use prost_reflect::DescriptorPool;

    use super::*;

    #[test]
    fn every_event_is_there_with_a_schema_that_can_be_read() {
        let all = answer(&CatalogueRequest::default()).unwrap();
        assert_eq!(whole()["types"].as_array().unwrap().len(), all.types.len());
        let pool = DescriptorPool::decode(all.descriptors.as_slice()).expect("descriptors that stand by themselves");
        for event in &all.types {
            assert!(pool.get_message_by_name(&event.message).is_some(), "{}", event.message);
            let schema: Value = serde_json::from_str(&event.json_schema).unwrap();
            assert_eq!(schema["$id"], event.dataschema);
            assert!(
                !event.documentation.is_empty() && !event.stakeholders.is_empty(),
                "{}",
                event.name
            );
            let open = event.class == PrivacyClass::Public as i32;
            assert_eq!(event.scope.is_empty(), open, "{}", event.name);
        }
    }

    #[test]
    fn what_does_not_exist_is_named() {
        let asked = CatalogueRequest {
            types: vec!["OrganisationRegistered".to_owned(), "Nothing".to_owned()],
            ..Default::default()
        };
        assert!(answer(&asked).unwrap_err().to_string().starts_with("types[1]:"));
        let one = CatalogueRequest {
            types: vec!["no.ryggrad.registration.OrganisationRegistered.v1".to_owned()],
            brief: true,
            ..Default::default()
        };
        let one = answer(&one).unwrap();
        assert_eq!((one.types.len(), one.descriptors.len()), (1, 0));
        assert_eq!(one.types[0].json_schema, "");
    }
}
