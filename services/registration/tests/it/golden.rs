//! What was ever stored can be read for ever: a golden file for every event, in JSON and in bytes.
//!
//! `UPDATE=1 cargo test -p ryggrad-registration golden` writes the files of new events; it never overwrites one.

use std::path::{Path, PathBuf};

use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use ryggrad_proto::EventPayload;
use ryggrad_proto::registration::v1 as pb;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Reads the golden files of an aggregate's events with today's code, and writes them again.
fn check<E: EventPayload>() {
    for name in E::NAMES {
        let (json_file, bytes_file) = (
            folder().join(format!("{name}.v1.json")),
            folder().join(format!("{name}.v1.bin")),
        );
        if update() && !bytes_file.exists() {
            let bytes = sample(name).encode_to_vec();
            let event = E::decode(name, &bytes)
                .expect("the sample is a message")
                .expect("an event of this aggregate");
            std::fs::write(&json_file, pretty(&event.json().expect("JSON"))).expect("the file can be written");
            std::fs::write(&bytes_file, event.encode()).expect("the file can be written");
        }
        let missing = |_| -> Vec<u8> {
            panic!("{name} has no golden file: run the test with UPDATE=1 and commit what it writes")
        };
        let bytes = std::fs::read(&bytes_file).unwrap_or_else(missing);
        let json = std::fs::read_to_string(&json_file).expect("the JSON beside the bytes");
        let event = E::decode(name, &bytes)
            .expect("stored bytes are read")
            .expect("an event of this aggregate");
        assert_eq!(event.encode(), bytes, "{name}: the bytes are written as they were");
        assert_eq!(
            pretty(&event.json().expect("JSON")),
            json,
            "{name}: the JSON is written as it was"
        );
        let value = serde_json::from_str(&json).expect("JSON");
        let read = E::from_json(name, value)
            .expect("stored JSON is read")
            .expect("an event of this aggregate");
        assert_eq!(read.encode(), bytes, "{name}: JSON and bytes are the same event");
    }
}

#[test]
fn every_event_of_an_initiative_is_read_as_it_was_stored() {
    check::<pb::initiative_event::Event>();
}

#[test]
fn every_event_of_a_founding_is_read_as_it_was_stored() {
    check::<pb::founding_event::Event>();
}

#[test]
fn every_event_of_a_registration_case_is_read_as_it_was_stored() {
    check::<pb::registration_case_event::Event>();
}

#[test]
fn every_event_of_an_organisation_is_read_as_it_was_stored() {
    check::<pb::organisation_event::Event>();
}

#[test]
fn no_golden_file_is_of_an_event_that_is_gone() {
    let names: Vec<&str> = [
        pb::initiative_event::Event::NAMES,
        pb::founding_event::Event::NAMES,
        pb::registration_case_event::Event::NAMES,
        pb::organisation_event::Event::NAMES,
    ]
    .concat();
    for file in std::fs::read_dir(folder()).expect("the folder of golden files") {
        let file = file.expect("a file").file_name().into_string().expect("a name");
        let name = file.split('.').next().expect("a first part");
        assert!(
            names.contains(&name),
            "{file} is of no event: an event that was ever stored is never taken away"
        );
    }
}

#[expect(clippy::disallowed_methods, reason = "the switch is for the one who runs the test")]
fn update() -> bool {
    std::env::var("UPDATE").is_ok_and(|value| value == "1")
}

fn pretty(json: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(json).expect("JSON");
    let mut text = serde_json::to_string_pretty(&value).expect("JSON");
    text.push('\n');
    text
}

/// An event with every field filled in.
fn sample(name: &str) -> DynamicMessage {
    let message = ryggrad_proto::pool()
        .get_message_by_name(&format!("ryggrad.registration.v1.{name}"))
        .expect("a message of the contract");
    filled(&message)
}

fn filled(descriptor: &MessageDescriptor) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields() {
        let value = value(&field);
        message.set_field(
            &field,
            if field.is_list() {
                Value::List(vec![value.clone(), value])
            } else {
                value
            },
        );
    }
    message
}

fn value(field: &FieldDescriptor) -> Value {
    match field.kind() {
        Kind::Bool => Value::Bool(true),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(-17),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(100_000),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(17),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(17),
        Kind::Float => Value::F32(1.5),
        Kind::Double => Value::F64(1.5),
        Kind::Bytes => Value::Bytes(vec![1, 2, 3].into()),
        Kind::Enum(choices) => Value::EnumNumber(
            choices
                .values()
                .map(|choice| choice.number())
                .find(|number| *number > 0)
                .unwrap_or_default(),
        ),
        Kind::String => Value::String(text(field.name())),
        Kind::Message(message) if message.full_name() == "google.protobuf.Timestamp" => {
            let mut instant = DynamicMessage::new(message);
            instant.set_field_by_name("seconds", Value::I64(1_772_449_200));
            Value::Message(instant)
        }
        Kind::Message(message) => Value::Message(filled(&message)),
    }
}

/// A text that its field could hold; synthetic numbers only.
fn text(field: &str) -> String {
    let text = match field {
        name if name.ends_with("_id") || name.ends_with("_ids") => "01958f6e-7c00-7000-8000-0000000000a1",
        "person_ref" | "person_refs" | "created_by" | "declared_by" | "signer" | "kontonummer_token" => {
            "5f0c8d4e-0b1a-4c3d-9e2f-0000000000b1"
        }
        name if name.contains("orgnr") || name == "organisasjonsnummer" || name == "overordnet_enhet" => "245915101",
        name if name.contains("hash") => "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        name if name.contains("dato") || name.contains("date") || name.starts_with("period_") => "2026-03-02",
        "kommunenummer" => "4203",
        "postnummer" => "4836",
        "form" | "proposed_form" => "FLI",
        "role_code" => "LEDE",
        "icnpo" | "icnpo_hint" => "1300",
        "language" | "maalform" => "nb",
        "registers" | "register" => "ER",
        "source" => "register-simulator",
        other => return format!("{other}: blåbærsyltetøy"),
    };
    text.to_owned()
}
