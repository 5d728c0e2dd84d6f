//! Reads the fields of a command; what is not as its contract says is refused with the field named.

mod personal;
mod refusals;
#[cfg(test)]
mod tests;

use std::str::FromStr;

use crate::{Refusal, Text, rules};
use jiff::Timestamp;
use jiff::civil::Date;
use ryggrad_norway::{Invalid, Language, OrgNumber};
use uuid::Uuid;

pub use self::personal::{by_way_of_somebody, names_a_person};
use self::refusals::{
    control_character, not_a_hash, not_an_id, not_an_instant, not_yours_to_make, personal_data, too_long,
};
pub use self::refusals::{missing, refuse, refused, wrong_state};

/// A field that was read, or why it was not.
pub type Read<T> = Result<T, Refusal>;

/// Longest text of a title or a name.
pub const NAME: usize = 200;
/// Longest text of a purpose or a reason.
pub const PROSE: usize = 4000;
/// Longest reference to something elsewhere.
pub const REFERENCE: usize = 200;

/// A text that must be there, of at most `max` characters, without control characters and personal data.
pub fn text(field: &'static str, value: &str, max: usize) -> Read<String> {
    if value.trim().is_empty() {
        return Err(missing(field));
    }
    free(field, value, max)
}

/// A text that may be empty.
pub fn free(field: &'static str, value: &str, max: usize) -> Read<String> {
    let length = value.chars().count();
    if length > max {
        return Err(too_long(field, length, max));
    }
    if value
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        return Err(control_character(field));
    }
    if names_a_person(value) {
        return Err(personal_data(field));
    }
    Ok(value.to_owned())
}

/// A text that may be absent, but not empty.
pub fn optional_text(field: &'static str, value: Option<&str>, max: usize) -> Read<Option<String>> {
    value
        .filter(|value| !value.is_empty())
        .map(|value| text(field, value, max))
        .transpose()
}

/// A UUID.
pub fn id(field: &'static str, value: &str) -> Read<Uuid> {
    if value.is_empty() {
        return Err(missing(field));
    }
    Uuid::try_parse(value)
        .ok()
        .filter(|id| !id.is_nil())
        .ok_or_else(|| not_an_id(field))
}

/// A UUID that may be absent.
pub fn optional_id(field: &'static str, value: Option<&str>) -> Read<Option<Uuid>> {
    value
        .filter(|value| !value.is_empty())
        .map(|value| id(field, value))
        .transpose()
}

/// An id that only we make: whoever could choose it could name somebody else's.
pub fn made_by_us(field: &'static str, value: &str) -> Read<()> {
    if value.is_empty() {
        Ok(())
    } else {
        Err(not_yours_to_make(field))
    }
}

/// The SHA-256 of a document: 64 hexadecimal digits.
pub fn hash(field: &'static str, value: &str) -> Read<String> {
    if value.is_empty() {
        return Err(missing(field));
    }
    if value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(value.to_ascii_lowercase())
    } else {
        Err(not_a_hash(field))
    }
}

/// A calendar date.
pub fn date(field: &'static str, value: &str) -> Read<Date> {
    if value.is_empty() {
        return Err(missing(field));
    }
    ryggrad_norway::parse_date(value).map_err(|invalid| refused(field, &invalid))
}

/// An instant that may be absent.
pub fn instant(field: &'static str, value: Option<ryggrad_proto::Timestamp>) -> Read<Option<Timestamp>> {
    value
        .map(|value| Timestamp::try_from(value).map_err(|_| not_an_instant(field)))
        .transpose()
}

/// A number or a code of an official list.
pub fn coded<T: FromStr<Err = Invalid>>(field: &'static str, value: &str) -> Read<T> {
    if value.is_empty() {
        return Err(missing(field));
    }
    value.parse().map_err(|invalid| refused(field, &invalid))
}

/// A number or a code that may be absent.
pub fn optional_coded<T: FromStr<Err = Invalid>>(field: &'static str, value: Option<&str>) -> Read<Option<T>> {
    value
        .filter(|value| !value.is_empty())
        .map(|value| coded(field, value))
        .transpose()
}

/// An organisation number that may be absent.
pub fn optional_orgnr(field: &'static str, value: Option<&str>) -> Read<Option<String>> {
    Ok(optional_coded::<OrgNumber>(field, value)?.map(|orgnr| orgnr.to_string()))
}

/// nb or nn, the two languages that Norwegian authorities write in.
pub fn written_standard(field: &'static str, value: &str) -> Read<Language> {
    match coded(field, value)? {
        language @ (Language::Nb | Language::Nn) => Ok(language),
        Language::En => Err(Refusal::new(
            &rules::R_0_07,
            "InvalidField",
            Text::new(
                "Velg nb (bokmål) eller nn (nynorsk).",
                "Vel nb (bokmål) eller nn (nynorsk).",
                "choose nb (Bokmål) or nn (Nynorsk)",
            ),
        )
        .at(field)),
    }
}

/// A choice of an enum of ours: known, and made.
pub fn chosen<E: TryFrom<i32> + Default + PartialEq>(field: &'static str, value: i32) -> Read<E> {
    E::try_from(value)
        .ok()
        .filter(|choice| *choice != E::default())
        .ok_or_else(|| missing(field))
}

/// A list of at least `min` and at most `max` entries.
pub fn count(field: &'static str, found: usize, min: usize, max: usize) -> Read<()> {
    if found < min {
        return Err(missing(field));
    }
    if found > max {
        return Err(Refusal::invalid(
            field,
            Text::formatted(
                format!("Feltet kan ha høyst {max} verdier, men har {found}. Ta bort noen."),
                format!("Feltet kan ha høgst {max} verdiar, men har {found}. Ta bort nokre."),
                format!("the field can have at most {max} values but has {found}: remove some"),
            ),
        )
        .with("max", max));
    }
    Ok(())
}

/// A number between two bounds.
pub fn within(field: &'static str, value: u32, min: u32, max: u32) -> Read<u32> {
    if (min..=max).contains(&value) {
        return Ok(value);
    }
    Err(Refusal::invalid(
        field,
        Text::formatted(
            format!("Oppgi et tall fra {min} til {max}."),
            format!("Oppgi eit tal frå {min} til {max}."),
            format!("give a number from {min} to {max}"),
        ),
    )
    .with("min", min)
    .with("max", max))
}
