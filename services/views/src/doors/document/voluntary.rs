//! The document of Frivillighetsregisteret.

use ryggrad_norway::{Icnpo, Language};
use ryggrad_proto::views::v1::{FrivilligEnhet, RegisterUnit};
use serde::Serialize;

use super::parts::text;

/// Status of an organisation in the register.
const ENTERED: &str = "frivilligOrganisasjonsstatus.innfoert";
/// Status of one that was deleted.
const DELETED: &str = "frivilligOrganisasjonsstatus.slettet";

/// What Frivillighetsregisteret answers.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Voluntary<'a> {
    /// It is in the register.
    Innfoert(Innfoert<'a>),
    /// It was.
    Slettet(SlettetFrivillig<'a>),
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the register's names")]
pub(crate) struct Innfoert<'a> {
    #[serde(rename = "respons_klasse", skip_serializing_if = "Option::is_none")]
    respons_klasse: Option<&'static str>,
    organisasjonsnummer: &'a str,
    frivillig_organisasjonsstatus: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    innfoert_dato: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    foerste_gang_innfoert: Option<&'a str>,
    grasrotandel: Grasrotandel<'a>,
    regnskapsrapportering: Regnskapsrapportering<'a>,
    vedtekter: Vedtekter,
    icnpo_kategorier: Vec<Kategori<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    relasjoner: Vec<Relasjon<'a>>,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SlettetFrivillig<'a> {
    #[serde(rename = "respons_klasse")]
    respons_klasse: &'static str,
    organisasjonsnummer: &'a str,
    frivillig_organisasjonsstatus: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    foerste_gang_innfoert: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slettet_dato: Option<&'a str>,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Grasrotandel<'a> {
    deltar_i: bool,
    /// Null and not absent when there is none, as in the register.
    utestengelsesperiode: Option<Periode<'a>>,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Periode<'a> {
    fra_dato: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    til_dato: Option<&'a str>,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Regnskapsrapportering<'a> {
    har_paatatt_seg_rapporteringsplikt: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    avslutningsdato_for_regnskapsperiode: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sist_innsendte_aarsregnskap: Option<Aarsregnskap<'a>>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Aarsregnskap<'a> {
    regnskapsaar: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    registreringsdato: Option<&'a str>,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Vedtekter {
    frivillig_registrerte_vedtekter: bool,
}

/// A category. The register does not sort them; ours are by rank.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the register's names")]
struct Kategori<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    kategori: Option<&'static str>,
    icnpo_nummer: &'a str,
    /// Null unless a language was asked for, as in the register.
    navn: Option<&'static str>,
    rekkefoelge: usize,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the register's names")]
struct Relasjon<'a> {
    relasjonsrolle_fra: &'a str,
    relasjonsrolle_til: &'a str,
    relasjon_til: &'a str,
}

/// What Frivillighetsregisteret answers about a unit, with the names of its categories in a language; none when it has never
/// been there, or was removed on legal grounds.
pub(crate) fn frivillig(unit: &RegisterUnit, language: Option<Language>) -> Option<Voluntary<'_>> {
    let entry = unit.frivillig.as_ref().filter(|_| !unit.fjernet)?;
    let organisasjonsnummer = unit.organisasjonsnummer.as_str();
    let foerste_gang_innfoert = text(&entry.foerste_gang_innfoert);
    if entry.slettet {
        return Some(Voluntary::Slettet(SlettetFrivillig {
            respons_klasse: "FrivilligOrganisasjonSlettet",
            organisasjonsnummer,
            frivillig_organisasjonsstatus: DELETED,
            foerste_gang_innfoert,
            slettet_dato: text(&entry.slettet_dato),
        }));
    }
    Some(Voluntary::Innfoert(Innfoert {
        respons_klasse: Some("FrivilligOrganisasjonInnfoert"),
        organisasjonsnummer,
        frivillig_organisasjonsstatus: ENTERED,
        innfoert_dato: text(&entry.innfoert_dato),
        foerste_gang_innfoert,
        grasrotandel: grasrot(entry),
        regnskapsrapportering: Regnskapsrapportering {
            har_paatatt_seg_rapporteringsplikt: entry.har_paatatt_seg_rapporteringsplikt,
            avslutningsdato_for_regnskapsperiode: text(&entry.avslutningsdato_regnskapsperiode),
            sist_innsendte_aarsregnskap: (unit.siste_regnskapsaar > 0).then(|| Aarsregnskap {
                regnskapsaar: unit.siste_regnskapsaar,
                registreringsdato: text(&unit.siste_regnskap_registrert),
            }),
        },
        vedtekter: Vedtekter {
            frivillig_registrerte_vedtekter: entry.frivillig_registrerte_vedtekter,
        },
        icnpo_kategorier: (1..)
            .zip(&entry.icnpo)
            .map(|(rank, code)| category(rank, code, language))
            .collect(),
        relasjoner: (unit.relasjoner.iter())
            .map(|tie| Relasjon {
                relasjonsrolle_fra: &tie.relasjonsrolle_fra,
                relasjonsrolle_til: &tie.relasjonsrolle_til,
                relasjon_til: &tie.relasjon_til,
            })
            .collect(),
    }))
}

// === impl Voluntary ===

impl Voluntary<'_> {
    /// As it stands in a list of those that are there: there is no class to be told apart.
    pub(crate) fn listed(mut self) -> Self {
        if let Self::Innfoert(record) = &mut self {
            record.respons_klasse = None;
        }
        self
    }
}

fn grasrot(entry: &FrivilligEnhet) -> Grasrotandel<'_> {
    Grasrotandel {
        deltar_i: entry.grasrot_deltar_i,
        utestengelsesperiode: text(&entry.utestengelse_fra_dato).map(|fra_dato| Periode {
            fra_dato,
            til_dato: text(&entry.utestengelse_til_dato),
        }),
    }
}

fn category(rekkefoelge: usize, code: &str, language: Option<Language>) -> Kategori<'_> {
    let known = Icnpo::parse(code).ok();
    Kategori {
        kategori: known.and_then(Icnpo::api_key),
        icnpo_nummer: code,
        navn: known.zip(language).map(|(icnpo, language)| icnpo.name(language)),
        rekkefoelge,
    }
}
