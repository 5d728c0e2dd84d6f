//! What was done on paper before anybody came here (handbook 10, retro-active facts).

use jiff::{Timestamp, ToSpan as _};
use ryggrad_decider::scenario::context;
use ryggrad_proto::registration::v1 as pb;

use super::{KARI, OLA, board, bylaws, convened, founding, held, meeting, person, sign};
use crate::founding::{Event, Status};

#[test]
fn a_meeting_that_was_held_on_paper_is_recorded_without_a_notice() {
    let last_year = pb::RecordFoundingMeeting {
        date: "2025-06-11".into(),
        ..meeting(vec![person(KARI), person(OLA)])
    };
    let (state, events) = founding("FLI", []).when(last_year).then_names(&["FoundingMeetingHeld"]);
    let Event::FoundingMeetingHeld(held) = &events[0] else {
        panic!("another event")
    };
    assert!(held.recorded_afterwards, "nothing is known of its notice");
    assert_eq!(
        (state.status, state.meeting_date.as_str()),
        (Status::Held, "2025-06-11")
    );
}

#[test]
fn a_meeting_that_was_convened_here_is_not_recorded_as_an_afterthought() {
    let (_, events) = founding("FLI", [convened()])
        .when(meeting(vec![person(KARI), person(OLA)]))
        .then_names(&["FoundingMeetingHeld"]);
    let Event::FoundingMeetingHeld(held) = &events[0] else {
        panic!("another event")
    };
    assert!(!held.recorded_afterwards);
}

#[test]
fn what_is_recorded_afterwards_keeps_to_the_same_rules() {
    founding("FLI", [])
        .when(meeting(vec![person(KARI)]))
        .then_refused("R-2.01", "TooFewFounders");
    let tomorrow = pb::RecordFoundingMeeting {
        date: "2026-03-03".into(),
        ..meeting(vec![person(KARI), person(OLA)])
    };
    let refusal = founding("FLI", [])
        .when(tomorrow)
        .then_refused("R-0.00", "InvalidField");
    assert_eq!(refusal.field.as_deref(), Some("date"));
}

#[test]
fn nobody_convenes_a_meeting_that_is_past() {
    let convene = pb::ConveneFoundingMeeting {
        date: "2026-03-01".into(),
        digital: true,
        agenda: vec!["Stiftelse".into()],
        ..Default::default()
    };
    let refusal = founding("FLI", []).when(convene).then_refused("R-0.00", "InvalidField");
    assert!(
        refusal.text.nb.contains("registrer det som holdt"),
        "{}",
        refusal.text.nb
    );
}

fn paper(at: Timestamp) -> pb::SignFoundingDocument {
    pb::SignFoundingDocument {
        method: pb::SigningMethod::Paper.into(),
        signed_at: Some(at.into()),
        ..sign(KARI, super::HASH)
    }
}

#[test]
fn a_signature_on_paper_keeps_its_own_day() {
    let ready = || founding("FLI", [convened(), held(), bylaws(), board()]);
    let yesterday: Timestamp = context().now - 24.hours();
    let (_, events) = ready().when(paper(yesterday)).then_names(&["FoundingDocumentSigned"]);
    let Event::FoundingDocumentSigned(signed) = &events[0] else {
        panic!("another event")
    };
    assert_eq!(signed.signed_at, Some(yesterday.into()));
    ready()
        .when(paper(context().now - 48.hours()))
        .then_refused("R-2.03", "SignedBeforeMeeting");
    ready()
        .when(paper(context().now + 1.hours()))
        .then_refused("R-0.00", "InvalidField");
    let electronic = pb::SignFoundingDocument {
        method: pb::SigningMethod::Electronic.into(),
        ..paper(yesterday)
    };
    ready().when(electronic).then_refused("R-0.00", "InvalidField");
}
