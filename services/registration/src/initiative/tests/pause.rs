//! Pausing what is paused.

use ryggrad_proto::registration::v1 as pb;

use super::{idea, paused};
use crate::initiative::{Event, Stage, Status, is_activity};

fn until(day: Option<&str>) -> pb::PauseInitiative {
    pb::PauseInitiative {
        resume_by: day.map(str::to_owned),
        ..Default::default()
    }
}

fn asked_for(day: Option<&str>) -> Event {
    pb::InitiativePaused {
        resume_by: day.map(str::to_owned),
        reason: pb::PauseReason::Requested.into(),
        ..Default::default()
    }
    .into()
}

#[test]
fn pausing_what_is_paused_in_the_same_way_changes_nothing() {
    idea([paused()]).when(until(None)).then(&[]);
    idea([asked_for(None)]).when(until(None)).then(&[]);
    let day = Some("2026-12-24");
    idea([asked_for(day)]).when(until(day)).then(&[]);
}

/// T-1.2 counts from what somebody did last, and asking for a pause is that.
#[test]
fn a_pause_is_asked_for_anew_after_the_timers_or_until_another_day() {
    let inactive: Event = pb::InitiativePaused {
        reason: pb::PauseReason::Inactivity.into(),
        ..Default::default()
    }
    .into();
    let day = Some("2026-12-24");
    for (past, command) in [
        (inactive.clone(), until(None)),
        (inactive, until(day)),
        (asked_for(None), until(day)),
        (asked_for(day), until(Some("2026-12-31"))),
    ] {
        let (state, events) = idea([past]).when(command.clone()).then_names(&["InitiativePaused"]);
        assert!(is_activity(&events[0]), "the year counts from here");
        assert_eq!(state.status, Status::Paused(Stage::Sketched));
        let Event::InitiativePaused(event) = &events[0] else {
            panic!("another event")
        };
        assert_eq!(event.resume_by, command.resume_by);
    }
}
