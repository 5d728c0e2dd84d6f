//! What a founding says to each command.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ryggrad_decider::{Context, Refusal};
use ryggrad_norway::{KommuneNumber, LegalForm, OrgNumber};
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::founder::Founder as Who;
use ryggrad_proto::registration::v1::founding_command::Command;
use ryggrad_proto::registration::v1::founding_event::Event;

use super::{State, Status, key, refusals};
use crate::form::{self, Form};
use crate::roles::{self, Wanted};
use crate::{board, input, time};

/// Two to three weeks, as is advised (T-2.1): never a condition.
const ADVISED_NOTICE: std::ops::RangeInclusive<i32> = 14..=21;
/// Most founders that are listed by name; larger meetings elect whom to list.
const FOUNDERS: usize = 500;

pub(super) fn decide(state: &State, command: &Command, context: &Context) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::PlanFounding(c) => plan(state, c, context),
        Command::ConveneFoundingMeeting(c) => convene(state, c, context),
        Command::RecordFoundingMeeting(c) => meeting(state, c, context),
        Command::AdoptBylaws(c) => bylaws(state, c, context),
        Command::ElectInterimBoard(c) => board(state, c, context),
        Command::SignFoundingDocument(c) => sign(state, c, context),
        Command::CompleteFounding(c) => complete(state, c, context),
        Command::CancelFounding(c) => cancel(state, c, context),
    }
}

fn plan(state: &State, c: &pb::PlanFounding, context: &Context) -> Result<Vec<Event>, Refusal> {
    if state.status != Status::Unplanned {
        return Err(refusals::state(state.status));
    }
    let legal: LegalForm = input::coded("form", &c.form)?;
    let form = Form::of(legal).ok_or_else(|| form::not_founded("form", legal))?;
    Ok(vec![
        pb::FoundingPlanned {
            founding_id: id(context),
            form: form.code().to_owned(),
            parent_orgnr: input::optional_orgnr("parent_orgnr", c.parent_orgnr.as_deref())?,
            model_bylaws_id: input::optional_id("model_bylaws_id", c.model_bylaws_id.as_deref())?
                .map(|id| id.to_string()),
            initiative_id: input::optional_id("initiative_id", c.initiative_id.as_deref())?.map(|id| id.to_string()),
        }
        .into(),
    ])
}

fn convene(state: &State, c: &pb::ConveneFoundingMeeting, context: &Context) -> Result<Vec<Event>, Refusal> {
    match state.status {
        Status::Planned | Status::Convened => {}
        status @ (Status::Unplanned
        | Status::Held
        | Status::Documented
        | Status::Completed { .. }
        | Status::Cancelled) => {
            return Err(refusals::state(status));
        }
    }
    let date = input::date("date", &c.date)?;
    if date < time::day(context.now) {
        return Err(refusals::meeting_in_the_past());
    }
    let place = input::free("place", &c.place, input::NAME)?;
    if place.trim().is_empty() && !c.digital {
        return Err(refusals::place_missing());
    }
    input::count("agenda", c.agenda.len(), 1, 50)?;
    let agenda = c
        .agenda
        .iter()
        .map(|point| input::text("agenda", point, input::NAME))
        .collect::<Result<_, _>>()?;
    let notice_sent_at = input::instant("notice_sent_at", c.notice_sent_at)?.unwrap_or(context.now);
    if notice_sent_at > context.now {
        return Err(refusals::in_the_future("notice_sent_at"));
    }
    let notice_days = time::days_between(time::day(notice_sent_at), date);
    Ok(vec![
        pb::FoundingMeetingConvened {
            founding_id: id(context),
            date: date.to_string(),
            place,
            digital: c.digital,
            notice_sent_at: Some(notice_sent_at.into()),
            agenda,
            notice_days,
            notice_as_advised: ADVISED_NOTICE.contains(&notice_days),
        }
        .into(),
    ])
}

