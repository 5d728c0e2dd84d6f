//! What happens here because something else has happened: facts in, commands to our own aggregates out. Pure.

use ryggrad_decider::Decider as _;
use ryggrad_eventlog::Recorded;
use ryggrad_eventlog::consumer::Poison;
use ryggrad_eventlog::reaction::Reaction;
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::founding_command::Command as ToFounding;
use ryggrad_proto::registration::v1::founding_event::Event as OfFounding;
use ryggrad_proto::registration::v1::initiative_event::Event as OfInitiative;
use ryggrad_proto::registration::v1::organisation_command::Command as ToOrganisation;
use ryggrad_proto::registration::v1::organisation_event::Event as OfOrganisation;
use ryggrad_proto::registration::v1::registration_case_command::Command as ToCase;
use ryggrad_proto::registration::v1::registration_case_event::Event as OfCase;
use uuid::Uuid;

use crate::command::Command;
use crate::founding::Founding;
use crate::initiative::Initiative;
use crate::organisation::Organisation;
use crate::registration_case::RegistrationCase;
use crate::service::CONTEXT;

/// From one aggregate to the next: idea → founding → organisation, case → organisation → case.
#[derive(Debug, Clone, Copy)]
pub struct Reactions;

impl Reaction for Reactions {
    type State = ();
    type Command = Command;

    const NAME: &'static str = "registration-reactions";

    fn key(&self, event: &Recorded) -> Option<Uuid> {
        let ours = matches!(
            &*event.name,
            "FoundingDecided"
                | "OrganisationFounded"
                | "RegistrationSubmitted"
                | "RegistrationWithdrawn"
                | "RegistrationRejected"
                | "OrganisationRegistered"
                | "VoluntaryRegistrationEntered"
                | "VoluntaryRegistrationRefused"
        );
        (ours && &*event.context == CONTEXT).then_some(event.organisation_id)
    }

    fn react(&self, (): &mut (), event: &Recorded) -> Result<Vec<Command>, Poison> {
        let command = match &*event.aggregate_type {
            Initiative::AGGREGATE => event.decode()?.as_ref().and_then(of_initiative),
            Founding::AGGREGATE => event.decode()?.as_ref().and_then(of_founding),
            RegistrationCase::AGGREGATE => event.decode()?.as_ref().and_then(|of| of_case(of, event)),
            Organisation::AGGREGATE => event.decode()?.as_ref().and_then(of_organisation),
            _ => None,
        };
        Ok(command.into_iter().collect())
    }
}

/// Who stands behind the commands of reactions.
pub(crate) fn actor() -> Actor {
    Actor {
        kind: "system".to_owned(),
        r#ref: CONTEXT.to_owned(),
        ..Actor::default()
    }
}

/// A decision to found plans the founding.
fn of_initiative(event: &OfInitiative) -> Option<Command> {
    match event {
        OfInitiative::FoundingDecided(e) => {
            let plan = pb::PlanFounding {
                founding_id: e.founding_id.clone(),
                form: e.proposed_form.clone(),
                initiative_id: Some(e.initiative_id.clone()),
                ..pb::PlanFounding::default()
            };
            Some(ToFounding::from(plan).into())
        }
        OfInitiative::InitiativeSketched(_)
        | OfInitiative::ExistingOfferingsReviewed(_)
        | OfInitiative::InitiativeOpened(_)
        | OfInitiative::SupporterJoined(_)
        | OfInitiative::TrialStarted(_)
        | OfInitiative::TrialActivityHeld(_)
        | OfInitiative::TrialEvaluated(_)
        | OfInitiative::InitiativeAbsorbed(_)
        | OfInitiative::InitiativePaused(_)
        | OfInitiative::InitiativeAbandoned(_)
        | OfInitiative::InitiativeExpired(_)
        | OfInitiative::SupportersPurged(_) => None,
    }
}

/// A founded organisation is opened here.
fn of_founding(event: &OfFounding) -> Option<Command> {
    match event {
        OfFounding::OrganisationFounded(e) => {
            let open = pb::OpenOrganisation {
                organisation_id: e.organisation_id.clone(),
                founding_id: e.founding_id.clone(),
                name: e.name.clone(),
                form: e.form.clone(),
                purpose: e.purpose.clone(),
                kommunenummer: e.kommunenummer.clone(),
                stiftelsesdato: e.stiftelsesdato.clone(),
                board_size: e.board_size,
                ..pb::OpenOrganisation::default()
            };
            Some(ToOrganisation::from(open).into())
        }
        OfFounding::FoundingPlanned(_)
        | OfFounding::FoundingMeetingConvened(_)
        | OfFounding::FoundingMeetingHeld(_)
        | OfFounding::BylawsAdopted(_)
        | OfFounding::BoardElected(_)
        | OfFounding::FoundingDocumentSigned(_)
        | OfFounding::FoundingCancelled(_) => None,
    }
}

