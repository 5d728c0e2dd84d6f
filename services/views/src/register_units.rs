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
    const VERSION: i32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::new("orgnr", Kind::Text).indexed(),
        // There, deleted or removed; null for who has never been in Frivillighetsregisteret.
        Column::new("er", Kind::Text),
        Column::new("fr", Kind::Text),
        Column::new("name_key", Kind::Text),
        Column::new("form", Kind::Text),
        Column::new("kommunenummer", Kind::Text),
        Column::new("postnummer", Kind::Text),
        Column::new("post_kommunenummer", Kind::Text),
        Column::new("post_postnummer", Kind::Text),
        Column::new("naeringskoder", Kind::Texts),
        Column::new("sektorkode", Kind::Text),
        Column::new("registre", Kind::Texts),
        Column::new("registreringsdato", Kind::Text),
        Column::new("stiftelsesdato", Kind::Text),
        Column::new("ansatte", Kind::Bigint),
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
        let place = |address: Option<&Address>| {
            let address = address.cloned().unwrap_or_default();
            (address.kommunenummer, address.postnummer)
        };
        let (kommunenummer, postnummer) = place(row.forretningsadresse.as_ref());
        let (post_kommunenummer, post_postnummer) = place(row.postadresse.as_ref());
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
            text(&kommunenummer),
            text(&postnummer),
            text(&post_kommunenummer),
            text(&post_postnummer),
            Value::Texts(row.naeringskoder.clone()),
            text(&row.institusjonell_sektorkode),
            Value::Texts(row.registre.clone()),
            text(&row.registreringsdato_enhetsregisteret),
            text(&row.stiftelsesdato),
            Value::Bigint(row.antall_ansatte.map(i64::from)),
            text(&row.hjemmeside.to_lowercase()),
            text(&row.overordnet_enhet),
            Value::Bigint(Some(i64::from(row.siste_regnskapsaar)).filter(|year| *year > 0)),
            Value::Boolean(Some(row.konkurs)),
            Value::Boolean(Some(row.under_avvikling)),
            Value::Boolean(Some(row.under_tvangsavvikling)),
        ]
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
