//! An idea on its way: to an organisation, into one that exists, or to nothing (handbook section 3).

mod decide;
mod refusals;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use ryggrad_decider::{About, Context, Decider, Refusal};
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::initiative_command::Command;
use ryggrad_proto::registration::v1::initiative_event::Event;
use uuid::Uuid;

/// The aggregate.
#[derive(Debug)]
pub struct Initiative;

/// What an initiative remembers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Where it stands.
    pub status: Status,
    /// Existing offers have been looked at.
    pub reviewed: bool,
    /// Those who want to take part, until they are purged.
    pub supporters: BTreeSet<String>,
    /// Number of trial activities.
    pub trial_activities: u32,
    /// What it is called.
    pub title: String,
    /// What it is for.
    pub purpose_text: String,
    /// Municipality that it is meant for.
    pub kommunenummer: String,
    /// Language of the initiators.
    pub language: String,
    /// How it was paused last.
    pub pause: Option<pb::InitiativePaused>,
    /// Number of events so far.
    pub events: u64,
    /// Number of the last event that somebody did something with: inactivity is counted from it.
    pub activity: u64,
}

/// Where an initiative stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Status {
    /// Nobody has had the idea yet.
    #[default]
    Unborn,
    /// It is alive.
    Active(Stage),
    /// On hold; any command brings it back to its stage.
    Paused(Stage),
    /// An organisation is being founded.
    Proceeding {
        /// The founding.
        founding_id: String,
    },
    /// It went into an organisation that exists.
    Absorbed {
        /// That organisation.
        host_orgnr: String,
    },
    /// Given up.
    Abandoned,
    /// Nothing happened for a year.
    Expired,
}

/// How far an initiative that is alive has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Written down.
    Sketched,
    /// People are invited.
    Open,
    /// Being tried out.
    Trialling,
    /// Tried out and evaluated.
    Evaluated,
}

// === impl Initiative ===

impl Decider for Initiative {
    type State = State;
    type Command = Command;
    type Event = Event;

    const CONTEXT: &'static str = "registration";
    const AGGREGATE: &'static str = "Initiative";

    fn decide(state: &State, command: &Command, context: &Context) -> Result<Vec<Event>, Refusal> {
        decide::decide(state, command, context)
    }

    fn evolve(state: &mut State, event: &Event) {
        state.events += 1;
        if is_activity(event) {
            state.activity = state.events;
        }
        let status = &mut state.status;
        match event {
            Event::InitiativeSketched(e) => {
                *status = Status::Active(Stage::Sketched);
                state.title.clone_from(&e.title);
                state.purpose_text.clone_from(&e.purpose_text);
                state.kommunenummer.clone_from(&e.kommunenummer);
                state.language.clone_from(&e.language);
            }
            Event::ExistingOfferingsReviewed(_) => {
                status.resume();
                state.reviewed = true;
            }
            Event::InitiativeOpened(_) => *status = Status::Active(Stage::Open),
            Event::SupporterJoined(e) => {
                status.resume();
                state.supporters.insert(e.person_ref.clone());
            }
            Event::TrialStarted(_) => *status = Status::Active(Stage::Trialling),
            Event::TrialActivityHeld(_) => {
                status.resume();
                state.trial_activities = state.trial_activities.saturating_add(1);
            }
            Event::TrialEvaluated(_) => *status = Status::Active(Stage::Evaluated),
            Event::FoundingDecided(e) => {
                *status = Status::Proceeding {
                    founding_id: e.founding_id.clone(),
                }
            }
            Event::InitiativeAbsorbed(e) => {
                *status = Status::Absorbed {
                    host_orgnr: e.host_orgnr.clone(),
                }
            }
            Event::InitiativePaused(e) => {
                state.pause = Some(e.clone());
                if let Status::Active(stage) = *status {
                    *status = Status::Paused(stage);
                }
            }
            Event::InitiativeAbandoned(_) => *status = Status::Abandoned,
            Event::InitiativeExpired(_) => *status = Status::Expired,
            Event::SupportersPurged(_) => state.supporters.clear(),
        }
    }

