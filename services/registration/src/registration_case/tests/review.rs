//! What the register authority answers, and what can be said to that.

use jiff::{Timestamp, ToSpan as _};
use ryggrad_decider::scenario::context;
use ryggrad_proto::registration::v1 as pb;

use super::{HASH, KARI, LIV, OLA, case, signed_by, submit, submitted};
use crate::registration_case::{Event, Status};

const ORGNR: &str = "245915101";

fn letter() -> pb::RequestInformation {
    let deficiency = |code: &str| pb::Deficiency {
        code: code.into(),
        text: "mangler".into(),
    };
    pb::RequestInformation {
        deficiencies: vec![deficiency("VEDTEKTER"), deficiency("KONT")],
        ..Default::default()
    }
}

fn reject() -> pb::RejectRegistration {
    pb::RejectRegistration {
        register: "FR".into(),
        ground: "ikke allmennyttig".into(),
        ..Default::default()
    }
}

fn item(code: &str) -> pb::SupplementItem {
    pb::SupplementItem {
        deficiency_code: code.into(),
        answer: "rettet".into(),
        ..Default::default()
    }
}

fn after(mut events: Vec<Event>, more: impl IntoIterator<Item = Event>) -> Vec<Event> {
    events.extend(more);
    events
}

#[test]
fn what_is_sent_is_what_was_signed() {
    let (state, events) = case(signed_by(&[KARI, OLA, LIV]))
        .when(submit())
        .then_names(&["RegistrationSubmitted"]);
    assert_eq!(state.status, Status::Submitted);
    let Event::RegistrationSubmitted(event) = &events[0] else {
        panic!("another event")
    };
    assert_eq!(
        (event.content.as_ref(), event.maalform.as_str()),
        (Some(&super::content()), "nb")
    );
}

#[test]
fn the_authority_takes_a_case_in_hand_once() {
    let (_, started) = case(submitted())
        .when(pb::StartReview::default())
        .then_names(&["RegistrationReviewStarted"]);
    case(after(submitted(), started))
        .when(pb::StartReview::default())
        .then(&[]);
}

#[test]
fn a_letter_is_answered_point_by_point() {
    let (state, asked) = case(submitted())
        .when(letter())
        .then_names(&["RegistrationReviewStarted", "InformationRequested"]);
    assert!(matches!(state.status, Status::InfoRequested { .. }));
    let asked = || after(submitted(), asked.clone());
    let supplement = |items| pb::SupplementRegistration {
        items,
        ..Default::default()
    };
    case(asked())
        .when(supplement(vec![item("KONT")]))
        .then_refused("R-0.99", "DeficiencyUnanswered");
    case(asked())
        .when(supplement(vec![item("REVI")]))
        .then_refused("R-0.00", "InvalidField");
    let (state, _) = case(asked())
        .when(supplement(vec![item("KONT"), item("VEDTEKTER")]))
        .then_names(&["RegistrationSupplemented"]);
    assert_eq!(state.status, Status::UnderReview);
}

fn confirm(register: &str) -> pb::ConfirmRegistration {
    pb::ConfirmRegistration {
        register: register.into(),
        orgnr: ORGNR.into(),
        ..Default::default()
    }
}

/// ADR 0024: the register decides when it will, also on a letter that nobody answered.
#[test]
fn a_case_is_decided_while_its_letter_is_unanswered() {
    let (_, asked) = case(submitted())
        .when(letter())
        .then_names(&["RegistrationReviewStarted", "InformationRequested"]);
    let asked = || after(submitted(), asked.clone());
    let (state, _) = case(asked()).when(reject()).then_names(&["RegistrationRejected"]);
    assert!(matches!(state.status, Status::Rejected { .. }));
    let (state, first) = case(asked()).when(confirm("ER")).then_names(&["RegistrationConfirmed"]);
    assert!(
        matches!(state.status, Status::InfoRequested { .. }),
        "Frivillighetsregisteret still waits for the answer"
    );
    let (state, _) = case(after(asked(), first))
        .when(confirm("FR"))
        .then_names(&["RegistrationConfirmed"]);
    assert_eq!(state.status, Status::Registered);
    case(asked()).when(letter()).then_refused("R-0.99", "WrongState");
}

#[test]
fn a_case_is_registered_when_every_register_has_answered() {
    let (state, first) = case(submitted())
        .when(confirm("ER"))
        .then_names(&["RegistrationReviewStarted", "RegistrationConfirmed"]);
    assert_eq!(state.status, Status::UnderReview);
    let (state, second) = case(after(submitted(), first.clone()))
        .when(confirm("FR"))
        .then_names(&["RegistrationConfirmed"]);
    assert_eq!(state.status, Status::Registered);
    case(after(after(submitted(), first), second))
        .when(confirm("FR"))
        .then(&[]);
}

#[test]
fn a_refusal_can_be_appealed_for_three_weeks() {
    let (state, refused) = case(submitted())
        .when(reject())
        .then_names(&["RegistrationReviewStarted", "RegistrationRejected"]);
    let Status::Rejected {
        appeal_deadline: Some(deadline),
        ..
    } = state.status
    else {
        panic!("no deadline")
    };
    let appeal = || pb::AppealRejection {
        document_hash: HASH.into(),
        ..Default::default()
    };
    let past = || after(submitted(), refused.clone());
    case(past())
        .at(deadline)
        .when(appeal())
        .then_names(&["RegistrationAppealed"]);
    // The letter came on Monday 2 March at noon: all of Monday 23 March is in time, to its last fraction of a second.
    assert_eq!(deadline.to_string(), "2026-03-23T22:59:59Z");
    case(past())
        .at(deadline + 999.milliseconds())
        .when(appeal())
        .then_names(&["RegistrationAppealed"]);
    case(past())
        .at(deadline + 1.second())
        .when(appeal())
        .then_refused("R-2.24", "AppealTooLate");
    case(past())
        .at(deadline + 999.milliseconds())
        .when(pb::CloseAppealPeriod::default())
        .then(&[]);
    case(past())
        .at(deadline + 1.second())
        .when(pb::CloseAppealPeriod::default())
        .then_names(&["AppealPeriodEnded"]);
}

#[test]
fn the_appeal_period_runs_from_the_notice() {
    let notified: Timestamp = context().now - (4 * 24).hours();
    let (state, _) = case(submitted())
        .when(pb::RejectRegistration {
            notified_at: Some(notified.into()),
            ..reject()
        })
        .then_names(&["RegistrationReviewStarted", "RegistrationRejected"]);
    let Status::Rejected {
        appeal_deadline: Some(deadline),
        ..
    } = state.status
    else {
        panic!("no deadline")
    };
    assert_eq!(deadline.to_string(), "2026-03-19T22:59:59Z");
}

#[test]
fn a_case_can_be_withdrawn_until_it_is_decided() {
    let (state, _) = case(submitted())
        .when(pb::WithdrawRegistration::default())
        .then_names(&["RegistrationWithdrawn"]);
    assert_eq!(state.status, Status::Withdrawn);
    let (_, refused) = case(submitted())
        .when(reject())
        .then_names(&["RegistrationReviewStarted", "RegistrationRejected"]);
    case(after(submitted(), refused))
        .when(pb::WithdrawRegistration::default())
        .then_refused("R-0.99", "WrongState");
}

#[test]
fn the_authority_decides_nothing_that_was_not_sent() {
    case(signed_by(&[KARI]))
        .when(reject())
        .then_refused("R-0.99", "WrongState");
    case(signed_by(&[KARI]))
        .when(letter())
        .then_refused("R-0.99", "WrongState");
}
