//! An organisation: what it tells the registers, and what the registers say about it (handbook 2.3, 4 and 9.3).

mod answer;
mod authority;
mod clocks;
mod decide;
mod details;
mod mirror;
mod refusals;
mod register_change;
mod state;
#[cfg(test)]
mod tests;

use ryggrad_decider::{About, Context, Decider, Refusal};
use ryggrad_proto::registration::v1::organisation_command::Command;
use ryggrad_proto::registration::v1::organisation_event::Event;

pub use clocks::Clocks;
pub use state::{Application, Before, Bylaws, Grasrot, Relation, State, Status, Voluntary};

/// The aggregate. It owns the facts that are mirrored from the registers.
#[derive(Debug)]
pub struct Organisation;

impl Decider for Organisation {
    type State = State;
    type Command = Command;
    type Event = Event;

    const CONTEXT: &'static str = "registration";
    const AGGREGATE: &'static str = "Organisation";

    fn decide(state: &State, command: &Command, context: &Context) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::ChangeMasterData(c) => decide::change_master_data(state, c, context),
            Command::ReportRoles(c) => decide::report_roles(state, c, context),
            Command::OpenBankAccount(c) => decide::open_bank_account(state, c),
            Command::AffiliateToUmbrella(c) => decide::affiliate(state, c, context),
            Command::OpenOrganisation(c) => decide::open(state, c, context),
            Command::ApplyToVoluntaryRegister(c) => decide::apply(state, c, context),
            Command::AssignOrgnr(c) => authority::assign_orgnr(state, c, context),
            Command::EnterVoluntaryRegister(c) => authority::enter(state, c),
            Command::RefuseVoluntaryRegister(c) => authority::refuse(state, c),
            Command::ApproveGrasrot(c) => authority::approve_grasrot(state, c, context),
            Command::MirrorRegister(c) => mirror::mirror(state, c, context),
            Command::EndVoluntaryApplication(c) => decide::end_application(state, c, context),
            Command::ChangeRegistration(c) => register_change::change(state, c, context),
            Command::LeaveVoluntaryRegister(c) => register_change::leave(state, c),
            Command::DeleteOrganisation(c) => register_change::delete(state, c),
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        state.evolve(event);
    }

    fn about(state: &State) -> About {
        let address = state.details.forretningsadresse.as_ref();
        About {
            organisation_id: None,
            orgnr: state.orgnr.clone(),
            kommunenummer: address
                .map(|address| address.kommunenummer.clone())
                .filter(|number| !number.is_empty()),
            related: Vec::new(),
        }
    }
}
