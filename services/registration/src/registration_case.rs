//! A coordinated register notification (samordnet registermelding) on its way to the registers (handbook section 4).

mod answer;
mod authority;
mod content;
mod decide;
mod refusals;
mod signing;
mod state;
#[cfg(test)]
mod tests;

use ryggrad_decider::{About, Context, Decider, Refusal};
use ryggrad_proto::registration::v1::registration_case_command::Command;
use ryggrad_proto::registration::v1::registration_case_event::Event;

pub use state::{Register, Signatures, State, Status};

/// The aggregate.
#[derive(Debug)]
pub struct RegistrationCase;

impl Decider for RegistrationCase {
    type State = State;
    type Command = Command;
    type Event = Event;

    const CONTEXT: &'static str = "registration";
    const AGGREGATE: &'static str = "RegistrationCase";

    fn decide(state: &State, command: &Command, context: &Context) -> Result<Vec<Event>, Refusal> {
        decide::decide(state, command, context)
    }

    fn evolve(state: &mut State, event: &Event) {
        state.evolve(event);
    }

    /// A number in the content is the organisation's own: the edge admits no other (ADR 0052).
    fn about(state: &State) -> About {
        let orgnr = Some(state.content.organisasjonsnummer.clone()).filter(|orgnr| !orgnr.is_empty());
        let address = state.content.forretningsadresse.as_ref();
        About {
            organisation_id: state.organisation_id,
            orgnr: state.orgnr.clone().or(orgnr),
            kommunenummer: address
                .map(|address| address.kommunenummer.clone())
                .filter(|number| !number.is_empty()),
            related: Vec::new(),
        }
    }
}
