//! A record of Frivillighetsregisteret, and what is taken from it: everything but the account number.

use ryggrad_norway::{Icnpo, OrgNumber, YearEnd};
use serde_json::value::RawValue;

use super::convert::{Notes, Unusable, date, line, orgnr, year};
use super::fault::Warning;
use super::snapshot::{AccountsReporting, Exclusion, Grasrot, Relation, SubmittedAccounts, VoluntaryRecord};
use super::wire::{FrivilligOrganisasjon, Numbered, Relasjon, Text};

/// The only status seen in the live register.
const ENTERED: &str = "frivilligOrganisasjonsstatus.innfoert";
const MOST_CATEGORIES: usize = 3;

/// What is taken from a record, and what had to be left out.
pub(super) fn record(
    wire: &FrivilligOrganisasjon<'_>,
    tolerant: bool,
) -> Result<(VoluntaryRecord, Vec<Warning>), Unusable> {
    let orgnr = orgnr(wire.organisasjonsnummer.as_ref(), tolerant)?;
    let mut notes = Notes::new(orgnr);
    let deleted_on = date("slettetDato", wire.slettet_dato.as_ref())?;
    let deleted = deleted_on.is_some() || wire.respons_klasse.as_deref() == Some("FrivilligOrganisasjonSlettet");
    if let Some(status) = wire.frivillig_organisasjonsstatus.as_deref()
        && status != ENTERED
        && !deleted
    {
        let why = format!("\"{}\" is no known status; taken as entered", status.escape_debug());
        notes.warn("frivilligOrganisasjonsstatus", why);
    }
    let vedtekter = wire.vedtekter.as_ref();
    let record = VoluntaryRecord {
        orgnr,
        entered_on: date("innfoertDato", wire.innfoert_dato.as_ref())?,
        first_entered_on: date("foersteGangInnfoert", wire.foerste_gang_innfoert.as_ref())?,
        deleted,
        deleted_on,
        icnpo: categories(wire, &mut notes),
        grasrot: grasrot(wire)?,
        accounts: accounts(wire, &mut notes)?,
        bylaws_registered: vedtekter.and_then(|bylaws| bylaws.frivillig_registrerte_vedtekter) == Some(true),
        bylaws_updated_on: date(
            "vedtekter.sistOppdaterteVedtekter",
            vedtekter.and_then(|bylaws| bylaws.sist_oppdaterte_vedtekter.as_ref()),
        )?,
        relations: relations(wire, tolerant, &mut notes)?,
    };
    if record.entered_on.is_none() && !record.deleted {
        return Err(Unusable::new("innfoertDato", "is missing"));
    }
    Ok((record, notes.warnings))
}

/// The categories by rank, at most three, leaves only. The register does not sort them.
fn categories(wire: &FrivilligOrganisasjon<'_>, notes: &mut Notes) -> Vec<Icnpo> {
    const FIELD: &str = "icnpoKategorier.icnpoNummer";
    let mut ranked: Vec<_> = wire.icnpo_kategorier.iter().flatten().collect();
    ranked.sort_by_key(|category| category.rekkefoelge.unwrap_or(u32::MAX));
    let mut categories = Vec::with_capacity(ranked.len().min(MOST_CATEGORIES));
    for category in ranked {
        let Some(icnpo) = notes.parse(FIELD, category.icnpo_nummer.as_ref(), Icnpo::parse_leaf) else {
            continue;
        };
        if categories.contains(&icnpo) {
            notes.warn(FIELD, format!("\"{icnpo}\" stands there twice"));
        } else if categories.len() == MOST_CATEGORIES {
            notes.warn(
                FIELD,
                format!("\"{icnpo}\" is a fourth category, and three is the most (R-2.16)"),
            );
        } else {
            categories.push(icnpo);
        }
    }
    categories
}

fn grasrot(wire: &FrivilligOrganisasjon<'_>) -> Result<Grasrot, Unusable> {
    let Some(grasrot) = &wire.grasrotandel else {
        return Ok(Grasrot::default());
    };
    let mut exclusion = None;
    if let Some(period) = &grasrot.utestengelsesperiode {
        let from = date("grasrotandel.utestengelsesperiode.fraDato", period.fra_dato.as_ref())?;
        let to = date("grasrotandel.utestengelsesperiode.tilDato", period.til_dato.as_ref())?;
        exclusion = from.map(|from| Exclusion { from, to });
    }
    Ok(Grasrot {
        participates: grasrot.deltar_i == Some(true),
        exclusion,
    })
}

fn accounts(wire: &FrivilligOrganisasjon<'_>, notes: &mut Notes) -> Result<AccountsReporting, Unusable> {
    let Some(reporting) = &wire.regnskapsrapportering else {
        return Ok(AccountsReporting::default());
    };
    let mut last_submitted = None;
    if let Some(accounts) = &reporting.sist_innsendte_aarsregnskap {
        const FIELD: &str = "regnskapsrapportering.sistInnsendteAarsregnskap";
        let registered_on = date(FIELD, accounts.registreringsdato.as_ref())?;
        last_submitted =
            year(FIELD, accounts.regnskapsaar.as_ref(), notes).map(|year| SubmittedAccounts { year, registered_on });
    }
    Ok(AccountsReporting {
        duty: reporting.har_paatatt_seg_rapporteringsplikt == Some(true),
        year_end: notes.parse(
            "regnskapsrapportering.avslutningsdatoForRegnskapsperiode",
            reporting.avslutningsdato_for_regnskapsperiode.as_ref(),
            year_end,
        ),
        last_submitted,
    })
}

/// The end of the accounting year. Documented only as DDMM for writing; a day, with or without year, is read as well.
fn year_end(text: &str) -> Result<YearEnd, ryggrad_norway::Invalid> {
    let month_and_day = text
        .strip_prefix("--")
        .or_else(|| text.get(5..))
        .and_then(|rest| rest.split_once('-'));
    match month_and_day {
        Some((month, day)) => YearEnd::parse(&format!("{day}{month}")),
        None => YearEnd::parse(text),
    }
}

fn relations(wire: &FrivilligOrganisasjon<'_>, tolerant: bool, notes: &mut Notes) -> Result<Vec<Relation>, Unusable> {
    let mut relations = Vec::new();
    for relation in wire.relasjoner.iter().flatten() {
        match related(relation, tolerant) {
            Ok(to) => relations.push(Relation {
                role_from: role("relasjoner.relasjonsrolleFra", relation.relasjonsrolle_fra.as_ref())?,
                role_to: role("relasjoner.relasjonsrolleTil", relation.relasjonsrolle_til.as_ref())?,
                to,
            }),
            Err(unusable) => notes.warn("relasjoner.relasjonTil", unusable.why),
        }
    }
    Ok(relations)
}

fn role(field: &'static str, text: Option<&Text<'_>>) -> Result<String, Unusable> {
    text.map_or_else(|| Ok(String::new()), |text| line(field, text))
}

fn related(relation: &Relasjon<'_>, tolerant: bool) -> Result<OrgNumber, Unusable> {
    let json = relation.relasjon_til.map_or("null", RawValue::get);
    let number = serde_json::from_str::<Numbered<'_>>(json)
        .map(|object| object.organisasjonsnummer)
        .or_else(|_| serde_json::from_str::<Option<Text<'_>>>(json))
        .map_err(|error| Unusable::new("relasjoner.relasjonTil", error.to_string()))?;
    orgnr(number.as_ref(), tolerant)
}