fn meeting(state: &State, c: &pb::RecordFoundingMeeting, context: &Context) -> Result<Vec<Event>, Refusal> {
    // A meeting that was not convened here was held all the same (handbook 10): it is recorded as it was, and no notice is made up.
    let (form, recorded_afterwards) = match (state.status, state.form) {
        (Status::Convened, Some(form)) => (form, false),
        (Status::Planned, Some(form)) => (form, true),
        (status, _) => return Err(refusals::state(status)),
    };
    let date = input::date("date", &c.date)?;
    if date > time::day(context.now) {
        return Err(refusals::in_the_future("date"));
    }
    if c.place.trim().is_empty() {
        return Err(refusals::place_missing());
    }
    let place = input::text("place", &c.place, input::NAME)?;
    input::count("founders", c.founders.len(), 0, FOUNDERS)?;
    let founders = c.founders.iter().map(founder).collect::<Result<Vec<_>, _>>()?;
    let distinct: BTreeSet<_> = founders.iter().filter_map(key).collect();
    if distinct.len() < form.founders() {
        return Err(refusals::too_few_founders(form, distinct.len()));
    }
    let purpose = input::text("purpose", &c.purpose, input::PROSE)?;
    input::within("votes_for", c.votes_for, 0, c.votes_cast)?;
    if u64::from(c.votes_for) * 2 <= u64::from(c.votes_cast) {
        return Err(refusals::not_decided(c.votes_for, c.votes_cast));
    }
    Ok(vec![
        pb::FoundingMeetingHeld {
            founding_id: id(context),
            date: date.to_string(),
            place,
            founders,
            votes_for: c.votes_for,
            votes_cast: c.votes_cast,
            purpose,
            recorded_afterwards,
        }
        .into(),
    ])
}

/// A founder, with its reference in its one spelling.
fn founder(founder: &pb::Founder) -> Result<pb::Founder, Refusal> {
    let who = match &founder.founder {
        Some(Who::PersonRef(person)) => Who::PersonRef(input::id("founders.person_ref", person)?.to_string()),
        Some(Who::Orgnr(orgnr)) => Who::Orgnr(input::coded::<OrgNumber>("founders.orgnr", orgnr)?.to_string()),
        None => return Err(input::missing("founders")),
    };
    Ok(pb::Founder { founder: Some(who) })
}

fn bylaws(state: &State, c: &pb::AdoptBylaws, context: &Context) -> Result<Vec<Event>, Refusal> {
    let form = unsigned(state)?;
    let vedtektsdato = input::date("vedtektsdato", &c.vedtektsdato)?;
    if vedtektsdato > time::day(context.now) {
        return Err(refusals::in_the_future("vedtektsdato"));
    }
    let checklist = c.content_checklist.ok_or_else(|| input::missing("content_checklist"))?;
    let uncovered = form.uncovered(&checklist);
    if !uncovered.is_empty() {
        return Err(refusals::bylaws_incomplete(form, &uncovered));
    }
    if form.owns_itself() && !checklist.surplus_to_purpose {
        return Err(refusals::surplus_not_to_purpose());
    }
    if form.owns_itself() && !checklist.no_owners {
        return Err(refusals::has_owners());
    }
    let board_size = board::read("board_size", c.board_size.as_ref())?;
    if state.has_board {
        board::of_size("board_size", state.on_board, board_size.as_ref())?;
    }
    let bylaws_id = input::optional_id("bylaws_id", Some(&c.bylaws_id))?.unwrap_or(context.new_id);
    Ok(vec![
        pb::BylawsAdopted {
            founding_id: id(context),
            orgnr: String::new(),
            bylaws_id: bylaws_id.to_string(),
            version: state.bylaws_version.saturating_add(1),
            vedtektsdato: vedtektsdato.to_string(),
            content_checklist: Some(checklist),
            document_hash: input::hash("document_hash", &c.document_hash)?,
            purpose: vec![input::text("purpose", &c.purpose, input::PROSE)?],
            origin: Some(crate::origin::own(context)),
            board_size,
        }
        .into(),
    ])
}

fn board(state: &State, c: &pb::ElectInterimBoard, context: &Context) -> Result<Vec<Event>, Refusal> {
    let form = unsigned(state)?;
    let roles = roles::read("roles", &c.roles, Some(form), Wanted::Board)?;
    board::fits("roles", &roles, state.board_size.as_ref())?;
    let (advised, is_default) = board::advised(state.board_size.as_ref());
    let as_advised = board::fits("roles", &roles, Some(&advised)).is_ok();
    Ok(vec![
        pb::BoardElected {
            founding_id: id(context),
            orgnr: String::new(),
            term_id: context.new_id.to_string(),
            roles,
            body: input::text("body", &c.body, input::NAME)?,
            minutes_hash: input::hash("minutes_hash", &c.minutes_hash)?,
            interim: c.interim,
            board_size: Some(advised),
            board_size_is_default: is_default,
            board_size_as_advised: as_advised,
        }
        .into(),
    ])
}

