//! What a registration case says to each command.

use ryggrad_decider::{Context, Refusal};
use ryggrad_norway::OrgNumber;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::registration_case_command::Command;
use ryggrad_proto::registration::v1::registration_case_event::Event;

use super::state::{Register, State, Status};
use super::{authority, content, refusals, signing};
use crate::input;

pub(super) fn decide(state: &State, command: &Command, context: &Context) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::DraftRegistration(c) => draft(state, c, context),
        Command::AmendRegistration(c) => amend(state, c, context),
        Command::AttachDocument(c) => attach(state, c, context),
        Command::DeclareBoardElection(c) => declare(state, c, context),
        Command::RequestSignatures(c) => signing::request(state, c, context),
        Command::SignRegistration(c) => signing::sign(state, c, context),
        Command::ConfirmAuditorAssignment(c) => confirm_auditor(state, c, context),
        Command::SubmitRegistration(c) => submit(state, c, context),
        Command::SupplementRegistration(c) => authority::supplement(state, c, context),
        Command::WithdrawRegistration(_) => withdraw(state, context),
        Command::AppealRejection(c) => authority::appeal(state, c, context),
        Command::StartReview(c) => authority::start_review(state, c, context),
        Command::RequestInformation(c) => authority::request_information(state, c, context),
        Command::RejectRegistration(c) => authority::reject(state, c, context),
        Command::ConfirmRegistration(c) => authority::confirm(state, c, context),
        Command::RemindSigners(c) => Ok(signing::remind(state, c.reminder, context)),
        Command::LapseRegistration(_) => Ok(signing::lapse(state, context)),
        Command::CloseAppealPeriod(_) => Ok(authority::close_appeal(state, context)),
    }
}

fn draft(state: &State, c: &pb::DraftRegistration, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    if state.status != Status::Undrafted {
        return Err(refusals::state(&state.status));
    }
    let organisation_id = input::id("organisation_id", &c.organisation_id)?;
    let kind: pb::CaseKind = input::chosen("kind", c.kind)?;
    let (registers, content) = content::read(&c.registers, kind, c.content.as_ref(), &c.kontonummer_token, ctx)?;
    Ok(vec![
        pb::RegistrationDrafted {
            case_id: id(ctx),
            organisation_id: organisation_id.to_string(),
            registers: codes(&registers),
            kind: kind.into(),
            content: Some(content),
        }
        .into(),
    ])
}

fn amend(state: &State, c: &pb::AmendRegistration, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    let (registers, content) = content::read(&c.registers, state.kind, c.content.as_ref(), &c.kontonummer_token, ctx)?;
    if registers == state.registers && content == state.content && changeable(state).is_ok() {
        return Ok(Vec::new());
    }
    change(
        state,
        pb::RegistrationAmended {
            case_id: id(ctx),
            registers: codes(&registers),
            content: Some(content),
        }
        .into(),
        ctx,
    )
}

fn attach(state: &State, c: &pb::AttachDocument, context: &Context) -> Result<Vec<Event>, Refusal> {
    let kind: pb::DocumentKind = input::chosen("kind", c.kind)?;
    let hash = input::hash("hash", &c.hash)?;
    if state.documents.get(&kind.into()) == Some(&hash) && changeable(state).is_ok() {
        return Ok(Vec::new());
    }
    change(
        state,
        pb::DocumentAttached {
            case_id: id(context),
            kind: kind.into(),
            hash,
        }
        .into(),
        context,
    )
}

/// a declaration stands in for the minutes, which have to exist.
fn declare(state: &State, c: &pb::DeclareBoardElection, context: &Context) -> Result<Vec<Event>, Refusal> {
    if !c.minutes_exist {
        return Err(refusals::minutes_must_exist());
    }
    let declared = pb::BoardElectionDeclared {
        case_id: id(context),
        elected_by: input::text("elected_by", &c.elected_by, input::NAME)?,
        minutes_exist: true,
        declared_by: input::id("declared_by", &c.declared_by)?.to_string(),
    };
    if state.board_election.as_ref() == Some(&declared) && changeable(state).is_ok() {
        return Ok(Vec::new());
    }
    change(state, declared.into(), context)
}

/// A change of what is signed: signatures that were given fall, and those who signed are asked anew.
fn change(state: &State, event: Event, context: &Context) -> Result<Vec<Event>, Refusal> {
    changeable(state)?;
    let mut changed = state.clone();
    changed.evolve(&event);
    let mut events = vec![event];
    if let Status::AwaitingSignatures(signatures) | Status::Signed(signatures) = &state.status {
        content::complete(&changed)?;
        signing::roles_fit(&changed)?;
        if !signatures.signed.is_empty() {
            events.extend(signing::reset(signatures, pb::ResetReason::ContentChanged, context));
            events.push(signing::requested(
                signatures.signers.clone(),
                signatures.roles.clone(),
                context,
            ));
        }
    }
    Ok(events)
}

