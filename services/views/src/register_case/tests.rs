//! Given the events of a case, when folded, then where it stands.

use ryggrad_proto::registration::v1::{self as pb, CaseKind, DocumentKind};
use ryggrad_proto::views::v1::CaseDeadline;

use super::*;
use crate::example::{event, fold, id, minute};

const ANNE: &str = "8e4f7a52-1111-4222-8333-444455556666";
const BO: &str = "9f4f7a52-1111-4222-8333-444455556666";

/// The case after the events, each a minute after the one before.
fn after(events: impl IntoIterator<Item = Event>) -> Row {
    let events: Vec<_> = (1..)
        .zip(events)
        .map(|(position, fact)| Recorded {
            organisation_id: id(1),
            ..event(position, "RegistrationCase", id(9), &fact)
        })
        .collect();
    let mut rows = fold(&RegisterCase, &events);
    assert_eq!(rows.len(), 1);
    rows.remove(&id(9).to_string()).expect("the case is under its id")
}

fn drafted() -> Event {
    let content = pb::RegistrationContent {
        form: "FLI".into(),
        name: "Vang idrettslag".into(),
        forretningsadresse: Some(pb::Address {
            kommunenummer: "3403".into(),
            ..pb::Address::default()
        }),
        ..pb::RegistrationContent::default()
    };
    pb::RegistrationDrafted {
        case_id: id(9).to_string(),
        organisation_id: id(1).to_string(),
        registers: vec!["ER".into(), "FR".into()],
        kind: CaseKind::New.into(),
        content: Some(content),
    }
    .into()
}

fn asked() -> Event {
    let signer = |person: &str, role: &str| pb::Signer {
        person_ref: person.into(),
        role_code: role.into(),
    };
    pb::SignaturesRequested {
        signers: vec![signer(ANNE, "LEDE"), signer(BO, "MEDL")],
        due_at: Some(minute(30 * 24 * 60).into()),
        ..pb::SignaturesRequested::default()
    }
    .into()
}

fn signed(person: &str) -> Event {
    pb::RegistrationSigned {
        person_ref: person.into(),
        signed_at: Some(minute(50).into()),
        ..pb::RegistrationSigned::default()
    }
    .into()
}

fn submitted() -> Event {
    pb::RegistrationSubmitted {
        message_ref: "m-1".into(),
        submitted_at: Some(minute(60).into()),
        ..pb::RegistrationSubmitted::default()
    }
    .into()
}

fn review() -> Event {
    pb::RegistrationReviewStarted {
        authority_ref: "2026/1".into(),
        ..pb::RegistrationReviewStarted::default()
    }
    .into()
}

fn confirmed(register: &str) -> Event {
    pb::RegistrationConfirmed {
        register: register.into(),
        orgnr: "313000009".into(),
        ..pb::RegistrationConfirmed::default()
    }
    .into()
}

fn rejected() -> Event {
    pb::RegistrationRejected {
        register: "FR".into(),
        ground: "R-2.14".into(),
        appeal_deadline: Some(minute(90).into()),
        ..pb::RegistrationRejected::default()
    }
    .into()
}

fn under_review() -> Vec<Event> {
    vec![drafted(), asked(), signed(ANNE), signed(BO), submitted(), review()]
}

fn deadlines(case: &Row) -> Vec<(&str, &str, &str)> {
    case.deadlines
        .iter()
        .map(
            |CaseDeadline {
                 timer, nature, state, ..
             }| (timer.as_str(), nature.as_str(), state.as_str()),
        )
        .collect()
}

fn with(mut events: Vec<Event>, more: impl IntoIterator<Item = Event>) -> Vec<Event> {
    events.extend(more);
    events
}

#[test]
fn a_draft_tells_what_it_is_about() {
    let case = after([drafted()]);
    assert_eq!((case.state.as_str(), case.kind.as_str()), ("draft", "new"));
    assert_eq!(
        (case.name.as_str(), case.form.as_str(), case.kommunenummer.as_str()),
        ("Vang idrettslag", "FLI", "3403")
    );
    assert_eq!(
        (case.registers.as_slice(), case.organisation_id.as_str()),
        (
            ["ER".to_owned(), "FR".to_owned()].as_slice(),
            id(1).to_string().as_str()
        )
    );
    assert_eq!((case.first_position, case.position, case.version), (1, 1, 1));
    assert_eq!(case.started_at, Some(minute(1).into()));
}

