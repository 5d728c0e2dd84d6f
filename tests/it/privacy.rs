//! Invariant I7: no personal data in the log. Events carry a reference to a person and nothing else about one.

use std::collections::BTreeSet;

use prost_reflect::{Kind, MessageDescriptor};
use ryggrad_norway::PersonNumber;

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

/// Fields that hold a reference to a person without being named so.
const REFERENCES: [&str; 3] = ["signer", "declared_by", "created_by"];

/// Where a message refers to a person, itself or through what it is made of.
fn references(message: &MessageDescriptor, seen: &mut BTreeSet<String>) -> Vec<String> {
    if !seen.insert(message.full_name().to_owned()) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for field in message.fields() {
        match field.kind() {
            Kind::Message(inner) => found.extend(references(&inner, seen)),
            Kind::String if field.name().contains("person_ref") || REFERENCES.contains(&field.name()) => {
                found.push(format!("{}.{}", message.name(), field.name()));
            }
            _ => {}
        }
    }
    found
}

#[test]
fn i7_events_that_refer_to_a_person_are_not_public() {
    use ryggrad_proto::options::v1::PrivacyClass;
    let mut referring = BTreeSet::new();
    for event in ryggrad_proto::catalogue() {
        let mut references = references(&event.message, &mut BTreeSet::new());
        // What the documentation calls a reference is one, whatever its name.
        let documented = event.fields.iter().filter(|field| field.doc.contains("person_ref"));
        references.extend(documented.map(|field| field.name.clone()));
        if references.is_empty() {
            continue;
        }
        assert!(
            matches!(event.class, PrivacyClass::Pers | PrivacyClass::Conf),
            "{} is of class {:?} and refers to a person by {references:?}",
            event.name,
            event.class
        );
        referring.extend(references);
    }
    for known in ["Signer.person_ref", "Founder.person_ref", "RoleHolder.person_ref"] {
        assert!(referring.contains(known), "{known} was not looked at: {referring:?}");
    }
    for known in REFERENCES {
        assert!(
            referring.iter().any(|field| field.ends_with(known)),
            "{known} was not looked at: {referring:?}"
        );
    }
}

/// Invariant I7 in the rows: nothing that looks like an identity number, an account number or an e-mail address.
pub(crate) async fn i7_no_row_of_the_log_tells_about_a_person(owner: &sqlx::PgPool) {
    let sql = "select name, concat_ws(' ', payload::text, actor::text) from log.events order by position";
    let rows: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(owner).await.expect("the log");
    assert!(rows.len() > 30, "only {} events", rows.len());
    for (name, text) in rows {
        assert!(!text.contains('@'), "{name} has an e-mail address: {text}");
        for number in text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| word.len() == 11)
        {
            assert!(
                PersonNumber::parse(number).is_err(),
                "{name} has an identity number: {text}"
            );
            assert!(
                number.parse::<u64>().is_err(),
                "{name} has a number as long as an account's: {text}"
            );
        }
    }
}
