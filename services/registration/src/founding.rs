//! A founding: from the plan to an organisation that exists (handbook section 4).

mod decide;
mod refusals;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use ryggrad_decider::{About, Context, Decider, Refusal};
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::founding_command::Command;
use ryggrad_proto::registration::v1::founding_event::Event;
use uuid::Uuid;

use crate::board;
use crate::form::Form;

/// The aggregate.
#[derive(Debug)]
pub struct Founding;

/// What a founding remembers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Where it stands.
    pub status: Status,
    /// Legal form; none before the plan.
    pub form: Option<Form>,
    /// Central organisation that it is to belong to.
    pub parent_orgnr: Option<String>,
    /// Day of the meeting (ISO date).
    pub meeting_date: String,
    /// Who founded: person_ref or organisation number.
    pub founders: BTreeSet<String>,
    /// Purpose that the meeting decided to found with.
    pub purpose: String,
    /// Version of the bylaws; 0 before they are adopted.
    pub bylaws_version: u32,
    /// How large the board is by the bylaws, when they say.
    pub board_size: Option<pb::BoardSize>,
    /// A board has been elected.
    pub has_board: bool,
    /// How many are on it.
    pub on_board: u32,
    /// Founders who have signed.
    pub signed: BTreeSet<String>,
    /// The document that they signed.
    pub document_hash: Option<String>,
    /// Its municipality, when it is founded.
    pub kommunenummer: Option<String>,
    /// The initiative that led here.
    pub initiative_id: Option<Uuid>,
}

/// Where a founding stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// Nobody has planned anything yet.
    #[default]
    Unplanned,
    /// Planned.
    Planned,
    /// The meeting is called.
    Convened,
    /// The meeting was held.
    Held,
    /// Bylaws, board and a signed founding document are there.
    Documented,
    /// The organisation is founded.
    Completed {
        /// The organisation.
        organisation_id: Uuid,
    },
    /// Called off.
    Cancelled,
}

// === impl Founding ===

impl Decider for Founding {
    type State = State;
    type Command = Command;
    type Event = Event;

    const CONTEXT: &'static str = "registration";
    const AGGREGATE: &'static str = "Founding";

    fn decide(state: &State, command: &Command, context: &Context) -> Result<Vec<Event>, Refusal> {
        decide::decide(state, command, context)
    }

    fn evolve(state: &mut State, event: &Event) {
        match event {
            Event::FoundingPlanned(e) => {
                state.status = Status::Planned;
                state.form = e.form.parse().ok().and_then(Form::of);
                state.parent_orgnr.clone_from(&e.parent_orgnr);
                state.initiative_id = e.initiative_id.as_deref().and_then(|id| Uuid::try_parse(id).ok());
            }
            Event::FoundingMeetingConvened(e) => {
                state.status = Status::Convened;
                state.meeting_date.clone_from(&e.date);
            }
            Event::FoundingMeetingHeld(e) => {
                state.status = Status::Held;
                state.meeting_date.clone_from(&e.date);
                state.purpose.clone_from(&e.purpose);
                state.founders = e.founders.iter().filter_map(key).collect();
            }
            Event::BylawsAdopted(e) => {
                state.bylaws_version = e.version;
                state.board_size = e.board_size;
            }
            Event::BoardElected(e) => {
                state.has_board = true;
                state.on_board = board::count(&e.roles);
            }
            Event::FoundingDocumentSigned(e) => {
                state
                    .signed
                    .insert(e.for_orgnr.clone().unwrap_or_else(|| e.signer.clone()));
                state.document_hash = Some(e.document_hash.clone());
                if state.status == Status::Held && state.signatures_missing() == 0 {
                    state.status = Status::Documented;
                }
            }
            Event::OrganisationFounded(e) => {
                state.status = Status::Completed {
                    organisation_id: Uuid::try_parse(&e.organisation_id).unwrap_or_default(),
                };
                state.kommunenummer = Some(e.kommunenummer.clone());
            }
            Event::FoundingCancelled(_) => state.status = Status::Cancelled,
        }
    }

    fn about(state: &State) -> About {
        let organisation_id = match state.status {
            Status::Completed { organisation_id } => Some(organisation_id),
            Status::Unplanned
            | Status::Planned
            | Status::Convened
            | Status::Held
            | Status::Documented
            | Status::Cancelled => None,
        };
        About {
            organisation_id,
            orgnr: None,
            kommunenummer: state.kommunenummer.clone(),
            related: state.initiative_id.into_iter().collect(),
        }
    }
}

/// The one thing that tells one founder from another.
fn key(founder: &pb::Founder) -> Option<String> {
    match founder.founder.as_ref()? {
        pb::founder::Founder::PersonRef(key) | pb::founder::Founder::Orgnr(key) => Some(key.clone()),
    }
}

// === impl Status ===

impl Status {
    /// Its name in the table of states; none before the first event.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Unplanned => None,
            Self::Planned => Some("planned"),
            Self::Convened => Some("convened"),
            Self::Held => Some("held"),
            Self::Documented => Some("documented"),
            Self::Completed { .. } => Some("completed"),
            Self::Cancelled => Some("cancelled"),
        }
    }
}

// === impl State ===

impl State {
    /// How many founders still have to sign the founding document.
    fn signatures_missing(&self) -> usize {
        let needed = self
            .form
            .map_or(self.founders.len(), |form| form.signatures(self.founders.len()));
        needed.saturating_sub(self.signed.len())
    }

    /// The founding as a query answers it.
    pub fn answer(&self, id: Uuid, version: u64, as_of: u64) -> pb::Founding {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (state, organisation_id) = match self.status {
            Status::Unplanned => (pb::FoundingState::Unspecified, String::new()),
            Status::Planned => (pb::FoundingState::Planned, String::new()),
            Status::Convened => (pb::FoundingState::Convened, String::new()),
            Status::Held => (pb::FoundingState::Held, String::new()),
            Status::Documented => (pb::FoundingState::Documented, String::new()),
            Status::Completed { organisation_id } => (pb::FoundingState::Completed, organisation_id.to_string()),
            Status::Cancelled => (pb::FoundingState::Cancelled, String::new()),
        };
        pb::Founding {
            founding_id: id.to_string(),
            version,
            state: state.into(),
            form: self.form.map_or("", Form::code).to_owned(),
            parent_orgnr: self.parent_orgnr.clone().unwrap_or_default(),
            meeting_date: self.meeting_date.clone(),
            founders: number(self.founders.len()),
            signed: number(self.signed.len()),
            has_bylaws: self.bylaws_version > 0,
            has_board: self.has_board,
            organisation_id,
            as_of,
        }
    }
}
