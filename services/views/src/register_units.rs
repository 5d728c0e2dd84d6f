//! `register_units`: every organisation with an organisation number, as the registers would answer about it.
//!
//! The row holds what the facts say, in the registers' words; their documents are made of it when they are asked for (see
//! [`crate::doors`]). Deleted units stay for ever.

use ryggrad_eventlog::Recorded;
use ryggrad_eventlog::consumer::Poison;
use ryggrad_eventlog::projection::{Column, Kind, Projection, Value};
use ryggrad_proto::registration::v1::Address;
use ryggrad_proto::registration::v1::organisation_event::Event;
use ryggrad_proto::views::v1::RegisterUnit;

use crate::municipality_directory::{is_organisation, name_key};

pub(crate) mod facts;
#[cfg(test)]
mod tests;

/// The unit is there.
pub(crate) const THERE: &str = "there";
/// The unit, or its entry, was deleted.
pub(crate) const DELETED: &str = "deleted";
/// The unit was removed on legal grounds.
pub(crate) const REMOVED: &str = "removed";

/// The fold.
#[derive(Debug, Clone, Copy, Default)]
pub struct RegisterUnits;

impl Projection for RegisterUnits {
    type Row = RegisterUnit;

    const NAME: &'static str = "register_units";
    const VERSION: i32 = 2;
    const COLUMNS: &'static [Column] = &[
        Column::new("orgnr", Kind::Text).indexed(),
        // There, deleted or removed; null for who has never been in Frivillighetsregisteret.
        Column::new("er", Kind::Text),
        Column::new("fr", Kind::Text),
        Column::new("name_key", Kind::Text),
        Column::new("form", Kind::Text),
        Column::new("kommunenummer", Kind::Text),
        Column::new("postnummer", Kind::Text),
        // Of places and lines the keys, as of the name.
        Column::new("poststed", Kind::Text),
        Column::new("landkode", Kind::Text),
        Column::new("adresse", Kind::Texts),
        Column::new("post_kommunenummer", Kind::Text).indexed(),
        Column::new("post_postnummer", Kind::Text),
        Column::new("post_poststed", Kind::Text),
        Column::new("post_landkode", Kind::Text),
        Column::new("post_adresse", Kind::Texts),
        Column::new("naeringskoder", Kind::Texts),
        Column::new("sektorkode", Kind::Text),
        Column::new("registre", Kind::Texts),
        Column::new("registreringsdato", Kind::Text),
        Column::new("i_foretaksregisteret", Kind::Text),
        Column::new("i_frivillighetsregisteret", Kind::Text),
        Column::new("i_mvaregisteret", Kind::Text),
        Column::new("i_partiregisteret", Kind::Text),
        Column::new("stiftelsesdato", Kind::Text),
        // Bounds of the number of employees: of one to four the register tells only that they are there.
        Column::new("ansatte_fra", Kind::Bigint),
        Column::new("ansatte_til", Kind::Bigint),
        Column::new("hjemmeside", Kind::Text),
        Column::new("overordnet", Kind::Text),
        Column::new("regnskapsaar", Kind::Bigint),
        Column::new("konkurs", Kind::Boolean),
        Column::new("under_avvikling", Kind::Boolean),
        Column::new("under_tvang", Kind::Boolean),
    ];
    const INDEXES: &'static [&'static str] = &["er, name_key, key", "kommunenummer, name_key, key", "fr, orgnr"];

    fn keys(&self, event: &Recorded) -> Result<Vec<String>, Poison> {
        Ok(is_organisation(event)
            .then(|| event.aggregate_id.to_string())
            .into_iter()
            .collect())
    }

    fn fold(&self, key: &str, row: Option<RegisterUnit>, event: &Recorded) -> Result<Option<RegisterUnit>, Poison> {
        Ok(after(key, row, event)?.0)
    }

    fn values(&self, _key: &str, row: &RegisterUnit) -> Vec<Value> {
        let text = |text: &str| Value::Text(Some(text.to_owned()).filter(|text| !text.is_empty()));
        let since = |register: &str| {
            let day = row.registreringsdatoer.iter().find(|day| day.register == register);
            text(day.map_or("", |day| &day.registreringsdato))
        };
        let entry = row.frivillig.as_ref().filter(|entry| !entry.slettet);
        let (ansatte_fra, ansatte_til) = employees(row);
        let [kommunenummer, postnummer, poststed, landkode, adresse] = place(row.forretningsadresse.as_ref());
        let [
            post_kommunenummer,
            post_postnummer,
            post_poststed,
            post_landkode,
            post_adresse,
        ] = place(row.postadresse.as_ref());
        vec![
            text(&row.organisasjonsnummer),
            text(match (row.fjernet, row.slettet) {
                (true, _) => REMOVED,
                (false, true) => DELETED,
                (false, false) => THERE,
            }),
            text(match &row.frivillig {
                Some(_) if row.fjernet => REMOVED,
                Some(entry) if entry.slettet => DELETED,
                Some(_) => THERE,
                None => "",
            }),
            Value::Text(Some(name_key(&row.navn))),
            text(&row.organisasjonsform),
            kommunenummer,
            postnummer,
            poststed,
            landkode,
            adresse,
            post_kommunenummer,
            post_postnummer,
            post_poststed,
            post_landkode,
            post_adresse,
            Value::Texts(row.naeringskoder.clone()),
            text(&row.institusjonell_sektorkode),
            Value::Texts(row.registre.clone()),
            text(&row.registreringsdato_enhetsregisteret),
            since("FOR"),
            text(entry.map_or("", |entry| &entry.innfoert_dato)),
            since("MVA"),
            since("PARTI"),
            text(&row.stiftelsesdato),
            Value::Bigint(Some(ansatte_fra)),
            Value::Bigint(ansatte_til),
            text(&row.hjemmeside.to_lowercase()),
            text(&row.overordnet_enhet),
            Value::Bigint(Some(i64::from(row.siste_regnskapsaar)).filter(|year| *year > 0)),
            Value::Boolean(Some(row.konkurs)),
            Value::Boolean(Some(row.under_avvikling)),
            Value::Boolean(Some(row.under_tvangsavvikling)),
        ]
    }
}

