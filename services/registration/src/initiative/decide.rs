//! What an initiative says to each command.

use ryggrad_decider::{Context, Refusal, timers};
use ryggrad_norway::{Icnpo, KommuneNumber, LegalForm, OrgNumber, Role};
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::initiative_command::Command;
use ryggrad_proto::registration::v1::initiative_event::Event;

use super::{Stage, State, Status, refusals};
use crate::{input, time};

/// Age bands are few; more than this is a mistake.
const BANDS: usize = 20;

pub(super) fn decide(state: &State, command: &Command, context: &Context) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::SketchInitiative(c) => sketch(state, c, context),
        Command::SearchExisting(c) => search(state, c, context),
        Command::OpenForCofounders(c) => open(state, c, context),
        Command::RegisterSupporter(c) => supporter(state, c, context),
        Command::StartTrial(c) => start_trial(state, c, context),
        Command::RecordTrialActivity(c) => trial_activity(state, c, context),
        Command::EvaluateTrial(c) => evaluate(state, c, context),
        Command::ProceedToFounding(c) => proceed(state, c, context),
        Command::JoinExistingOrganisation(c) => join(state, c, context),
        Command::PauseInitiative(c) => pause(state, c, context),
        Command::AbandonInitiative(c) => abandon(state, c, context),
        Command::PauseInactiveInitiative(c) => Ok(pause_inactive(state, c.activity, context)),
        Command::ExpireInitiative(c) => Ok(expire(state, c.activity, context)),
        Command::PurgeSupporters(_) => Ok(purge(state, context)),
    }
}

fn sketch(state: &State, c: &pb::SketchInitiative, context: &Context) -> Result<Vec<Event>, Refusal> {
    if state.status != Status::Unborn {
        return Err(refusals::exists_already());
    }
    let icnpo_hint = c.icnpo_hint.as_deref().filter(|hint| !hint.is_empty());
    let icnpo_hint = icnpo_hint
        .map(|hint| Icnpo::parse_leaf(hint).map_err(|invalid| input::refused("icnpo_hint", &invalid)))
        .transpose()?;
    Ok(vec![
        pb::InitiativeSketched {
            initiative_id: id(context),
            title: input::text("title", &c.title, input::NAME)?,
            purpose_text: input::text("purpose_text", &c.purpose_text, input::PROSE)?,
            kommunenummer: input::coded::<KommuneNumber>("kommunenummer", &c.kommunenummer)?.to_string(),
            icnpo_hint: icnpo_hint.map(|icnpo| icnpo.to_string()),
            language: input::written_standard("language", &c.language)?.to_string(),
            created_by: input::optional_id("created_by", c.created_by.as_deref())?.map(|id| id.to_string()),
        }
        .into(),
    ])
}

fn search(state: &State, c: &pb::SearchExisting, context: &Context) -> Result<Vec<Event>, Refusal> {
    alive(state)?;
    input::count("matched_orgnr", c.matched_orgnr.len(), 0, 100)?;
    input::count("matched_activity_ids", c.matched_activity_ids.len(), 0, 100)?;
    for orgnr in &c.matched_orgnr {
        input::coded::<OrgNumber>("matched_orgnr", orgnr)?;
    }
    let activities = c
        .matched_activity_ids
        .iter()
        .map(|activity| input::id("matched_activity_ids", activity));
    let matched_activity_ids = activities
        .map(|id| id.map(|id| id.to_string()))
        .collect::<Result<_, _>>()?;
    let outcome: pb::ReviewOutcome = input::chosen("outcome", c.outcome)?;
    let reason = input::optional_text("reason", c.reason.as_deref(), input::PROSE)?;
    match outcome {
        pb::ReviewOutcome::Complement | pb::ReviewOutcome::None if reason.is_none() => {
            return Err(refusals::reason_missing());
        }
        pb::ReviewOutcome::Complement
        | pb::ReviewOutcome::None
        | pb::ReviewOutcome::Join
        | pb::ReviewOutcome::Unspecified => {}
    }
    Ok(vec![
        pb::ExistingOfferingsReviewed {
            initiative_id: id(context),
            matched_orgnr: c.matched_orgnr.clone(),
            matched_activity_ids,
            outcome: outcome.into(),
            reason,
        }
        .into(),
    ])
}

fn open(state: &State, c: &pb::OpenForCofounders, context: &Context) -> Result<Vec<Event>, Refusal> {
    match alive(state)? {
        Stage::Sketched | Stage::Open => {}
        other @ (Stage::Trialling | Stage::Evaluated) => return Err(refusals::stage(other)),
    }
    input::count("channels", c.channels.len(), 0, 10)?;
    let mut channels = Vec::with_capacity(c.channels.len());
    for channel in &c.channels {
        channels.push(input::text("channels", channel, input::NAME)?);
    }
    let expires_at = input::instant("expires_at", c.expires_at)?.ok_or_else(|| input::missing("expires_at"))?;
    if expires_at <= context.now {
        return Err(refusals::in_the_past("expires_at"));
    }
    Ok(vec![
        pb::InitiativeOpened {
            initiative_id: id(context),
            wanted_people: input::within("wanted_people", c.wanted_people, 1, 1000)?,
            channels,
            expires_at: Some(expires_at.into()),
        }
        .into(),
    ])
}

