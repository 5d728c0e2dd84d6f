//! Who is in the story: three neighbours who exist only as references.

use ryggrad_proto::registration::v1::founder::Founder as FounderIs;
use ryggrad_proto::registration::v1::role_holder::Holder;
use ryggrad_proto::registration::v1::{Founder, RoleHolder, Signer};
use uuid::Uuid;

/// Three neighbours.
#[derive(Debug, Clone)]
pub(super) struct People {
    pub(super) chair: String,
    pub(super) member: String,
    pub(super) contact: String,
}

// === impl People ===

impl People {
    /// The neighbours of one journey: others in every demonstration.
    pub(super) fn of(journey: Uuid) -> Self {
        let person = |who: &str| Uuid::new_v5(&journey, who.as_bytes()).to_string();
        Self {
            chair: person("chair"),
            member: person("member"),
            contact: person("contact"),
        }
    }

    pub(super) fn founders(&self) -> Vec<Founder> {
        [&self.chair, &self.member, &self.contact]
            .map(|person| Founder {
                founder: Some(FounderIs::PersonRef(person.clone())),
            })
            .to_vec()
    }

    pub(super) fn board(&self) -> Vec<RoleHolder> {
        vec![
            role("LEDE", &self.chair),
            role("MEDL", &self.member),
            role("VARA", &self.contact),
        ]
    }

    pub(super) fn board_and_contact(&self) -> Vec<RoleHolder> {
        let mut roles = self.board();
        roles.push(role("KONT", &self.contact));
        roles
    }

    pub(super) fn signers(&self) -> Vec<Signer> {
        vec![
            Signer {
                person_ref: self.chair.clone(),
                role_code: "LEDE".to_owned(),
            },
            Signer {
                person_ref: self.contact.clone(),
                role_code: "KONT".to_owned(),
            },
        ]
    }
}

fn role(code: &str, person: &str) -> RoleHolder {
    RoleHolder {
        role_code: code.to_owned(),
        holder: Some(Holder::PersonRef(person.to_owned())),
        from_date: None,
        to_date: None,
    }
}
