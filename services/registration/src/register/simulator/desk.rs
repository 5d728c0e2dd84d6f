//! A notification on the authority's desk: when it is answered, and how.

use jiff::civil::Weekday;
use jiff::{Span, Timestamp, ToSpan as _};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use ryggrad_decider::{Nature, Timer};
use ryggrad_eventlog::Recorded;
use ryggrad_eventlog::deadline::{Action, id};
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

/// Numbers that begin with 3 are the simulator's (those with 2 are the population's), two for each position of the log: of an even
/// number and the next at least one has a check digit.
const NUMBERS: std::ops::Range<u64> = 30_000_000..40_000_000;

/// What is set on an organisation's desk for one of its cases.
const OF_ORGANISATION: [&str; 7] = ["orgnr", "enter", "refuse", "grasrot", "change", "leave", "delete"];

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
    /// Written standard of the case: nb or nn.
    pub(super) maalform: String,
}

/// Takes everything off the desk that a case has there, and nothing of the organisation's other cases.
pub(super) fn withdrawn(case: Uuid, organisation: Uuid) -> Vec<Action> {
    let of_organisation = OF_ORGANISATION
        .iter()
        .map(|what| Action::Cancel(id(organisation, &ANSWER, &which(what, case))));
    std::iter::once(Action::CancelAll(case))
        .chain(of_organisation)
        .collect()
}

/// One decision of one case: an organisation can have several under way.
fn which(what: &str, case: Uuid) -> String {
    format!("{what} {case}")
}

