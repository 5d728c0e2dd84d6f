//! The service as gRPC and REST see it: one line per command, and the four queries.

use std::time::Duration;

use ryggrad_decider::Decider;
use ryggrad_eventlog::{Executor, Log};
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::registration_service_server::RegistrationService;
use ryggrad_service::ApiError;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::founding::Founding;
use crate::initiative::Initiative;
use crate::organisation::Organisation;
use crate::registration_case::RegistrationCase;
use crate::service::Registration;

/// How long a query waits for a position to become visible.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(10);

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
        let found = load::<Initiative>(
            &self.initiatives,
            &self.log,
            "initiative_id",
            &request.initiative_id,
            request.at_least,
        )
        .await?;
        Ok(Response::new(found.state.answer(found.id, found.version, found.as_of)))
    }

    async fn get_founding(&self, request: Request<pb::GetFoundingRequest>) -> Result<Response<pb::Founding>, Status> {
        let request = request.into_inner();
        let found = load::<Founding>(
            &self.foundings,
            &self.log,
            "founding_id",
            &request.founding_id,
            request.at_least,
        )
        .await?;
        Ok(Response::new(found.state.answer(found.id, found.version, found.as_of)))
    }

    async fn get_case(&self, request: Request<pb::GetCaseRequest>) -> Result<Response<pb::RegistrationCase>, Status> {
        let request = request.into_inner();
        let found =
            load::<RegistrationCase>(&self.cases, &self.log, "case_id", &request.case_id, request.at_least).await?;
        Ok(Response::new(found.state.answer(found.id, found.version, found.as_of)))
    }

    async fn get_organisation(
        &self,
        request: Request<pb::GetOrganisationRequest>,
    ) -> Result<Response<pb::Organisation>, Status> {
        let request = request.into_inner();
        let found = load::<Organisation>(
            &self.organisations,
            &self.log,
            "organisation_id",
            &request.organisation_id,
            request.at_least,
        )
        .await?;
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

async fn load<D: Decider>(
    executor: &Executor<D>,
    log: &Log,
    field: &str,
    id: &str,
    at_least: u64,
) -> Result<Found<D>, ApiError> {
    let id = Uuid::try_parse(id).map_err(|_| ApiError::invalid(field, "is not a UUID"))?;
    let as_of = wait(log, at_least).await?;
    let (state, version) = executor.state(id).await?;
    if version == 0 {
        return Err(ApiError::NotFound {
            what: D::AGGREGATE,
            id: id.to_string(),
        });
    }
    Ok(Found {
        id,
        state,
        version,
        as_of,
    })
}

/// Waits until the log has a position, at most [`PATIENCE`], and answers where the log ends.
async fn wait(log: &Log, at_least: u64) -> Result<u64, ApiError> {
    let reached = tokio::time::timeout(PATIENCE, async {
        loop {
            let head = log.head().await?.position;
            if head >= at_least {
                return Ok(head);
            }
            tokio::time::sleep(LOOK).await;
        }
    });
    let head = match reached.await {
        Ok(head) => head,
        Err(_) => log.head().await.map(|head| head.position),
    };
    head.map_err(|error: sqlx::Error| {
        tracing::warn!(%error, "the log cannot be read");
        ApiError::Unavailable {
            what: "the log cannot be reached".to_owned(),
            retry_after: Duration::from_secs(1),
        }
    })
}
