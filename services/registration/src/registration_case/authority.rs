//! What the register authority says, and the answers to it. The backbone only mirrors its decisions.

use ryggrad_decider::{Context, Refusal, timers};
use ryggrad_norway::OrgNumber;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::registration_case_event::Event;

use super::decide::{id, organisation};
use super::refusals;
use super::state::{Register, State, Status};
use crate::{input, time};

pub(super) fn start_review(state: &State, c: &pb::StartReview, context: &Context) -> Result<Vec<Event>, Refusal> {
    let authority_ref = input::free("authority_ref", &c.authority_ref, input::REFERENCE)?;
    match &state.status {
        Status::Submitted => Ok(vec![
            pb::RegistrationReviewStarted {
                case_id: id(context),
                authority_ref,
            }
            .into(),
        ]),
        // Taken in hand already, or even decided.
        Status::UnderReview | Status::InfoRequested { .. } | Status::Registered | Status::Rejected { .. } => {
            Ok(Vec::new())
        }
        status @ (Status::Undrafted
        | Status::Draft
        | Status::AwaitingSignatures(_)
        | Status::Signed(_)
        | Status::Withdrawn
        | Status::Lapsed) => Err(refusals::state(status)),
    }
}

/// A decision on a case that nobody said was taken in hand: then it is so now. Whether its letter was answered is the authority's
/// to judge.
fn under_review(state: &State, context: &Context) -> Result<Vec<Event>, Refusal> {
    match &state.status {
        Status::Registered | Status::Rejected { .. } => Err(refusals::state(&state.status)),
        Status::Undrafted
        | Status::Draft
        | Status::AwaitingSignatures(_)
        | Status::Signed(_)
        | Status::Submitted
        | Status::UnderReview
        | Status::InfoRequested { .. }
        | Status::Withdrawn
        | Status::Lapsed => start_review(state, &pb::StartReview::default(), context),
    }
}

pub(super) fn request_information(
    state: &State,
    c: &pb::RequestInformation,
    context: &Context,
) -> Result<Vec<Event>, Refusal> {
    if matches!(state.status, Status::InfoRequested { .. }) {
        return Err(refusals::state(&state.status));
    }
    let mut events = under_review(state, context)?;
    input::count("deficiencies", c.deficiencies.len(), 1, 50)?;
    for deficiency in &c.deficiencies {
        input::text("deficiencies.code", &deficiency.code, 50)?;
        input::free("deficiencies.text", &deficiency.text, input::PROSE)?;
    }
    let due_at = input::instant("due_at", c.due_at)?;
    events.push(
        pb::InformationRequested {
            case_id: id(context),
            deficiencies: c.deficiencies.clone(),
            due_at: due_at.map(Into::into),
        }
        .into(),
    );
    Ok(events)
}

/// Answers to everything that the authority misses.
pub(super) fn supplement(
    state: &State,
    c: &pb::SupplementRegistration,
    context: &Context,
) -> Result<Vec<Event>, Refusal> {
    let deficiencies = match &state.status {
        Status::InfoRequested { deficiencies } => deficiencies,
        status @ (Status::Undrafted
        | Status::Draft
        | Status::AwaitingSignatures(_)
        | Status::Signed(_)
        | Status::Submitted
        | Status::UnderReview
        | Status::Registered
        | Status::Rejected { .. }
        | Status::Withdrawn
        | Status::Lapsed) => return Err(refusals::state(status)),
    };
    input::count("items", c.items.len(), 1, 50)?;
    for item in &c.items {
        if !deficiencies
            .iter()
            .any(|deficiency| deficiency.code == item.deficiency_code)
        {
            return Err(refusals::unknown_deficiency(&item.deficiency_code));
        }
        if item.document_hash.is_empty() {
            input::text("items.answer", &item.answer, input::PROSE)?;
        } else {
            input::hash("items.document_hash", &item.document_hash)?;
            input::chosen::<pb::DocumentKind>("items.document_kind", item.document_kind)?;
            input::free("items.answer", &item.answer, input::PROSE)?;
        }
    }
    for deficiency in deficiencies {
        if !c.items.iter().any(|item| item.deficiency_code == deficiency.code) {
            return Err(refusals::deficiency_unanswered(&deficiency.code));
        }
    }
    Ok(vec![
        pb::RegistrationSupplemented {
            case_id: id(context),
            items: c.items.clone(),
            organisation_id: organisation(state),
            registers: state.register_codes(),
            kind: state.kind.into(),
            content: Some(state.content.clone()),
            maalform: state.maalform.clone(),
        }
        .into(),
    ])
}

