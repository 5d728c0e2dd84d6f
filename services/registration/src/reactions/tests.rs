//! What follows from which fact.

use ryggrad_eventlog::reaction::Reaction as _;
use ryggrad_proto::EventPayload;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::founding_command::Command as ToFounding;
use ryggrad_proto::registration::v1::founding_event::Event as OfFounding;
use ryggrad_proto::registration::v1::initiative_event::Event as OfInitiative;
use ryggrad_proto::registration::v1::organisation_command::Command as ToOrganisation;
use ryggrad_proto::registration::v1::organisation_event::Event as OfOrganisation;
use ryggrad_proto::registration::v1::registration_case_command::Command as ToCase;
use ryggrad_proto::registration::v1::registration_case_event::Event as OfCase;

use super::Reactions;
use crate::command::Command;
use crate::testing::recorded;

const ID: &str = "01958f6e-7c00-7000-8000-0000000000a1";

#[track_caller]
fn react(aggregate: &'static str, event: &impl EventPayload) -> Option<Command> {
    let event = recorded(aggregate, event);
    let commands = Reactions.react(&mut (), &event).expect("a known event");
    assert_eq!(
        Reactions.key(&event).is_some(),
        !commands.is_empty() || quiet(&event.name),
        "{}",
        event.name
    );
    commands.into_iter().next()
}

/// Facts that lead to a command only with a certain content.
fn quiet(name: &str) -> bool {
    matches!(
        name,
        "RegistrationSubmitted"
            | "OrganisationRegistered"
            | "VoluntaryRegistrationEntered"
            | "VoluntaryRegistrationRefused"
    )
}

#[test]
fn a_decision_to_found_plans_the_founding() {
    let decided = OfInitiative::from(pb::FoundingDecided {
        initiative_id: ID.into(),
        founding_id: ID.into(),
        proposed_form: "FLI".into(),
    });
    let Some(Command::Founding(ToFounding::PlanFounding(plan))) = react("Initiative", &decided) else {
        panic!("no plan")
    };
    assert_eq!(
        (
            plan.founding_id.as_str(),
            plan.form.as_str(),
            plan.initiative_id.as_deref()
        ),
        (ID, "FLI", Some(ID))
    );
    assert_eq!(
        react("Initiative", &OfInitiative::from(pb::TrialStarted::default())),
        None
    );
}

#[test]
fn a_founded_organisation_is_opened() {
    let founded = OfFounding::from(pb::OrganisationFounded {
        organisation_id: ID.into(),
        name: "Laget".into(),
        ..Default::default()
    });
    let Some(Command::Organisation(ToOrganisation::OpenOrganisation(open))) = react("Founding", &founded) else {
        panic!("not opened")
    };
    assert_eq!((open.organisation_id.as_str(), open.name.as_str()), (ID, "Laget"));
}

#[test]
fn only_a_new_notification_to_frivillighetsregisteret_is_an_application() {
    let submitted = |kind: pb::CaseKind, register: &str| {
        OfCase::from(pb::RegistrationSubmitted {
            organisation_id: ID.into(),
            kind: kind.into(),
            registers: vec![register.into()],
            ..Default::default()
        })
    };
    assert!(react("RegistrationCase", &submitted(pb::CaseKind::New, "FR")).is_some());
    assert_eq!(react("RegistrationCase", &submitted(pb::CaseKind::Change, "FR")), None);
    assert_eq!(react("RegistrationCase", &submitted(pb::CaseKind::New, "ER")), None);
}

#[test]
fn what_a_register_decided_answers_the_case_when_there_is_one() {
    let registered = |case_id: &str| {
        OfOrganisation::from(pb::OrganisationRegistered {
            case_id: case_id.into(),
            ..Default::default()
        })
    };
    let Some(Command::Case(ToCase::ConfirmRegistration(confirm))) = react("Organisation", &registered(ID)) else {
        panic!("not confirmed")
    };
    assert_eq!((confirm.case_id.as_str(), confirm.register.as_str()), (ID, "ER"));
    assert_eq!(
        react("Organisation", &registered("")),
        None,
        "read from the register, nobody asked for it"
    );
}

#[test]
fn a_refused_entry_refuses_the_case() {
    let refused = OfOrganisation::from(pb::VoluntaryRegistrationRefused {
        case_id: ID.into(),
        ground: "nei".into(),
        ..Default::default()
    });
    let Some(Command::Case(ToCase::RejectRegistration(reject))) = react("Organisation", &refused) else {
        panic!("not refused")
    };
    assert_eq!((reject.register.as_str(), reject.ground.as_str()), ("FR", "nei"));
}
