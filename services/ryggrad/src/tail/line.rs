//! One event as one line.

use std::io;

use jiff::Timestamp;
use ryggrad_client::Event;
use serde_json::{Map, Value};

use crate::print::{FAINT, STRONG, styled};

/// How long a summary may be.
const SUMMARY: usize = 72;
/// Fields that a line says already, or that say nothing to a person.
const SILENT: [&str; 4] = ["orgnr", "origin", "snapshot", "kommunenummer"];

/// For people: position, time, what happened, to whom, and a few words of it.
pub(crate) fn human(event: &Event) -> String {
    let envelope = &event.envelope;
    let time = envelope
        .occurred_at
        .and_then(|instant| Timestamp::try_from(instant).ok());
    let time = time
        .and_then(|instant| instant.in_tz("Europe/Oslo").ok())
        .map(|here| here.strftime("%Y-%m-%d %H:%M:%S").to_string());
    let term = event
        .event_type()
        .map(|known| known.norwegian_term.as_str())
        .filter(|term| !term.is_empty())
        .unwrap_or(event.name());
    let whom = if envelope.orgnr.is_empty() {
        &envelope.organisation_id
    } else {
        &envelope.orgnr
    };
    let payload = event.json().ok().flatten().unwrap_or_default();
    [
        styled(FAINT, format!("{:>8}", envelope.position)),
        styled(FAINT, time.unwrap_or_default()),
        styled(STRONG, format!("{term:<36}")),
        format!("{whom:<9}"),
        summary(&payload),
    ]
    .join("  ")
    .trim_end()
    .to_owned()
}

/// For programs: the envelope in canonical proto JSON, with the payload as `payload` in place of its bytes. An event of a
/// type that this build does not know keeps its bytes.
pub(crate) fn json(event: &Event) -> io::Result<String> {
    let mut value = serde_json::to_value(&event.envelope)?;
    let payload = event.json().map_err(io::Error::other)?;
    if let (Some(fields), Some(payload)) = (value.as_object_mut(), payload) {
        fields.remove("data");
        fields.insert("payload".to_owned(), payload);
    }
    Ok(value.to_string())
}

/// The name, if there is one, then other plain values, as many as fit.
fn summary(payload: &Value) -> String {
    let mut words = Vec::new();
    if let Some(fields) = payload.as_object() {
        collect(fields, &mut words);
    }
    words.sort_by_key(|(field, _)| !matches!(field.as_str(), "name" | "navn"));
    let mut text = String::new();
    for (field, value) in words {
        let word = if matches!(field.as_str(), "name" | "navn") {
            value
        } else {
            format!("{field}={value}")
        };
        let separator = if text.is_empty() { "" } else { "  " };
        if text.chars().count() + separator.len() + word.chars().count() > SUMMARY {
            break;
        }
        text.push_str(separator);
        text.push_str(&word);
    }
    text
}

/// Plain values of an object and of the objects directly in it.
fn collect(fields: &Map<String, Value>, words: &mut Vec<(String, String)>) {
    let wanted =
        |field: &String| !SILENT.contains(&field.as_str()) && !field.ends_with("Id") && !field.ends_with("Ref");
    for (field, value) in fields.iter().filter(|(field, _)| wanted(field)) {
        match value {
            // Control characters of somebody's text are not for the terminal.
            Value::String(text) if !text.is_empty() => words.push((field.clone(), text.replace(char::is_control, " "))),
            Value::Number(number) => words.push((field.clone(), number.to_string())),
            Value::Bool(true) => words.push((field.clone(), "true".to_owned())),
            Value::Object(inner) => collect(inner, words),
            Value::String(_) | Value::Bool(false) | Value::Array(_) | Value::Null => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use ryggrad_proto::common::v1::Envelope;
    use ryggrad_proto::registration::v1::{OrganisationDetails, OrganisationRegistered, organisation_event};

    use super::*;

    fn event() -> Event {
        let details = OrganisationDetails {
            name: "Eksempel\u{1b}[31mkoret".into(),
            form: "FLI".into(),
            ..Default::default()
        };
        let message = OrganisationRegistered {
            orgnr: "310000019".into(),
            details: Some(details),
            ..Default::default()
        };
        let payload = organisation_event::Event::OrganisationRegistered(message);
        Event::from(Envelope {
            position: 7,
            r#type: "no.ryggrad.registration.OrganisationRegistered.v1".into(),
            occurred_at: Some("2026-03-20T12:00:00Z".parse::<Timestamp>().unwrap().into()),
            orgnr: "310000019".into(),
            data: ryggrad_proto::EventPayload::encode(&payload).into(),
            ..Default::default()
        })
    }

    #[test]
    fn a_line_says_when_what_and_who() {
        let line = anstream::adapter::strip_str(&human(&event())).to_string();
        assert!(
            line.starts_with("       7  2026-03-20 13:00:00  registrert i Enhetsregisteret"),
            "{line}"
        );
        assert!(line.contains("310000019  Eksempel [31mkoret  form=FLI"), "{line}");
    }

    #[test]
    fn json_has_the_payload_decoded() {
        let value: Value = serde_json::from_str(&json(&event()).unwrap()).unwrap();
        assert_eq!(value["position"], "7");
        assert_eq!(value["payload"]["details"]["form"], "FLI");
        assert!(value.get("data").is_none());
    }

    #[test]
    fn an_event_of_a_later_version_is_shown_by_its_name_and_bytes() {
        let later = Event::from(Envelope {
            r#type: "no.ryggrad.registration.SomethingNew.v1".into(),
            data: vec![1].into(),
            ..Default::default()
        });
        assert!(human(&later).contains("SomethingNew"));
        assert_eq!(
            serde_json::from_str::<Value>(&json(&later).unwrap()).unwrap()["data"],
            "AQ=="
        );
    }
}
