//! An address of Enhetsregisteret, and what is taken from it.

use ryggrad_norway::{KommuneNumber, PostalCode};

use super::convert::{Notes, Unusable, line};
use super::snapshot::{Abroad, PostalAddress};
use super::wire::{Adresse, Text};
use crate::input::{by_way_of_somebody, names_a_person};

/// The register's names of the fields of one of a unit's addresses.
pub(super) struct Fields {
    pub(super) lines: &'static str,
    pub(super) kommunenummer: &'static str,
    pub(super) postnummer: &'static str,
}

/// What is taken from an address; none when nothing of it is left. A municipality number that is not current is never taken over
/// (handbook 2.1); abroad there is none.
pub(super) fn address(
    fields: &Fields,
    wire: Option<&Adresse<'_>>,
    notes: &mut Notes,
) -> Result<Option<PostalAddress>, Unusable> {
    let Some(wire) = wire else { return Ok(None) };
    let norwegian = wire.landkode.as_ref().is_none_or(|country| &**country == "NO");
    let word = |text: &Option<Text<'_>>| text.as_ref().map(|text| text.trim().to_owned()).unwrap_or_default();
    let mut address = PostalAddress {
        lines: lines(fields.lines, wire, notes)?,
        kommunenummer: None,
        postnummer: None,
        abroad: None,
    };
    if norwegian {
        address.kommunenummer = notes.parse(fields.kommunenummer, wire.kommunenummer.as_ref(), KommuneNumber::parse);
        address.postnummer = notes.parse(fields.postnummer, wire.postnummer.as_ref(), PostalCode::parse);
    } else {
        let place = word(&wire.poststed);
        let place = if names_a_person(&place) { String::new() } else { place };
        address.abroad = Some(Abroad {
            country: word(&wire.landkode),
            country_name: word(&wire.land),
            place,
        });
    }
    let nothing = PostalAddress {
        lines: Vec::new(),
        kommunenummer: None,
        postnummer: None,
        abroad: None,
    };
    Ok(Some(address).filter(|address| *address != nothing))
}

/// The lines, unless they go by way of somebody; a line with what looks like personal data is left out.
fn lines(field: &'static str, wire: &Adresse<'_>, notes: &mut Notes) -> Result<Vec<String>, Unusable> {
    let texts: Vec<&str> = wire
        .adresse
        .iter()
        .flatten()
        .flatten()
        .map(|text| &**text)
        .filter(|text| !text.trim().is_empty())
        .collect();
    if texts.iter().any(|text| by_way_of_somebody(text)) {
        return Ok(Vec::new());
    }
    let mut lines = Vec::with_capacity(texts.len());
    for text in texts {
        let line = line(field, text)?;
        if names_a_person(&line) {
            notes.warn(field, "a line holds what looks like personal data (R-0.05)");
        } else {
            lines.push(line);
        }
    }
    Ok(lines)
}
