//! What the story is told with: receipts waited for, time that passes, and the papers.

use anyhow::{Context as _, bail};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use ryggrad_proto::admin::v1::{AdvanceClockRequest, GetClockRequest};
use ryggrad_proto::common::v1::{Actor, CommandMeta, Receipt};
use ryggrad_proto::registration::v1 as pb;
use tonic::{Response, Status};

use super::{KOMMUNE, NAME, PURPOSE, Story};
use crate::print::{BAD, FAINT, STRONG, styled};
use crate::status::{refusal, spoken};

// === impl Story ===

impl Story {
    /// About a command of the chair.
    pub(super) fn meta(&self) -> Option<CommandMeta> {
        self.meta_of(&self.people.chair)
    }

    /// About a command of somebody.
    #[expect(clippy::unnecessary_wraps, reason = "the field of a command is optional")]
    pub(super) fn meta_of(&self, person: &str) -> Option<CommandMeta> {
        let actor = Actor {
            kind: "person".to_owned(),
            r#ref: person.to_owned(),
            ..Actor::default()
        };
        Some(CommandMeta {
            actor: Some(actor),
            correlation_id: self.journey.to_string(),
            language: "nb".to_owned(),
            ..CommandMeta::default()
        })
    }

    pub(super) fn chapter(&self, title: &str, what: &str) {
        self.narrator
            .say(format!("\n{}  {}", styled(STRONG, title), styled(FAINT, what)));
    }

    /// Waits until the subscriber has heard of what a command led to.
    pub(super) async fn accepted(&mut self, answer: Result<Response<Receipt>, Status>) -> anyhow::Result<Receipt> {
        let receipt = answer.map_err(spoken)?.into_inner();
        self.narrator.until(receipt.position).await?;
        Ok(receipt)
    }

    pub(super) async fn sign(&mut self, case: &str, person_ref: String) -> anyhow::Result<()> {
        let command = pb::SignRegistration {
            meta: self.meta_of(&person_ref),
            case_id: case.to_owned(),
            person_ref,
            eid_level: "idporten-loa-high".to_owned(),
        };
        let answer = self.commands.sign_registration(command).await;
        self.accepted(answer).await.context("sign_registration").map(drop)
    }

    pub(super) fn submission(&self, case: &str) -> pb::SubmitRegistration {
        pb::SubmitRegistration {
            meta: self.meta(),
            case_id: case.to_owned(),
            maalform: "nb".to_owned(),
        }
    }

    /// Somebody is in a hurry: the domain says no, by which rule and what to do.
    pub(super) async fn submit_too_early(&mut self, case: &str) -> anyhow::Result<()> {
        let command = self.submission(case);
        let Err(status) = self.commands.submit_registration(command).await else {
            bail!("a notification was accepted that not everybody had signed")
        };
        let said = refusal(&status).with_context(|| format!("refused without a rule: {}", status.message()))?;
        self.narrator.say(format!(
            "    {} {} ({}): {}",
            styled(BAD, "refused"),
            said.rule,
            said.nature,
            said.text_nb
        ));
        Ok(())
    }

    /// What the business clock shows.
    pub(super) async fn now(&mut self) -> anyhow::Result<Timestamp> {
        let answer = self
            .admin
            .get_clock(GetClockRequest {})
            .await
            .map_err(spoken)
            .context("cannot read the clock")?
            .into_inner();
        answer
            .now
            .and_then(|now| Timestamp::try_from(now).ok())
            .context("the clock shows nothing")
    }

    /// The day in Norway, so many days from now.
    pub(super) async fn day(&mut self, days: i64) -> anyhow::Result<String> {
        let zone = TimeZone::get("Europe/Oslo").context("the time zone of Norway is not known")?;
        let day = self.now().await?.to_zoned(zone).date().checked_add(days.days())?;
        Ok(day.to_string())
    }

    pub(super) async fn later(&mut self, by: &str) -> anyhow::Result<()> {
        let request = AdvanceClockRequest {
            by: by.to_owned(),
            to: None,
        };
        self.admin
            .advance_clock(request)
            .await
            .map_err(spoken)
            .context("cannot move the clock")?;
        self.narrator.say(styled(FAINT, format!("            … {by} later")));
        Ok(())
    }

    /// Lets a day pass, and says nothing of it.
    pub(super) async fn a_day_later(&mut self) -> anyhow::Result<()> {
        let request = AdvanceClockRequest {
            by: "1d".to_owned(),
            to: None,
        };
        self.admin
            .advance_clock(request)
            .await
            .map_err(spoken)
            .context("cannot move the clock")?;
        Ok(())
    }

    /// Waits for a fact that follows by itself.
    pub(super) async fn expect(&mut self, name: &str) -> anyhow::Result<()> {
        for _ in 0..100 {
            if self.narrator.heard(&[name]).await? {
                return Ok(());
            }
        }
        bail!("nobody heard of {name}")
    }

    /// Sends the register authority what it misses.
    pub(super) async fn supplement(&mut self, case: &str) -> anyhow::Result<()> {
        let item = pb::SupplementItem {
            deficiency_code: "VEDTEKTER".to_owned(),
            document_kind: pb::DocumentKind::Vedtekter.into(),
            document_hash: hash('d'),
            answer: String::new(),
        };
        let command = pb::SupplementRegistration {
            meta: self.meta(),
            case_id: case.to_owned(),
            items: vec![item],
        };
        let answer = self.commands.supplement_registration(command).await;
        self.accepted(answer).await.context("supplement_registration").map(drop)
    }
}

/// A fingerprint of a paper.
pub(super) fn hash(paper: char) -> String {
    paper.to_string().repeat(64)
}

/// What the bylaws cover: all that they have to.
pub(super) fn bylaws() -> pb::BylawsChecklist {
    pb::BylawsChecklist {
        name: true,
        purpose: true,
        annual_meeting: true,
        board_and_election: true,
        amendment: true,
        termination: true,
        surplus_to_purpose: true,
        no_owners: true,
    }
}

/// What the notification says.
pub(super) fn content(day: &str) -> pb::RegistrationContent {
    pb::RegistrationContent {
        form: "FLI".to_owned(),
        name: NAME.to_owned(),
        purpose: PURPOSE.to_owned(),
        stiftelsesdato: day.to_owned(),
        vedtektsdato: day.to_owned(),
        forretningsadresse: Some(pb::Address {
            kommunenummer: KOMMUNE.to_owned(),
            postnummer: "4836".to_owned(),
            ..pb::Address::default()
        }),
        frivillig_organisasjon: Some(pb::VoluntaryContent {
            icnpo: vec!["5100".to_owned(), "1200".to_owned()],
            grasrotandel: Some(pb::Grasrotandel {
                deltar_i: true,
                drives_all_aktivitet_lokalt_eller_regionalt: Some(true),
                frivillig_arbeidsinnsats: Some(true),
                utfoerer_oppgaver_for_det_offentlige: Some(false),
                utfoerer_sykehuslignende_tjenester: Some(false),
                er_ungdomsorganisasjon: Some(false),
                er_elev_eller_studentorganisasjon: Some(false),
            }),
            vedtekter: Some(pb::VedtekterValg {
                frivillig_registrerte_vedtekter: true,
                ..Default::default()
            }),
            registreringsrett: Some(pb::Registreringsrett {
                har_offentlig_flertall_i_styret: Some(false),
                flertall_av_aksjer_eid_av_offentlig: Some(false),
                utdeling_utelukkende_til_frivillige: None,
                utdeling_til_fysiske_personer: Some(false),
                har_utdelinger: Some(false),
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
}
