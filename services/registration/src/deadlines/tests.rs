//! Which fact sets and cancels which timer.

use jiff::Timestamp;
use ryggrad_eventlog::deadline::{Action, Schedule as _};
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::initiative_event::Event as OfInitiative;
use ryggrad_proto::registration::v1::registration_case_event::Event as OfCase;

use super::Deadlines;
use crate::command::Command;
use crate::register::simulator::Simulator;
use crate::testing::recorded;

/// What an event does, in short: the timer with the day it falls due, or what is cancelled.
#[track_caller]
fn plan(aggregate: &'static str, event: &impl ryggrad_proto::EventPayload) -> Vec<String> {
    let actions = Deadlines.plan(&recorded(aggregate, event)).expect("a known event");
    actions
        .iter()
        .map(|action| match action {
            Action::Set(deadline) => {
                Command::decode(deadline.aggregate_type, &deadline.command).expect("a command of ours");
                format!("{} {}", deadline.timer.id, crate::time::day(deadline.due_at))
            }
            Action::Cancel(_) => "cancel".to_owned(),
            Action::CancelAll(_) => "cancel all".to_owned(),
        })
        .collect()
}

fn instant(text: &str) -> ryggrad_proto::Timestamp {
    text.parse::<Timestamp>().expect("an instant").into()
}

#[test]
fn every_sign_of_life_starts_the_half_year_and_the_year_anew() {
    let signs: [OfInitiative; 4] = [
        pb::InitiativeSketched::default().into(),
        pb::InitiativeOpened::default().into(),
        pb::SupporterJoined::default().into(),
        pb::TrialActivityHeld::default().into(),
    ];
    for sign in signs {
        assert_eq!(plan("Initiative", &sign), ["T-1.1 2026-08-29", "T-1.2 2027-03-02"]);
    }
}

#[test]
fn a_pause_for_inactivity_is_no_sign_of_life() {
    let paused = |reason: pb::PauseReason| {
        OfInitiative::from(pb::InitiativePaused {
            reason: reason.into(),
            ..Default::default()
        })
    };
    assert!(plan("Initiative", &paused(pb::PauseReason::Inactivity)).is_empty());
    assert_eq!(
        plan("Initiative", &paused(pb::PauseReason::Requested)),
        ["cancel", "T-1.2 2027-03-02"]
    );
}

#[test]
fn an_end_cancels_everything_but_the_purge() {
    let purge_personal_data_at = Some(instant("2027-03-02T11:00:00Z"));
    let abandoned = OfInitiative::from(pb::InitiativeAbandoned {
        purge_personal_data_at,
        ..Default::default()
    });
    assert_eq!(plan("Initiative", &abandoned), ["cancel all", "T-1.3 2027-03-02"]);
    let decided = OfInitiative::from(pb::FoundingDecided::default());
    assert_eq!(
        plan("Initiative", &decided),
        ["cancel all"],
        "supporters of a founding are kept"
    );
}

#[test]
fn signers_are_reminded_after_3_7_and_14_days_until_the_case_lapses_after_30() {
    let requested = OfCase::from(pb::SignaturesRequested {
        due_at: Some(instant("2026-04-01T10:00:00Z")),
        ..Default::default()
    });
    assert_eq!(
        plan("RegistrationCase", &requested),
        [
            "T-2.2 2026-03-05",
            "T-2.2 2026-03-09",
            "T-2.2 2026-03-16",
            "T-2.3 2026-04-01"
        ]
    );
}

#[test]
fn nobody_is_reminded_of_what_is_sent() {
    for event in [
        OfCase::from(pb::RegistrationSubmitted::default()),
        pb::RegistrationWithdrawn::default().into(),
    ] {
        assert_eq!(plan("RegistrationCase", &event), ["cancel all"]);
    }
}

#[test]
fn a_refusal_starts_the_appeal_period_which_an_appeal_ends() {
    let rejected = OfCase::from(pb::RegistrationRejected {
        appeal_deadline: Some(instant("2026-03-23T11:00:00Z")),
        ..Default::default()
    });
    assert_eq!(plan("RegistrationCase", &rejected), ["T-2.4 2026-03-24"]);
    assert_eq!(
        plan("RegistrationCase", &OfCase::from(pb::RegistrationAppealed::default())),
        ["cancel all"]
    );
}

#[test]
fn another_aggregates_event_sets_nothing() {
    assert!(plan("Organisation", &OfCase::from(pb::SignaturesRequested::default())).is_empty());
}

/// Nothing builds the deadlines anew: one that is passed over is never set.
#[test]
fn an_event_of_a_later_version_is_not_passed_over() {
    let later = |aggregate: &str| {
        let mut event = recorded(aggregate, &OfCase::from(pb::RegistrationSubmitted::default()));
        event.name = "RegistrationTeleported".into();
        event
    };
    for aggregate in ["Initiative", "RegistrationCase"] {
        let poison = Deadlines.plan(&later(aggregate)).expect_err("it is parked");
        assert!(poison.to_string().contains("RegistrationTeleported"), "{poison}");
    }
    assert!(Simulator::obliging().plan(&later("RegistrationCase")).is_err());
    for aggregate in ["Organisation", "Meeting"] {
        assert_eq!(Deadlines.plan(&later(aggregate)), Ok(Vec::new()));
        assert_eq!(Simulator::obliging().plan(&later(aggregate)), Ok(Vec::new()));
    }
}
