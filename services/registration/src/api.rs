//! The service as gRPC and REST see it: one line per command, the four queries, and the register authority's port.

use ryggrad_access::{Key, View};
use ryggrad_decider::Decider;
use ryggrad_eventlog::Executor;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::register_port_server::RegisterPort;
use ryggrad_proto::registration::v1::registration_service_server::RegistrationService;
use ryggrad_service::readings::About;
use ryggrad_service::request::{as_of, parse_id};
use ryggrad_service::{ApiError, authority};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::service::Registration;

#[tonic::async_trait]
impl RegistrationService for Registration {
    ryggrad_service::commands! {
        sketch_initiative(pb::SketchInitiative) => initiatives;
        search_existing(pb::SearchExisting) => initiatives;
        open_for_cofounders(pb::OpenForCofounders) => initiatives;
        register_supporter(pb::RegisterSupporter) => initiatives;
        start_trial(pb::StartTrial) => initiatives;
        record_trial_activity(pb::RecordTrialActivity) => initiatives;
        evaluate_trial(pb::EvaluateTrial) => initiatives;
        proceed_to_founding(pb::ProceedToFounding) => initiatives;
        join_existing_organisation(pb::JoinExistingOrganisation) => initiatives;
        pause_initiative(pb::PauseInitiative) => initiatives;
        abandon_initiative(pb::AbandonInitiative) => initiatives;

        plan_founding(pb::PlanFounding) => foundings;
        convene_founding_meeting(pb::ConveneFoundingMeeting) => foundings;
        record_founding_meeting(pb::RecordFoundingMeeting) => foundings;
        adopt_bylaws(pb::AdoptBylaws) => foundings;
        elect_interim_board(pb::ElectInterimBoard) => foundings;
        sign_founding_document(pb::SignFoundingDocument) => foundings;
        complete_founding(pb::CompleteFounding) => foundings;
        cancel_founding(pb::CancelFounding) => foundings;

        draft_registration(pb::DraftRegistration) => cases;
        amend_registration(pb::AmendRegistration) => cases;
        attach_document(pb::AttachDocument) => cases;
        declare_board_election(pb::DeclareBoardElection) => cases;
        request_signatures(pb::RequestSignatures) => cases;
        sign_registration(pb::SignRegistration) => cases;
        confirm_auditor_assignment(pb::ConfirmAuditorAssignment) => cases;
        submit_registration(pb::SubmitRegistration) => cases;
        supplement_registration(pb::SupplementRegistration) => cases;
        withdraw_registration(pb::WithdrawRegistration) => cases;
        appeal_rejection(pb::AppealRejection) => cases;

        change_master_data(pb::ChangeMasterData) => organisations;
        report_roles(pb::ReportRoles) => organisations;
        open_bank_account(pb::OpenBankAccount) => organisations;
        affiliate_to_umbrella(pb::AffiliateToUmbrella) => organisations;
    }

    async fn get_initiative(
        &self,
        request: Request<pb::GetInitiativeRequest>,
    ) -> Result<Response<pb::Initiative>, Status> {
        let request = request.into_inner();
        let asked = ("initiative_id", request.initiative_id.as_str());
        let found = self.show(&self.initiatives, View::Initiative, asked).await?;
        Ok(Response::new(found.state.answer(found.id, found.version, found.as_of)))
    }

    async fn get_founding(&self, request: Request<pb::GetFoundingRequest>) -> Result<Response<pb::Founding>, Status> {
        let request = request.into_inner();
        let asked = ("founding_id", request.founding_id.as_str());
        let found = self.show(&self.foundings, View::Founding, asked).await?;
        Ok(Response::new(found.state.answer(found.id, found.version, found.as_of)))
    }

    async fn get_case(&self, request: Request<pb::GetCaseRequest>) -> Result<Response<pb::RegistrationCase>, Status> {
        let request = request.into_inner();
        let asked = ("case_id", request.case_id.as_str());
        let found = self.show(&self.cases, View::RegisterCase, asked).await?;
        Ok(Response::new(found.state.answer(found.id, found.version, found.as_of)))
    }

    async fn get_organisation(
        &self,
        request: Request<pb::GetOrganisationRequest>,
    ) -> Result<Response<pb::Organisation>, Status> {
        let request = request.into_inner();
        let asked = ("organisation_id", request.organisation_id.as_str());
        let found = self.show(&self.organisations, View::Organisation, asked).await?;
        Ok(Response::new(found.state.answer(found.id, found.version, found.as_of)))
    }
}

/// An aggregate as it is, and the position that the answer is valid for.
struct Found<D: Decider> {
    id: Uuid,
    state: D::State,
    version: u64,
    as_of: u64,
}

impl Registration {
    /// An aggregate for a caller who may see it, as it is now; others than the organisation itself leave a trace.
    async fn show<D: Decider>(
        &self,
        executor: &Executor<D>,
        view: View,
        (field, id): (&str, &str),
    ) -> Result<Found<D>, ApiError> {
        let id = parse_id(field, id)?;
        let as_of = as_of(&self.log).await?;
        let (state, version) = executor.state(id).await?;
        let about = D::about(&state);
        let key = Key::about(
            about.organisation_id.unwrap_or(id),
            about.orgnr.as_deref(),
            about.kommunenummer.as_deref(),
        );
        let gate = self.authority.gate().await?;
        // Who may not see it is not told whether it exists.
        let verdict = authority::ask(&gate, view, &key)?;
        if version == 0 {
            return Err(ApiError::NotFound {
                what: D::AGGREGATE,
                id: id.to_string(),
            });
        }
        let one = About::One {
            id: key.organisation,
            orgnr: about.orgnr,
        };
        self.readings
            .record(gate.caller().identity(), view.name(), verdict, one)
            .await?;
        Ok(Found {
            id,
            state,
            version,
            as_of,
        })
    }
}

#[tonic::async_trait]
impl RegisterPort for Registration {
    ryggrad_service::commands! {
        start_review(pb::StartReview) => cases;
        request_information(pb::RequestInformation) => cases;
        reject_registration(pb::RejectRegistration) => cases;
        confirm_registration(pb::ConfirmRegistration) => cases;
        assign_orgnr(pb::AssignOrgnr) => organisations;
        enter_voluntary_register(pb::EnterVoluntaryRegister) => organisations;
        refuse_voluntary_register(pb::RefuseVoluntaryRegister) => organisations;
        approve_grasrot(pb::ApproveGrasrot) => organisations;
        change_registration(pb::ChangeRegistration) => organisations;
        leave_voluntary_register(pb::LeaveVoluntaryRegister) => organisations;
        delete_organisation(pb::DeleteOrganisation) => organisations;
    }
}
