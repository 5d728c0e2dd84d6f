//! Enhetsregisteret's JSON, written: the fields and their order are those of recorded answers.

use std::io::{self, Write};

use jiff::civil::Date;
use ryggrad_norway::{Language, OrgNumber};
use serde::Serialize;

use super::draw::Draw;
use super::names;
use super::organisation::Organisation;
use super::places::Places;

const UNITS: &str = "https://data.brreg.no/enhetsregisteret/api";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "so the register writes it")]
struct Enhet<'a> {
    organisasjonsnummer: OrgNumber,
    navn: &'a str,
    organisasjonsform: Linked<'a>,
    #[serde(rename = "registreringsdatoEnhetsregisteret")]
    registreringsdato: Date,
    registrert_i_mvaregisteret: bool,
    naeringskode1: Coded<'a>,
    har_registrert_antall_ansatte: bool,
    forretningsadresse: Adresse<'a>,
    stiftelsesdato: Date,
    institusjonell_sektorkode: Coded<'a>,
    registrert_i_foretaksregisteret: bool,
    registrert_i_stiftelsesregisteret: bool,
    registrert_i_frivillighetsregisteret: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    siste_innsendte_aarsregnskap: Option<String>,
    konkurs: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    konkursdato: Option<Date>,
    under_avvikling: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    under_avvikling_dato: Option<Date>,
    under_tvangsavvikling_eller_tvangsopplosning: bool,
    maalform: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    vedtektsdato: Option<Date>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vedtektsfestet_formaal: Vec<&'a str>,
    aktivitet: [&'a str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    registreringsdato_frivillighetsregisteret: Option<Date>,
    registrert_i_partiregisteret: bool,
    paategninger: [(); 0],
    er_i_konsern: bool,
    #[serde(rename = "_links")]
    links: Links<Own>,
    #[serde(rename = "respons_klasse")]
    respons_klasse: &'a str,
}

#[derive(Serialize)]
struct Coded<'a> {
    kode: &'a str,
    beskrivelse: &'a str,
}

#[derive(Serialize)]
struct Linked<'a> {
    kode: &'a str,
    beskrivelse: &'a str,
    #[serde(rename = "_links")]
    links: Links<Own>,
}

#[derive(Serialize)]
pub(super) struct Links<T> {
    #[serde(rename = "self")]
    pub(super) own: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<T>,
}

