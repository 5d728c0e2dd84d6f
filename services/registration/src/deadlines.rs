//! The timers of phases 1 and 2 as data: which fact sets or cancels which command (handbook sections 3 and 4).
//!
//! T-2.1 (notice of the founding meeting) is advice and has no command: `FoundingMeetingConvened` says whether it was followed.

use jiff::Timestamp;
use ryggrad_decider::{Decider as _, Timer, timers};
use ryggrad_eventlog::Recorded;
use ryggrad_eventlog::consumer::Poison;
use ryggrad_eventlog::deadline::{Action, Deadline, Schedule, id};
use ryggrad_proto::EventPayload;
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::initiative_command::Command as ToInitiative;
use ryggrad_proto::registration::v1::initiative_event::Event as OfInitiative;
use ryggrad_proto::registration::v1::registration_case_command::Command as ToCase;
use ryggrad_proto::registration::v1::registration_case_event::Event as OfCase;
use uuid::Uuid;

use crate::command::Command;
use crate::initiative::Initiative;
use crate::registration_case::RegistrationCase;
use crate::service::CONTEXT;
use crate::time;

/// The deadlines of the service.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines;

impl Schedule for Deadlines {
    const NAME: &'static str = "registration-deadlines";

    fn plan(&self, event: &Recorded) -> Result<Vec<Action>, Poison> {
        if &*event.context != CONTEXT {
            return Ok(Vec::new());
        }
        Ok(match &*event.aggregate_type {
            Initiative::AGGREGATE => initiative(&known(event)?, event),
            RegistrationCase::AGGREGATE => case(&known(event)?, event),
            _ => Vec::new(),
        })
    }
}

/// An event of an aggregate that a schedule plans for.
///
/// # Errors
/// When this version does not know it. A later one may set a deadline for it: passed over, it would never be set, since nothing
/// builds the deadlines anew. Parked, it waits until a version that knows it tries again.
pub(crate) fn known<E: EventPayload>(event: &Recorded) -> Result<E, Poison> {
    event.decode()?.ok_or_else(|| {
        Poison::new(format_args!(
            "{} is an event that this version does not know",
            event.name
        ))
    })
}

/// Who stands behind the command of a timer.
pub(crate) fn actor(timer: &str) -> Actor {
    Actor {
        kind: "timer".to_owned(),
        r#ref: timer.to_owned(),
        ..Actor::default()
    }
}

fn initiative(of: &OfInitiative, event: &Recorded) -> Vec<Action> {
    let aggregate = event.aggregate_id;
    let initiative_id = aggregate.to_string();
    let pause = || {
        let command = ToInitiative::from(pb::PauseInactiveInitiative {
            meta: None,
            initiative_id: initiative_id.clone(),
            activity: event.sequence,
        });
        set(
            &timers::T_1_1,
            "",
            aggregate,
            time::due(&timers::T_1_1, 0, event.occurred_at),
            command,
        )
    };
    let expire = || {
        let command = ToInitiative::from(pb::ExpireInitiative {
            meta: None,
            initiative_id: initiative_id.clone(),
            activity: event.sequence,
        });
        set(
            &timers::T_1_2,
            "",
            aggregate,
            time::due(&timers::T_1_2, 0, event.occurred_at),
            command,
        )
    };
    let purge = |at: Option<ryggrad_proto::Timestamp>| {
        let due = instant(at).unwrap_or_else(|| time::due(&timers::T_1_3, 0, event.occurred_at));
        let command = ToInitiative::from(pb::PurgeSupporters {
            meta: None,
            initiative_id: initiative_id.clone(),
        });
        vec![
            Action::CancelAll(aggregate),
            set(&timers::T_1_3, "", aggregate, due, command),
        ]
    };
    match of {
        OfInitiative::InitiativeSketched(_)
        | OfInitiative::ExistingOfferingsReviewed(_)
        | OfInitiative::InitiativeOpened(_)
        | OfInitiative::SupporterJoined(_)
        | OfInitiative::TrialStarted(_)
        | OfInitiative::TrialActivityHeld(_)
        | OfInitiative::TrialEvaluated(_) => vec![pause(), expire()],
        OfInitiative::InitiativePaused(e) => match e.reason() {
            // Nobody did anything: the year goes on.
            pb::PauseReason::Inactivity => Vec::new(),
            pb::PauseReason::Requested | pb::PauseReason::Unspecified => {
                vec![Action::Cancel(id(aggregate, &timers::T_1_1, "")), expire()]
            }
        },
        OfInitiative::FoundingDecided(_) => vec![Action::CancelAll(aggregate)],
        OfInitiative::InitiativeAbsorbed(e) => purge(e.purge_personal_data_at),
        OfInitiative::InitiativeAbandoned(e) => purge(e.purge_personal_data_at),
        OfInitiative::InitiativeExpired(e) => purge(e.purge_personal_data_at),
        OfInitiative::SupportersPurged(_) => Vec::new(),
    }
}

