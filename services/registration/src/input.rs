//! Reads the fields of a command; what is not as its contract says is refused with the field named.

use std::borrow::Cow;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use ryggrad_decider::{Refusal, Rule, Text, rules};
use ryggrad_norway::{Invalid, Kontonummer, Language, OrgNumber, PersonNumber};
use uuid::Uuid;

/// A field that was read, or why it was not.
pub(crate) type Read<T> = Result<T, Refusal>;

/// Longest text of a title or a name.
pub(crate) const NAME: usize = 200;
/// Longest text of a purpose or a reason.
pub(crate) const PROSE: usize = 4000;
/// Longest reference to something elsewhere.
pub(crate) const REFERENCE: usize = 200;

/// A text that must be there, of at most `max` characters, without control characters and personal data.
pub(crate) fn text(field: &'static str, value: &str, max: usize) -> Read<String> {
    if value.trim().is_empty() {
        return Err(missing(field));
    }
    free(field, value, max)
}

/// A text that may be empty.
pub(crate) fn free(field: &'static str, value: &str, max: usize) -> Read<String> {
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
pub(crate) fn optional_text(field: &'static str, value: Option<&str>, max: usize) -> Read<Option<String>> {
    value
        .filter(|value| !value.is_empty())
        .map(|value| text(field, value, max))
        .transpose()
}

/// A UUID.
pub(crate) fn id(field: &'static str, value: &str) -> Read<Uuid> {
    if value.is_empty() {
        return Err(missing(field));
    }
    Uuid::try_parse(value)
        .ok()
        .filter(|id| !id.is_nil())
        .ok_or_else(|| not_an_id(field))
}

/// A UUID that may be absent.
pub(crate) fn optional_id(field: &'static str, value: Option<&str>) -> Read<Option<Uuid>> {
    value
        .filter(|value| !value.is_empty())
        .map(|value| id(field, value))
        .transpose()
}

/// The SHA-256 of a document: 64 hexadecimal digits.
pub(crate) fn hash(field: &'static str, value: &str) -> Read<String> {
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
pub(crate) fn date(field: &'static str, value: &str) -> Read<Date> {
    if value.is_empty() {
        return Err(missing(field));
    }
    ryggrad_norway::parse_date(value).map_err(|invalid| refused(field, &invalid))
}

/// An instant that may be absent.
pub(crate) fn instant(field: &'static str, value: Option<ryggrad_proto::Timestamp>) -> Read<Option<Timestamp>> {
    value
        .map(|value| Timestamp::try_from(value).map_err(|_| not_an_instant(field)))
        .transpose()
}

/// A number or a code of an official list.
pub(crate) fn coded<T: FromStr<Err = Invalid>>(field: &'static str, value: &str) -> Read<T> {
    if value.is_empty() {
        return Err(missing(field));
    }
    value.parse().map_err(|invalid| refused(field, &invalid))
}

/// A number or a code that may be absent.
pub(crate) fn optional_coded<T: FromStr<Err = Invalid>>(field: &'static str, value: Option<&str>) -> Read<Option<T>> {
    value
        .filter(|value| !value.is_empty())
        .map(|value| coded(field, value))
        .transpose()
}

/// An organisation number that may be absent.
pub(crate) fn optional_orgnr(field: &'static str, value: Option<&str>) -> Read<Option<String>> {
    Ok(optional_coded::<OrgNumber>(field, value)?.map(|orgnr| orgnr.to_string()))
}

/// nb or nn, the two languages that Norwegian authorities write in.
pub(crate) fn written_standard(field: &'static str, value: &str) -> Read<Language> {
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
pub(crate) fn chosen<E: TryFrom<i32> + Default + PartialEq>(field: &'static str, value: i32) -> Read<E> {
    E::try_from(value)
        .ok()
        .filter(|choice| *choice != E::default())
        .ok_or_else(|| missing(field))
}

/// A list of at least `min` and at most `max` entries.
pub(crate) fn count(field: &'static str, found: usize, min: usize, max: usize) -> Read<()> {
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
pub(crate) fn within(field: &'static str, value: u32, min: u32, max: u32) -> Read<u32> {
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

/// What a code list or a check digit says no to.
pub(crate) fn refused(field: &'static str, invalid: &Invalid) -> Refusal {
    let rule = invalid
        .rule()
        .and_then(|id| rules::ALL.iter().find(|rule| rule.id == id))
        .copied()
        .unwrap_or(&rules::INPUT);
    let explain = |language| invalid.explain(language);
    Refusal::new(
        rule,
        "InvalidField",
        Text::formatted(explain(Language::Nb), explain(Language::Nn), explain(Language::En)),
    )
    .at(field)
}

/// Something that comes too early or too late in the life of its aggregate.
pub(crate) fn wrong_state(
    state: &'static str,
    nb: impl Into<Cow<'static, str>>,
    nn: impl Into<Cow<'static, str>>,
    en: impl Into<Cow<'static, str>>,
) -> Refusal {
    Refusal::new(
        &rules::STATE,
        "WrongState",
        Text {
            nb: nb.into(),
            nn: nn.into(),
            en: en.into(),
        },
    )
    .with("state", state)
}

/// The same text under a rule of its own.
pub(crate) fn refuse(
    rule: &'static Rule,
    code: &'static str,
    nb: &'static str,
    nn: &'static str,
    en: &'static str,
) -> Refusal {
    Refusal::new(rule, code, Text::new(nb, nn, en))
}

pub(crate) fn missing(field: &'static str) -> Refusal {
    Refusal::invalid(
        field,
        Text::new(
            "Feltet mangler. Fyll det ut.",
            "Feltet manglar. Fyll det ut.",
            "the field is missing: fill it in",
        ),
    )
    .with("problem", "missing")
}

fn too_long(field: &'static str, length: usize, max: usize) -> Refusal {
    Refusal::invalid(
        field,
        Text::formatted(
            format!("Teksten er {length} tegn, men kan være høyst {max}. Gjør den kortere."),
            format!("Teksten er {length} teikn, men kan vere høgst {max}. Gjer han kortare."),
            format!("the text has {length} characters but may have at most {max}: shorten it"),
        ),
    )
    .with("max", max)
}

fn control_character(field: &'static str) -> Refusal {
    Refusal::invalid(
        field,
        Text::new(
            "Teksten inneholder styretegn (for eksempel NUL). Fjern dem.",
            "Teksten inneheld styreteikn (til dømes NUL). Fjern dei.",
            "the text contains control characters (NUL, for example): remove them",
        ),
    )
}

fn personal_data(field: &'static str) -> Refusal {
    refuse(
        &rules::R_0_05,
        "PersonalData",
        "Teksten ser ut til å inneholde et fødselsnummer, et kontonummer eller en e-postadresse. Skriv den uten.",
        "Teksten ser ut til å innehalde eit fødselsnummer, eit kontonummer eller ei e-postadresse. Skriv han utan.",
        "the text seems to contain an identity number, an account number or an e-mail address: write it without",
    )
    .at(field)
}

fn not_an_id(field: &'static str) -> Refusal {
    Refusal::invalid(
        field,
        Text::new(
            "Feltet skal være en UUID.",
            "Feltet skal vere ein UUID.",
            "the field must be a UUID",
        ),
    )
}

fn not_a_hash(field: &'static str) -> Refusal {
    Refusal::invalid(
        field,
        Text::new(
            "Oppgi dokumentets SHA-256 som 64 heksadesimale sifre.",
            "Oppgi SHA-256 av dokumentet som 64 heksadesimale siffer.",
            "give the document's SHA-256 as 64 hexadecimal digits",
        ),
    )
}

fn not_an_instant(field: &'static str) -> Refusal {
    Refusal::invalid(
        field,
        Text::new(
            "Tidspunktet finnes ikke.",
            "Tidspunktet finst ikkje.",
            "there is no such instant",
        ),
    )
}

/// Whether a text holds an identity number, an account number or an e-mail address.
pub(crate) fn names_a_person(text: &str) -> bool {
    let email = text.split(char::is_whitespace).any(|word| {
        word.split_once('@')
            .is_some_and(|(name, host)| name.ends_with(|c: char| c.is_alphanumeric()) && host.contains('.'))
    });
    email || digit_runs(text).any(|run| PersonNumber::parse(&run).is_ok() || Kontonummer::parse(&run).is_ok())
}

/// Runs of eleven digits, also when they are written in groups with a space or a point between.
fn digit_runs(text: &str) -> impl Iterator<Item = String> + '_ {
    let mut groups = Vec::new();
    for group in text.split(|c: char| !(c.is_ascii_digit() || matches!(c, ' ' | '.'))) {
        let parts: Vec<&str> = group.split([' ', '.']).filter(|part| !part.is_empty()).collect();
        for from in 0..parts.len() {
            let mut run = String::new();
            for part in &parts[from..] {
                run.push_str(part);
                if run.len() >= 11 {
                    break;
                }
            }
            if run.len() == 11 {
                groups.push(run);
            }
        }
    }
    groups.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_an_identity_number_is_refused() {
        for text in ["ring 01810049879 nå", "se 018100 49879"] {
            if PersonNumber::parse("01810049879").is_ok() {
                assert!(names_a_person(text), "{text}");
            }
        }
        assert!(names_a_person("skriv til leder@lag.example.no"));
        assert!(!names_a_person(
            "Vi møtes kl. 18.30 den 12.05.2026 @ klubbhuset, plass til 120"
        ));
    }

    #[test]
    fn a_text_over_its_limit_names_its_field() {
        let refusal = text("title", &"a".repeat(201), NAME).expect_err("too long");
        assert_eq!(refusal.field.as_deref(), Some("title"));
        assert!(
            text("title", &"å".repeat(200), NAME).is_ok(),
            "characters count, not bytes"
        );
    }

    #[test]
    fn nul_and_absent_texts_are_refused() {
        assert!(text("title", "a\0b", NAME).is_err());
        assert!(text("title", "  ", NAME).is_err());
    }

    #[test]
    fn a_date_that_does_not_exist_is_refused() {
        assert!(date("date", "2026-02-30").is_err());
        assert!(date("date", "2026-02-28").is_ok());
    }

    #[test]
    fn a_wrong_check_digit_rests_on_its_rule() {
        let refusal = coded::<OrgNumber>("orgnr", "245915102").expect_err("wrong check digit");
        assert_eq!(refusal.rule.id, "R-0.01");
    }
}
