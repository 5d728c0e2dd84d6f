//! `register_case`: a coordinated register notification as the organisation and the register see it.

use ryggrad_eventlog::Recorded;
use ryggrad_eventlog::consumer::Poison;
use ryggrad_eventlog::projection::{Column, Kind, Projection, Value};
use ryggrad_proto::registration::v1::registration_case_event::Event;
use ryggrad_proto::registration::v1::{RegistrationContent, Signer};
use ryggrad_proto::views::v1::{CaseAssignment, CaseDecision, CaseDeficiency, CaseSigner, RegisterCase as Row};
use uuid::Uuid;

mod deadline;
#[cfg(test)]
mod tests;

/// The states that a case can be in (handbook section 4).
pub(crate) const STATES: [&str; 10] = [
    "draft",
    "awaiting_signatures",
    "signed",
    "submitted",
    "under_review",
    "info_requested",
    "registered",
    "rejected",
    "withdrawn",
    "lapsed",
];

/// The fold.
#[derive(Debug, Clone, Copy, Default)]
pub struct RegisterCase;

impl Projection for RegisterCase {
    type Row = Row;

    const NAME: &'static str = "register_case";
    const VERSION: i32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::new("organisation_id", Kind::Uuid).indexed(),
        Column::new("orgnr", Kind::Text).indexed(),
        Column::new("state", Kind::Text),
        Column::new("kommunenummer", Kind::Text),
        Column::new("first_position", Kind::Bigint).indexed(),
    ];
    const INDEXES: &'static [&'static str] = &["state, first_position", "kommunenummer, first_position"];

    fn keys(&self, event: &Recorded) -> Result<Vec<String>, Poison> {
        let is_case = &*event.context == "registration" && &*event.aggregate_type == "RegistrationCase";
        Ok(is_case.then(|| event.aggregate_id.to_string()).into_iter().collect())
    }

    fn fold(&self, key: &str, row: Option<Row>, event: &Recorded) -> Result<Option<Row>, Poison> {
        let Some(fact) = event.decode::<Event>()? else {
            return Ok(row);
        };
        let mut case = row.unwrap_or_else(|| Row {
            case_id: key.to_owned(),
            organisation_id: event.organisation_id.to_string(),
            first_position: event.position,
            ..Row::default()
        });
        apply(&mut case, &fact, event);
        case.signatures_required = number(case.signers.len());
        case.signatures_given = number(case.signers.iter().filter(|signer| signer.signed_at.is_some()).count());
        case.position = event.position;
        case.version = event.sequence;
        Ok(Some(case))
    }

    fn values(&self, _key: &str, row: &Row) -> Vec<Value> {
        let text = |text: &str| Value::Text(Some(text.to_owned()).filter(|text| !text.is_empty()));
        vec![
            Value::Uuid(Uuid::try_parse(&row.organisation_id).ok()),
            text(&row.orgnr),
            text(&row.state),
            text(&row.kommunenummer),
            Value::Bigint(row.first_position.try_into().ok()),
        ]
    }
}

