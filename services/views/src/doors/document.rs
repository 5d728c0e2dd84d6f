//! The registers' documents about one organisation, made of a row of `register_units`: names and types exactly as theirs.
//!
//! What the facts do not tell is absent, as it is there. Never in them: accounts, telephone, e-mail and persons.

use ryggrad_proto::views::v1::RegisterUnit;
use serde::Serialize;

mod parts;
mod voluntary;

pub(crate) use parts::{Form, Link};
pub(crate) use voluntary::{Voluntary, frivillig};

use parts::{Adresse, Coded, FormerName, Links, Paategning, Year, address, sector, text};

/// What Enhetsregisteret answers.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "it lives for one line of an answer")]
pub(crate) enum Unit<'a> {
    /// A unit.
    Enhet(Enhet<'a>),
    /// A deleted one.
    Slettet(SlettetEnhet<'a>),
    /// One that was removed on legal grounds.
    Fjernet(FjernetEnhet<'a>),
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_field_names,
    clippy::struct_excessive_bools,
    reason = "the register's names and flags"
)]
pub(crate) struct Enhet<'a> {
    organisasjonsnummer: &'a str,
    navn: &'a str,
    organisasjonsform: Form<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hjemmeside: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postadresse: Option<Adresse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registreringsdato_enhetsregisteret: Option<&'a str>,
    registrert_i_mvaregisteret: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    naeringskode1: Option<Coded<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    naeringskode2: Option<Coded<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    naeringskode3: Option<Coded<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    antall_ansatte: Option<u32>,
    har_registrert_antall_ansatte: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    overordnet_enhet: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    forretningsadresse: Option<Adresse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stiftelsesdato: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    institusjonell_sektorkode: Option<Coded<'a>>,
    registrert_i_foretaksregisteret: bool,
    registrert_i_stiftelsesregisteret: bool,
    registrert_i_frivillighetsregisteret: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    registreringsdato_frivillighetsregisteret: Option<&'a str>,
    registrert_i_partiregisteret: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    registreringsdato_foretaksregisteret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registreringsdato_merverdiavgiftsregisteret: Option<&'a str>,
    /// The register's own spelling.
    #[serde(skip_serializing_if = "Option::is_none")]
    registreringsdato_merverdiavgiftsregisteret_enhetsregisteret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registreringsdato_partiregisteret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    siste_innsendte_aarsregnskap: Option<Year>,
    konkurs: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    konkursdato: Option<&'a str>,
    under_avvikling: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    under_avvikling_dato: Option<&'a str>,
    under_tvangsavvikling_eller_tvangsopplosning: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    maalform: Option<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    aktivitet: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    vedtektsdato: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    vedtektsfestet_formaal: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    historiske_navn: Vec<FormerName<'a>>,
    paategninger: Vec<Paategning<'a>>,
    #[serde(rename = "erIKonsern")]
    er_i_konsern: bool,
    #[serde(rename = "_links")]
    links: Links<'a>,
    #[serde(rename = "respons_klasse")]
    respons_klasse: &'static str,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SlettetEnhet<'a> {
    organisasjonsnummer: &'a str,
    navn: &'a str,
    organisasjonsform: Form<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slettedato: Option<&'a str>,
    #[serde(rename = "_links")]
    links: Links<'a>,
    #[serde(rename = "respons_klasse")]
    respons_klasse: &'static str,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FjernetEnhet<'a> {
    organisasjonsnummer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    slettedato: Option<&'a str>,
    #[serde(rename = "_links")]
    links: Links<'a>,
    #[serde(rename = "respons_klasse")]
    respons_klasse: &'static str,
}

/// What Enhetsregisteret answers about a unit. `host` begins the links: `https://host`.
pub(crate) fn enhet<'a>(unit: &'a RegisterUnit, host: &'a str) -> Unit<'a> {
    let organisasjonsnummer = unit.organisasjonsnummer.as_str();
    let overordnet_enhet = text(&unit.overordnet_enhet);
    let links = Links {
        own: Link::enhet(host, organisasjonsnummer),
        overordnet_enhet: overordnet_enhet
            .filter(|_| !unit.slettet)
            .map(|above| Link::enhet(host, above)),
    };
    let slettedato = text(&unit.slettedato);
    if unit.fjernet {
        return Unit::Fjernet(FjernetEnhet {
            organisasjonsnummer,
            slettedato,
            links,
            respons_klasse: "FjernetEnhet",
        });
    }
    let organisasjonsform = Form::new(&unit.organisasjonsform, host);
    if unit.slettet {
        return Unit::Slettet(SlettetEnhet {
            organisasjonsnummer,
            navn: &unit.navn,
            organisasjonsform,
            slettedato,
            links,
            respons_klasse: "SlettetEnhet",
        });
    }
    let is_in = |register: &str| unit.registre.iter().any(|r| r == register);
    let since = |register: &str| {
        let day = unit.registreringsdatoer.iter().find(|day| day.register == register)?;
        text(&day.registreringsdato)
    };
    let entry = unit.frivillig.as_ref().filter(|entry| !entry.slettet);
    let industry = |n: usize| {
        unit.naeringskoder.get(n).map(|kode| Coded {
            kode,
            beskrivelse: None,
        })
    };
    Unit::Enhet(Enhet {
        organisasjonsnummer,
        navn: &unit.navn,
        organisasjonsform,
        hjemmeside: text(&unit.hjemmeside),
        postadresse: unit.postadresse.as_ref().map(address),
        registreringsdato_enhetsregisteret: text(&unit.registreringsdato_enhetsregisteret),
        registrert_i_mvaregisteret: is_in("MVA"),
        naeringskode1: industry(0),
        naeringskode2: industry(1),
        naeringskode3: industry(2),
        antall_ansatte: unit.antall_ansatte,
        har_registrert_antall_ansatte: (unit.har_registrert_antall_ansatte)
            .unwrap_or_else(|| unit.antall_ansatte.is_some()),
        overordnet_enhet,
        forretningsadresse: unit.forretningsadresse.as_ref().map(address),
        stiftelsesdato: text(&unit.stiftelsesdato),
        institusjonell_sektorkode: text(&unit.institusjonell_sektorkode).map(sector),
        registrert_i_foretaksregisteret: is_in("FOR"),
        registrert_i_stiftelsesregisteret: is_in("STI"),
        registrert_i_frivillighetsregisteret: entry.is_some(),
        registreringsdato_frivillighetsregisteret: entry.and_then(|entry| text(&entry.innfoert_dato)),
        registrert_i_partiregisteret: is_in("PARTI"),
        registreringsdato_foretaksregisteret: since("FOR"),
        registreringsdato_merverdiavgiftsregisteret: since("MVA"),
        registreringsdato_merverdiavgiftsregisteret_enhetsregisteret: since("MVA-ER"),
        registreringsdato_partiregisteret: since("PARTI"),
        siste_innsendte_aarsregnskap: Some(Year(unit.siste_regnskapsaar)).filter(|year| year.0 > 0),
        konkurs: unit.konkurs,
        konkursdato: text(&unit.konkursdato),
        under_avvikling: unit.under_avvikling,
        under_avvikling_dato: text(&unit.under_avvikling_dato),
        under_tvangsavvikling_eller_tvangsopplosning: unit.under_tvangsavvikling,
        maalform: match unit.maalform.as_str() {
            "nb" => Some("Bokmål"),
            "nn" => Some("Nynorsk"),
            _ => None,
        },
        aktivitet: &unit.aktivitet,
        vedtektsdato: text(&unit.vedtektsdato),
        vedtektsfestet_formaal: &unit.vedtektsfestet_formaal,
        historiske_navn: (unit.historiske_navn.iter())
            .map(|name| FormerName {
                navn: &name.navn,
                fra_dato: text(&name.fra_dato),
                til_dato: text(&name.til_dato),
            })
            .collect(),
        paategninger: (unit.paategninger.iter())
            .map(|remark| Paategning {
                infotype: &remark.infotype,
                tekst: text(&remark.text),
                innfoert_dato: text(&remark.innfoert_dato),
            })
            .collect(),
        er_i_konsern: unit.er_i_konsern,
        links,
        respons_klasse: "Enhet",
    })
}