#[derive(Serialize)]
pub(super) struct Own {
    pub(super) href: String,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the register's name")]
struct Adresse<'a> {
    land: &'a str,
    landkode: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    postnummer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    poststed: Option<&'a str>,
    adresse: [&'a str; 1],
    kommune: String,
    kommunenummer: &'a str,
}

/// The unit of an organisation.
pub(super) fn write_unit(out: &mut impl Write, organisation: &Organisation) -> io::Result<()> {
    let place = organisation.postal_code;
    let is_company = organisation.form == "AS";
    let unit = Enhet {
        organisasjonsnummer: organisation.orgnr,
        navn: &organisation.name,
        organisasjonsform: form(organisation.form),
        registreringsdato: organisation.registered_on,
        registrert_i_mvaregisteret: is_company,
        naeringskode1: Coded {
            kode: organisation.nace,
            beskrivelse: names::nace_text(organisation.nace),
        },
        har_registrert_antall_ansatte: false,
        forretningsadresse: Adresse {
            land: "Norge",
            landkode: "NO",
            postnummer: place.map(ryggrad_norway::PostalCode::code),
            poststed: place.map(ryggrad_norway::PostalCode::place),
            adresse: [&organisation.street],
            kommune: organisation.kommune.name().to_uppercase(),
            kommunenummer: organisation.kommune.code(),
        },
        stiftelsesdato: organisation.founded_on,
        institusjonell_sektorkode: sector(organisation.form),
        registrert_i_foretaksregisteret: is_company,
        registrert_i_stiftelsesregisteret: organisation.form == "STI",
        registrert_i_frivillighetsregisteret: true,
        siste_innsendte_aarsregnskap: organisation.accounts_year.map(|year| year.to_string()),
        konkurs: organisation.bankrupt_since.is_some(),
        konkursdato: organisation.bankrupt_since,
        under_avvikling: organisation.winding_up_since.is_some(),
        under_avvikling_dato: organisation.winding_up_since,
        under_tvangsavvikling_eller_tvangsopplosning: false,
        maalform: maalform(organisation.language),
        vedtektsdato: organisation.bylaws_date,
        vedtektsfestet_formaal: organisation.purpose.as_deref().into_iter().collect(),
        aktivitet: [organisation.categories[0].name(organisation.language)],
        registreringsdato_frivillighetsregisteret: Some(organisation.entered_on),
        registrert_i_partiregisteret: false,
        paategninger: [],
        er_i_konsern: false,
        links: own(format!("{UNITS}/enheter/{}", organisation.orgnr)),
        respons_klasse: "Enhet",
    };
    Ok(serde_json::to_writer(out, &unit)?)
}

/// A unit that does not concern voluntary activity: a limited company.
pub(super) fn write_other(out: &mut impl Write, orgnr: OrgNumber, draw: &mut Draw, places: &Places) -> io::Result<()> {
    let (kommune, place) = places.address(draw);
    let registered_on = jiff::civil::date(1996 + i16::try_from(draw.below(30)).unwrap_or_default(), 3, 14);
    let unit = Enhet {
        organisasjonsnummer: orgnr,
        navn: &format!("{} KAFE AS", names::place(draw).to_uppercase()),
        organisasjonsform: form("AS"),
        registreringsdato: registered_on,
        registrert_i_mvaregisteret: true,
        naeringskode1: Coded {
            kode: "56.110",
            beskrivelse: names::nace_text("56.110"),
        },
        har_registrert_antall_ansatte: true,
        forretningsadresse: Adresse {
            land: "Norge",
            landkode: "NO",
            postnummer: place.map(ryggrad_norway::PostalCode::code),
            poststed: place.map(ryggrad_norway::PostalCode::place),
            adresse: [&format!("{}vegen {}", names::place(draw), 1 + draw.below(60))],
            kommune: kommune.name().to_uppercase(),
            kommunenummer: kommune.code(),
        },
        stiftelsesdato: registered_on,
        institusjonell_sektorkode: sector("AS"),
        registrert_i_foretaksregisteret: true,
        registrert_i_stiftelsesregisteret: false,
        registrert_i_frivillighetsregisteret: false,
        siste_innsendte_aarsregnskap: Some("2025".to_owned()),
        konkurs: false,
        konkursdato: None,
        under_avvikling: false,
        under_avvikling_dato: None,
        under_tvangsavvikling_eller_tvangsopplosning: false,
        maalform: maalform(kommune.language()),
        vedtektsdato: Some(registered_on),
        vedtektsfestet_formaal: vec!["Drift av kafe og det som naturlig hører med."],
        aktivitet: ["Drift av kafe."],
        registreringsdato_frivillighetsregisteret: None,
        registrert_i_partiregisteret: false,
        paategninger: [],
        er_i_konsern: false,
        links: own(format!("{UNITS}/enheter/{orgnr}")),
        respons_klasse: "Enhet",
    };
    Ok(serde_json::to_writer(out, &unit)?)
}

fn form(code: &str) -> Linked<'_> {
    let beskrivelse = match code {
        "FLI" => "Forening/lag/innretning",
        "STI" => "Stiftelse",
        _ => "Aksjeselskap",
    };
    Linked {
        kode: code,
        beskrivelse,
        links: own(format!("{UNITS}/organisasjonsformer/{code}")),
    }
}

fn sector(form: &str) -> Coded<'static> {
    if form == "AS" {
        Coded {
            kode: "2100",
            beskrivelse: "Private aksjeselskaper mv.",
        }
    } else {
        Coded {
            kode: "7000",
            beskrivelse: "Ideelle organisasjoner",
        }
    }
}

fn maalform(language: Language) -> &'static str {
    language.pick("Bokmål", "Nynorsk", "Bokmål")
}

fn own(href: String) -> Links<Own> {
    Links {
        own: Own { href },
        next: None,
    }
}