#[expect(clippy::too_many_lines, reason = "one arm for each event, and no wildcard")]
fn apply(case: &mut Row, fact: &Event, event: &Recorded) {
    let now = event.occurred_at;
    match fact {
        Event::RegistrationDrafted(e) => {
            enter(case, "draft");
            case.started_at = Some(now.into());
            case.organisation_id.clone_from(&e.organisation_id);
            case.kind = word(e.kind().as_str_name(), "CASE_KIND_");
            content(case, &e.registers, e.content.as_ref());
        }
        Event::RegistrationAmended(e) => content(case, &e.registers, e.content.as_ref()),
        Event::DocumentAttached(e) => {
            let kind = word(e.kind().as_str_name(), "DOCUMENT_KIND_");
            if !case.documents.contains(&kind) {
                case.documents.push(kind);
                case.documents.sort_unstable();
            }
        }
        Event::BoardElectionDeclared(_) => case.board_election_declared = true,
        Event::SignaturesRequested(e) => {
            enter(case, "awaiting_signatures");
            case.signatures_requested_at = Some(now.into());
            case.signed_at = None;
            case.signers = e.signers.iter().map(unsigned).collect();
            deadline::cancel_all(case);
            deadline::signatures(case, now, e.due_at);
        }
        Event::SignaturesReset(_) => {
            enter(case, "awaiting_signatures");
            case.signed_at = None;
            case.signers.iter_mut().for_each(|signer| signer.signed_at = None);
            deadline::signatures_again(case);
        }
        Event::RegistrationSigned(e) => {
            let at = e.signed_at.unwrap_or(now.into());
            case.signers
                .iter_mut()
                .filter(|signer| signer.person_ref == e.person_ref)
                .for_each(|signer| signer.signed_at = Some(at));
            if case.signers.iter().all(|signer| signer.signed_at.is_some()) {
                enter(case, "signed");
                case.signed_at = Some(at);
                deadline::signatures_complete(case);
            }
        }
        Event::SignaturesReminded(e) => deadline::reminded(case, e.reminder),
        Event::AuditorAssignmentConfirmed(e) => {
            let assignment = CaseAssignment {
                orgnr: e.orgnr_auditor.clone(),
                r#type: word(e.r#type().as_str_name(), "AUDITOR_TYPE_"),
            };
            if !case.assignments.contains(&assignment) {
                case.assignments.push(assignment);
            }
        }
        Event::RegistrationSubmitted(e) => {
            enter(case, "submitted");
            case.submitted_at = Some(e.submitted_at.unwrap_or(now.into()));
            case.message_ref.clone_from(&e.message_ref);
            if e.content.is_some() {
                content(case, &e.registers, e.content.as_ref());
            }
        }
        Event::RegistrationReviewStarted(e) => {
            enter(case, "under_review");
            case.review_started_at = Some(now.into());
            case.authority_ref.clone_from(&e.authority_ref);
        }
        Event::InformationRequested(e) => {
            enter(case, "info_requested");
            let missing = |d: &ryggrad_proto::registration::v1::Deficiency| CaseDeficiency {
                code: d.code.clone(),
                text: d.text.clone(),
            };
            case.deficiencies = e.deficiencies.iter().map(missing).collect();
            deadline::answer(case, e.due_at);
        }
        Event::RegistrationSupplemented(e) => {
            enter(case, "under_review");
            case.deficiencies.clear();
            deadline::answered(case);
            if e.content.is_some() {
                content(case, &e.registers, e.content.as_ref());
            }
        }
        Event::RegistrationRejected(e) => {
            enter(case, "rejected");
            case.closed_at = Some(now.into());
            deadline::cancel_all(case);
            deadline::appeal(case, e.appeal_deadline);
            decide(case, &e.register, "rejected", event, &e.ground);
        }
        Event::RegistrationAppealed(_) => {
            case.appealed = true;
            deadline::appealed(case);
        }
        Event::AppealPeriodEnded(_) => deadline::appeal_ended(case),
        Event::RegistrationWithdrawn(_) => {
            enter(case, "withdrawn");
            case.closed_at = Some(now.into());
            deadline::cancel_all(case);
        }
        Event::RegistrationLapsed(_) => {
            enter(case, "lapsed");
            case.closed_at = Some(now.into());
            deadline::lapsed(case);
        }
        Event::RegistrationConfirmed(e) => {
            if !e.orgnr.is_empty() {
                case.orgnr.clone_from(&e.orgnr);
            }
            decide(case, &e.register, "registered", event, "");
            if unanswered(case).is_empty() {
                enter(case, "registered");
                case.closed_at = Some(now.into());
                deadline::cancel_all(case);
            }
        }
    }
}

fn enter(case: &mut Row, state: &'static str) {
    debug_assert!(STATES.contains(&state), "{state} is a state of a case");
    state.clone_into(&mut case.state);
}

fn content(case: &mut Row, registers: &[String], content: Option<&RegistrationContent>) {
    case.registers = registers.to_vec();
    let Some(content) = content else { return };
    case.name.clone_from(&content.name);
    case.form.clone_from(&content.form);
    if !content.organisasjonsnummer.is_empty() {
        case.orgnr.clone_from(&content.organisasjonsnummer);
    }
    case.kommunenummer = content
        .forretningsadresse
        .as_ref()
        .map(|address| address.kommunenummer.clone())
        .unwrap_or_default();
}

fn decide(case: &mut Row, register: &str, outcome: &str, event: &Recorded, ground: &str) {
    case.decisions.push(CaseDecision {
        register: register.to_owned(),
        outcome: outcome.to_owned(),
        decided_at: Some(event.occurred_at.into()),
        ground: ground.to_owned(),
    });
}

/// Registers that have not said yes. Enhetsregisteret answers for all but Frivillighetsregisteret.
fn unanswered(case: &Row) -> Vec<&str> {
    let answers = |register: &str| if register == "FR" { "FR" } else { "ER" };
    let said = |register: &str| {
        case.decisions
            .iter()
            .any(|decision| decision.outcome == "registered" && answers(&decision.register) == register)
    };
    case.registers
        .iter()
        .map(|register| answers(register))
        .filter(|register| !said(register))
        .collect()
}

fn unsigned(signer: &Signer) -> CaseSigner {
    CaseSigner {
        person_ref: signer.person_ref.clone(),
        role_code: signer.role_code.clone(),
        signed_at: None,
    }
}

/// A value of an enumeration, without what all of its values begin with.
fn word(value: &str, prefix: &str) -> String {
    value.strip_prefix(prefix).unwrap_or(value).to_lowercase()
}

fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
