//! What a field is refused with.

use std::borrow::Cow;

use crate::{Refusal, Rule, Text, rules};
use ryggrad_norway::{Invalid, Language};

/// What a code list or a check digit says no to.
pub fn refused(field: &'static str, invalid: &Invalid) -> Refusal {
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
pub fn wrong_state(
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
pub fn refuse(
    rule: &'static Rule,
    code: &'static str,
    nb: &'static str,
    nn: &'static str,
    en: &'static str,
) -> Refusal {
    Refusal::new(rule, code, Text::new(nb, nn, en))
}

pub fn missing(field: &'static str) -> Refusal {
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

pub(super) fn too_long(field: &'static str, length: usize, max: usize) -> Refusal {
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

pub(super) fn control_character(field: &'static str) -> Refusal {
    Refusal::invalid(
        field,
        Text::new(
            "Teksten inneholder styretegn (for eksempel NUL). Fjern dem.",
            "Teksten inneheld styreteikn (til dømes NUL). Fjern dei.",
            "the text contains control characters (NUL, for example): remove them",
        ),
    )
}

pub(super) fn personal_data(field: &'static str) -> Refusal {
    refuse(
        &rules::R_0_05,
        "PersonalData",
        "Teksten ser ut til å inneholde et fødselsnummer, et kontonummer, et telefonnummer eller en e-postadresse. Skriv den uten.",
        "Teksten ser ut til å innehalde eit fødselsnummer, eit kontonummer, eit telefonnummer eller ei e-postadresse. Skriv han utan.",
        "the text seems to contain an identity number, an account number, a telephone number or an e-mail address: write it without",
    )
    .at(field)
}

/// An id that a client may not choose.
pub(super) fn not_yours_to_make(field: &'static str) -> Refusal {
    Refusal::invalid(
        field,
        Text::new(
            "Denne id-en lages her. La feltet stå tomt, og les id-en etterpå.",
            "Denne id-en blir laga her. Lat feltet stå tomt, og les id-en etterpå.",
            "this id is made here: leave the field empty, and read the id afterwards",
        ),
    )
    .with("problem", "made_by_server")
}

pub(super) fn not_an_id(field: &'static str) -> Refusal {
    Refusal::invalid(
        field,
        Text::new(
            "Feltet skal være en UUID.",
            "Feltet skal vere ein UUID.",
            "the field must be a UUID",
        ),
    )
}

pub(super) fn not_a_hash(field: &'static str) -> Refusal {
    Refusal::invalid(
        field,
        Text::new(
            "Oppgi dokumentets SHA-256 som 64 heksadesimale sifre.",
            "Oppgi SHA-256 av dokumentet som 64 heksadesimale siffer.",
            "give the document's SHA-256 as 64 hexadecimal digits",
        ),
    )
}

pub(super) fn not_an_instant(field: &'static str) -> Refusal {
    Refusal::invalid(
        field,
        Text::new(
            "Tidspunktet finnes ikke.",
            "Tidspunktet finst ikkje.",
            "there is no such instant",
        ),
    )
}
