//! What a case is told when the organisation gives no fact that answers it: every notification gets an answer.

use ryggrad_decider::{Decider as _, Refusal};
use ryggrad_eventlog::ExecuteError;
use ryggrad_eventlog::deadline::Due;
use ryggrad_eventlog::order::{Again, Carried, Order, carried};
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::organisation_command::Command as ToOrganisation;
use ryggrad_proto::registration::v1::organisation_event::Event as OfOrganisation;
use ryggrad_proto::registration::v1::registration_case_command::Command as ToCase;
use uuid::Uuid;

use super::actor;
use crate::command::{Command, request};
use crate::organisation::Organisation;
use crate::registration_case::Status;
use crate::service::Registration;

/// The case that a decision about an organisation answers, and the register that decides; none for what no case waits for.
pub(super) fn answers(decision: &ToOrganisation) -> Option<(Uuid, &'static str)> {
    let (case, register) = if let ToOrganisation::AssignOrgnr(c) = decision {
        (&c.case_id, "ER")
    } else if let ToOrganisation::EnterVoluntaryRegister(c) = decision {
        (&c.case_id, "FR")
    } else if let ToOrganisation::RefuseVoluntaryRegister(c) = decision {
        (&c.case_id, "FR")
    } else {
        return None;
    };
    Some((Uuid::try_parse(case).ok()?, register))
}

/// Whether a case needs no decision any more, because it ended without one.
pub(super) fn came_to_nothing(status: &Status) -> bool {
    matches!(status, Status::Rejected { .. } | Status::Withdrawn | Status::Lapsed)
}

/// What the authority tells the case itself after a decision: that the organisation is already where it asked to be, or why it does
/// not get there. None when a fact of the organisation answers the case.
pub(super) fn told(
    decision: &ToOrganisation,
    refused: Option<&Refusal>,
    organisation: &[OfOrganisation],
    maalform: &str,
) -> Option<ToCase> {
    let (case, register) = answers(decision)?;
    let case_id = case.to_string();
    if organisation.iter().any(|fact| is_answer(fact, &case_id, register)) {
        return None;
    }
    let ground = match (decision, refused) {
        (ToOrganisation::RefuseVoluntaryRegister(c), _) => Some(c.ground.clone()),
        (_, Some(refusal)) if maalform == "nn" => Some(refusal.text.nn.to_string()),
        (_, refusal) => refusal.map(|refusal| refusal.text.nb.to_string()),
    };
    let register = register.to_owned();
    if let Some(ground) = ground {
        let reject = pb::RejectRegistration {
            case_id,
            register,
            ground,
            ..pb::RejectRegistration::default()
        };
        return Some(reject.into());
    }
    let mut state = <Organisation as ryggrad_decider::Decider>::State::default();
    for fact in organisation {
        Organisation::evolve(&mut state, fact);
    }
    let confirm = pb::ConfirmRegistration {
        case_id,
        register,
        orgnr: state.orgnr?,
        ..pb::ConfirmRegistration::default()
    };
    Some(confirm.into())
}

/// Whether a fact is the answer of a register to a case: a reaction tells the case.
fn is_answer(fact: &OfOrganisation, case_id: &str, register: &str) -> bool {
    let answer = if let OfOrganisation::OrganisationRegistered(e) = fact {
        (e.case_id.as_str(), "ER")
    } else if let OfOrganisation::VoluntaryRegistrationEntered(e) = fact {
        (e.case_id.as_str(), "FR")
    } else if let OfOrganisation::VoluntaryRegistrationRefused(e) = fact {
        (e.case_id.as_str(), "FR")
    } else {
        return false;
    };
    answer == (case_id, register)
}

// === impl Registration ===

impl Registration {
    /// Carries out a decision of the simulated authority, and tells the case when nothing else does.
    ///
    /// # Errors
    /// [`Again`] when it is not known how it ended.
    pub(crate) async fn decide(&self, order: Order<Due>) -> Result<Carried, Again> {
        let decoded = Command::decode(&order.command.aggregate_type, &order.command.command);
        let Ok(Command::Organisation(decision)) = decoded else {
            return self.fall_due(order, |_| actor()).await;
        };
        let Some((case, _)) = answers(&decision) else {
            return self.fall_due(order, |_| actor()).await;
        };
        let (case, _) = self.cases.state(case).await.map_err(|error| Again(error.to_string()))?;
        if came_to_nothing(&case.status) {
            return Ok(Carried::Refused("the case has ended".to_owned()));
        }
        let order = order.with(Command::Organisation(decision.clone()));
        let Some(request) = request(order.clone(), decision.clone(), &actor()) else {
            return Ok(Carried::Failed("the command names no aggregate".to_owned()));
        };
        let organisation = request.aggregate_id;
        let answer = Box::pin(self.organisations.execute(request)).await;
        let refused = match &answer {
            Ok(_) => None,
            Err(ExecuteError::Refused(refusal)) => Some(refusal),
            Err(ExecuteError::Unavailable(_) | ExecuteError::Conflict { .. } | ExecuteError::Fault(_)) => {
                return carried(answer);
            }
        };
        let facts = self.log.aggregate(organisation, 0).await;
        let facts = facts.map_err(|error| Again(error.to_string()))?;
        let facts: Vec<_> = facts.iter().filter_map(|event| event.decode().ok().flatten()).collect();
        match told(&decision, refused, &facts, &case.maalform) {
            None => carried(answer),
            Some(command) => {
                let id = Uuid::new_v5(&order.id, b"told");
                let order = Order {
                    id,
                    ..order.with(command.into())
                };
                self.carry_out(order, &actor()).await
            }
        }
    }
}
