//! The last chapters: one notification for two registers, and what they answer.

use anyhow::Context as _;
use ryggrad_proto::registration::v1 as pb;
use uuid::Uuid;

use super::stage::{content, hash};
use super::{DAYS, Story};

// === impl Story ===

impl Story {
    pub(super) async fn notification(&mut self, organisation: &str) -> anyhow::Result<String> {
        let date = self.day(0).await?;
        let case = send!(
            self,
            draft_registration,
            pb::DraftRegistration {
                meta: self.meta(),
                organisation_id: organisation.to_owned(),
                registers: vec!["ER".to_owned(), "FR".to_owned()],
                kind: pb::CaseKind::New.into(),
                content: Some(content(&date)),
                kontonummer_token: Uuid::new_v5(&self.journey, b"account").to_string(),
                ..Default::default()
            }
        )
        .aggregate_id;
        for (kind, hash) in [
            (pb::DocumentKind::Stiftelsesdokument, hash('c')),
            (pb::DocumentKind::Vedtekter, hash('a')),
        ] {
            send!(
                self,
                attach_document,
                pb::AttachDocument {
                    meta: self.meta(),
                    case_id: case.clone(),
                    kind: kind.into(),
                    hash
                }
            );
        }
        send!(
            self,
            request_signatures,
            pb::RequestSignatures {
                meta: self.meta(),
                case_id: case.clone(),
                roles: self.people.board_and_contact(),
                signers: self.people.signers(),
                elected_deputies: 1,
            }
        );
        let (chair, contact) = (self.people.chair.clone(), self.people.contact.clone());
        self.sign(&case, chair).await?;
        self.submit_too_early(&case).await?;
        self.later("2d").await?;
        self.sign(&case, contact).await?;
        send!(self, submit_registration, self.submission(&case));
        Ok(case)
    }

    pub(super) async fn registers(&mut self, case: &str) -> anyhow::Result<()> {
        let mut supplemented = false;
        for _ in 0..DAYS {
            if self.narrator.heard(&["GrasrotParticipationApproved"]).await? {
                return Ok(());
            }
            if self.narrator.has_heard(&["RegistrationRejected"]) {
                anyhow::bail!(
                    "the register authority said no, as the simulated one does to the share of --register-refusals"
                );
            }
            if self.narrator.has_heard(&["InformationRequested"]) && !supplemented {
                supplemented = true;
                self.supplement(case).await?;
            }
            self.a_day_later().await?;
        }
        anyhow::bail!("the register authority has not decided in {DAYS} days")
    }
}
