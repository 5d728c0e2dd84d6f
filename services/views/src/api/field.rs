//! Fields of requests as typed values; what cannot be one is refused by the field's name.

use ryggrad_norway::{CountyNumber, Icnpo, Invalid, KommuneNumber, Language, LegalForm, OrgNumber};
use ryggrad_service::ApiError;
use uuid::Uuid;

/// An organisation as requests name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Organisation {
    /// By its id.
    Id(Uuid),
    /// By its number.
    Number(OrgNumber),
}

/// An organisation, by UUID or organisation number.
pub(super) fn organisation(field: &str, text: &str) -> Result<Organisation, ApiError> {
    if text.len() == 9 {
        // Read tolerantly: the register's own examples begin with digits that no organisation has.
        return OrgNumber::parse_tolerant(text)
            .map(Organisation::Number)
            .map_err(|invalid| refused(field, &invalid));
    }
    Uuid::try_parse(text)
        .map(Organisation::Id)
        .map_err(|_| ApiError::invalid(field, "is neither a UUID nor an organisation number"))
}

/// A UUID.
pub(super) fn uuid(field: &str, text: &str) -> Result<Uuid, ApiError> {
    Uuid::try_parse(text).map_err(|_| ApiError::invalid(field, "is not a UUID"))
}

/// A value when there is one.
pub(super) fn optional<T>(
    field: &str,
    text: &str,
    parse: impl FnOnce(&str, &str) -> Result<T, ApiError>,
) -> Result<Option<T>, ApiError> {
    if text.is_empty() {
        Ok(None)
    } else {
        parse(field, text).map(Some)
    }
}

/// A municipality in force.
pub(super) fn kommune(field: &str, text: &str) -> Result<String, ApiError> {
    KommuneNumber::parse(text)
        .map(|number| number.code().to_owned())
        .map_err(|invalid| refused(field, &invalid))
}

/// A county in force.
pub(super) fn county(field: &str, text: &str) -> Result<String, ApiError> {
    CountyNumber::parse(text)
        .map(|number| number.code().to_owned())
        .map_err(|invalid| refused(field, &invalid))
}

/// A category or a group.
pub(super) fn icnpo(field: &str, text: &str) -> Result<Icnpo, ApiError> {
    Icnpo::parse(text).map_err(|invalid| refused(field, &invalid))
}

/// A legal form.
pub(super) fn form(field: &str, text: &str) -> Result<String, ApiError> {
    LegalForm::parse(text)
        .map(|form| form.code().to_owned())
        .map_err(|invalid| refused(field, &invalid))
}

/// One of several words.
pub(super) fn one_of(field: &str, text: &str, words: &[&'static str]) -> Result<&'static str, ApiError> {
    let found = words.iter().find(|word| **word == text);
    found
        .copied()
        .ok_or_else(|| ApiError::invalid(field, format!("{text:?} is none of {}", words.join(", "))))
}

/// Several of several words.
pub(super) fn each_of(field: &str, texts: &[String], words: &[&'static str]) -> Result<Vec<&'static str>, ApiError> {
    texts
        .iter()
        .enumerate()
        .map(|(n, text)| one_of(&format!("{field}[{n}]"), text, words))
        .collect()
}

fn refused(field: &str, invalid: &Invalid) -> ApiError {
    ApiError::invalid(field, invalid.explain(Language::En))
}
