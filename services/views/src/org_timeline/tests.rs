//! Given events, when folded, then their entries.

use prost_reflect::{DynamicMessage, Kind as FieldKind, MessageDescriptor, Value as FieldValue};
use ryggrad_proto::options::v1::PrivacyClass;
use ryggrad_proto::registration::v1::organisation_event::Event as Organisation;
use ryggrad_proto::registration::v1::registration_case_event::Event as Case;
use ryggrad_proto::registration::v1::{
    OrganisationDetails, OrganisationRegistered, RegistrationDrafted, RegistrationSigned, RolesReported,
    SignaturesRequested, Signer,
};

use super::*;
use crate::example::{event, fold, id, minute, named};

fn registered(position: u64, number: u128, orgnr: &str) -> Recorded {
    let details = OrganisationDetails {
        name: "Vang idrettslag".into(),
        form: "FLI".into(),
        ..OrganisationDetails::default()
    };
    let message = OrganisationRegistered {
        orgnr: orgnr.into(),
        details: Some(details),
        ..OrganisationRegistered::default()
    };
    Recorded {
        orgnr: Some(orgnr.into()),
        ..event(position, "Organisation", id(number), &Organisation::from(message))
    }
}

fn facts(entry: &TimelineEntry) -> Vec<(&str, &str)> {
    entry
        .facts
        .iter()
        .map(|fact| (fact.name.as_str(), fact.value.as_str()))
        .collect()
}

#[test]
fn an_event_has_an_entry_with_what_it_says_in_short() {
    let rows = fold(&OrgTimeline, &[registered(7, 1, "313000009")]);
    let entry = &rows[&key(&id(1).to_string(), 7)];
    assert_eq!(
        (entry.position, entry.event.as_str(), entry.class()),
        (7, "OrganisationRegistered", PrivacyClass::Public)
    );
    assert_eq!((entry.aggregate_type.as_str(), entry.related), ("Organisation", false));
    assert_eq!(entry.occurred_at, Some(minute(7).into()));
    assert_eq!(
        facts(entry),
        [("orgnr", "313000009"), ("name", "Vang idrettslag"), ("form", "FLI")]
    );
}

#[test]
fn a_registration_leads_from_the_number_to_the_id() {
    let rows = fold(&OrgTimeline, &[registered(7, 1, "313000009")]);
    let entry = &rows[&key("313000009", 7)];
    assert_eq!(
        (entry.organisation_id.as_str(), entry.related),
        (id(1).to_string().as_str(), false)
    );
}

#[test]
fn an_event_is_in_the_timeline_of_everybody_it_names_once() {
    let drafted = Case::from(RegistrationDrafted {
        registers: vec!["ER".into(), "FR".into()],
        ..RegistrationDrafted::default()
    });
    let drafted = Recorded {
        organisation_id: id(1),
        related: vec![id(2), id(1), id(2)],
        ..event(3, "RegistrationCase", id(9), &drafted)
    };
    let rows = fold(&OrgTimeline, &[drafted]);
    let whose: Vec<_> = rows
        .values()
        .map(|entry| (entry.organisation_id.clone(), entry.related))
        .collect();
    assert_eq!(whose, [(id(1).to_string(), false), (id(2).to_string(), true)]);
}

#[test]
fn entries_of_one_organisation_are_in_the_order_of_their_positions() {
    let events = [9, 10, 100, 1_000_000].map(|position| registered(position, 1, "313000009"));
    let rows = fold(&OrgTimeline, &events);
    let (from, to) = stretch(&id(1).to_string());
    let positions: Vec<_> = rows.range(from..to).map(|(_, entry)| entry.position).collect();
    assert_eq!(positions, [9, 10, 100, 1_000_000]);
}

#[test]
fn persons_are_counted_and_not_named() {
    let person = "8e4f7a52-1111-4222-8333-444455556666";
    let signers = vec![Signer {
        person_ref: person.into(),
        role_code: "LEDE".into(),
    }];
    let events = [
        event(
            1,
            "RegistrationCase",
            id(9),
            &Case::from(SignaturesRequested {
                signers,
                ..SignaturesRequested::default()
            }),
        ),
        event(
            2,
            "RegistrationCase",
            id(9),
            &Case::from(RegistrationSigned {
                person_ref: person.into(),
                ..RegistrationSigned::default()
            }),
        ),
        event(3, "Organisation", id(9), &Organisation::from(RolesReported::default())),
    ];
    for entry in fold(&OrgTimeline, &events).values() {
        assert!(
            !facts(entry).iter().any(|(_, value)| value.contains(person)),
            "{entry:?}"
        );
    }
}

#[test]
fn an_event_of_a_later_program_has_an_entry_without_a_summary() {
    let rows = fold(&OrgTimeline, &[named("operations", "Activity", "ActivityPublished")]);
    let entry = rows.values().next().expect("an entry");
    assert_eq!((entry.event.as_str(), entry.facts.len()), ("ActivityPublished", 0));
}

/// Fills every text of every event with something that may not come out: a person's reference, or words of a person's own.
#[test]
fn no_summary_of_any_event_tells_a_person_or_free_words() {
    const SECRET: &str = "8e4f7a52-1111-4222-8333-444455556666";
    for kind in ryggrad_proto::catalogue() {
        let mut message = DynamicMessage::new(kind.message.clone());
        fill(&kind.message, &mut message, SECRET);
        let data = prost_reflect::prost::Message::encode_to_vec(&message);
        let recorded = Recorded {
            data: data.into(),
            ..named(&kind.context, &kind.aggregate, &kind.name)
        };
        for entry in fold(&OrgTimeline, &[recorded]).values() {
            assert!(
                !entry.facts.iter().any(|fact| fact.value.contains(SECRET)),
                "{}: {:?}",
                kind.name,
                entry.facts
            );
        }
    }
}

/// Parts of the names of fields that hold a person's reference or free words.
const PRIVATE: [&str; 12] = [
    "person",
    "signer",
    "declared_by",
    "created_by",
    "title",
    "purpose_text",
    "reason",
    "ground",
    "text",
    "token",
    "bank",
    "answer",
];

fn fill(descriptor: &MessageDescriptor, message: &mut DynamicMessage, secret: &str) {
    for field in descriptor.fields() {
        let is_private = PRIVATE.iter().any(|part| field.name().contains(part));
        let value = match field.kind() {
            FieldKind::String if is_private => FieldValue::String(secret.to_owned()),
            FieldKind::Message(inner) if !inner.full_name().starts_with("google.") => {
                let mut value = DynamicMessage::new(inner.clone());
                fill(&inner, &mut value, secret);
                FieldValue::Message(value)
            }
            _ => continue,
        };
        message.set_field(
            &field,
            if field.is_list() {
                FieldValue::List(vec![value])
            } else {
                value
            },
        );
    }
}
