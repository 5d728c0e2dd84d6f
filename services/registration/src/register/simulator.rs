//! The register authority, played: deterministic for a seed, on the business clock, with the delays of handbook 14 item 10.
//!
//! It answers what is submitted: a letter on what is missing, a refusal, or the entries in Enhetsregisteret and
//! Frivillighetsregisteret, through the same port as the real authority and with the source `register-simulator`.

use jiff::civil::Weekday;
use jiff::{Span, Timestamp, ToSpan as _};
use rand::Rng as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use ryggrad_decider::{Decider as _, Nature, Timer};
use ryggrad_eventlog::Recorded;
use ryggrad_eventlog::consumer::Poison;
use ryggrad_eventlog::deadline::{Action, Schedule};
use ryggrad_norway::OrgNumber;
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::organisation_command::Command as ToOrganisation;
use ryggrad_proto::registration::v1::registration_case_command::Command as ToCase;
use ryggrad_proto::registration::v1::registration_case_event::Event as OfCase;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::deadlines::set;
use crate::registration_case::RegistrationCase;
use crate::service::CONTEXT;
use crate::time;

/// What it calls itself as the source of facts.
pub const SOURCE: &str = "register-simulator";

/// When the authority answers.
static ANSWER: Timer = Timer {
    id: "T-0.1",
    what: "the register authority answers",
    starts_from: "RegistrationSubmitted",
    due: "log-normal, median 5 working days",
    nature: Nature::Practice,
    sources: &["OK"],
};

/// The last million numbers of the synthetic series are the simulator's, two for each position of the log: of two in a row at
/// least one has a check digit.
const NUMBERS: std::ops::Range<u64> = 39_000_000..40_000_000;

/// The simulated register authority.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Simulator {
    /// Decides everything that is drawn.
    pub seed: u64,
    /// Median of the time until it answers, in working days.
    pub median_working_days: f64,
    /// How widely that time is spread: the standard deviation of its logarithm.
    pub spread: f64,
    /// Share of notifications that get a letter on what is missing.
    pub deficiency_rate: f64,
    /// Share of notifications that are refused.
    pub rejection_rate: f64,
}

// === impl Simulator ===

impl Default for Simulator {
    fn default() -> Self {
        Self {
            seed: 1,
            median_working_days: 5.0,
            spread: 0.6,
            deficiency_rate: 0.15,
            rejection_rate: 0.03,
        }
    }
}

impl Simulator {
    /// One that answers everything with yes, at once.
    pub fn obliging() -> Self {
        Self {
            median_working_days: 0.0,
            deficiency_rate: 0.0,
            rejection_rate: 0.0,
            ..Self::default()
        }
    }
}

impl Schedule for Simulator {
    const NAME: &'static str = SOURCE;

    fn plan(&self, event: &Recorded) -> Result<Vec<Action>, Poison> {
        if &*event.context != CONTEXT || &*event.aggregate_type != RegistrationCase::AGGREGATE {
            return Ok(Vec::new());
        }
        Ok(match event.decode::<OfCase>()? {
            Some(OfCase::RegistrationSubmitted(e)) => {
                let case = Case::new(
                    self,
                    event,
                    "submitted",
                    &e.organisation_id,
                    e.registers,
                    e.kind,
                    e.content,
                );
                case.map(|case| case.first_answer(&e.maalform)).unwrap_or_default()
            }
            Some(OfCase::RegistrationSupplemented(e)) => {
                let case = Case::new(
                    self,
                    event,
                    "supplemented",
                    &e.organisation_id,
                    e.registers,
                    e.kind,
                    e.content,
                );
                case.map(Case::decision).unwrap_or_default()
            }
            Some(OfCase::RegistrationWithdrawn(_)) => vec![
                Action::CancelAll(event.aggregate_id),
                Action::CancelAll(event.organisation_id),
            ],
            Some(
                OfCase::RegistrationDrafted(_)
                | OfCase::RegistrationAmended(_)
                | OfCase::DocumentAttached(_)
                | OfCase::BoardElectionDeclared(_)
                | OfCase::SignaturesRequested(_)
                | OfCase::SignaturesReset(_)
                | OfCase::RegistrationSigned(_)
                | OfCase::SignaturesReminded(_)
                | OfCase::AuditorAssignmentConfirmed(_)
                | OfCase::RegistrationReviewStarted(_)
                | OfCase::InformationRequested(_)
                | OfCase::RegistrationRejected(_)
                | OfCase::RegistrationAppealed(_)
                | OfCase::AppealPeriodEnded(_)
                | OfCase::RegistrationLapsed(_)
                | OfCase::RegistrationConfirmed(_),
            )
            | None => Vec::new(),
        })
    }
}