fn supporter(state: &State, c: &pb::RegisterSupporter, context: &Context) -> Result<Vec<Event>, Refusal> {
    alive(state)?;
    let person_ref = input::id("person_ref", &c.person_ref)?.to_string();
    let wants: pb::SupporterWish = input::chosen("wants", c.wants)?;
    let consent_id = input::id("consent_id", &c.consent_id)?.to_string();
    if state.supporters.contains(&person_ref) {
        return Ok(Vec::new());
    }
    Ok(vec![
        pb::SupporterJoined {
            initiative_id: id(context),
            person_ref,
            wants: wants.into(),
            consent_id,
        }
        .into(),
    ])
}

fn start_trial(state: &State, c: &pb::StartTrial, context: &Context) -> Result<Vec<Event>, Refusal> {
    match alive(state)? {
        Stage::Open => {}
        other @ (Stage::Sketched | Stage::Trialling | Stage::Evaluated) => return Err(refusals::stage(other)),
    }
    let from = input::date("period_from", &c.period_from)?;
    let to = input::date("period_to", &c.period_to)?;
    if to < from {
        return Err(refusals::period_backwards());
    }
    Ok(vec![
        pb::TrialStarted {
            initiative_id: id(context),
            period_from: from.to_string(),
            period_to: to.to_string(),
            host_orgnr: input::optional_orgnr("host_orgnr", c.host_orgnr.as_deref())?,
            venue_ref: input::optional_text("venue_ref", c.venue_ref.as_deref(), input::REFERENCE)?,
            funding_ref: input::optional_text("funding_ref", c.funding_ref.as_deref(), input::REFERENCE)?,
        }
        .into(),
    ])
}

fn trial_activity(state: &State, c: &pb::RecordTrialActivity, context: &Context) -> Result<Vec<Event>, Refusal> {
    match alive(state)? {
        Stage::Trialling => {}
        other @ (Stage::Sketched | Stage::Open | Stage::Evaluated) => return Err(refusals::stage(other)),
    }
    let date = input::date("date", &c.date)?;
    if date > time::day(context.now) {
        return Err(refusals::in_the_future("date"));
    }
    input::count("age_band_counts", c.age_band_counts.len(), 0, BANDS)?;
    let mut in_bands = 0_u64;
    for band in &c.age_band_counts {
        input::text("age_band_counts.band", &band.band, 10)?;
        in_bands += u64::from(band.count);
    }
    if in_bands > u64::from(c.participants_count) {
        return Err(refusals::bands_exceed_participants());
    }
    Ok(vec![
        pb::TrialActivityHeld {
            initiative_id: id(context),
            date: date.to_string(),
            participants_count: input::within("participants_count", c.participants_count, 0, 1_000_000)?,
            volunteers_count: input::within("volunteers_count", c.volunteers_count, 0, 1_000_000)?,
            hours: input::within("hours", c.hours, 0, 1_000_000)?,
            age_band_counts: c.age_band_counts.clone(),
        }
        .into(),
    ])
}

fn evaluate(state: &State, c: &pb::EvaluateTrial, context: &Context) -> Result<Vec<Event>, Refusal> {
    match alive(state)? {
        Stage::Trialling => {}
        other @ (Stage::Sketched | Stage::Open | Stage::Evaluated) => return Err(refusals::stage(other)),
    }
    let result: pb::TrialResult = input::chosen("result", c.result)?;
    Ok(vec![
        pb::TrialEvaluated {
            initiative_id: id(context),
            result: result.into(),
            learning_note_id: input::optional_id("learning_note_id", c.learning_note_id.as_deref())?
                .map(|id| id.to_string()),
        }
        .into(),
    ])
}

fn proceed(state: &State, c: &pb::ProceedToFounding, context: &Context) -> Result<Vec<Event>, Refusal> {
    match alive(state)? {
        Stage::Sketched | Stage::Open | Stage::Evaluated => {}
        Stage::Trialling => return Err(refusals::stage(Stage::Trialling)),
    }
    let form: LegalForm = input::coded("proposed_form", &c.proposed_form)?;
    if !matches!(form.code(), "FLI" | "STI" | "SA" | "AS") {
        return Err(refusals::form_not_founded(form.code()));
    }
    if !state.reviewed {
        return Err(refusals::not_reviewed());
    }
    input::made_by_us("founding_id", &c.founding_id)?;
    Ok(vec![
        pb::FoundingDecided {
            initiative_id: id(context),
            founding_id: context.new_id.to_string(),
            proposed_form: form.to_string(),
        }
        .into(),
    ])
}