/// Columns of an address: municipality, postal code, place, country and lines. Nothing of who has none.
fn place(address: Option<&Address>) -> [Value; 5] {
    let text = |text: &str| Value::Text(Some(text.to_owned()).filter(|text| !text.is_empty()));
    let Some(address) = address else {
        return [text(""), text(""), text(""), text(""), Value::Texts(Vec::new())];
    };
    [
        text(&address.kommunenummer),
        text(&address.postnummer),
        text(&name_key(&address.poststed)),
        text(if address.landkode.is_empty() {
            "NO"
        } else {
            &address.landkode
        }),
        Value::Texts(address.adresse.iter().map(|line| name_key(line)).collect()),
    ]
}

/// The fewest and the most that there can be; no most when nothing is known.
fn employees(row: &RegisterUnit) -> (i64, Option<i64>) {
    match (row.antall_ansatte, row.har_registrert_antall_ansatte) {
        (Some(number), _) => (number.into(), Some(number.into())),
        (None, Some(true)) => (1, Some(4)),
        (None, Some(false)) => (0, Some(0)),
        (None, None) => (0, None),
    }
}

/// A unit after an event of its organisation, and whether the event says anything about it.
pub(crate) fn after(
    key: &str,
    row: Option<RegisterUnit>,
    event: &Recorded,
) -> Result<(Option<RegisterUnit>, bool), Poison> {
    let Some(fact) = event.decode::<Event>()? else {
        return Ok((row, false));
    };
    let mut unit = match (row, &fact) {
        (Some(row), _) => row,
        (None, Event::OrganisationRegistered(_)) => RegisterUnit {
            organisation_id: key.to_owned(),
            ..RegisterUnit::default()
        },
        // It has no number yet.
        (None, _) => return Ok((None, false)),
    };
    let told = facts::apply(&mut unit, &fact);
    if told {
        unit.position = event.position;
    }
    Ok((Some(unit), told))
}