/// Who stands behind its decisions.
pub fn actor() -> Actor {
    Actor {
        kind: "authority".to_owned(),
        r#ref: SOURCE.to_owned(),
        ..Actor::default()
    }
}

/// A notification on the authority's desk.
struct Case<'a> {
    simulator: &'a Simulator,
    dice: ChaCha8Rng,
    from: Timestamp,
    position: u64,
    id: Uuid,
    organisation: Uuid,
    registers: Vec<String>,
    kind: pb::CaseKind,
    content: pb::RegistrationContent,
}

impl<'a> Case<'a> {
    fn new(
        simulator: &'a Simulator,
        event: &Recorded,
        turn: &str,
        organisation: &str,
        registers: Vec<String>,
        kind: i32,
        content: Option<pb::RegistrationContent>,
    ) -> Option<Self> {
        let mut hash = Sha256::new();
        hash.update(simulator.seed.to_be_bytes());
        hash.update(event.aggregate_id.as_bytes());
        hash.update(turn);
        Some(Self {
            simulator,
            dice: ChaCha8Rng::from_seed(hash.finalize().into()),
            from: event.occurred_at,
            position: event.position,
            id: event.aggregate_id,
            organisation: Uuid::try_parse(organisation).ok()?,
            registers,
            kind: pb::CaseKind::try_from(kind).unwrap_or_default(),
            content: content.unwrap_or_default(),
        })
    }

    /// Takes the notification in hand, and asks for more or decides.
    fn first_answer(mut self, maalform: &str) -> Vec<Action> {
        let review = pb::StartReview {
            meta: None,
            case_id: self.id.to_string(),
            authority_ref: format!("SIM-{}", self.position),
        };
        let due = self.answer_at();
        let review_at = self.from + self.from.duration_until(due) / 5;
        let mut actions = vec![set(&ANSWER, "review", self.id, review_at, ToCase::from(review))];
        if self.dice.random_bool(self.simulator.deficiency_rate.clamp(0.0, 1.0)) {
            let text = if maalform == "nn" {
                "Vedtektene som er lagde ved, er ikkje daterte. Send daterte vedtekter."
            } else {
                "De vedlagte vedtektene er ikke datert. Send daterte vedtekter."
            };
            let request = pb::RequestInformation {
                meta: None,
                case_id: self.id.to_string(),
                deficiencies: vec![pb::Deficiency {
                    code: "VEDTEKTER".to_owned(),
                    text: text.to_owned(),
                }],
                due_at: Some(time::after(due, 3.weeks()).into()),
            };
            actions.push(set(&ANSWER, "letter", self.id, due, ToCase::from(request)));
        } else {
            actions.extend(self.decision_at(due));
        }
        actions
    }

    fn decision(self) -> Vec<Action> {
        let due = self.answer_at();
        self.decision_at(due)
    }

    fn decision_at(mut self, due: Timestamp) -> Vec<Action> {
        let refused = self.dice.random_bool(self.simulator.rejection_rate.clamp(0.0, 1.0));
        let (er, fr) = (self.is_for("ER"), self.is_for("FR"));
        match self.kind {
            pb::CaseKind::New if er && refused && !fr => vec![self.reject("ER", due)],
            pb::CaseKind::New => {
                let mut actions = Vec::new();
                if er {
                    actions.push(self.assign_orgnr(due));
                }
                if fr {
                    let later = if er { self.working_days(due, 1.0) } else { due };
                    if refused {
                        actions.push(self.refuse_voluntary(later));
                    } else {
                        actions.extend(self.enter(later));
                    }
                }
                actions
            }
            pb::CaseKind::Change | pb::CaseKind::Deletion | pb::CaseKind::Unspecified => {
                let register = if er || !fr { "ER" } else { "FR" };
                if refused {
                    return vec![self.reject(register, due)];
                }
                let registers = [("ER", er || !fr), ("FR", fr)]
                    .into_iter()
                    .filter(|(_, wanted)| *wanted);
                registers.map(|(register, _)| self.confirm(register, due)).collect()
            }
        }
    }