#[test]
fn an_amended_draft_tells_the_new_content() {
    let content = pb::RegistrationContent {
        name: "Vang IL".into(),
        organisasjonsnummer: "313000009".into(),
        ..pb::RegistrationContent::default()
    };
    let amended = pb::RegistrationAmended {
        registers: vec!["FR".into()],
        content: Some(content),
        ..pb::RegistrationAmended::default()
    };
    let case = after([drafted(), amended.into()]);
    assert_eq!(
        (case.name.as_str(), case.orgnr.as_str(), case.kommunenummer.as_str()),
        ("Vang IL", "313000009", "")
    );
    assert_eq!(
        (case.registers, case.first_position, case.position),
        (vec!["FR".to_owned()], 1, 2)
    );
}

#[test]
fn attachments_declarations_and_confirmations_are_kept_once() {
    let document = |kind: DocumentKind| {
        Event::from(pb::DocumentAttached {
            kind: kind.into(),
            ..pb::DocumentAttached::default()
        })
    };
    let auditor = || {
        let confirmed = pb::AuditorAssignmentConfirmed {
            orgnr_auditor: "314000002".into(),
            r#type: pb::AuditorType::Revisor.into(),
            ..Default::default()
        };
        Event::from(confirmed)
    };
    let declared = pb::BoardElectionDeclared::default().into();
    let case = after([
        drafted(),
        document(DocumentKind::Vedtekter),
        document(DocumentKind::Protokoll),
        document(DocumentKind::Vedtekter),
        declared,
        auditor(),
        auditor(),
    ]);
    assert_eq!(case.documents, ["protokoll", "vedtekter"]);
    assert!(case.board_election_declared);
    assert_eq!(
        case.assignments,
        [CaseAssignment {
            orgnr: "314000002".into(),
            r#type: "revisor".into()
        }]
    );
}

#[test]
fn a_request_for_signatures_sets_the_deadlines_with_what_they_rest_on() {
    let case = after([drafted(), asked()]);
    assert_eq!(case.state, "awaiting_signatures");
    let design = |timer| (timer, "design", "scheduled");
    assert_eq!(
        deadlines(&case),
        [design("T-2.2"), design("T-2.2"), design("T-2.2"), design("T-2.3")]
    );
    assert_eq!(case.deadlines[0].due_at, Some(minute(2 + 3 * 24 * 60).into()));
    assert_eq!(case.deadlines[3].due_at, Some(minute(30 * 24 * 60).into()));
    assert_eq!((case.signatures_required, case.signatures_given), (2, 0));
}

#[test]
fn signatures_are_counted_until_the_last() {
    let case = after([drafted(), asked(), signed(BO)]);
    assert_eq!((case.state.as_str(), case.signatures_given), ("awaiting_signatures", 1));
    let who: Vec<_> = case
        .signers
        .iter()
        .map(|signer| (signer.person_ref.as_str(), signer.signed_at.is_some()))
        .collect();
    assert_eq!(who, [(ANNE, false), (BO, true)]);
    let case = after([drafted(), asked(), signed(BO), signed(ANNE)]);
    assert_eq!(
        (case.state.as_str(), case.signed_at),
        ("signed", Some(minute(50).into()))
    );
    let cancelled = ("T-2.2", "design", "cancelled");
    assert_eq!(
        deadlines(&case),
        [cancelled, cancelled, cancelled, ("T-2.3", "design", "met")]
    );
}

#[test]
fn signatures_that_fell_are_waited_for_again() {
    let reset = pb::SignaturesReset {
        signatures: 2,
        ..pb::SignaturesReset::default()
    };
    let reminded = pb::SignaturesReminded {
        reminder: 1,
        ..pb::SignaturesReminded::default()
    };
    let case = after([
        drafted(),
        asked(),
        reminded.into(),
        signed(BO),
        signed(ANNE),
        reset.into(),
    ]);
    assert_eq!(
        (case.state.as_str(), case.signatures_required, case.signatures_given),
        ("awaiting_signatures", 2, 0)
    );
    assert_eq!(case.signed_at, None);
    let scheduled = ("T-2.2", "design", "scheduled");
    assert_eq!(
        deadlines(&case),
        [
            ("T-2.2", "design", "met"),
            scheduled,
            scheduled,
            ("T-2.3", "design", "scheduled")
        ]
    );
}

#[test]
fn a_new_request_replaces_the_deadlines_of_the_one_before() {
    let reminded = |reminder| {
        Event::from(pb::SignaturesReminded {
            reminder,
            ..pb::SignaturesReminded::default()
        })
    };
    let case = after([drafted(), asked(), reminded(1), asked(), reminded(1)]);
    let states: Vec<_> = case.deadlines.iter().map(|deadline| deadline.state.as_str()).collect();
    assert_eq!(
        states,
        [
            "met",
            "cancelled",
            "cancelled",
            "cancelled",
            "met",
            "scheduled",
            "scheduled",
            "scheduled"
        ]
    );
}

