//! A notification on the authority's desk: when it is answered, and how.

use jiff::civil::Weekday;
use jiff::{Span, Timestamp, ToSpan as _};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use ryggrad_decider::{Nature, Timer};
use ryggrad_eventlog::Recorded;
use ryggrad_eventlog::deadline::Action;
use ryggrad_norway::OrgNumber;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::organisation_command::Command as ToOrganisation;
use ryggrad_proto::registration::v1::registration_case_command::Command as ToCase;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{SOURCE, Simulator};
use crate::deadlines::set;
use crate::time;

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
const NUMBERS: std::ops::Range<u64> = 39_000_000..39_900_000;

/// A notification on the authority's desk.
pub(super) struct Case<'a> {
    pub(super) simulator: &'a Simulator,
    pub(super) dice: ChaCha8Rng,
    pub(super) from: Timestamp,
    pub(super) position: u64,
    pub(super) id: Uuid,
    pub(super) organisation: Uuid,
    pub(super) registers: Vec<String>,
    pub(super) kind: pb::CaseKind,
    pub(super) content: pb::RegistrationContent,
}

impl<'a> Case<'a> {
    pub(super) fn new(
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
    pub(super) fn first_answer(mut self, maalform: &str) -> Vec<Action> {
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

    pub(super) fn decision(self) -> Vec<Action> {
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
    pub(super) fn answer_at(&self) -> Timestamp {
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
    pub(super) fn working_days(&self, from: Timestamp, days: f64) -> Timestamp {
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
pub(super) fn orgnr(position: u64) -> String {
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
