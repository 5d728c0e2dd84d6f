//! An organisation as a query answers it.

use ryggrad_proto::registration::v1 as pb;
use uuid::Uuid;

use super::state::{Grasrot, State, Status, Voluntary};

impl State {
    /// The organisation as a query answers it.
    pub fn answer(&self, id: Uuid, version: u64, as_of: u64) -> pb::Organisation {
        let state = match self.status {
            Status::Informal if version == 0 => pb::OrganisationState::Unspecified,
            Status::Informal => pb::OrganisationState::Informal,
            Status::Founded => pb::OrganisationState::Founded,
            Status::Registered => pb::OrganisationState::Registered,
            Status::RegisteredVoluntary => pb::OrganisationState::RegisteredVoluntary,
            Status::UnderWindingUp(_) => pb::OrganisationState::UnderWindingUp,
            Status::InBankruptcy => pb::OrganisationState::InBankruptcy,
            Status::Merged => pb::OrganisationState::Merged,
            Status::Deleted => pb::OrganisationState::Deleted,
        };
        let voluntary = match self.voluntary {
            Voluntary::None => pb::VoluntaryState::Unspecified,
            Voluntary::Applied => pb::VoluntaryState::Applied,
            Voluntary::Innfoert => pb::VoluntaryState::Innfoert,
            Voluntary::Refused => pb::VoluntaryState::Refused,
            Voluntary::Slettet => pb::VoluntaryState::Slettet,
        };
        let grasrot = match self.grasrot {
            Grasrot::NotParticipating => pb::GrasrotState::Unspecified,
            Grasrot::Requested => pb::GrasrotState::Requested,
            Grasrot::Approved => pb::GrasrotState::Approved,
            Grasrot::Excluded { .. } => pb::GrasrotState::Excluded,
            Grasrot::Ended => pb::GrasrotState::Ended,
        };
        pb::Organisation {
            organisation_id: id.to_string(),
            version,
            state: state.into(),
            orgnr: self.orgnr.clone().unwrap_or_default(),
            registreringsdato: self.registreringsdato.clone(),
            details: Some(self.details.clone()),
            voluntary: voluntary.into(),
            icnpo: self.icnpo.clone(),
            grasrot: grasrot.into(),
            parents: self.relations.iter().map(|relation| relation.parent.clone()).collect(),
            origin: self.origin.clone(),
            successor_orgnr: self.successor.clone().unwrap_or_default(),
            as_of,
        }
    }
}