impl<'a> Case<'a> {
    #[expect(
        clippy::too_many_arguments,
        reason = "what the two events of a case that is sent have in common"
    )]
    pub(super) fn new(
        simulator: &'a Simulator,
        event: &Recorded,
        turn: &str,
        organisation: &str,
        registers: Vec<String>,
        kind: i32,
        content: Option<pb::RegistrationContent>,
        maalform: &str,
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
            maalform: maalform.to_owned(),
        })
    }

    /// Takes the notification in hand, and asks for more or decides.
    pub(super) fn first_answer(mut self) -> Vec<Action> {
        let review = pb::StartReview {
            meta: None,
            case_id: self.id.to_string(),
            authority_ref: format!("SIM-{}", self.position),
        };
        let due = self.answer_at();
        let review_at = self.from + self.from.duration_until(due) / 5;
        let mut actions = vec![set(&ANSWER, "review", self.id, review_at, ToCase::from(review))];
        if self.dice.random_bool(self.simulator.deficiency_rate.clamp(0.0, 1.0)) {
            let text = self.in_its_standard(
                "De vedlagte vedtektene er ikke datert. Send daterte vedtekter.",
                "Vedtektene som er lagde ved, er ikkje daterte. Send daterte vedtekter.",
            );
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
        // Enhetsregisteret answers for every register but Frivillighetsregisteret.
        let not_only_fr = self.registers.iter().any(|register| register != "FR");
        match self.kind {
            pb::CaseKind::New if refused && !fr => vec![self.reject("ER", due)],
            pb::CaseKind::New => {
                let mut actions = Vec::new();
                if er {
                    let Some(orgnr) = orgnr(self.position) else {
                        return vec![self.no_more_numbers(due)];
                    };
                    actions.push(self.assign_orgnr(orgnr, due));
                } else if not_only_fr {
                    actions.push(self.confirm("ER", due));
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
                let register = if not_only_fr { "ER" } else { "FR" };
                if refused {
                    return vec![self.reject(register, due)];
                }
                let registers = [("ER", not_only_fr), ("FR", fr)]
                    .into_iter()
                    .filter(|(_, wanted)| *wanted);
                let mut actions: Vec<_> = registers.map(|(register, _)| self.confirm(register, due)).collect();
                if self.kind == pb::CaseKind::Deletion {
                    actions.extend(self.delete(due));
                } else {
                    actions.extend(self.change(due));
                }
                actions
            }
        }
    }

    /// What the notification changes, of what it says.
    fn change(&self, due: Timestamp) -> Vec<Action> {
        let content = &self.content;
        let voluntary = content.frivillig_organisasjon.clone().unwrap_or_default();
        let grasrot = voluntary.grasrotandel;
        let naeringskoder = Some(content.naeringskode.clone()).filter(|code| !code.is_empty());
        let fields = [
            ("name", !content.name.is_empty()),
            ("purpose", !content.purpose.is_empty()),
            ("forretningsadresse", content.forretningsadresse.is_some()),
            ("naeringskoder", naeringskoder.is_some()),
        ];
        let change = pb::ChangeRegistration {
            meta: None,
            organisation_id: self.organisation.to_string(),
            details: Some(pb::OrganisationDetails {
                name: content.name.clone(),
                purpose: content.purpose.clone(),
                forretningsadresse: content.forretningsadresse.clone(),
                naeringskoder: naeringskoder.into_iter().collect(),
                ..pb::OrganisationDetails::default()
            }),
            fields: fields
                .into_iter()
                .filter(|(_, said)| *said)
                .map(|(field, _)| field.to_owned())
                .collect(),
            vedtektsdato: content.vedtektsdato.clone(),
            icnpo: voluntary.icnpo,
            grasrot_ends: grasrot.is_some_and(|grasrot| !grasrot.deltar_i),
            regnskapsrapportering: voluntary.rapporteringsplikt_regnskap,
            effective: time::day(due).to_string(),
            origin: Some(origin(due)),
            leaves_registers: Vec::new(),
            vedtekter_registrert: voluntary.vedtekter.map(|choice| choice.frivillig_registrerte_vedtekter),
        };
        let mut actions = vec![self.set("change", due, change)];
        if grasrot.is_some_and(|grasrot| grasrot.deltar_i) {
            actions.push(self.approve_grasrot(due));
        }
        actions
    }

    /// Deletes from Enhetsregisteret, and so from every register; or from those that the notification names, and nothing else.
    fn delete(&self, due: Timestamp) -> Vec<Action> {
        let (organisation_id, day) = (self.organisation.to_string(), time::day(due).to_string());
        let ground = self
            .in_its_standard("Slettet etter melding.", "Sletta etter melding.")
            .to_owned();
        if self.is_for("ER") {
            let delete = pb::DeleteOrganisation {
                organisation_id,
                slettedato: day,
                ground,
                origin: Some(origin(due)),
                ..pb::DeleteOrganisation::default()
            };
            return vec![self.set("delete", due, delete)];
        }
        let mut actions = Vec::new();
        if self.is_for("FR") {
            let leave = pb::LeaveVoluntaryRegister {
                organisation_id: organisation_id.clone(),
                slettet_dato: day.clone(),
                ground,
                origin: Some(origin(due)),
                ..pb::LeaveVoluntaryRegister::default()
            };
            actions.push(self.set("leave", due, leave));
        }
        let others: Vec<_> = self.registers.iter().filter(|code| *code != "FR").cloned().collect();
        if !others.is_empty() {
            let change = pb::ChangeRegistration {
                organisation_id,
                effective: day,
                origin: Some(origin(due)),
                leaves_registers: others,
                ..pb::ChangeRegistration::default()
            };
            actions.push(self.set("change", due, change));
        }
        actions
    }

    /// A decision about the organisation, for this case.
    fn set(&self, what: &str, due: Timestamp, command: impl Into<ToOrganisation>) -> Action {
        let command: ToOrganisation = command.into();
        set(&ANSWER, &which(what, self.id), self.organisation, due, command)
    }

    /// A text in the written standard of the case.
    fn in_its_standard(&self, nb: &'static str, nn: &'static str) -> &'static str {
        if self.maalform == "nn" { nn } else { nb }
    }

    fn is_for(&self, register: &str) -> bool {
        self.registers.iter().any(|code| code == register)
    }

    /// No number is ever given twice: when there are no more, nobody is registered.
    fn no_more_numbers(&self, due: Timestamp) -> Action {
        let ground = self.in_its_standard(
            "Det simulerte registeret har ikke flere organisasjonsnumre å dele ut.",
            "Det simulerte registeret har ikkje fleire organisasjonsnummer å dele ut.",
        );
        self.reject_with("ER", ground, due)
    }

    fn reject(&self, register: &str, due: Timestamp) -> Action {
        let ground = self.in_its_standard(
            "Opplysningene er ikke tilstrekkelige til å registrere enheten.",
            "Opplysningane er ikkje tilstrekkelege til å registrere eininga.",
        );
        self.reject_with(register, ground, due)
    }

    fn reject_with(&self, register: &str, ground: &str, due: Timestamp) -> Action {
        let reject = pb::RejectRegistration {
            meta: None,
            case_id: self.id.to_string(),
            register: register.to_owned(),
            ground: ground.to_owned(),
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

    fn assign_orgnr(&self, orgnr: String, due: Timestamp) -> Action {
        let content = &self.content;
        let assign = pb::AssignOrgnr {
            meta: None,
            organisation_id: self.organisation.to_string(),
            orgnr,
            registreringsdato: time::day(due).to_string(),
            details: Some(pb::OrganisationDetails {
                name: content.name.clone(),
                form: content.form.clone(),
                purpose: content.purpose.clone(),
                forretningsadresse: content.forretningsadresse.clone(),
                language: self.in_its_standard("nb", "nn").to_owned(),
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
        self.set("orgnr", due, assign)
    }

    fn refuse_voluntary(&self, due: Timestamp) -> Action {
        let refuse = pb::RefuseVoluntaryRegister {
            meta: None,
            organisation_id: self.organisation.to_string(),
            ground: self
                .in_its_standard(
                    "Virksomheten regnes ikke som frivillig virksomhet.",
                    "Verksemda blir ikkje rekna som frivillig verksemd.",
                )
                .to_owned(),
            case_id: self.id.to_string(),
        };
        self.set("refuse", due, refuse)
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
        let mut actions = vec![self.set("enter", due, enter)];
        if grasrot {
            actions.push(self.approve_grasrot(due));
        }
        actions
    }

    /// Grasrotandelen follows two working days after the entry, or after the change.
    fn approve_grasrot(&self, due: Timestamp) -> Action {
        let from = self.working_days(due, 2.0);
        let approve = pb::ApproveGrasrot {
            meta: None,
            organisation_id: self.organisation.to_string(),
            from: time::day(from).to_string(),
            origin: Some(origin(from)),
        };
        self.set("grasrot", from, approve)
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

/// The number for a notification at a position: no two positions have the same, and those beyond the series have none.
pub(super) fn orgnr(position: u64) -> Option<String> {
    let first = NUMBERS.start.checked_add(position.checked_mul(2)?)?;
    let number = (first..first + 2)
        .filter(|eight| NUMBERS.contains(eight))
        .find_map(|eight| OrgNumber::with_check_digit(u32::try_from(eight).ok()?))?;
    Some(number.to_string())
}

fn origin(at: Timestamp) -> pb::FactOrigin {
    pb::FactOrigin {
        source: SOURCE.to_owned(),
        fetched_at: Some(at.into()),
        source_updated_at: Some(at.into()),
        asserted_at: None,
    }
}
