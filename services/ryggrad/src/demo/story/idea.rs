//! The first chapter: an idea, neighbours who join, and a trial.

use anyhow::Context as _;
use jiff::ToSpan as _;
use ryggrad_proto::registration::v1 as pb;
use uuid::Uuid;

use super::{KOMMUNE, PURPOSE, Story};

// === impl Story ===

impl Story {
    pub(super) async fn idea(&mut self) -> anyhow::Result<String> {
        let id = send!(
            self,
            sketch_initiative,
            pb::SketchInitiative {
                meta: self.meta(),
                title: "Nabohage på Lillevik".to_owned(),
                purpose_text: PURPOSE.to_owned(),
                kommunenummer: KOMMUNE.to_owned(),
                icnpo_hint: Some("5100".to_owned()),
                language: "nb".to_owned(),
                created_by: Some(self.people.chair.clone()),
                ..Default::default()
            }
        )
        .aggregate_id;
        send!(
            self,
            search_existing,
            pb::SearchExisting {
                meta: self.meta(),
                initiative_id: id.clone(),
                outcome: pb::ReviewOutcome::Complement.into(),
                reason: Some("Ingen har et tilbud for barn etter skoletid.".to_owned()),
                ..Default::default()
            }
        );
        let expires_at = self.now().await? + 24.hours() * 60;
        send!(
            self,
            open_for_cofounders,
            pb::OpenForCofounders {
                meta: self.meta(),
                initiative_id: id.clone(),
                wanted_people: 3,
                channels: vec!["frivilligsentral".to_owned()],
                expires_at: Some(expires_at.into()),
            }
        );
        self.supporters(&id).await?;
        self.trial(&id).await?;
        Ok(id)
    }

    /// Two neighbours want to take part.
    async fn supporters(&mut self, initiative_id: &str) -> anyhow::Result<()> {
        for (person, wants) in [
            (self.people.member.clone(), pb::SupporterWish::Role),
            (self.people.contact.clone(), pb::SupporterWish::Member),
        ] {
            let consent_id = Uuid::new_v5(&self.journey, person.as_bytes()).to_string();
            send!(
                self,
                register_supporter,
                pb::RegisterSupporter {
                    meta: self.meta(),
                    initiative_id: initiative_id.to_owned(),
                    person_ref: person,
                    wants: wants.into(),
                    consent_id
                }
            );
        }
        Ok(())
    }

    /// Three weeks on trial, and they go on.
    async fn trial(&mut self, initiative_id: &str) -> anyhow::Result<()> {
        let (from, to) = (self.day(0).await?, self.day(28).await?);
        send!(
            self,
            start_trial,
            pb::StartTrial {
                meta: self.meta(),
                initiative_id: initiative_id.to_owned(),
                period_from: from,
                period_to: to,
                ..Default::default()
            }
        );
        self.later("3w").await?;
        let date = self.day(0).await?;
        send!(
            self,
            record_trial_activity,
            pb::RecordTrialActivity {
                meta: self.meta(),
                initiative_id: initiative_id.to_owned(),
                date,
                participants_count: 14,
                volunteers_count: 3,
                hours: 12,
                age_band_counts: Vec::new(),
            }
        );
        send!(
            self,
            evaluate_trial,
            pb::EvaluateTrial {
                meta: self.meta(),
                initiative_id: initiative_id.to_owned(),
                result: pb::TrialResult::Go.into(),
                ..Default::default()
            }
        );
        Ok(())
    }
}
