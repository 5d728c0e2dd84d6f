//! Example messages with synthetic values, told by the names of the fields.

use crate::Timestamp;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};

/// 2026-05-01T12:00:00Z.
const INSTANT: Timestamp = Timestamp {
    seconds: 1_777_636_800,
    nanos: 0,
};
const UUID: &str = "0192f1a0-7c3e-7d4b-8a5f-3b2c1d0e9f8a";
const PERSON: &str = "6f0c2d9e-41b7-4f0a-9c35-7e8d2a1b4c60";

/// A message with every field set; of a oneof the first alternative. Everything in it is made up.
pub fn of(message: &MessageDescriptor) -> DynamicMessage {
    let mut example = DynamicMessage::new(message.clone());
    for field in message.fields() {
        let first = field
            .containing_oneof()
            .and_then(|oneof| oneof.fields().next())
            .is_none_or(|first| first == field);
        if !first {
            continue;
        }
        let value = if field.is_map() {
            Value::Map([(MapKey::String("n".to_owned()), Value::String("1".to_owned()))].into())
        } else if field.is_list() {
            Value::List(vec![value(&field)])
        } else {
            value(&field)
        };
        example.set_field(&field, value);
    }
    example
}

fn value(field: &FieldDescriptor) -> Value {
    match field.kind() {
        Kind::Bool => Value::Bool(true),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(3),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(3),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(if field.name() == "year" { 2025 } else { 3 }),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(42),
        Kind::Float => Value::F32(0.5),
        Kind::Double => Value::F64(0.5),
        Kind::Bytes => Value::Bytes(b"bytes".as_slice().into()),
        Kind::Enum(values) => Value::EnumNumber(
            values
                .values()
                .map(|value| value.number())
                .find(|number| *number != 0)
                .unwrap_or(0),
        ),
        Kind::Message(message) if message.full_name() == "google.protobuf.Timestamp" => {
            let mut dynamic = DynamicMessage::new(message);
            dynamic.set_field_by_name("seconds", Value::I64(INSTANT.seconds));
            Value::Message(dynamic)
        }
        Kind::Message(message) => Value::Message(of(&message)),
        Kind::String => Value::String(text(field.name()).to_owned()),
    }
}

/// A plausible text for a field of that name.
fn text(name: &str) -> &str {
    let is_date =
        |name: &str| name.ends_with("dato") || name.ends_with("date") || name.ends_with("_on") || name.ends_with("_at");
    match name {
        "person_ref" | "person_refs" | "created_by" | "signer" | "declared_by" | "elected_by" => PERSON,
        name if name.ends_with("_id") || name.ends_with("_ids") => UUID,
        name if name.contains("orgnr") || name == "organisasjonsnummer" => "312345676",
        "kommunenummer" => "0301",
        "postnummer" => "0150",
        "landkode" => "NO",
        "icnpo" | "icnpo_hint" => "1100",
        "form" | "proposed_form" => "FLI",
        "role_code" => "LEDE",
        "language" => "nb",
        "register" | "registers" => "frivillighetsregisteret",
        "name" | "title" | "set" => "Nordby turlag",
        "purpose" | "purpose_text" | "aktivitet" => "Å få flere ut på tur",
        "hjemmeside" => "https://nordby-turlag.example",
        "naeringskode" | "naeringskoder" => "94.991",
        "sektorkode" => "7000",
        "band" => "13-19",
        "accounting_year_end" => "12-31",
        name if name.ends_with("hash") => "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "at" | "from" | "effective" | "period_from" | "period_to" | "role_from" | "role_to" | "resume_by" => {
            "2026-05-01"
        }
        name if is_date(name) => "2026-05-01",
        name if name.ends_with("_ref") || name.ends_with("_token") => "ref-1",
        _ => "…",
    }
}
