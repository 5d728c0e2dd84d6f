//! A registration case as a query answers it.

use ryggrad_proto::registration::v1 as pb;
use uuid::Uuid;

use super::state::{State, Status};

impl State {
    /// The case as a query answers it.
    pub fn answer(&self, id: Uuid, version: u64, as_of: u64) -> pb::RegistrationCase {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let signatures = self.status.signatures();
        let mut answer = pb::RegistrationCase {
            case_id: id.to_string(),
            version,
            organisation_id: self.organisation_id.map(|id| id.to_string()).unwrap_or_default(),
            registers: self.register_codes(),
            kind: self.kind.into(),
            content: Some(self.content.clone()),
            documents: self.documents.keys().copied().collect(),
            board_election_declared: self.board_election.is_some(),
            signers: signatures.map_or(0, |s| number(s.signers.len())),
            signed: signatures.map_or(0, |s| number(s.signed.len())),
            signatures_due_at: signatures.and_then(|s| s.due_at).map(Into::into),
            as_of,
            ..pb::RegistrationCase::default()
        };
        let state = match &self.status {
            Status::Undrafted => pb::CaseState::Unspecified,
            Status::Draft => pb::CaseState::Draft,
            Status::AwaitingSignatures(_) => pb::CaseState::AwaitingSignatures,
            Status::Signed(_) => pb::CaseState::Signed,
            Status::Submitted => pb::CaseState::Submitted,
            Status::UnderReview => pb::CaseState::UnderReview,
            Status::InfoRequested { deficiencies } => {
                answer.deficiencies.clone_from(deficiencies);
                pb::CaseState::InfoRequested
            }
            Status::Registered => pb::CaseState::Registered,
            Status::Rejected { appeal_deadline, .. } => {
                answer.appeal_deadline = appeal_deadline.map(Into::into);
                pb::CaseState::Rejected
            }
            Status::Withdrawn => pb::CaseState::Withdrawn,
            Status::Lapsed => pb::CaseState::Lapsed,
        };
        answer.set_state(state);
        answer
    }
}
