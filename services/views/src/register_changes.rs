//! `register_changes`: how what the registers answer has changed, one row a change, by position.
//!
//! A change follows from the event and the state before it, so the view also keeps each organisation's last state, in a row
//! under its id that is never answered. An event gives one row for both registers: what became of the organisation in each.
//! Whether something changed is asked of the registers' documents themselves, so that whatever a document shows is in the feed.

use ryggrad_eventlog::Recorded;
use ryggrad_eventlog::consumer::Poison;
use ryggrad_eventlog::projection::{Column, Kind, Projection, Value};
use ryggrad_proto::views::v1::{Endringstype, RegisterChange, RegisterUnit};

use crate::doors::document;
use crate::municipality_directory::is_organisation;
use crate::register_units;

#[cfg(test)]
mod tests;

/// The fold.
#[derive(Debug, Clone, Copy, Default)]
pub struct RegisterChanges;

impl Projection for RegisterChanges {
    type Row = RegisterChange;

    const NAME: &'static str = "register_changes";
    const VERSION: i32 = 2;
    // The position where it is a change in that register, else null.
    const COLUMNS: &'static [Column] = &[
        Column::new("er", Kind::Bigint).indexed(),
        Column::new("fr", Kind::Bigint).indexed(),
        Column::new("dato", Kind::Timestamp),
        Column::new("orgnr", Kind::Text).indexed(),
    ];

    fn keys(&self, event: &Recorded) -> Result<Vec<String>, Poison> {
        Ok(if is_organisation(event) {
            vec![event.aggregate_id.to_string(), format!("{:019}", event.position)]
        } else {
            Vec::new()
        })
    }

    fn fold(&self, key: &str, row: Option<RegisterChange>, event: &Recorded) -> Result<Option<RegisterChange>, Poison> {
        let unit = row.and_then(|row| row.after);
        let (after, _) = register_units::after(key, unit, event)?;
        Ok(after.map(state))
    }

    fn fold_all(&self, rows: &mut [(String, Option<RegisterChange>)], event: &Recorded) -> Result<(), Poison> {
        // An event of something else has no keys.
        let [(id, kept), (_, change)] = rows else {
            return Ok(());
        };
        let before = kept.take().and_then(|row| row.after);
        let (after, told) = register_units::after(id, before.clone(), event)?;
        *change = match &after {
            Some(after) if told => difference(before, after, event),
            Some(_) | None => None,
        };
        *kept = after.map(state);
        Ok(())
    }

    fn values(&self, _key: &str, row: &RegisterChange) -> Vec<Value> {
        let position = |kind: Endringstype| {
            let position = i64::try_from(row.position).ok();
            Value::Bigint(position.filter(|_| kind != Endringstype::Unspecified))
        };
        vec![
            position(row.enhetsregisteret()),
            position(row.frivillighetsregisteret()),
            Value::Timestamp(row.dato.and_then(|dato| dato.try_into().ok())),
            Value::Text((row.position > 0).then(|| row.organisasjonsnummer.clone())),
        ]
    }
}

/// The row that keeps an organisation's last state.
fn state(unit: RegisterUnit) -> RegisterChange {
    RegisterChange {
        after: Some(unit),
        ..RegisterChange::default()
    }
}

/// What an event changed in the registers' answers; none when nothing.
fn difference(before: Option<RegisterUnit>, after: &RegisterUnit, event: &Recorded) -> Option<RegisterChange> {
    let er = in_enhetsregisteret(before.as_ref(), after);
    let fr = in_frivillighetsregisteret(before.as_ref(), after);
    if (er, fr) == (Endringstype::Unspecified, Endringstype::Unspecified) {
        return None;
    }
    let (mut before, mut after) = (before, after.clone());
    if er != Endringstype::Ny
        && fr != Endringstype::Ny
        && let Some(before) = &mut before
    {
        leave_out_what_is_the_same(before, &mut after);
    }
    Some(RegisterChange {
        position: event.position,
        organisasjonsnummer: after.organisasjonsnummer.clone(),
        dato: Some(event.recorded_at.into()),
        enhetsregisteret: er.into(),
        frivillighetsregisteret: fr.into(),
        before,
        after: Some(after),
    })
}

fn in_enhetsregisteret(before: Option<&RegisterUnit>, after: &RegisterUnit) -> Endringstype {
    let Some(before) = before else {
        return Endringstype::Ny;
    };
    if after.fjernet != before.fjernet {
        Endringstype::Fjernet
    } else if after.slettet != before.slettet {
        Endringstype::Sletting
    } else if document::enhet(before, "") != document::enhet(after, "") {
        Endringstype::Endring
    } else {
        Endringstype::Unspecified
    }
}

fn in_frivillighetsregisteret(before: Option<&RegisterUnit>, after: &RegisterUnit) -> Endringstype {
    let Some(entry) = &after.frivillig else {
        return Endringstype::Unspecified;
    };
    let earlier = before.and_then(|unit| unit.frivillig.as_ref());
    let was_there = earlier.is_some_and(|earlier| !earlier.slettet);
    if after.fjernet {
        let is_news = before.is_some_and(|unit| !unit.fjernet);
        return if is_news {
            Endringstype::Fjernet
        } else {
            Endringstype::Unspecified
        };
    }
    match (was_there, entry.slettet) {
        (false, false) => Endringstype::Ny,
        (true, true) => Endringstype::Sletting,
        (true, false) | (false, true) => {
            if before.and_then(|unit| document::frivillig(unit, None)) == document::frivillig(after, None) {
                Endringstype::Unspecified
            } else {
                Endringstype::Endring
            }
        }
    }
}

/// Empties long fields that did not change and that stand by themselves in the documents: a feed of millions of changes
/// would else hold every purpose and address as many times.
fn leave_out_what_is_the_same(before: &mut RegisterUnit, after: &mut RegisterUnit) {
    macro_rules! leave_out {
        ($($field:ident),* $(,)?) => {
            $(if before.$field == after.$field {
                before.$field = Default::default();
                after.$field = Default::default();
            })*
        };
    }
    leave_out!(
        forretningsadresse,
        postadresse,
        hjemmeside,
        naeringskoder,
        aktivitet,
        paategninger,
        vedtektsfestet_formaal,
        historiske_navn,
        registreringsdatoer,
    );
    before.organisation_id.clear();
    (before.position, after.position) = (0, 0);
}
