//! Frivillighetsregisteret's JSON, written: the fields and their order are those of recorded answers.

use std::io::{self, Write};

use jiff::civil::Date;
use ryggrad_norway::OrgNumber;
use serde::Serialize;

use super::organisation::Organisation;
use super::units::{Links, Own};

const VOLUNTARY: &str = "https://data.brreg.no/frivillighetsregisteret/api/frivillige-organisasjoner";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FrivilligOrganisasjon<'a> {
    organisasjonsnummer: OrgNumber,
    frivillig_organisasjonsstatus: &'a str,
    innfoert_dato: Date,
    foerste_gang_innfoert: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    kontonummer: Option<&'a str>,
    grasrotandel: Grasrotandel,
    regnskapsrapportering: Regnskapsrapportering<'a>,
    vedtekter: Vedtekter,
    icnpo_kategorier: Vec<IcnpoKategori<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    relasjoner: Vec<Relasjon<'a>>,
    paategninger: Vec<Paategning>,
}

#[derive(Serialize)]
struct Grasrotandel {
    #[serde(rename = "deltarI")]
    deltar_i: bool,
    utestengelsesperiode: Option<Periode>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Periode {
    fra_dato: Date,
    til_dato: Date,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Regnskapsrapportering<'a> {
    har_paatatt_seg_rapporteringsplikt: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    avslutningsdato_for_regnskapsperiode: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sist_innsendte_aarsregnskap: Option<Aarsregnskap>,
}

#[derive(Serialize)]
struct Aarsregnskap {
    regnskapsaar: i16,
    registreringsdato: Date,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Vedtekter {
    frivillig_registrerte_vedtekter: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    sist_oppdaterte_vedtekter: Option<Date>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct IcnpoKategori<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    kategori: Option<&'a str>,
    icnpo_nummer: &'a str,
    navn: Option<&'a str>,
    rekkefoelge: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the register's name")]
struct Relasjon<'a> {
    relasjonsrolle_fra: &'a str,
    relasjonsrolle_til: &'a str,
    relasjon_til: OrgNumber,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Paategning {
    identifikator_informasjonstype: &'static str,
    paategning: &'static str,
}

#[derive(Serialize)]
struct Page<'a> {
    #[serde(rename = "_embedded")]
    embedded: Embedded<'a>,
    #[serde(rename = "_links")]
    links: Links<Own>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Embedded<'a> {
    frivillige_organisasjoner: Vec<FrivilligOrganisasjon<'a>>,
}

/// One page of voluntary organisations, as a line.
pub(super) fn write_page(
    out: &mut impl Write,
    organisations: &[Organisation],
    after: Option<OrgNumber>,
    more: bool,
) -> io::Result<()> {
    let page = |after: Option<OrgNumber>| Own {
        href: after.map_or_else(
            || format!("{VOLUNTARY}?size=100"),
            |orgnr| format!("{VOLUNTARY}?searchAfter={orgnr}&size=100"),
        ),
    };
    let last = organisations.last().map(|organisation| organisation.unit.orgnr);
    let line = Page {
        embedded: Embedded {
            frivillige_organisasjoner: organisations.iter().map(voluntary).collect(),
        },
        links: Links {
            own: page(after),
            next: more.then(|| page(last)),
        },
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

fn voluntary(organisation: &Organisation) -> FrivilligOrganisasjon<'_> {
    let mut categories: Vec<_> = organisation
        .categories
        .iter()
        .enumerate()
        .map(|(at, category)| IcnpoKategori {
            kategori: category.api_key(),
            icnpo_nummer: category.code(),
            navn: None,
            rekkefoelge: at + 1,
        })
        .collect();
    // As in the real register, the list is not always in the order of the ranks.
    if organisation.unsorted {
        categories.reverse();
    }
    let relation = organisation.central.map(|central| Relasjon {
        relasjonsrolle_fra: "relasjonsrolle.underledd",
        relasjonsrolle_til: "relasjonsrolle.sentralledd",
        relasjon_til: central,
    });
    FrivilligOrganisasjon {
        organisasjonsnummer: organisation.unit.orgnr,
        frivillig_organisasjonsstatus: "frivilligOrganisasjonsstatus.innfoert",
        innfoert_dato: organisation.entered_on,
        foerste_gang_innfoert: organisation.first_entered_on,
        kontonummer: organisation.account.as_deref(),
        grasrotandel: Grasrotandel {
            deltar_i: organisation.grasrot,
            utestengelsesperiode: organisation
                .excluded
                .map(|(fra_dato, til_dato)| Periode { fra_dato, til_dato }),
        },
        regnskapsrapportering: Regnskapsrapportering {
            har_paatatt_seg_rapporteringsplikt: organisation.unit.accounts_year.is_some(),
            avslutningsdato_for_regnskapsperiode: organisation.unit.accounts_year.map(|_| "3112"),
            sist_innsendte_aarsregnskap: organisation.unit.accounts_year.map(|year| Aarsregnskap {
                regnskapsaar: year,
                registreringsdato: jiff::civil::date(year + 1, 6, 30),
            }),
        },
        vedtekter: Vedtekter {
            frivillig_registrerte_vedtekter: organisation.bylaws_registered,
            sist_oppdaterte_vedtekter: organisation.bylaws_updated_on,
        },
        icnpo_kategorier: categories,
        relasjoner: relation.into_iter().collect(),
        paategninger: (organisation.annotation.iter())
            .map(|about| Paategning {
                identifikator_informasjonstype: about.code(),
                paategning: "Opplysningen er ikke bekreftet",
            })
            .collect(),
    }
}
