//! The second chapter: three neighbours found an association.

use anyhow::Context as _;
use ryggrad_proto::registration::v1 as pb;

use super::stage::{bylaws, hash};
use super::{KOMMUNE, NAME, PURPOSE, Story};
use crate::status::spoken;

// === impl Story ===

impl Story {
    pub(super) async fn founding(&mut self, initiative: &str) -> anyhow::Result<String> {
        send!(
            self,
            proceed_to_founding,
            pb::ProceedToFounding {
                meta: self.meta(),
                initiative_id: initiative.to_owned(),
                proposed_form: "FLI".to_owned(),
                ..Default::default()
            }
        );
        let asked = pb::GetInitiativeRequest {
            initiative_id: initiative.to_owned(),
            ..Default::default()
        };
        let founding = self
            .commands
            .get_initiative(asked)
            .await
            .map_err(spoken)?
            .into_inner()
            .founding_id;
        // A decision to found plans the founding by itself.
        self.expect("FoundingPlanned").await?;
        self.found(founding, 16).await
    }

    /// Without an idea before, and without notice: what is advised is never required.
    pub(crate) async fn found_today(&mut self) -> anyhow::Result<String> {
        let founding = super::fresh_id().to_string();
        send!(
            self,
            plan_founding,
            pb::PlanFounding {
                meta: self.meta(),
                founding_id: founding.clone(),
                form: "FLI".to_owned(),
                ..Default::default()
            }
        );
        let organisation = self.found(founding, 0).await?;
        // What was founded is opened by itself.
        self.expect("OrganisationOpened").await?;
        Ok(organisation)
    }

    /// The meeting is called, and held so many days later.
    async fn found(&mut self, founding: String, notice: i64) -> anyhow::Result<String> {
        let date = self.day(notice).await?;
        send!(
            self,
            convene_founding_meeting,
            pb::ConveneFoundingMeeting {
                meta: self.meta(),
                founding_id: founding.clone(),
                date,
                place: "Lillevik grendehus".to_owned(),
                agenda: ["Stiftelse", "Vedtekter", "Valg av styre"].map(str::to_owned).to_vec(),
                ..Default::default()
            }
        );
        if notice > 0 {
            self.later(&format!("{notice}d")).await?;
        }
        let date = self.day(0).await?;
        send!(
            self,
            record_founding_meeting,
            pb::RecordFoundingMeeting {
                meta: self.meta(),
                founding_id: founding.clone(),
                date: date.clone(),
                place: "Lillevik grendehus".to_owned(),
                founders: self.people.founders(),
                votes_for: 3,
                votes_cast: 3,
                purpose: PURPOSE.to_owned(),
            }
        );
        send!(
            self,
            adopt_bylaws,
            pb::AdoptBylaws {
                meta: self.meta(),
                founding_id: founding.clone(),
                vedtektsdato: date,
                content_checklist: Some(bylaws()),
                document_hash: hash('a'),
                purpose: PURPOSE.to_owned(),
                ..Default::default()
            }
        );
        send!(
            self,
            elect_interim_board,
            pb::ElectInterimBoard {
                meta: self.meta(),
                founding_id: founding.clone(),
                roles: self.people.board(),
                body: "stiftelsesmøte".to_owned(),
                minutes_hash: hash('b'),
                interim: true,
            }
        );
        self.sign_founding_document(&founding).await?;
        send!(
            self,
            complete_founding,
            pb::CompleteFounding {
                meta: self.meta(),
                founding_id: founding.clone(),
                name: NAME.to_owned(),
                kommunenummer: KOMMUNE.to_owned(),
                ..Default::default()
            }
        );
        let asked = pb::GetFoundingRequest {
            founding_id: founding,
            ..Default::default()
        };
        let founded = self.commands.get_founding(asked).await.map_err(spoken)?.into_inner();
        Ok(founded.organisation_id)
    }

    /// Every founder signs, personally.
    async fn sign_founding_document(&mut self, founding: &str) -> anyhow::Result<()> {
        for signer in [
            self.people.chair.clone(),
            self.people.member.clone(),
            self.people.contact.clone(),
        ] {
            send!(
                self,
                sign_founding_document,
                pb::SignFoundingDocument {
                    meta: self.meta_of(&signer),
                    founding_id: founding.to_owned(),
                    signer,
                    method: pb::SigningMethod::Electronic.into(),
                    document_hash: hash('c'),
                    ..Default::default()
                }
            );
        }
        Ok(())
    }
}
