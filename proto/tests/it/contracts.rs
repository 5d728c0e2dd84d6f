//! Rules that every contract keeps.

use std::collections::BTreeSet;

use prost_reflect::{DynamicMessage, Kind, MessageDescriptor};
use ryggrad_proto::options::v1::PrivacyClass;
use ryggrad_proto::{catalogue, commands, example};

/// Words that a field about a person would have in its name (I7): nothing of it belongs in the log.
const PERSONAL: [&str; 16] = [
    "fnr",
    "fodselsnummer",
    "foedselsnummer",
    "personnummer",
    "d_number",
    "ssn",
    "first_name",
    "last_name",
    "fornavn",
    "etternavn",
    "birth",
    "foedselsdato",
    "phone",
    "telefon",
    "mobil",
    "email",
];

#[test]
fn every_event_says_class_term_phase_and_what_it_is() {
    assert!(!catalogue().is_empty());
    for event in catalogue() {
        assert_ne!(event.class, PrivacyClass::Unspecified, "{}", event.name);
        assert!(!event.norwegian_term.is_empty(), "{} has no Norwegian term", event.name);
        assert!(
            event.phase <= 6 && (event.phase > 0 || event.context == "ecosystem"),
            "{} has phase {}",
            event.name,
            event.phase
        );
        assert!(!event.doc.is_empty(), "{} has no comment", event.name);
        for field in &event.fields {
            assert!(!field.doc.is_empty(), "{}.{} has no comment", event.name, field.name);
        }
    }
}

#[test]
fn every_command_and_its_fields_are_documented() {
    for command in commands() {
        assert!(!command.doc.is_empty(), "{} has no comment", command.name);
        for field in &command.fields {
            assert!(!field.doc.is_empty(), "{}.{} has no comment", command.name, field.name);
        }
    }
}

#[test]
fn what_a_timer_decides_has_no_rpc_and_what_an_authority_decides_only_in_its_port() {
    for command in commands() {
        let rpc = command.rpc.as_deref().unwrap_or_default();
        let in_a_port = rpc.contains("Port/") || rpc.contains("Port.");
        assert!(
            !command.timer || rpc.is_empty(),
            "{} can be sent by anybody",
            command.name
        );
        assert!(
            rpc.is_empty() || command.authority == in_a_port,
            "{}: {rpc}",
            command.name
        );
        assert!(
            in_a_port || command.internal || !command.authority,
            "{}: its authority has no way in",
            command.name
        );
        assert_eq!(
            command.rpc.is_some(),
            command.http.is_some(),
            "{} has an rpc without a route",
            command.name
        );
    }
}

#[test]
fn a_name_means_one_message_in_its_context() {
    for event in catalogue() {
        let first = ryggrad_proto::event_type(&event.context, &event.name).map(|first| &first.message);
        assert_eq!(first, Some(&event.message), "{} is two things", event.name);
        assert!(
            !commands().iter().any(|command| command.name == event.name),
            "{} is a fact and a command",
            event.name
        );
    }
}

#[test]
fn no_event_has_a_field_for_personal_data() {
    for event in catalogue() {
        let mut seen = BTreeSet::new();
        scan(&event.message, &mut seen);
    }
}

fn scan(message: &MessageDescriptor, seen: &mut BTreeSet<String>) {
    if !seen.insert(message.full_name().to_owned()) {
        return;
    }
    for field in message.fields() {
        let personal = PERSONAL.iter().find(|word| field.name().contains(*word));
        assert_eq!(personal, None, "{} looks like personal data", field.full_name());
        if let Kind::Message(inner) = field.kind() {
            scan(&inner, seen);
        }
    }
}

#[test]
fn an_event_survives_bytes_and_json() {
    for event in catalogue() {
        let message = example::of(&event.message);
        let bytes = prost_reflect::prost::Message::encode_to_vec(&message);
        let json = event.json(&bytes).expect("its own bytes");
        let back = DynamicMessage::deserialize(event.message.clone(), &json).expect("its own JSON");
        assert_eq!(back, message, "{}", event.name);
    }
}
