//! What the register authority changes and deletes because a notification asked for it. The backbone mirrors it, and decides nothing.

use ryggrad_decider::{Context, Refusal};
use ryggrad_norway::OrgNumber;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::organisation_event::Event;

use super::authority::{accounting, categories};
use super::decide::registered;
use super::state::{Grasrot, State, Status, Voluntary};
use super::{details, refusals};
use crate::{input, origin};

pub(super) fn change(state: &State, c: &pb::ChangeRegistration, context: &Context) -> Result<Vec<Event>, Refusal> {
    let orgnr = registered(state)?;
    let origin = Some(origin::register("origin", c.origin.as_ref())?);
    let effective = input::date("effective", &c.effective)?.to_string();
    let mut events = Vec::new();
    events.extend(master_data(state, c, &orgnr, &effective, origin.as_ref())?);
    if !c.vedtektsdato.is_empty() {
        let vedtektsdato = input::date("vedtektsdato", &c.vedtektsdato)?.to_string();
        if vedtektsdato != state.bylaws.date {
            let adopted = pb::BylawsAdopted {
                orgnr: orgnr.clone(),
                bylaws_id: context.new_id.to_string(),
                version: state.bylaws.version.saturating_add(1),
                vedtektsdato,
                purpose: state.bylaws.purpose.clone(),
                origin: origin.clone(),
                ..pb::BylawsAdopted::default()
            };
            events.push(adopted.into());
        }
    }
    if state.voluntary == Voluntary::Innfoert {
        events.extend(voluntary(state, c, &orgnr, origin.as_ref())?);
    }
    Ok(events)
}

/// Master data that a notification changes; the legal form takes a conversion.
const CHANGES: [&str; 4] = ["name", "purpose", "forretningsadresse", "naeringskoder"];

/// What changes of master data, and the registers that it is in no more.
fn master_data(
    state: &State,
    c: &pb::ChangeRegistration,
    orgnr: &str,
    effective: &str,
    origin: Option<&pb::FactOrigin>,
) -> Result<Option<Event>, Refusal> {
    let changed = c.details.clone().unwrap_or_default();
    for field in &c.fields {
        if !CHANGES.contains(&field.as_str()) {
            return Err(refusals::not_changed_here(field));
        }
        details::field("details", field, &changed)?;
    }
    details::registers("leaves_registers", &c.leaves_registers)?;
    let mut wanted = state.details.clone();
    details::apply(&mut wanted, &changed, &c.fields);
    // MVA-ER is a day of MVA.
    let stays = |code: &str| {
        !c.leaves_registers
            .iter()
            .any(|left| code.split('-').next() == Some(left))
    };
    wanted.registers.retain(|code| stays(code));
    wanted.registreringsdatoer.retain(|entry| stays(&entry.register));
    let found = details::difference(&state.details, &wanted, |_, _| true);
    if found.fields.is_empty() {
        return Ok(None);
    }
    let changed = pb::OrganisationDetailsChanged {
        orgnr: orgnr.to_owned(),
        changed: Some(found.changed),
        previous: Some(found.previous),
        fields: found.fields,
        effective: effective.to_owned(),
        origin: origin.cloned(),
    };
    Ok(Some(changed.into()))
}

