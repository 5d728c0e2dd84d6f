//! From the registers' texts to checked values: what both kinds of record need.

use jiff::civil::Date;
use ryggrad_norway::{Invalid, OrgNumber, parse_date};

use super::fault::{Place, Warning};
use super::wire::Text;
use crate::input::names_a_person;

/// The longest name and the longest line of a purpose that is taken, in characters.
const LONGEST: usize = 4000;

/// Why a record cannot be used.
#[derive(Debug)]
pub(super) struct Unusable {
    pub(super) field: &'static str,
    pub(super) why: String,
}

/// Collects what is left out of one record.
pub(super) struct Notes {
    orgnr: OrgNumber,
    pub(super) warnings: Vec<Warning>,
}

impl Unusable {
    pub(super) fn new(field: &'static str, why: impl Into<String>) -> Self {
        Self { field, why: why.into() }
    }
}

impl Notes {
    pub(super) fn new(orgnr: OrgNumber) -> Self {
        Self {
            orgnr,
            warnings: Vec::new(),
        }
    }

    pub(super) fn warn(&mut self, field: &'static str, why: impl Into<String>) {
        self.warnings.push(Warning {
            // The reader knows, and fills it in.
            place: Place::default(),
            orgnr: self.orgnr,
            field,
            why: why.into(),
        });
    }

    /// The value, or nothing and a warning that names what stood there.
    pub(super) fn parse<T>(
        &mut self,
        field: &'static str,
        text: Option<&Text<'_>>,
        parse: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        let text: &str = text?;
        match parse(text) {
            Ok(value) => Some(value),
            Err(invalid) => {
                self.warn(field, format!("\"{}\": {invalid}", text.escape_debug()));
                None
            }
        }
    }
}

/// The organisation number: any that the check digit fits when tolerant, else only what may be written.
pub(super) fn orgnr(text: Option<&Text<'_>>, tolerant: bool) -> Result<OrgNumber, Unusable> {
    const FIELD: &str = "organisasjonsnummer";
    let text = required(FIELD, text)?;
    let parsed = if tolerant {
        OrgNumber::parse_tolerant(text)
    } else {
        OrgNumber::parse(text)
    };
    parsed.map_err(|invalid| Unusable::new(FIELD, invalid.to_string()))
}

/// A day that must exist when it is there.
pub(super) fn date(field: &'static str, text: Option<&Text<'_>>) -> Result<Option<Date>, Unusable> {
    text.map(|text| parse_date(text))
        .transpose()
        .map_err(|invalid| Unusable::new(field, invalid.to_string()))
}

/// A year, when it is one.
pub(super) fn year(field: &'static str, text: Option<&Text<'_>>, notes: &mut Notes) -> Option<u16> {
    let text: &str = text?;
    let year = text.parse().ok().filter(|year| (1800..=2200).contains(year));
    if year.is_none() {
        notes.warn(field, format!("\"{}\" is no year", text.escape_debug()));
    }
    year
}

/// A text that can be stored: not empty, no control characters (NUL above all), not endless.
pub(super) fn line(field: &'static str, text: &str) -> Result<String, Unusable> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Unusable::new(field, "is empty"));
    }
    if let Some(control) = text
        .chars()
        .find(|char| char.is_control() && !matches!(char, '\n' | '\r' | '\t'))
    {
        return Err(Unusable::new(
            field,
            format!("holds the control character {}", control.escape_unicode()),
        ));
    }
    let length = text.chars().count();
    if length > LONGEST {
        return Err(Unusable::new(
            field,
            format!("has {length} characters; {LONGEST} is the most"),
        ));
    }
    Ok(text.to_owned())
}

/// The lines of a text. A line with an e-mail address, a telephone, identity or account number in it is left out.
pub(super) fn impersonal(
    field: &'static str,
    texts: Option<&[Text<'_>]>,
    notes: &mut Notes,
) -> Result<Vec<String>, Unusable> {
    let mut lines = Vec::new();
    for text in texts.into_iter().flatten().filter(|text| !text.trim().is_empty()) {
        let line = line(field, text)?;
        if names_a_person(&line) {
            notes.warn(field, "a line holds what looks like personal data (R-0.05)");
        } else {
            lines.push(line);
        }
    }
    Ok(lines)
}

pub(super) fn required<'t>(field: &'static str, text: Option<&'t Text<'_>>) -> Result<&'t str, Unusable> {
    text.map(|text| &**text)
        .ok_or_else(|| Unusable::new(field, "is missing"))
}
