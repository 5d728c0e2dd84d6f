//! Whose organisation number a command may say.

use ryggrad_proto::ecosystem::v1::{self as eco, mandate_event};
use ryggrad_proto::registration::v1::{self as pb, registration_case_event};
use uuid::Uuid;

use super::{ORGANISATION, append, by, club, platform, world};
use crate::callers::{CLUB, OTHER, PLATFORM};

/// A notification about an organisation, with the number that it says it has; an id that nobody has had is of nobody.
fn draft(organisation_id: Uuid, number: &str) -> pb::registration_case_command::Command {
    pb::registration_case_command::Command::from(pb::DraftRegistration {
        organisation_id: organisation_id.to_string(),
        content: Some(numbered(number)),
        ..pb::DraftRegistration::default()
    })
}

fn numbered(number: &str) -> pb::RegistrationContent {
    pb::RegistrationContent {
        organisasjonsnummer: number.to_owned(),
        ..pb::RegistrationContent::default()
    }
}

#[tokio::test]
async fn a_notification_carries_nobody_elses_number() {
    let world = world().await;
    let (case, unknown) = (Uuid::from_u128(99), Uuid::from_u128(98));
    let admitted = async |caller, about, number: &str, mandate: &str| {
        let admitted = world.admit(caller, case, draft(about, number), mandate).await;
        admitted.map(|actor| actor.acting_for)
    };
    assert_eq!(admitted(club(), ORGANISATION, CLUB, "").await, Ok(String::new()));
    // Its own organisation, and somebody else's number; even one that it may act for.
    let other = || draft(ORGANISATION, OTHER);
    assert_eq!(
        world.admit(club(), case, other(), "").await.err(),
        Some("OTHER_ORGANISATION")
    );
    let mandate = Uuid::from_u128(0x16);
    let granted = mandate_event::Event::from(eco::MandateGranted {
        mandate_id: mandate.to_string(),
        from_orgnr: OTHER.to_owned(),
        to_orgnr: CLUB.to_owned(),
        ..eco::MandateGranted::default()
    });
    append(&world.ecosystem, "Mandate", mandate, Some(OTHER), by(OTHER), &granted).await;
    let mandate = mandate.to_string();
    assert_eq!(
        world.admit(club(), case, other(), &mandate).await.err(),
        Some("OTHER_ORGANISATION")
    );
    // An organisation that nobody knows here has the number of whoever may act for it.
    assert_eq!(admitted(club(), unknown, OTHER, "").await, Err("NO_MANDATE"));
    assert_eq!(admitted(platform(PLATFORM), unknown, CLUB, "").await, Err("NO_MANDATE"));
    assert_eq!(admitted(club(), unknown, CLUB, "").await, Ok(String::new()));
    assert_eq!(admitted(club(), unknown, OTHER, &mandate).await, Ok(OTHER.to_owned()));
    assert_eq!(admitted(platform(PLATFORM), unknown, "", "").await, Ok(String::new()));
    // What is no number is the domain's to refuse.
    assert_eq!(admitted(club(), ORGANISATION, "12", "").await, Ok(String::new()));
}

#[tokio::test]
async fn a_number_is_not_put_into_a_notification_afterwards() {
    let world = world().await;
    let (begun, known) = (Uuid::from_u128(97), Uuid::from_u128(96));
    let drafted = registration_case_event::Event::from(pb::RegistrationDrafted::default());
    append(
        &world.registration,
        "RegistrationCase",
        begun,
        None,
        by(PLATFORM),
        &drafted,
    )
    .await;
    append(
        &world.registration,
        "RegistrationCase",
        known,
        Some(CLUB),
        by(CLUB),
        &drafted,
    )
    .await;
    let amend = |number: &str| {
        pb::registration_case_command::Command::from(pb::AmendRegistration {
            content: Some(numbered(number)),
            ..pb::AmendRegistration::default()
        })
    };
    let by_platform = async |number: &str| world.admit(platform(PLATFORM), begun, amend(number), "").await.err();
    assert_eq!(by_platform("").await, None);
    assert_eq!(by_platform(PLATFORM).await, None, "its own number");
    assert_eq!(by_platform(CLUB).await, Some("NO_MANDATE"));
    let by_club = async |number: &str| world.admit(club(), known, amend(number), "").await.err();
    assert_eq!(by_club(CLUB).await, None);
    assert_eq!(by_club(OTHER).await, Some("OTHER_ORGANISATION"));
}