    fn is_for(&self, register: &str) -> bool {
        self.registers.iter().any(|code| code == register)
    }

    fn reject(&self, register: &str, due: Timestamp) -> Action {
        let reject = pb::RejectRegistration {
            meta: None,
            case_id: self.id.to_string(),
            register: register.to_owned(),
            ground: "Opplysningene er ikke tilstrekkelige til å registrere enheten.".to_owned(),
            notified_at: None,
        };
        set(&ANSWER, "reject", self.id, due, ToCase::from(reject))
    }

    fn confirm(&self, register: &str, due: Timestamp) -> Action {
        let confirm = pb::ConfirmRegistration {
            meta: None,
            case_id: self.id.to_string(),
            register: register.to_owned(),
            orgnr: self.content.organisasjonsnummer.clone(),
        };
        set(
            &ANSWER,
            &format!("confirm {register}"),
            self.id,
            due,
            ToCase::from(confirm),
        )
    }

    fn assign_orgnr(&self, due: Timestamp) -> Action {
        let content = &self.content;
        let assign = pb::AssignOrgnr {
            meta: None,
            organisation_id: self.organisation.to_string(),
            orgnr: orgnr(self.position),
            registreringsdato: time::day(due).to_string(),
            details: Some(pb::OrganisationDetails {
                name: content.name.clone(),
                form: content.form.clone(),
                purpose: content.purpose.clone(),
                forretningsadresse: content.forretningsadresse.clone(),
                language: "nb".to_owned(),
                naeringskoder: vec![if content.naeringskode.is_empty() {
                    "94.992".to_owned()
                } else {
                    content.naeringskode.clone()
                }],
                sektorkode: "7000".to_owned(),
                stiftelsesdato: content.stiftelsesdato.clone(),
                registers: self
                    .registers
                    .iter()
                    .filter(|code| !matches!(code.as_str(), "ER" | "FR"))
                    .cloned()
                    .collect(),
                ..pb::OrganisationDetails::default()
            }),
            case_id: self.id.to_string(),
            origin: Some(origin(due)),
        };
        set(&ANSWER, "orgnr", self.organisation, due, ToOrganisation::from(assign))
    }

    fn refuse_voluntary(&self, due: Timestamp) -> Action {
        let refuse = pb::RefuseVoluntaryRegister {
            meta: None,
            organisation_id: self.organisation.to_string(),
            ground: "Virksomheten regnes ikke som frivillig virksomhet.".to_owned(),
            case_id: self.id.to_string(),
        };
        set(&ANSWER, "refuse", self.organisation, due, ToOrganisation::from(refuse))
    }

    /// The entry, and Grasrotandelen two working days after it for those who want it.
    fn enter(&self, due: Timestamp) -> Vec<Action> {
        let voluntary = self.content.frivillig_organisasjon.clone().unwrap_or_default();
        let grasrot = voluntary.grasrotandel.is_some_and(|grasrot| grasrot.deltar_i);
        let enter = pb::EnterVoluntaryRegister {
            meta: None,
            organisation_id: self.organisation.to_string(),
            innfoert_dato: time::day(due).to_string(),
            icnpo: voluntary.icnpo,
            grasrot_deltar_i: grasrot,
            regnskapsrapportering: voluntary.rapporteringsplikt_regnskap,
            vedtekter_registrert: voluntary
                .vedtekter
                .is_some_and(|choice| choice.frivillig_registrerte_vedtekter),
            case_id: self.id.to_string(),
            origin: Some(origin(due)),
        };
        let mut actions = vec![set(
            &ANSWER,
            "enter",
            self.organisation,
            due,
            ToOrganisation::from(enter),
        )];
        if grasrot {
            let from = self.working_days(due, 2.0);
            let approve = pb::ApproveGrasrot {
                meta: None,
                organisation_id: self.organisation.to_string(),
                from: time::day(from).to_string(),
                origin: Some(origin(from)),
            };
            actions.push(set(
                &ANSWER,
                "grasrot",
                self.organisation,
                from,
                ToOrganisation::from(approve),
            ));
        }
        actions
    }