fn case(of: &OfCase, event: &Recorded) -> Vec<Action> {
    let aggregate = event.aggregate_id;
    let case_id = aggregate.to_string();
    match of {
        OfCase::SignaturesRequested(e) => {
            let reminders = (1_u32..).zip(timers::T_2_2.spans()).map(|(reminder, span)| {
                let command = ToCase::from(pb::RemindSigners {
                    meta: None,
                    case_id: case_id.clone(),
                    reminder,
                });
                set(
                    &timers::T_2_2,
                    &reminder.to_string(),
                    aggregate,
                    time::after(event.occurred_at, span),
                    command,
                )
            });
            let due = instant(e.due_at).unwrap_or_else(|| time::due(&timers::T_2_3, 0, event.occurred_at));
            let lapse = ToCase::from(pb::LapseRegistration {
                meta: None,
                case_id: case_id.clone(),
            });
            reminders
                .chain([set(&timers::T_2_3, "", aggregate, due, lapse)])
                .collect()
        }
        OfCase::RegistrationSubmitted(_)
        | OfCase::RegistrationWithdrawn(_)
        | OfCase::RegistrationLapsed(_)
        | OfCase::RegistrationAppealed(_) => {
            vec![Action::CancelAll(aggregate)]
        }
        OfCase::RegistrationRejected(e) => {
            // The whole of the last day is for appealing.
            let last =
                instant(e.appeal_deadline).unwrap_or_else(|| time::last_second(&timers::T_2_4, event.occurred_at));
            let due = time::next_day(last);
            let close = ToCase::from(pb::CloseAppealPeriod { meta: None, case_id });
            vec![set(&timers::T_2_4, "", aggregate, due, close)]
        }
        OfCase::RegistrationDrafted(_)
        | OfCase::RegistrationAmended(_)
        | OfCase::DocumentAttached(_)
        | OfCase::BoardElectionDeclared(_)
        | OfCase::SignaturesReset(_)
        | OfCase::RegistrationSigned(_)
        | OfCase::SignaturesReminded(_)
        | OfCase::AuditorAssignmentConfirmed(_)
        | OfCase::RegistrationReviewStarted(_)
        | OfCase::InformationRequested(_)
        | OfCase::RegistrationSupplemented(_)
        | OfCase::AppealPeriodEnded(_)
        | OfCase::RegistrationConfirmed(_) => Vec::new(),
    }
}

/// Sets a deadline for a command of ours.
pub(crate) fn set(
    timer: &'static Timer,
    which: &str,
    aggregate_id: Uuid,
    due_at: Timestamp,
    command: impl Into<Command>,
) -> Action {
    let command = command.into();
    Action::Set(Deadline {
        id: id(aggregate_id, timer, which),
        timer,
        due_at,
        aggregate_type: command.aggregate_type(),
        aggregate_id,
        command: command.encode(),
    })
}

fn instant(at: Option<ryggrad_proto::Timestamp>) -> Option<Timestamp> {
    at.and_then(|at| Timestamp::try_from(at).ok())
}

#[cfg(test)]
mod tests;