#[test]
fn a_case_that_was_not_signed_in_time_has_lapsed() {
    let case = after([
        drafted(),
        asked(),
        pb::RegistrationLapsed {
            signatures_missing: 2,
            ..pb::RegistrationLapsed::default()
        }
        .into(),
    ]);
    assert_eq!(
        (case.state.as_str(), case.closed_at),
        ("lapsed", Some(minute(3).into()))
    );
    let cancelled = ("T-2.2", "design", "cancelled");
    assert_eq!(
        deadlines(&case),
        [cancelled, cancelled, cancelled, ("T-2.3", "design", "missed")]
    );
}

#[test]
fn what_was_sent_is_taken_in_hand() {
    let case = after([drafted(), asked(), signed(ANNE), signed(BO), submitted()]);
    assert_eq!(
        (case.state.as_str(), case.message_ref.as_str(), case.submitted_at),
        ("submitted", "m-1", Some(minute(60).into()))
    );
    let case = after(under_review());
    assert_eq!(
        (case.state.as_str(), case.authority_ref.as_str(), case.review_started_at),
        ("under_review", "2026/1", Some(minute(6).into()))
    );
}

#[test]
fn the_authority_asks_for_more_and_gets_it() {
    let deficiency = pb::Deficiency {
        code: "KONT".into(),
        text: "kontaktperson mangler".into(),
    };
    let requested = pb::InformationRequested {
        deficiencies: vec![deficiency],
        due_at: Some(minute(80).into()),
        ..pb::InformationRequested::default()
    };
    let asked = with(under_review(), [requested.into()]);
    let case = after(asked.clone());
    assert_eq!((case.state.as_str(), case.deficiencies.len()), ("info_requested", 1));
    let last = case.deadlines.last().expect("a deadline");
    assert_eq!(
        (
            last.timer.as_str(),
            last.nature.as_str(),
            last.state.as_str(),
            last.due_at
        ),
        ("", "practice", "scheduled", Some(minute(80).into()))
    );
    let case = after(with(asked, [pb::RegistrationSupplemented::default().into()]));
    assert_eq!((case.state.as_str(), case.deficiencies.len()), ("under_review", 0));
    assert_eq!(
        case.deadlines.last().map(|deadline| deadline.state.as_str()),
        Some("met")
    );
    assert_eq!(
        case.registers,
        ["ER", "FR"],
        "a supplement that says nothing of the content changes nothing of it"
    );
}

#[test]
fn a_case_is_registered_when_every_register_has_said_so() {
    let case = after(with(under_review(), [confirmed("ER")]));
    assert_eq!(
        (case.state.as_str(), case.orgnr.as_str(), case.closed_at),
        ("under_review", "313000009", None)
    );
    let case = after(with(under_review(), [confirmed("ER"), confirmed("FR")]));
    assert_eq!(
        (case.state.as_str(), case.closed_at),
        ("registered", Some(minute(8).into()))
    );
    let decisions: Vec<_> = case
        .decisions
        .iter()
        .map(|decision| (decision.register.as_str(), decision.outcome.as_str()))
        .collect();
    assert_eq!(decisions, [("ER", "registered"), ("FR", "registered")]);
}

#[test]
fn a_refusal_can_be_appealed_and_that_is_the_law() {
    let refused = with(under_review(), [rejected()]);
    let case = after(refused.clone());
    assert_eq!(
        (case.state.as_str(), case.closed_at),
        ("rejected", Some(minute(7).into()))
    );
    assert_eq!(
        (case.decisions[0].outcome.as_str(), case.decisions[0].ground.as_str()),
        ("rejected", "R-2.14")
    );
    assert_eq!(deadlines(&case).last(), Some(&("T-2.4", "law", "scheduled")));
    let case = after(with(refused.clone(), [pb::RegistrationAppealed::default().into()]));
    assert!(case.appealed);
    assert_eq!(deadlines(&case).last(), Some(&("T-2.4", "law", "met")));
    let case = after(with(refused, [pb::AppealPeriodEnded::default().into()]));
    assert!(!case.appealed);
    assert_eq!(deadlines(&case).last(), Some(&("T-2.4", "law", "missed")));
}

#[test]
fn a_case_that_was_withdrawn_waits_for_nothing() {
    let case = after([drafted(), asked(), pb::RegistrationWithdrawn::default().into()]);
    assert_eq!(
        (case.state.as_str(), case.closed_at),
        ("withdrawn", Some(minute(3).into()))
    );
    assert!(case.deadlines.iter().all(|deadline| deadline.state == "cancelled"));
}

#[test]
fn events_of_others_give_no_case() {
    assert!(
        fold(
            &RegisterCase,
            &[crate::example::named(
                "registration",
                "Organisation",
                "OrganisationRegistered"
            )]
        )
        .is_empty()
    );
}