/// A notification to Frivillighetsregisteret is an application, until it is withdrawn or refused. (A case that lapses was never sent.)
fn of_case(event: &OfCase, recorded: &Recorded) -> Option<Command> {
    match event {
        OfCase::RegistrationWithdrawn(_) | OfCase::RegistrationRejected(_) => {
            let end = pb::EndVoluntaryApplication {
                organisation_id: recorded.organisation_id.to_string(),
                case_id: recorded.aggregate_id.to_string(),
                ..pb::EndVoluntaryApplication::default()
            };
            Some(ToOrganisation::from(end).into())
        }
        OfCase::RegistrationSubmitted(e)
            if e.kind() == pb::CaseKind::New && e.registers.iter().any(|register| register == "FR") =>
        {
            let voluntary = e
                .content
                .as_ref()
                .and_then(|content| content.frivillig_organisasjon.as_ref());
            let apply = pb::ApplyToVoluntaryRegister {
                organisation_id: e.organisation_id.clone(),
                case_id: e.case_id.clone(),
                grasrot: voluntary
                    .and_then(|voluntary| voluntary.grasrotandel)
                    .is_some_and(|grasrot| grasrot.deltar_i),
                ..pb::ApplyToVoluntaryRegister::default()
            };
            Some(ToOrganisation::from(apply).into())
        }
        OfCase::RegistrationSubmitted(_)
        | OfCase::RegistrationDrafted(_)
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
        | OfCase::RegistrationSupplemented(_)
        | OfCase::RegistrationAppealed(_)
        | OfCase::AppealPeriodEnded(_)
        | OfCase::RegistrationLapsed(_)
        | OfCase::RegistrationConfirmed(_) => None,
    }
}

/// What a register has decided about an organisation is the answer to its case.
pub(crate) fn of_organisation(event: &OfOrganisation) -> Option<Command> {
    match event {
        OfOrganisation::OrganisationRegistered(e) => confirm(&e.case_id, "ER", &e.orgnr),
        OfOrganisation::VoluntaryRegistrationEntered(e) => confirm(&e.case_id, "FR", &e.orgnr),
        OfOrganisation::VoluntaryRegistrationRefused(e) if !e.case_id.is_empty() => {
            let reject = pb::RejectRegistration {
                case_id: e.case_id.clone(),
                register: "FR".to_owned(),
                ground: e.ground.clone(),
                ..pb::RejectRegistration::default()
            };
            Some(ToCase::from(reject).into())
        }
        OfOrganisation::VoluntaryRegistrationRefused(_)
        | OfOrganisation::OrganisationOpened(_)
        | OfOrganisation::VoluntaryRegistrationApplied(_)
        | OfOrganisation::VoluntaryApplicationEnded(_)
        | OfOrganisation::VoluntaryRegistrationDeleted(_)
        | OfOrganisation::GrasrotParticipationApproved(_)
        | OfOrganisation::GrasrotParticipationEnded(_)
        | OfOrganisation::GrasrotExclusionImposed(_)
        | OfOrganisation::ActivityCategoriesChanged(_)
        | OfOrganisation::AccountingDutyChanged(_)
        | OfOrganisation::AnnualAccountsSubmitted(_)
        | OfOrganisation::OrganisationDetailsChanged(_)
        | OfOrganisation::RolesReported(_)
        | OfOrganisation::BankAccountLinked(_)
        | OfOrganisation::AffiliationEstablished(_)
        | OfOrganisation::BylawsAdopted(_)
        | OfOrganisation::DissolutionReported(_)
        | OfOrganisation::DissolutionRevoked(_)
        | OfOrganisation::InsolvencyDeclared(_)
        | OfOrganisation::OrganisationDeleted(_) => None,
    }
}

fn confirm(case_id: &str, register: &str, orgnr: &str) -> Option<Command> {
    if case_id.is_empty() {
        return None;
    }
    let confirm = pb::ConfirmRegistration {
        case_id: case_id.to_owned(),
        register: register.to_owned(),
        orgnr: orgnr.to_owned(),
        ..pb::ConfirmRegistration::default()
    };
    Some(ToCase::from(confirm).into())
}

#[cfg(test)]
mod tests;
