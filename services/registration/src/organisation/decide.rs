//! What an organisation says to its own people, and to the facts of its founding.

use ryggrad_decider::{Context, Refusal};
use ryggrad_norway::{KommuneNumber, OrgNumber};
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::organisation_event::Event;

use super::state::{Relation, State, Status, Voluntary};
use super::{details, refusals};
use crate::form::Form;
use crate::roles::{self, Wanted};
use crate::{board, input, origin, time};

/// Fields that an organisation changes by itself; the rest is the register's, or takes a conversion.
const OWN: [&str; 8] = [
    "name",
    "purpose",
    "forretningsadresse",
    "postadresse",
    "hjemmeside",
    "language",
    "naeringskoder",
    "aktivitet",
];

pub(super) fn change_master_data(
    state: &State,
    c: &pb::ChangeMasterData,
    context: &Context,
) -> Result<Vec<Event>, Refusal> {
    let orgnr = registered(state)?;
    input::count("fields", c.fields.len(), 1, OWN.len())?;
    let changed = c.changed.clone().unwrap_or_default();
    for field in &c.fields {
        if !OWN.contains(&field.as_str()) {
            return Err(refusals::not_changed_here(field));
        }
        details::field("changed", field, &changed)?;
        let address = changed.forretningsadresse.as_ref();
        if field == "forretningsadresse" && address.is_some_and(|address| address.kommunenummer.is_empty()) {
            return Err(input::missing("changed.forretningsadresse.kommunenummer"));
        }
    }
    let effective = match c.effective.as_str() {
        "" => time::day(context.now),
        day => input::date("effective", day)?,
    };
    let mut wanted = state.details.clone();
    details::apply(&mut wanted, &changed, &c.fields);
    let found = details::difference(&state.details, &wanted, |_, _| true);
    if found.fields.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![
        pb::OrganisationDetailsChanged {
            orgnr,
            changed: Some(found.changed),
            previous: Some(found.previous),
            fields: found.fields,
            effective: effective.to_string(),
            origin: Some(origin::own(context)),
        }
        .into(),
    ])
}

pub(super) fn report_roles(state: &State, c: &pb::ReportRoles, context: &Context) -> Result<Vec<Event>, Refusal> {
    let orgnr = registered(state)?;
    let form = state.details.form.parse().ok().and_then(Form::of);
    let roles = roles::read(
        "roles",
        &c.roles,
        form,
        Wanted::BoardAndContact {
            deputies: c.elected_deputies,
        },
    )?;
    // There is nobody here who could confirm: that takes a notification.
    roles::named(&roles, "", "")?;
    board::fits("roles", &roles, state.board_size.as_ref())?;
    let term_id = input::optional_id("term_id", Some(&c.term_id))?.unwrap_or(context.new_id);
    Ok(vec![
        pb::RolesReported {
            orgnr,
            term_id: term_id.to_string(),
            roles,
            reported_at: Some(context.now.into()),
        }
        .into(),
    ])
}

/// no account without a number.
pub(super) fn open_bank_account(state: &State, c: &pb::OpenBankAccount) -> Result<Vec<Event>, Refusal> {
    if matches!(state.status, Status::Informal | Status::Founded) {
        return Err(refusals::no_orgnr_no_account());
    }
    let orgnr = registered(state)?;
    let purpose: pb::AccountPurpose = input::chosen("purpose", c.purpose)?;
    Ok(vec![
        pb::BankAccountLinked {
            orgnr,
            kontonummer_token: input::id("kontonummer_token", &c.kontonummer_token)?.to_string(),
            bank: input::text("bank", &c.bank, input::NAME)?,
            purpose: purpose.into(),
        }
        .into(),
    ])
}

pub(super) fn affiliate(state: &State, c: &pb::AffiliateToUmbrella, context: &Context) -> Result<Vec<Event>, Refusal> {
    let orgnr = registered(state)?;
    let parent: OrgNumber = input::coded("parent_orgnr", &c.parent_orgnr)?;
    let relation = Relation {
        parent: parent.to_string(),
        role_from: input::text("role_from", &c.role_from, input::NAME)?,
        role_to: input::text("role_to", &c.role_to, input::NAME)?,
    };
    if relation.parent == orgnr {
        return Err(refusals::own_parent());
    }
    if state.relations.contains(&relation) {
        return Ok(Vec::new());
    }
    let Relation {
        parent,
        role_from,
        role_to,
    } = relation;
    Ok(vec![
        pb::AffiliationEstablished {
            orgnr,
            parent_orgnr: parent,
            role_from,
            role_to,
            origin: Some(origin::own(context)),
        }
        .into(),
    ])
}

/// The organisation begins where its founding is complete.
pub(super) fn open(state: &State, c: &pb::OpenOrganisation, context: &Context) -> Result<Vec<Event>, Refusal> {
    let founding_id = input::id("founding_id", &c.founding_id)?.to_string();
    // The same founding again is the same organisation; another one has no right to it.
    if state.founding_id == founding_id {
        return Ok(Vec::new());
    }
    if state.status != Status::Informal {
        return Err(refusals::not_of_this_founding());
    }
    Ok(vec![
        pb::OrganisationOpened {
            organisation_id: id(context),
            founding_id,
            name: input::text("name", &c.name, input::NAME)?,
            form: c.form.clone(),
            purpose: input::free("purpose", &c.purpose, input::PROSE)?,
            kommunenummer: input::coded::<KommuneNumber>("kommunenummer", &c.kommunenummer)?.to_string(),
            stiftelsesdato: input::date("stiftelsesdato", &c.stiftelsesdato)?.to_string(),
            board_size: board::read("board_size", c.board_size.as_ref())?,
        }
        .into(),
    ])
}

pub(super) fn apply(state: &State, c: &pb::ApplyToVoluntaryRegister, context: &Context) -> Result<Vec<Event>, Refusal> {
    let case_id = input::id("case_id", &c.case_id)?.to_string();
    let applied = state.application.as_ref();
    match state.voluntary {
        Voluntary::Innfoert => Ok(Vec::new()),
        Voluntary::Applied if applied.is_some_and(|application| application.case_id == case_id) => Ok(Vec::new()),
        // With another case it has applied anew: the latest is the one that counts.
        Voluntary::None | Voluntary::Refused | Voluntary::Slettet | Voluntary::Applied => Ok(vec![
            pb::VoluntaryRegistrationApplied {
                organisation_id: id(context),
                case_id,
                grasrot: c.grasrot,
            }
            .into(),
        ]),
    }
}

/// A case came to nothing: the application that it was ends, if the organisation has no later one and no answer.
pub(super) fn end_application(
    state: &State,
    c: &pb::EndVoluntaryApplication,
    context: &Context,
) -> Result<Vec<Event>, Refusal> {
    let case_id = input::id("case_id", &c.case_id)?.to_string();
    let applied = state.application.as_ref();
    if applied.is_none_or(|application| application.case_id != case_id) {
        return Ok(Vec::new());
    }
    Ok(vec![
        pb::VoluntaryApplicationEnded {
            organisation_id: id(context),
            case_id,
        }
        .into(),
    ])
}

/// The number of an organisation that is in the register and can still act.
pub(super) fn registered(state: &State) -> Result<String, Refusal> {
    match (state.status, &state.orgnr) {
        (Status::Registered | Status::RegisteredVoluntary | Status::UnderWindingUp(_), Some(orgnr)) => {
            Ok(orgnr.clone())
        }
        (status, _) => Err(refusals::state(status)),
    }
}

fn id(context: &Context) -> String {
    context.aggregate_id.to_string()
}
