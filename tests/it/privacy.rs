//! Invariant I7: no personal data in the log. Events carry a reference to a person and nothing else about one.

use std::collections::BTreeSet;

use prost_reflect::{Kind, MessageDescriptor};

/// Parts of field names that only personal data has.
const PERSONAL: [&str; 22] = [
    "fnr",
    "fodselsnummer",
    "foedselsnummer",
    "personnummer",
    "dnummer",
    "d_number",
    "national_id",
    "ssn",
    "fodselsdato",
    "birth",
    "email",
    "e_mail",
    "epost",
    "phone",
    "telefon",
    "mobil",
    "fornavn",
    "etternavn",
    "first_name",
    "last_name",
    "person_name",
    "gateadresse",
];

/// Fields whose name looks like a bank account's: only a reference to it, or that there is one, may be told.
const ACCOUNT_MAY_BE: [&str; 3] = ["kontonummer_token", "har_kontonummer", "kontonummer_utgaar"];

/// Every message that can be in an event, events first.
fn messages() -> Vec<MessageDescriptor> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let mut open: Vec<_> = ryggrad_proto::catalogue()
        .iter()
        .map(|event| event.message.clone())
        .collect();
    while let Some(message) = open.pop() {
        if !seen.insert(message.full_name().to_owned()) {
            continue;
        }
        open.extend(message.fields().filter_map(|field| match field.kind() {
            Kind::Message(inner) => Some(inner),
            _ => None,
        }));
        found.push(message);
    }
    found
}

#[test]
fn i7_no_field_of_an_event_is_named_after_personal_data() {
    let messages = messages();
    assert!(messages.len() > 40, "only {} messages", messages.len());
    for message in messages {
        for field in message.fields() {
            let name = field.name();
            assert!(
                !PERSONAL.iter().any(|word| name.contains(word)),
                "{}.{name} holds personal data",
                message.full_name()
            );
            let account = name.contains("kontonummer") || name.contains("account_number");
            assert!(
                !account || ACCOUNT_MAY_BE.contains(&name),
                "{}.{name} holds a bank account",
                message.full_name()
            );
        }
    }
}

#[test]
fn i7_events_that_refer_to_a_person_are_not_public() {
    use ryggrad_proto::options::v1::PrivacyClass;
    for event in ryggrad_proto::catalogue() {
        let refers = event.fields.iter().any(|field| {
            field.name.contains("person_ref") || matches!(field.kind.as_str(), "RoleHolder" | "repeated RoleHolder")
        });
        let open = matches!(
            event.class,
            PrivacyClass::Public | PrivacyClass::Org | PrivacyClass::Unspecified
        );
        assert!(
            !(refers && open),
            "{} refers to a person and is of class {:?}",
            event.name,
            event.class
        );
    }
}
