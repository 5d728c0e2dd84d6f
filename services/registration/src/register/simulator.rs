//! The register authority, played: deterministic for a seed, on the business clock, with the delays of handbook 14 item 10.
//!
//! It answers what is submitted: a letter on what is missing, a refusal, or the entries in Enhetsregisteret and
//! Frivillighetsregisteret, through the same port as the real authority and with the source `register-simulator`. Every notification
//! gets an answer: one about an organisation that is where it asks to be is confirmed, and one that it cannot have is refused.

mod answer;
mod desk;
#[cfg(test)]
mod tests;

use ryggrad_decider::Decider as _;
use ryggrad_eventlog::Recorded;
use ryggrad_eventlog::consumer::Poison;
use ryggrad_eventlog::deadline::{Action, Schedule};
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::registration::v1::registration_case_event::Event as OfCase;

use self::desk::Case;
use crate::deadlines::known;
use crate::registration_case::RegistrationCase;
use crate::service::CONTEXT;

/// What it calls itself as the source of facts.
pub const SOURCE: &str = "register-simulator";

/// The simulated register authority.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Simulator {
    /// Decides everything that is drawn.
    pub seed: u64,
    /// Median of the time until it answers, in working days.
    pub median_working_days: f64,
    /// How widely that time is spread: the standard deviation of its logarithm.
    pub spread: f64,
    /// Share of notifications that get a letter on what is missing.
    pub deficiency_rate: f64,
    /// Share of notifications that are refused.
    pub rejection_rate: f64,
}

// === impl Simulator ===

impl Default for Simulator {
    fn default() -> Self {
        Self {
            seed: 1,
            median_working_days: 5.0,
            spread: 0.6,
            deficiency_rate: 0.15,
            rejection_rate: 0.03,
        }
    }
}

impl Simulator {
    /// One that answers everything with yes, at once.
    pub fn obliging() -> Self {
        Self {
            median_working_days: 0.0,
            deficiency_rate: 0.0,
            rejection_rate: 0.0,
            ..Self::default()
        }
    }
}

impl Schedule for Simulator {
    const NAME: &'static str = SOURCE;

    fn plan(&self, event: &Recorded) -> Result<Vec<Action>, Poison> {
        if &*event.context != CONTEXT || &*event.aggregate_type != RegistrationCase::AGGREGATE {
            return Ok(Vec::new());
        }
        Ok(match known(event)? {
            OfCase::RegistrationSubmitted(e) => {
                let case = Case::new(
                    self,
                    event,
                    "submitted",
                    &e.organisation_id,
                    e.registers,
                    e.kind,
                    e.content,
                    &e.maalform,
                );
                case.map(Case::first_answer).unwrap_or_default()
            }
            OfCase::RegistrationSupplemented(e) => {
                let case = Case::new(
                    self,
                    event,
                    "supplemented",
                    &e.organisation_id,
                    e.registers,
                    e.kind,
                    e.content,
                    &e.maalform,
                );
                case.map(Case::decision).unwrap_or_default()
            }
            OfCase::RegistrationWithdrawn(_) => desk::withdrawn(event.aggregate_id, event.organisation_id),
            OfCase::RegistrationDrafted(_)
            | OfCase::RegistrationAmended(_)
            | OfCase::DocumentAttached(_)
            | OfCase::BoardElectionDeclared(_)
            | OfCase::SignaturesRequested(_)
            | OfCase::SignaturesReset(_)
            | OfCase::RegistrationSigned(_)
            | OfCase::SignaturesReminded(_)
            | OfCase::AuditorAssignmentConfirmed(_)
            | OfCase::RegistrationReviewStarted(_)
            | OfCase::InformationRequested(_)
            | OfCase::RegistrationRejected(_)
            | OfCase::RegistrationAppealed(_)
            | OfCase::AppealPeriodEnded(_)
            | OfCase::RegistrationLapsed(_)
            | OfCase::RegistrationConfirmed(_) => Vec::new(),
        })
    }
}

/// Who stands behind its decisions.
pub fn actor() -> Actor {
    Actor {
        kind: "authority".to_owned(),
        r#ref: SOURCE.to_owned(),
        ..Actor::default()
    }
}
