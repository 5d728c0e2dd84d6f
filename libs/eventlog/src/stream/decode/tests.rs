use super::*;
use crate::stream::{headers, subject};

fn event() -> Recorded {
    let id = |n: u128| Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0000 + n);
    Recorded {
        position: 42,
        event_id: id(1),
        context: "registration".into(),
        name: "OrganisationRegistered".into(),
        aggregate_type: "Organisation".into(),
        aggregate_id: id(2),
        sequence: 7,
        organisation_id: id(3),
        occurred_at: "2026-05-01T10:00:00.000001Z".parse().expect("an instant"),
        recorded_at: "2026-05-01T10:00:01Z".parse().expect("an instant"),
        correlation_id: id(4),
        causation_id: Some(id(5)),
        causation_position: Some(41),
        command_id: id(6),
        actor: Actor {
            kind: "system".into(),
            r#ref: "Brønnøysund \"100%\"".into(),
            acting_for: "315000009".into(),
            mandate: String::new(),
            authenticated: false,
            supplier: "399001307".into(),
        },
        orgnr: Some("315000009".into()),
        kommunenummer: Some("4601".into()),
        related: vec![id(7), id(8)],
        class: PrivacyClass::Public,
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
        data: Bytes::from_static(b"\x0a\x03abc"),
    }
}

#[test]
fn an_event_comes_back_from_its_message() {
    let event = event();
    assert_eq!(decode(42, &headers(&event), event.data.clone()), Ok(event));
}

#[test]
fn what_an_event_lacks_comes_back_as_lacking() {
    let event = Recorded {
        causation_id: None,
        causation_position: None,
        orgnr: None,
        kommunenummer: None,
        related: vec![],
        traceparent: None,
        actor: Actor::default(),
        ..event()
    };
    assert_eq!(decode(42, &headers(&event), event.data.clone()), Ok(event));
}

#[test]
fn i1_an_event_at_another_number_is_refused() {
    let event = event();
    assert_eq!(
        decode(43, &headers(&event), event.data.clone()),
        Err(DecodeError::Position {
            sequence: 43,
            position: 42
        })
    );
}

#[test]
fn a_message_of_somebody_else_is_refused() {
    assert_eq!(
        decode(1, &HeaderMap::new(), Bytes::new()),
        Err(DecodeError::Missing {
            sequence: 1,
            name: "ce-position"
        })
    );
    let mut foreign = headers(&event());
    foreign.insert("ce-id", "not an id");
    assert_eq!(
        decode(42, &foreign, Bytes::new()),
        Err(DecodeError::Value {
            sequence: 42,
            name: "ce-id".into()
        })
    );
}

#[test]
fn the_subject_tells_class_context_event_and_partition() {
    assert_eq!(
        subject(&event()),
        format!(
            "ryggrad.v1.public.registration.OrganisationRegistered.{:02}",
            event().partition()
        )
    );
}