/// The host's board accepts by sending the command itself: as the host, or acting for it.
fn join(state: &State, c: &pb::JoinExistingOrganisation, context: &Context) -> Result<Vec<Event>, Refusal> {
    alive(state)?;
    let host: OrgNumber = input::coded("host_orgnr", &c.host_orgnr)?;
    let absorbed_as: pb::AbsorbedAs = input::chosen("as", c.r#as)?;
    let role: Role = input::coded("accepted_by_role", &c.accepted_by_role)?;
    if !context.acts_for(host.as_str()) {
        return Err(refusals::host_has_not_accepted());
    }
    if !matches!(role.code(), "LEDE" | "NEST" | "MEDL") {
        return Err(refusals::not_a_board_role());
    }
    Ok(vec![
        pb::InitiativeAbsorbed {
            initiative_id: id(context),
            host_orgnr: host.to_string(),
            r#as: absorbed_as.into(),
            purge_personal_data_at: Some(time::due(&timers::T_1_3, 0, context.now).into()),
        }
        .into(),
    ])
}

fn pause(state: &State, c: &pb::PauseInitiative, context: &Context) -> Result<Vec<Event>, Refusal> {
    alive(state)?;
    let resume_by = c.resume_by.as_deref().filter(|day| !day.is_empty());
    let resume_by = resume_by.map(|day| input::date("resume_by", day)).transpose()?;
    if resume_by.is_some_and(|day| day < time::day(context.now)) {
        return Err(refusals::in_the_past("resume_by"));
    }
    let paused = pb::InitiativePaused {
        initiative_id: id(context),
        resume_by: resume_by.map(|day| day.to_string()),
        reason: pb::PauseReason::Requested.into(),
    };
    // A pause that the timer began, or that is to last until another day, is asked for anew: the year counts from here (T-1.2).
    let is_the_same = |earlier: &pb::InitiativePaused| {
        earlier.reason() != pb::PauseReason::Inactivity && earlier.resume_by == paused.resume_by
    };
    if matches!(state.status, Status::Paused(_)) && state.pause.as_ref().is_some_and(is_the_same) {
        return Ok(Vec::new());
    }
    Ok(vec![paused.into()])
}

fn abandon(state: &State, c: &pb::AbandonInitiative, context: &Context) -> Result<Vec<Event>, Refusal> {
    alive(state)?;
    let reason: pb::AbandonReason = input::chosen("reason_code", c.reason_code)?;
    Ok(vec![
        pb::InitiativeAbandoned {
            initiative_id: id(context),
            reason_code: reason.into(),
            purge_personal_data_at: Some(time::due(&timers::T_1_3, 0, context.now).into()),
        }
        .into(),
    ])
}

/// Whether something has happened since the event that a timer was counted from, and whoever sets the timers has not seen yet. A
/// timer of old does not tell.
fn is_stale(state: &State, counted_from: u64) -> bool {
    counted_from > 0 && counted_from < state.activity
}

/// a timer that comes too late, or was counted from what is no longer the last activity, finds nothing to do.
fn pause_inactive(state: &State, counted_from: u64, context: &Context) -> Vec<Event> {
    if is_stale(state, counted_from) {
        return Vec::new();
    }
    match state.status {
        Status::Active(_) => {
            vec![
                pb::InitiativePaused {
                    initiative_id: id(context),
                    resume_by: None,
                    reason: pb::PauseReason::Inactivity.into(),
                }
                .into(),
            ]
        }
        Status::Unborn
        | Status::Paused(_)
        | Status::Proceeding { .. }
        | Status::Absorbed { .. }
        | Status::Abandoned
        | Status::Expired => Vec::new(),
    }
}

/// only a paused initiative expires, so one that nobody paused is paused first.
fn expire(state: &State, counted_from: u64, context: &Context) -> Vec<Event> {
    if state.status.stage().is_none() || is_stale(state, counted_from) {
        return Vec::new();
    }
    let mut events = pause_inactive(state, counted_from, context);
    events.push(
        pb::InitiativeExpired {
            initiative_id: id(context),
            purge_personal_data_at: Some(time::due(&timers::T_1_3, 0, context.now).into()),
        }
        .into(),
    );
    events
}

/// only after an end that no organisation came of.
fn purge(state: &State, context: &Context) -> Vec<Event> {
    match state.status {
        Status::Absorbed { .. } | Status::Abandoned | Status::Expired if !state.supporters.is_empty() => {
            vec![
                pb::SupportersPurged {
                    initiative_id: id(context),
                    person_refs: state.supporters.iter().cloned().collect(),
                }
                .into(),
            ]
        }
        Status::Unborn
        | Status::Active(_)
        | Status::Paused(_)
        | Status::Proceeding { .. }
        | Status::Absorbed { .. }
        | Status::Abandoned
        | Status::Expired => Vec::new(),
    }
}

fn alive(state: &State) -> Result<Stage, Refusal> {
    match &state.status {
        Status::Unborn => Err(refusals::not_there()),
        Status::Active(now) | Status::Paused(now) => Ok(*now),
        over @ (Status::Proceeding { .. } | Status::Absorbed { .. } | Status::Abandoned | Status::Expired) => {
            Err(refusals::over(over))
        }
    }
}

fn id(context: &Context) -> String {
    context.aggregate_id.to_string()
}
