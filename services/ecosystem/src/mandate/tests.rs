//! The life of a mandate, in sentences.

use ryggrad_decider::scenario::{Given, given};
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::ecosystem::v1 as pb;

use super::{Event, Mandate};

const CLUB: &str = "310000019";
const PLATFORM: &str = "399001218";
const OTHER: &str = "399001307";

fn by(orgnr: &str) -> Actor {
    Actor {
        kind: "organisation".into(),
        r#ref: orgnr.into(),
        authenticated: true,
        ..Actor::default()
    }
}

fn granted() -> Event {
    pb::MandateGranted {
        from_orgnr: CLUB.into(),
        to_orgnr: PLATFORM.into(),
        ..pb::MandateGranted::default()
    }
    .into()
}

fn revoked() -> Event {
    pb::MandateRevoked::default().into()
}

fn club(events: impl IntoIterator<Item = Event>) -> Given<Mandate> {
    given::<Mandate>(events).by(by(CLUB))
}

fn to(orgnr: &str) -> pb::GrantMandate {
    pb::GrantMandate {
        to_orgnr: orgnr.into(),
        ..pb::GrantMandate::default()
    }
}

#[test]
fn it_is_from_the_one_whose_token_it_was() {
    let (_, events) = club([]).when(to(PLATFORM)).then_names(&["MandateGranted"]);
    let [Event::MandateGranted(granted)] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(
        (granted.from_orgnr.as_str(), granted.to_orgnr.as_str()),
        (CLUB, PLATFORM)
    );
}

#[test]
fn nobody_gives_one_on_behalf_of_another_or_to_itself() {
    let for_the_club = Actor {
        acting_for: CLUB.into(),
        ..by(PLATFORM)
    };
    club([])
        .by(for_the_club)
        .when(to(OTHER))
        .then_refused("R-0.98", "NotTheOrganisation");
    club([]).when(to(CLUB)).then_refused("R-0.00", "InvalidField");
}

#[test]
fn it_names_commands_that_there_are() {
    let command = |name: &str| pb::GrantMandate {
        commands: vec![name.into()],
        ..to(PLATFORM)
    };
    club([]).when(command("ReportRoles")).then_names(&["MandateGranted"]);
    club([])
        .when(command("ReportRole"))
        .then_refused("R-0.00", "InvalidField");
}

#[test]
fn it_needs_a_number_and_a_day_that_are_good() {
    club([]).when(to("310000018")).then_refused("R-0.01", "InvalidField");
    let past = pb::GrantMandate {
        until: Some("1999-12-31".into()),
        ..to(PLATFORM)
    };
    club([]).when(past).then_refused("R-0.00", "InvalidField");
}

#[test]
fn both_can_end_it_and_nobody_else() {
    let end = pb::RevokeMandate::default;
    club([granted()]).when(end()).then_names(&["MandateRevoked"]);
    club([granted()])
        .by(by(PLATFORM))
        .when(end())
        .then_names(&["MandateRevoked"]);
    club([granted()])
        .by(by(OTHER))
        .when(end())
        .then_refused("R-0.99", "WrongState");
    club([granted(), revoked()]).when(end()).then_names(&[]);
    club([]).when(end()).then_refused("R-0.99", "WrongState");
}
