//! What the register authority decides. Nobody else may say it, and the backbone only mirrors it.

use ryggrad_decider::{Context, Refusal};
use ryggrad_norway::{Icnpo, OrgNumber, YearEnd};
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::organisation_event::Event;

use super::decide::registered;
use super::state::{Grasrot, State, Status, Voluntary};
use super::{details, refusals};
use crate::{input, origin, time};

pub(super) fn assign_orgnr(state: &State, c: &pb::AssignOrgnr, context: &Context) -> Result<Vec<Event>, Refusal> {
    let orgnr: OrgNumber = input::coded("orgnr", &c.orgnr)?;
    let orgnr = orgnr.to_string();
    match (state.status, &state.orgnr) {
        (_, Some(known)) if *known == orgnr => return Ok(Vec::new()),
        (_, Some(_)) => return Err(refusals::other_orgnr()),
        (Status::Informal | Status::Founded, None) => {}
        (status, None) => return Err(refusals::state(status)),
    }
    let registreringsdato = input::date("registreringsdato", &c.registreringsdato)?;
    // What the founding said is as public from here on as what the authority says.
    let registered = c.details.as_ref().unwrap_or(&state.details);
    details::whole("details", registered)?;
    Ok(vec![
        pb::OrganisationRegistered {
            organisation_id: context.aggregate_id.to_string(),
            orgnr,
            registreringsdato: registreringsdato.to_string(),
            details: Some(registered.clone()),
            case_id: case(&c.case_id)?,
            origin: Some(origin::register("origin", c.origin.as_ref())?),
        }
        .into(),
    ])
}

/// only what is in Enhetsregisteret enters Frivillighetsregisteret.
pub(super) fn enter(state: &State, c: &pb::EnterVoluntaryRegister) -> Result<Vec<Event>, Refusal> {
    if state.orgnr.is_none() {
        return Err(refusals::not_in_er());
    }
    let orgnr = registered(state)?;
    if state.voluntary == Voluntary::Innfoert {
        return Ok(Vec::new());
    }
    if c.icnpo.is_empty() {
        return Err(refusals::icnpo_count());
    }
    categories(&c.icnpo)?;
    accounting(c.regnskapsrapportering.as_ref())?;
    let innfoert_dato = input::date("innfoert_dato", &c.innfoert_dato)?.to_string();
    // Of one that has been there before and whose first day nobody told, none is made up.
    let is_first = state.first_entered.is_empty() && state.entered_on.is_empty();
    let first = if is_first {
        innfoert_dato.clone()
    } else {
        state.first_entered.clone()
    };
    Ok(vec![
        pb::VoluntaryRegistrationEntered {
            orgnr,
            innfoert_dato,
            foerste_gang_innfoert: first,
            icnpo: c.icnpo.clone(),
            grasrot_deltar_i: c.grasrot_deltar_i,
            regnskapsrapportering: c.regnskapsrapportering.clone(),
            vedtekter_registrert: c.vedtekter_registrert,
            case_id: case(&c.case_id)?,
            origin: Some(origin::register("origin", c.origin.as_ref())?),
        }
        .into(),
    ])
}

/// at most three leaves, ranked by their order, each of them once.
pub(super) fn categories(codes: &[String]) -> Result<(), Refusal> {
    if codes.len() > 3 {
        return Err(refusals::icnpo_count());
    }
    for (rank, code) in codes.iter().enumerate() {
        Icnpo::parse_leaf(code).map_err(|invalid| input::refused("icnpo", &invalid))?;
        if codes[..rank].contains(code) {
            return Err(refusals::icnpo_twice(code));
        }
    }
    Ok(())
}

/// an accounting year ends on a day that every year has.
pub(super) fn accounting(duty: Option<&pb::RapporteringspliktRegnskap>) -> Result<(), Refusal> {
    let year_end = duty.and_then(|duty| duty.avslutningsdato_regnskapsperiode.as_deref());
    input::optional_coded::<YearEnd>("regnskapsrapportering.avslutningsdato_regnskapsperiode", year_end).map(drop)
}

pub(super) fn refuse(state: &State, c: &pb::RefuseVoluntaryRegister) -> Result<Vec<Event>, Refusal> {
    match state.voluntary {
        Voluntary::None | Voluntary::Applied | Voluntary::Slettet => Ok(vec![
            pb::VoluntaryRegistrationRefused {
                orgnr: state.orgnr.clone().unwrap_or_default(),
                ground: input::text("ground", &c.ground, input::PROSE)?,
                case_id: case(&c.case_id)?,
            }
            .into(),
        ]),
        Voluntary::Refused => Ok(Vec::new()),
        Voluntary::Innfoert => Err(refusals::state(state.status)),
    }
}

/// for those in Frivillighetsregisteret.: nobody is approved for days of an exclusion.
pub(super) fn approve_grasrot(state: &State, c: &pb::ApproveGrasrot, context: &Context) -> Result<Vec<Event>, Refusal> {
    let orgnr = registered(state)?;
    if state.voluntary != Voluntary::Innfoert {
        return Err(refusals::not_in_fr());
    }
    let from = input::date("from", &c.from)?;
    let today = time::day(context.now);
    if let Grasrot::Excluded { to, .. } = &state.grasrot {
        if state.grasrot.excluded_on(today) || state.grasrot.excluded_on(from) {
            return Err(refusals::excluded_from_grasrot(to));
        }
        // An exclusion that lies ahead is of one who takes part already.
        if to.is_empty() || today.to_string() <= *to {
            return Ok(Vec::new());
        }
    }
    if state.grasrot == Grasrot::Approved {
        return Ok(Vec::new());
    }
    Ok(vec![
        pb::GrasrotParticipationApproved {
            orgnr,
            from: from.to_string(),
            origin: Some(origin::register("origin", c.origin.as_ref())?),
        }
        .into(),
    ])
}

fn case(value: &str) -> Result<String, Refusal> {
    Ok(input::optional_id("case_id", Some(value))?
        .map(|id| id.to_string())
        .unwrap_or_default())
}