fn sign(state: &State, c: &pb::SignFoundingDocument, context: &Context) -> Result<Vec<Event>, Refusal> {
    match state.status {
        Status::Held | Status::Documented => {}
        status @ (Status::Unplanned
        | Status::Planned
        | Status::Convened
        | Status::Completed { .. }
        | Status::Cancelled) => {
            return Err(refusals::state(status));
        }
    }
    if state.bylaws_version == 0 || !state.has_board {
        return Err(refusals::document_not_ready());
    }
    let signer = input::id("signer", &c.signer)?.to_string();
    let for_orgnr = input::optional_orgnr("for_orgnr", c.for_orgnr.as_deref())?;
    let method: pb::SigningMethod = input::chosen("method", c.method)?;
    let document_hash = input::hash("document_hash", &c.document_hash)?;
    let signed_at = signed_at(state, method, c.signed_at, context)?;
    let founder = for_orgnr.as_ref().unwrap_or(&signer);
    if !state.founders.contains(founder) {
        return Err(refusals::not_a_founder(if for_orgnr.is_some() {
            "for_orgnr"
        } else {
            "signer"
        }));
    }
    if state
        .document_hash
        .as_ref()
        .is_some_and(|signed| *signed != document_hash)
    {
        return Err(refusals::other_document());
    }
    if state.signed.contains(founder) {
        return Ok(Vec::new());
    }
    Ok(vec![
        pb::FoundingDocumentSigned {
            founding_id: id(context),
            signer,
            for_orgnr,
            method: method.into(),
            signed_at: Some(signed_at.into()),
            document_hash,
        }
        .into(),
    ])
}

/// When a founder signed: now, or earlier for a signature on paper.
fn signed_at(
    state: &State,
    method: pb::SigningMethod,
    said: Option<ryggrad_proto::Timestamp>,
    context: &Context,
) -> Result<Timestamp, Refusal> {
    let Some(at) = input::instant("signed_at", said)? else {
        return Ok(context.now);
    };
    if method != pb::SigningMethod::Paper {
        return Err(refusals::only_paper_is_dated());
    }
    if at > context.now {
        return Err(refusals::in_the_future("signed_at"));
    }
    if time::day(at).to_string() < state.meeting_date {
        return Err(refusals::signed_before_the_meeting());
    }
    Ok(at)
}

fn complete(state: &State, c: &pb::CompleteFounding, context: &Context) -> Result<Vec<Event>, Refusal> {
    let form = match (state.status, state.form) {
        (Status::Documented, Some(form)) => form,
        (status, _) => return Err(refusals::state(status)),
    };
    let name = input::text("name", &c.name, input::NAME)?;
    let kommunenummer: KommuneNumber = input::coded("kommunenummer", &c.kommunenummer)?;
    form::enough_capital("kapital", Some(form), c.driver_naeringsvirksomhet, c.kapital)?;
    input::made_by_us("organisation_id", &c.organisation_id)?;
    Ok(vec![
        pb::OrganisationFounded {
            founding_id: id(context),
            organisation_id: context.new_id.to_string(),
            stiftelsesdato: state.meeting_date.clone(),
            name,
            purpose: state.purpose.clone(),
            form: form.code().to_owned(),
            kommunenummer: kommunenummer.to_string(),
            kapital: c.kapital,
            parent_orgnr: state.parent_orgnr.clone(),
            board_size: state.board_size,
        }
        .into(),
    ])
}

fn cancel(state: &State, c: &pb::CancelFounding, context: &Context) -> Result<Vec<Event>, Refusal> {
    match state.status {
        Status::Planned | Status::Convened | Status::Held | Status::Documented => {}
        status @ (Status::Unplanned | Status::Completed { .. } | Status::Cancelled) => {
            return Err(refusals::state(status));
        }
    }
    let reason: pb::CancelReason = input::chosen("reason_code", c.reason_code)?;
    Ok(vec![
        pb::FoundingCancelled {
            founding_id: id(context),
            reason_code: reason.into(),
        }
        .into(),
    ])
}

/// The form of a founding whose meeting was held and whose document nobody has signed.
fn unsigned(state: &State) -> Result<Form, Refusal> {
    match (state.status, state.form) {
        (Status::Held | Status::Documented, Some(form)) if state.signed.is_empty() => Ok(form),
        (Status::Held | Status::Documented, _) => Err(refusals::signed_already()),
        (status, _) => Err(refusals::state(status)),
    }
}

fn id(context: &Context) -> String {
    context.aggregate_id.to_string()
}