/// the appeal period of three weeks runs from the notice, to the end of its last day.
pub(super) fn reject(state: &State, c: &pb::RejectRegistration, context: &Context) -> Result<Vec<Event>, Refusal> {
    let mut events = under_review(state, context)?;
    let register = register(state, &c.register)?;
    let ground = input::text("ground", &c.ground, input::PROSE)?;
    let notified_at = input::instant("notified_at", c.notified_at)?.unwrap_or(context.now);
    events.push(
        pb::RegistrationRejected {
            case_id: id(context),
            register: register.code().to_owned(),
            ground,
            appeal_deadline: Some(time::last_second(&timers::T_2_4, notified_at).into()),
        }
        .into(),
    );
    Ok(events)
}

pub(super) fn confirm(state: &State, c: &pb::ConfirmRegistration, context: &Context) -> Result<Vec<Event>, Refusal> {
    if state.status == Status::Registered {
        return Ok(Vec::new());
    }
    let mut events = under_review(state, context)?;
    let register = register(state, &c.register)?;
    let orgnr: OrgNumber = input::coded("orgnr", &c.orgnr)?;
    if state.confirmed.contains(&register) {
        return Ok(Vec::new());
    }
    events.push(
        pb::RegistrationConfirmed {
            case_id: id(context),
            register: register.code().to_owned(),
            orgnr: orgnr.to_string(),
        }
        .into(),
    );
    Ok(events)
}

/// One of the registers that the case is for.
fn register(state: &State, code: &str) -> Result<Register, Refusal> {
    Register::parse(code)
        .filter(|register| {
            state.registers.contains(register) || (*register == Register::Er && !state.registers.is_empty())
        })
        .ok_or_else(|| refusals::unknown_register(code).at("register"))
}

pub(super) fn appeal(state: &State, c: &pb::AppealRejection, context: &Context) -> Result<Vec<Event>, Refusal> {
    let (deadline, appealed, closed) = match &state.status {
        Status::Rejected {
            appeal_deadline,
            appealed,
            closed,
        } => (*appeal_deadline, *appealed, *closed),
        status @ (Status::Undrafted
        | Status::Draft
        | Status::AwaitingSignatures(_)
        | Status::Signed(_)
        | Status::Submitted
        | Status::UnderReview
        | Status::InfoRequested { .. }
        | Status::Registered
        | Status::Withdrawn
        | Status::Lapsed) => return Err(refusals::state(status)),
    };
    let document_hash = input::hash("document_hash", &c.document_hash)?;
    if appealed {
        return Ok(Vec::new());
    }
    if closed || deadline.is_some_and(|deadline| time::day(context.now) > time::day(deadline)) {
        return Err(refusals::appeal_too_late());
    }
    Ok(vec![
        pb::RegistrationAppealed {
            case_id: id(context),
            document_hash,
        }
        .into(),
    ])
}

/// T-2.4: nothing to do for a refusal that was appealed or whose period is not over.
pub(super) fn close_appeal(state: &State, context: &Context) -> Vec<Event> {
    match &state.status {
        Status::Rejected {
            appeal_deadline,
            appealed: false,
            closed: false,
        } if appeal_deadline.is_none_or(|deadline| time::day(context.now) > time::day(deadline)) => {
            vec![pb::AppealPeriodEnded { case_id: id(context) }.into()]
        }
        Status::Undrafted
        | Status::Draft
        | Status::AwaitingSignatures(_)
        | Status::Signed(_)
        | Status::Submitted
        | Status::UnderReview
        | Status::InfoRequested { .. }
        | Status::Registered
        | Status::Rejected { .. }
        | Status::Withdrawn
        | Status::Lapsed => Vec::new(),
    }
}