    fn about(state: &State) -> About {
        let related = match &state.status {
            Status::Proceeding { founding_id } => Uuid::try_parse(founding_id).into_iter().collect(),
            Status::Unborn
            | Status::Active(_)
            | Status::Paused(_)
            | Status::Absorbed { .. }
            | Status::Abandoned
            | Status::Expired => Vec::new(),
        };
        About {
            organisation_id: None,
            orgnr: None,
            kommunenummer: Some(state.kommunenummer.clone()).filter(|number| !number.is_empty()),
            related,
        }
    }
}

/// Whether somebody did something. What only time brought about goes on counting from before.
pub(crate) fn is_activity(event: &Event) -> bool {
    match event {
        Event::InitiativeSketched(_)
        | Event::ExistingOfferingsReviewed(_)
        | Event::InitiativeOpened(_)
        | Event::SupporterJoined(_)
        | Event::TrialStarted(_)
        | Event::TrialActivityHeld(_)
        | Event::TrialEvaluated(_)
        | Event::FoundingDecided(_)
        | Event::InitiativeAbsorbed(_)
        | Event::InitiativeAbandoned(_) => true,
        Event::InitiativePaused(e) => e.reason() != pb::PauseReason::Inactivity,
        Event::InitiativeExpired(_) | Event::SupportersPurged(_) => false,
    }
}

// === impl Status ===

impl Status {
    /// Its name in the table of states; none before the first event.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::Unborn => None,
            Self::Active(stage) => Some(stage.name()),
            Self::Paused(_) => Some("paused"),
            Self::Proceeding { .. } => Some("proceeding"),
            Self::Absorbed { .. } => Some("absorbed"),
            Self::Abandoned => Some("abandoned"),
            Self::Expired => Some("expired"),
        }
    }

    /// The stage that a command meets: that of a paused initiative is the one it was paused in.
    fn stage(&self) -> Option<Stage> {
        match self {
            Self::Active(stage) | Self::Paused(stage) => Some(*stage),
            Self::Unborn | Self::Proceeding { .. } | Self::Absorbed { .. } | Self::Abandoned | Self::Expired => None,
        }
    }

    fn resume(&mut self) {
        if let Self::Paused(stage) = *self {
            *self = Self::Active(stage);
        }
    }
}

// === impl Stage ===

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Self::Sketched => "sketched",
            Self::Open => "open",
            Self::Trialling => "trialling",
            Self::Evaluated => "evaluated",
        }
    }

    fn state(self) -> pb::InitiativeState {
        match self {
            Self::Sketched => pb::InitiativeState::Sketched,
            Self::Open => pb::InitiativeState::Open,
            Self::Trialling => pb::InitiativeState::Trialling,
            Self::Evaluated => pb::InitiativeState::Evaluated,
        }
    }
}

// === impl State ===

impl State {
    /// The initiative as a query answers it.
    pub fn answer(&self, id: Uuid, version: u64, as_of: u64) -> pb::Initiative {
        let mut answer = pb::Initiative {
            initiative_id: id.to_string(),
            version,
            title: self.title.clone(),
            purpose_text: self.purpose_text.clone(),
            kommunenummer: self.kommunenummer.clone(),
            language: self.language.clone(),
            existing_reviewed: self.reviewed,
            supporters: u32::try_from(self.supporters.len()).unwrap_or(u32::MAX),
            trial_activities: self.trial_activities,
            as_of,
            ..pb::Initiative::default()
        };
        match &self.status {
            Status::Unborn => {}
            Status::Active(stage) => answer.set_state(stage.state()),
            Status::Paused(stage) => {
                answer.set_state(pb::InitiativeState::Paused);
                answer.set_paused_from(stage.state());
            }
            Status::Proceeding { founding_id } => {
                answer.set_state(pb::InitiativeState::Proceeding);
                answer.founding_id.clone_from(founding_id);
            }
            Status::Absorbed { host_orgnr } => {
                answer.set_state(pb::InitiativeState::Absorbed);
                answer.host_orgnr.clone_from(host_orgnr);
            }
            Status::Abandoned => answer.set_state(pb::InitiativeState::Abandoned),
            Status::Expired => answer.set_state(pb::InitiativeState::Expired),
        }
        answer
    }
}
