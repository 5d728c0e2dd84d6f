//! One record by itself: what kind of thing it is, and what becomes of it.

use std::ops::Range;

use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;

use ryggrad_service::json;

use super::convert::Unusable;
use super::entry::{Keep, Kind, Options};
use super::fault::Warning;
use super::snapshot::{RegisterSnapshot, Removed, VoluntaryRecord};
use super::wire::{Enhet, FrivilligOrganisasjon, Numbered, Sniff};
use super::{unit, voluntary};

/// What became of a record.
pub(super) enum Outcome {
    Unit(Box<RegisterSnapshot>, Vec<Warning>),
    Removed(Removed),
    Voluntary(Box<VoluntaryRecord>, Vec<Warning>),
    Skipped,
    Refused {
        orgnr: Option<String>,
        field: Option<String>,
        why: String,
    },
}

/// What an object turns out to be.
pub(super) enum Shape {
    Record(Kind),
    /// where its records stand, and of which kind they are; an empty page does not say
    Page(Vec<Range<usize>>, Option<Kind>),
    Unknown(&'static str),
}

/// JSON that is none, at this byte of the value.
#[derive(Debug)]
pub(super) struct Malformed {
    pub(super) at: usize,
    pub(super) field: Option<String>,
    pub(super) what: String,
}

/// What the object `json` is.
pub(super) fn shape(json: &[u8]) -> Result<Shape, Malformed> {
    let sniff: Sniff<'_> = match serde_json::from_slice(json) {
        Ok(sniff) => sniff,
        Err(error) if error.classify() == Category::Data => {
            return Ok(Shape::Unknown("an object that is no record and no page"));
        }
        Err(error) => return Err(Malformed::new(json, &error)),
    };
    let range = |record: &&RawValue| {
        let start = record.get().as_ptr().addr() - json.as_ptr().addr();
        start..start + record.get().len()
    };
    if let Some(embedded) = &sniff.embedded {
        return Ok(match (&embedded.enheter, &embedded.frivillige_organisasjoner) {
            (Some(units), _) => Shape::Page(units.iter().map(range).collect(), Some(Kind::Units)),
            (None, Some(records)) => Shape::Page(records.iter().map(range).collect(), Some(Kind::Voluntary)),
            (None, None) => Shape::Unknown("a page of something else than units and voluntary organisations"),
        });
    }
    if sniff.organisasjonsnummer.is_some() || sniff.respons_klasse.is_some() {
        let class = sniff.respons_klasse.as_deref().unwrap_or_default();
        let voluntary = class.starts_with("FrivilligOrganisasjon")
            || sniff.frivillig_organisasjonsstatus.is_some()
            || sniff.innfoert_dato.is_some()
            || sniff.icnpo_kategorier.is_some();
        return Ok(Shape::Record(if voluntary { Kind::Voluntary } else { Kind::Units }));
    }
    if sniff.rollegrupper.is_none() && (sniff.page.is_some() || sniff.links.is_some()) {
        return Ok(Shape::Page(Vec::new(), None));
    }
    Ok(Shape::Unknown("an object that is no record and no page"))
}

/// What becomes of the record `json`. Units are also kept when `also` knows their number.
pub(super) fn read(
    json: &[u8],
    kind: Kind,
    options: Options,
    also: &dyn Fn(u32) -> bool,
) -> Result<Outcome, Malformed> {
    if json.first() != Some(&b'{') {
        // Checked as JSON all the same: a bare word is a broken file and not a wrong record.
        let _: serde::de::IgnoredAny = serde_json::from_slice(json).map_err(|error| Malformed::new(json, &error))?;
        return Ok(Outcome::Refused {
            orgnr: None,
            field: None,
            why: "is no object".to_owned(),
        });
    }
    match kind {
        Kind::Units => {
            let wire: Enhet<'_> = match parse(json)? {
                Ok(wire) => wire,
                Err(refused) => return Ok(refused),
            };
            let keep = options.keep == Keep::All || wire.concerns_us() || wire.key().is_some_and(also);
            if !keep && wire.organisasjonsnummer.is_some() {
                return Ok(Outcome::Skipped);
            }
            let orgnr = wire.organisasjonsnummer.as_deref();
            if wire.is_removed() {
                return Ok(unit::removed(&wire, options.tolerant)
                    .map_or_else(|unusable| Outcome::refused(orgnr, unusable), Outcome::Removed));
            }
            Ok(unit::snapshot(&wire, options.tolerant).map_or_else(
                |unusable| Outcome::refused(orgnr, unusable),
                |(snapshot, warnings)| Outcome::Unit(Box::new(snapshot), warnings),
            ))
        }
        Kind::Voluntary => {
            let wire: FrivilligOrganisasjon<'_> = match parse(json)? {
                Ok(wire) => wire,
                Err(refused) => return Ok(refused),
            };
            let orgnr = wire.organisasjonsnummer.as_deref();
            Ok(voluntary::record(&wire, options.tolerant).map_or_else(
                |unusable| Outcome::refused(orgnr, unusable),
                |(record, warnings)| Outcome::Voluntary(Box::new(record), warnings),
            ))
        }
    }
}

/// The record as its type; JSON of another shape is a refused record, and what is no JSON a broken file.
fn parse<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<Result<T, Outcome>, Malformed> {
    let error = match serde_json::from_slice(json) {
        Ok(wire) => return Ok(Ok(wire)),
        Err(error) => error,
    };
    if error.classify() != Category::Data {
        return Err(Malformed::new(json, &error));
    }
    let Malformed { field, what, .. } = Malformed::new(json, &error);
    let orgnr = serde_json::from_slice::<Numbered<'_>>(json)
        .ok()
        .and_then(|numbered| Some(numbered.organisasjonsnummer?.0.into_owned()));
    Ok(Err(Outcome::Refused {
        orgnr,
        field,
        why: what,
    }))
}

// === impl Malformed ===

impl Malformed {
    fn new(json: &[u8], error: &serde_json::Error) -> Self {
        let at = json::byte_at(json, error.line(), error.column());
        let what = error.to_string();
        // The place is told in bytes of the file instead.
        let what = what.split(" at line ").next().unwrap_or_default().to_owned();
        Self {
            at,
            field: json::field_at(json, at),
            what,
        }
    }
}

// === impl Outcome ===

impl Outcome {
    fn refused(orgnr: Option<&str>, unusable: Unusable) -> Self {
        Self::Refused {
            orgnr: orgnr.map(str::to_owned),
            field: Some(unusable.field.to_owned()),
            why: unusable.why,
        }
    }
}