fn changeable(state: &State) -> Result<(), Refusal> {
    match &state.status {
        Status::Draft | Status::AwaitingSignatures(_) | Status::Signed(_) => Ok(()),
        status @ (Status::Undrafted
        | Status::Submitted
        | Status::UnderReview
        | Status::InfoRequested { .. }
        | Status::Registered
        | Status::Rejected { .. }
        | Status::Withdrawn
        | Status::Lapsed) => Err(refusals::state(status)),
    }
}

fn confirm_auditor(state: &State, c: &pb::ConfirmAuditorAssignment, context: &Context) -> Result<Vec<Event>, Refusal> {
    open(state)?;
    let kind: pb::AuditorType = input::chosen("type", c.r#type)?;
    let orgnr: OrgNumber = input::coded("orgnr_auditor", &c.orgnr_auditor)?;
    let orgnr = orgnr.to_string();
    let named = match kind {
        pb::AuditorType::Revisor => &state.content.revisor_orgnr,
        pb::AuditorType::Regnskapsfoerer | pb::AuditorType::Unspecified => &state.content.regnskapsfoerer_orgnr,
    };
    if *named != orgnr {
        return Err(refusals::not_the_auditor());
    }
    if state.confirmed_by.contains(&(kind.into(), orgnr.clone())) {
        return Ok(Vec::new());
    }
    Ok(vec![
        pb::AuditorAssignmentConfirmed {
            case_id: id(context),
            orgnr_auditor: orgnr,
            r#type: kind.into(),
        }
        .into(),
    ])
}

fn submit(state: &State, c: &pb::SubmitRegistration, context: &Context) -> Result<Vec<Event>, Refusal> {
    match &state.status {
        Status::Signed(_) => {}
        Status::AwaitingSignatures(signatures) => {
            return Err(refusals::signatures_missing(signatures.pending().count()));
        }
        status @ (Status::Undrafted
        | Status::Draft
        | Status::Submitted
        | Status::UnderReview
        | Status::InfoRequested { .. }
        | Status::Registered
        | Status::Rejected { .. }
        | Status::Withdrawn
        | Status::Lapsed) => return Err(refusals::state(status)),
    }
    let maalform = input::written_standard("maalform", &c.maalform)?;
    content::complete(state)?;
    signing::roles_fit(state)?;
    for (field, orgnr, kind) in [
        (
            "content.revisor_orgnr",
            &state.content.revisor_orgnr,
            pb::AuditorType::Revisor,
        ),
        (
            "content.regnskapsfoerer_orgnr",
            &state.content.regnskapsfoerer_orgnr,
            pb::AuditorType::Regnskapsfoerer,
        ),
    ] {
        if !orgnr.is_empty() && !state.confirmed_by.contains(&(kind.into(), orgnr.clone())) {
            return Err(refusals::auditor_unconfirmed(field, orgnr));
        }
    }
    Ok(vec![
        pb::RegistrationSubmitted {
            case_id: id(context),
            submitted_at: Some(context.now.into()),
            message_ref: context.new_id.to_string(),
            maalform: maalform.to_string(),
            organisation_id: organisation(state),
            registers: state.register_codes(),
            kind: state.kind.into(),
            content: Some(state.content.clone()),
        }
        .into(),
    ])
}

fn withdraw(state: &State, context: &Context) -> Result<Vec<Event>, Refusal> {
    open(state)?;
    Ok(vec![pb::RegistrationWithdrawn { case_id: id(context) }.into()])
}

/// A case that has not come to an end.
fn open(state: &State) -> Result<(), Refusal> {
    match &state.status {
        Status::Draft
        | Status::AwaitingSignatures(_)
        | Status::Signed(_)
        | Status::Submitted
        | Status::UnderReview
        | Status::InfoRequested { .. } => Ok(()),
        status @ (Status::Undrafted
        | Status::Registered
        | Status::Rejected { .. }
        | Status::Withdrawn
        | Status::Lapsed) => Err(refusals::state(status)),
    }
}

pub(super) fn organisation(state: &State) -> String {
    state.organisation_id.map(|id| id.to_string()).unwrap_or_default()
}

pub(super) fn id(context: &Context) -> String {
    context.aggregate_id.to_string()
}

fn codes(registers: &std::collections::BTreeSet<Register>) -> Vec<String> {
    registers.iter().map(|register| register.code().to_owned()).collect()
}