/// What Frivillighetsregisteret holds, of one that is there.
fn voluntary(
    state: &State,
    c: &pb::ChangeRegistration,
    orgnr: &str,
    origin: Option<&pb::FactOrigin>,
) -> Result<Vec<Event>, Refusal> {
    let (orgnr, origin) = (orgnr.to_owned(), origin.cloned());
    let mut events: Vec<Event> = Vec::new();
    categories(&c.icnpo)?;
    let duty = c.regnskapsrapportering.as_ref();
    accounting(duty)?;
    events.extend(entry(state, c, &orgnr, origin.as_ref()));
    if !c.icnpo.is_empty() && c.icnpo != state.icnpo {
        let changed = pb::ActivityCategoriesChanged {
            orgnr: orgnr.clone(),
            icnpo: c.icnpo.clone(),
            origin: origin.clone(),
        };
        events.push(changed.into());
    }
    if c.grasrot_ends && !matches!(state.grasrot, Grasrot::NotParticipating | Grasrot::Ended) {
        let ended = pb::GrasrotParticipationEnded {
            orgnr: orgnr.clone(),
            origin: origin.clone(),
        };
        events.push(ended.into());
    }
    if let Some(duty) = duty
        && duty.har_paatatt_seg_rapporteringsplikt != state.reports_accounts
    {
        let changed = pb::AccountingDutyChanged {
            orgnr,
            year: 0,
            basis: pb::AccountingBasis::Voluntary.into(),
            applies: duty.har_paatatt_seg_rapporteringsplikt,
            accounting_year_end: duty.avslutningsdato_regnskapsperiode.clone().unwrap_or_default(),
            origin,
        };
        events.push(changed.into());
    }
    Ok(events)
}

/// What only the entry tells: the choice to register the bylaws, and the end of the accounting year.
fn entry(state: &State, c: &pb::ChangeRegistration, orgnr: &str, origin: Option<&pb::FactOrigin>) -> Option<Event> {
    let mut wanted = state.clone();
    if let Some(registered) = c.vedtekter_registrert {
        wanted.bylaws_registered = registered;
    }
    if let Some(duty) = &c.regnskapsrapportering
        && duty.har_paatatt_seg_rapporteringsplikt
        && state.reports_accounts
    {
        wanted.accounting(true, duty.avslutningsdato_regnskapsperiode.clone());
    }
    let entry = wanted.entry();
    (entry != state.entry()).then(|| {
        let told = pb::VoluntaryRegistrationEntered {
            orgnr: orgnr.to_owned(),
            origin: origin.cloned(),
            ..entry
        };
        told.into()
    })
}

pub(super) fn leave(state: &State, c: &pb::LeaveVoluntaryRegister) -> Result<Vec<Event>, Refusal> {
    match state.voluntary {
        Voluntary::Slettet => return Ok(Vec::new()),
        Voluntary::Innfoert => {}
        Voluntary::None | Voluntary::Applied | Voluntary::Refused => {
            return Err(refusals::nothing_to_leave(state.voluntary));
        }
    }
    let left = pb::VoluntaryRegistrationDeleted {
        orgnr: state.orgnr.clone().unwrap_or_default(),
        slettet_dato: input::date("slettet_dato", &c.slettet_dato)?.to_string(),
        ground: input::free("ground", &c.ground, input::PROSE)?,
        origin: Some(origin::register("origin", c.origin.as_ref())?),
    };
    Ok(vec![left.into()])
}

/// An association is deleted without its dissolution having been reported before (handbook 8: reporting is voluntary for it), so this
/// is open to every organisation with a number (ADR 0024).
pub(super) fn delete(state: &State, c: &pb::DeleteOrganisation) -> Result<Vec<Event>, Refusal> {
    let orgnr = match (state.status, &state.orgnr) {
        (Status::Deleted, _) => return Ok(Vec::new()),
        (_, Some(orgnr)) => orgnr.clone(),
        (status, None) => return Err(refusals::state(status)),
    };
    let slettedato = input::date("slettedato", &c.slettedato)?.to_string();
    let ground = input::free("ground", &c.ground, input::PROSE)?;
    let successor: Option<OrgNumber> = input::optional_coded("successor_orgnr", c.successor_orgnr.as_deref())?;
    let origin = Some(origin::register("origin", c.origin.as_ref())?);
    let mut events: Vec<Event> = Vec::new();
    if state.voluntary == Voluntary::Innfoert {
        let left = pb::VoluntaryRegistrationDeleted {
            orgnr: orgnr.clone(),
            slettet_dato: slettedato.clone(),
            ground: ground.clone(),
            origin: origin.clone(),
        };
        events.push(left.into());
    }
    let deleted = pb::OrganisationDeleted {
        orgnr,
        slettedato,
        ground,
        successor_orgnr: successor.map(|orgnr| orgnr.to_string()),
        origin,
    };
    events.push(deleted.into());
    Ok(events)
}