    /// When the authority answers: a log-normal number of working days after the notification.
    fn answer_at(&self) -> Timestamp {
        let mut dice = self.dice.clone();
        // Box and Muller, on the open interval.
        let (u, v) = (1.0 - dice.random::<f64>(), dice.random::<f64>());
        let normal = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
        self.working_days(
            self.from,
            self.simulator.median_working_days * (self.simulator.spread * normal).exp(),
        )
    }

    /// So many working days later, a part of a day being a part of 24 hours; at once for those who answer at once, but never
    /// before what comes first.
    fn working_days(&self, from: Timestamp, days: f64) -> Timestamp {
        if self.simulator.median_working_days <= 0.0 {
            return from + Span::new().milliseconds(1);
        }
        let days = days.clamp(0.0, 250.0);
        let mut at = from;
        let mut whole = 0.0;
        while whole + 1.0 <= days || matches!(time::day(at).weekday(), Weekday::Saturday | Weekday::Sunday) {
            if !matches!(time::day(at).weekday(), Weekday::Saturday | Weekday::Sunday) {
                whole += 1.0;
            }
            at = time::after(at, 1.day());
        }
        #[expect(clippy::cast_possible_truncation, reason = "less than the milliseconds of a day")]
        let rest = ((days - whole) * 86_400_000.0) as i64;
        at + Span::new().milliseconds(rest)
    }
}

/// The number for a notification at a position: no two positions have the same.
fn orgnr(position: u64) -> String {
    let first = NUMBERS.start + position * 2 % (NUMBERS.end - NUMBERS.start);
    let number = (first..first + 2).find_map(|eight| OrgNumber::with_check_digit(u32::try_from(eight).ok()?));
    number.map(|number| number.to_string()).unwrap_or_default()
}

fn origin(at: Timestamp) -> pb::FactOrigin {
    pb::FactOrigin {
        source: SOURCE.to_owned(),
        fetched_at: Some(at.into()),
        source_updated_at: Some(at.into()),
        asserted_at: None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn case(simulator: &Simulator, turn: u8) -> Case<'_> {
        Case {
            simulator,
            dice: ChaCha8Rng::from_seed([turn; 32]),
            from: "2026-03-06T11:00:00Z".parse().expect("an instant"),
            position: u64::from(turn),
            id: Uuid::from_u128(1),
            organisation: Uuid::from_u128(2),
            registers: vec!["ER".into(), "FR".into()],
            kind: pb::CaseKind::New,
            content: pb::RegistrationContent::default(),
        }
    }

    #[test]
    fn every_position_has_a_number_of_its_own() {
        let numbers: BTreeSet<_> = (1..5_000).map(orgnr).collect();
        assert_eq!(numbers.len(), 4_999);
        assert!(
            numbers
                .iter()
                .all(|number| OrgNumber::parse(number).is_ok_and(OrgNumber::is_synthetic))
        );
    }

    #[test]
    fn the_same_seed_gives_the_same_answers() {
        let simulator = Simulator::default();
        assert_eq!(
            case(&simulator, 7).first_answer("nb"),
            case(&simulator, 7).first_answer("nb")
        );
    }

    #[test]
    fn working_days_leave_out_the_weekend() {
        let simulator = Simulator::default();
        let friday: Timestamp = "2026-03-06T11:00:00Z".parse().expect("an instant");
        assert_eq!(
            case(&simulator, 1).working_days(friday, 1.0).to_string(),
            "2026-03-09T11:00:00Z"
        );
        assert_eq!(
            case(&simulator, 1).working_days(friday, 5.0).to_string(),
            "2026-03-13T11:00:00Z"
        );
    }

    #[test]
    fn half_of_the_answers_come_within_the_median() {
        let simulator = Simulator::default();
        let median = case(&simulator, 0).working_days(case(&simulator, 0).from, 5.0);
        let early = (0..=255)
            .filter(|turn| case(&simulator, *turn).answer_at() <= median)
            .count();
        assert!((96..=160).contains(&early), "{early} of 256");
    }

    #[test]
    fn an_obliging_authority_answers_in_order() {
        let simulator = Simulator::obliging();
        let due: Vec<_> = case(&simulator, 1)
            .decision()
            .into_iter()
            .map(|action| match action {
                Action::Set(deadline) => deadline.due_at,
                Action::Cancel(_) | Action::CancelAll(_) => panic!("nothing to cancel"),
            })
            .collect();
        assert_eq!(due.len(), 2);
        assert!(due[0] < due[1], "the number comes before the entry");
    }
}
