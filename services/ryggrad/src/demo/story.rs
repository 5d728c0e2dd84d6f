//! The story itself: Lillevik nabohage, from an evening at the kitchen table to Grasrotandelen.

mod stage;

use anyhow::Context as _;
use jiff::ToSpan as _;
use ryggrad_proto::admin::v1::admin_client::AdminClient;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::registration_service_client::RegistrationServiceClient;
use tonic::transport::Channel;
use uuid::Uuid;

use self::stage::{content, hash};
use super::narrator::{Narrator, Voice};
use super::people::People;
use crate::print::{BAD, FAINT, STRONG, styled};

const NAME: &str = "Lillevik nabohage";
const PURPOSE: &str = "Dyrke grønnsaker sammen og gi barn i nabolaget et sted å være.";
/// How many days the register authority may take before the story gives up.
const DAYS: usize = 200;
/// Arendal.
const KOMMUNE: &str = "4203";

/// The story on its way.
#[derive(Debug)]
pub(super) struct Story {
    commands: RegistrationServiceClient<Channel>,
    admin: AdminClient<Channel>,
    narrator: Narrator,
    journey: Uuid,
    people: People,
}

/// Sends a command and tells what it led to.
macro_rules! send {
    ($story:ident, $rpc:ident, $command:expr) => {{
        let command = $command;
        let answer = $story.commands.$rpc(command).await;
        $story.accepted(answer).await.context(stringify!($rpc))?
    }};
}

// === impl Story ===

impl Story {
    pub(super) async fn begin(channel: Channel, voice: Voice) -> anyhow::Result<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the client of a command chooses the id of its journey"
        )]
        let journey = Uuid::now_v7();
        let narrator = Narrator::follow(channel.clone(), journey, voice).await?;
        Ok(Self {
            commands: RegistrationServiceClient::new(channel.clone()),
            admin: AdminClient::new(channel),
            narrator,
            journey,
            people: People::of(journey),
        })
    }

    /// Tells it from beginning to end, and answers with the id of the organisation.
    pub(super) async fn tell(&mut self) -> anyhow::Result<String> {
        let started = std::time::Instant::now();
        self.chapter("Idé og utprøving", "An idea at the kitchen table");
        let initiative = self.idea().await?;
        self.chapter("Stiftelse", "Three neighbours found an association");
        let organisation = self.founding(&initiative).await?;
        self.chapter("Samordnet registermelding", "One notification for two registers");
        let case = self.notification(&organisation).await?;
        self.chapter("Registrene", "The register authority decides");
        self.registers(&case).await?;
        let told = self.narrator.told();
        self.narrator.say(format!(
            "\n{} {told} facts in {:.1} s of ours; case {case}",
            styled(STRONG, "Done."),
            started.elapsed().as_secs_f64()
        ));
        self.narrator
            .say(styled(FAINT, format!("Its timeline: /v1/timeline/{organisation}")));
        Ok(organisation)
    }

    async fn idea(&mut self) -> anyhow::Result<String> {
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
                    initiative_id: id.clone(),
                    person_ref: person,
                    wants: wants.into(),
                    consent_id
                }
            );
        }
        let (from, to) = (self.day(0).await?, self.day(28).await?);
        send!(
            self,
            start_trial,
            pb::StartTrial {
                meta: self.meta(),
                initiative_id: id.clone(),
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
                initiative_id: id.clone(),
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
                initiative_id: id.clone(),
                result: pb::TrialResult::Go.into(),
                ..Default::default()
            }
        );
        Ok(id)
    }

    async fn founding(&mut self, initiative: &str) -> anyhow::Result<String> {
        let founding = fresh_id().to_string();
        send!(
            self,
            proceed_to_founding,
            pb::ProceedToFounding {
                meta: self.meta(),
                initiative_id: initiative.to_owned(),
                founding_id: founding.clone(),
                proposed_form: "FLI".to_owned(),
            }
        );
        // A decision to found plans the founding by itself.
        self.expect("FoundingPlanned").await?;
        let date = self.day(16).await?;
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
        self.later("16d").await?;
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
        let covers = pb::BylawsChecklist {
            name: true,
            purpose: true,
            annual_meeting: true,
            board_and_election: true,
            amendment: true,
            termination: true,
            surplus_to_purpose: true,
            no_owners: true,
        };
        send!(
            self,
            adopt_bylaws,
            pb::AdoptBylaws {
                meta: self.meta(),
                founding_id: founding.clone(),
                vedtektsdato: date,
                content_checklist: Some(covers),
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
                    founding_id: founding.clone(),
                    signer,
                    method: pb::SigningMethod::Electronic.into(),
                    document_hash: hash('c'),
                    ..Default::default()
                }
            );
        }
        let organisation = fresh_id().to_string();
        send!(
            self,
            complete_founding,
            pb::CompleteFounding {
                meta: self.meta(),
                founding_id: founding,
                organisation_id: organisation.clone(),
                name: NAME.to_owned(),
                kommunenummer: KOMMUNE.to_owned(),
                ..Default::default()
            }
        );
        Ok(organisation)
    }

    async fn notification(&mut self, organisation: &str) -> anyhow::Result<String> {
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

    async fn registers(&mut self, case: &str) -> anyhow::Result<()> {
        let mut supplemented = false;
        for _ in 0..DAYS {
            if self.narrator.heard(&["GrasrotParticipationApproved"]).await? {
                return Ok(());
            }
            if self.narrator.has_heard(&["RegistrationRejected"]) {
                self.narrator.say(styled(
                    BAD,
                    "The register authority said no, as it does to one in thirty. The next club may fare better.",
                ));
                return Ok(());
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

/// An id that the client of a command chooses.
#[expect(clippy::disallowed_methods, reason = "ids are made here, at the edge")]
fn fresh_id() -> Uuid {
    Uuid::now_v7()
}
