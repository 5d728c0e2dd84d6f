//! Enhetsregisteret's JSON, written: the fields and their order are those of recorded answers.

use std::io::{self, Write};

use jiff::civil::Date;
use ryggrad_norway::{KommuneNumber, Language, LegalForm, OrgNumber, PostalCode};
use serde::Serialize;

use super::lists::Industries;
use super::organisation::Organisation;
use super::unit::{FEWEST_TOLD, More, Unit};

const UNITS: &str = "https://data.brreg.no/enhetsregisteret/api";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "so the register writes it")]
struct Enhet<'a> {
    organisasjonsnummer: OrgNumber,
    navn: &'a str,
    organisasjonsform: Linked,
    #[serde(skip_serializing_if = "Option::is_none")]
    hjemmeside: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postadresse: Option<Adresse>,
    #[serde(rename = "registreringsdatoEnhetsregisteret")]
    registreringsdato: Date,
    registrert_i_mvaregisteret: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    naeringskode1: Option<Coded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    naeringskode2: Option<Coded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    naeringskode3: Option<Coded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    antall_ansatte: Option<u32>,
    har_registrert_antall_ansatte: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    registreringsdato_merverdiavgiftsregisteret: Option<Date>,
    /// The register's own spelling.
    #[serde(skip_serializing_if = "Option::is_none")]
    registreringsdato_merverdiavgiftsregisteret_enhetsregisteret: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registreringsdato_antall_ansatte_enhetsregisteret: Option<Date>,
    #[serde(
        rename = "registreringsdatoAntallAnsatteNAVAaregisteret",
        skip_serializing_if = "Option::is_none"
    )]
    registreringsdato_antall_ansatte_nav: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epostadresse: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    telefon: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mobil: Option<&'a str>,
    forretningsadresse: Adresse,
    stiftelsesdato: Date,
    institusjonell_sektorkode: Coded,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    tvangsopplost_pga_mangelfullt_styre_dato: Option<Date>,
    maalform: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    vedtektsdato: Option<Date>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vedtektsfestet_formaal: Vec<&'a str>,
    aktivitet: [&'a str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    registreringsdato_foretaksregisteret: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registreringsdato_frivillighetsregisteret: Option<Date>,
    registrert_i_partiregisteret: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    registreringsdato_partiregisteret: Option<Date>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    historiske_navn: Vec<HistoriskNavn<'a>>,
    paategninger: Vec<Paategning>,
    #[serde(rename = "erIKonsern")]
    er_i_konsern: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    kapital: Option<Kapital>,
    #[serde(rename = "_links")]
    links: Links<Own>,
    #[serde(rename = "respons_klasse")]
    respons_klasse: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HistoriskNavn<'a> {
    navn: &'a str,
    fra_dato: Date,
    til_dato: Date,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Paategning {
    infotype: &'static str,
    tekst: &'static str,
    innfoert_dato: Date,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Kapital {
    belop: f64,
    antall_aksjer: u32,
    #[serde(rename = "type")]
    kind: &'static str,
    valuta: &'static str,
    innfort_dato: Date,
}

/// What is answered of a unit that is gone.
#[derive(Serialize)]
struct Gone<'a> {
    organisasjonsnummer: OrgNumber,
    #[serde(skip_serializing_if = "Option::is_none")]
    navn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organisasjonsform: Option<Linked>,
    slettedato: Date,
    #[serde(rename = "_links")]
    links: Links<Own>,
    #[serde(rename = "respons_klasse")]
    respons_klasse: &'static str,
}

#[derive(Serialize)]
struct Coded {
    kode: &'static str,
    beskrivelse: &'static str,
}

#[derive(Serialize)]
struct Linked {
    kode: &'static str,
    beskrivelse: &'static str,
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
struct Adresse {
    land: &'static str,
    landkode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    postnummer: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    poststed: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    adresse: Vec<String>,
    kommune: String,
    kommunenummer: &'static str,
}

/// A unit; `purpose` is what its bylaws say, where the register has that.
pub(super) fn write_unit(out: &mut impl Write, unit: &Unit, purpose: &str, industries: &Industries) -> io::Result<()> {
    let More {
        post_box,
        website,
        email,
        telephone,
        mobile,
        employees,
        bylaws_date,
        has_purpose,
        former_name,
        vat_since,
        business_since,
        party_since,
        winding_up_since,
        bankrupt_since,
        forced_since,
        annotation,
        in_group,
        shares,
    } = &unit.more;
    let industry = |at: usize| {
        unit.nace.get(at).map(|code| Coded {
            kode: code,
            beskrivelse: industries.name(code),
        })
    };
    let counted_on = employees.map(|_| unit.registered_on);
    let document = Enhet {
        organisasjonsnummer: unit.orgnr,
        navn: &unit.name,
        organisasjonsform: form(unit.form),
        hjemmeside: website.as_deref(),
        postadresse: post_box
            .map(|(number, code)| adresse(unit.kommune, Some(code), vec![format!("Postboks {number}")])),
        registreringsdato: unit.registered_on,
        registrert_i_mvaregisteret: vat_since.is_some(),
        naeringskode1: industry(0),
        naeringskode2: industry(1),
        naeringskode3: industry(2),
        antall_ansatte: employees.filter(|number| *number >= FEWEST_TOLD),
        har_registrert_antall_ansatte: employees.is_some(),
        registreringsdato_merverdiavgiftsregisteret: *vat_since,
        registreringsdato_merverdiavgiftsregisteret_enhetsregisteret: *vat_since,
        registreringsdato_antall_ansatte_enhetsregisteret: counted_on,
        registreringsdato_antall_ansatte_nav: counted_on,
        epostadresse: email.as_deref(),
        telefon: telephone.as_deref(),
        mobil: mobile.as_deref(),
        forretningsadresse: adresse(unit.kommune, unit.postal_code, unit.lines.clone()),
        stiftelsesdato: unit.founded_on,
        institusjonell_sektorkode: Coded {
            kode: unit.sector.code(),
            beskrivelse: unit.sector.name(),
        },
        registrert_i_foretaksregisteret: business_since.is_some(),
        registrert_i_stiftelsesregisteret: unit.form.code() == "STI",
        registrert_i_frivillighetsregisteret: unit.entered_on.is_some(),
        siste_innsendte_aarsregnskap: unit.accounts_year.map(|year| year.to_string()),
        konkurs: bankrupt_since.is_some(),
        konkursdato: *bankrupt_since,
        under_avvikling: winding_up_since.is_some(),
        under_avvikling_dato: *winding_up_since,
        under_tvangsavvikling_eller_tvangsopplosning: forced_since.is_some(),
        tvangsopplost_pga_mangelfullt_styre_dato: *forced_since,
        maalform: maalform(unit.language),
        vedtektsdato: *bylaws_date,
        vedtektsfestet_formaal: has_purpose.then_some(purpose).into_iter().collect(),
        aktivitet: [&unit.activity],
        registreringsdato_foretaksregisteret: *business_since,
        registreringsdato_frivillighetsregisteret: unit.entered_on,
        registrert_i_partiregisteret: party_since.is_some(),
        registreringsdato_partiregisteret: *party_since,
        historiske_navn: (former_name.iter())
            .map(|(navn, til_dato)| HistoriskNavn {
                navn,
                fra_dato: unit.registered_on,
                til_dato: *til_dato,
            })
            .collect(),
        paategninger: (annotation.iter())
            .map(|(about, since)| Paategning {
                infotype: about.code(),
                tekst: "Opplysningen er ikke bekreftet",
                innfoert_dato: *since,
            })
            .collect(),
        er_i_konsern: *in_group,
        kapital: shares.map(|shares| Kapital {
            belop: f64::from(shares) * 100.0,
            antall_aksjer: shares,
            kind: "Aksjekapital",
            valuta: "NOK",
            innfort_dato: unit.registered_on,
        }),
        links: own(format!("{UNITS}/enheter/{}", unit.orgnr)),
        respons_klasse: "Enhet",
    };
    Ok(serde_json::to_writer(out, &document)?)
}

/// What is answered of an organisation that was deleted, or removed on legal grounds: of that one only number and day.
pub(super) fn write_gone(out: &mut impl Write, organisation: &Organisation, on: Date, removed: bool) -> io::Result<()> {
    let unit = &organisation.unit;
    let document = Gone {
        organisasjonsnummer: unit.orgnr,
        navn: (!removed).then_some(&unit.name),
        organisasjonsform: (!removed).then(|| form(unit.form)),
        slettedato: on,
        links: own(format!("{UNITS}/enheter/{}", unit.orgnr)),
        respons_klasse: if removed { "FjernetEnhet" } else { "SlettetEnhet" },
    };
    Ok(serde_json::to_writer(out, &document)?)
}

fn adresse(kommune: KommuneNumber, code: Option<PostalCode>, lines: Vec<String>) -> Adresse {
    Adresse {
        land: "Norge",
        landkode: "NO",
        postnummer: code.map(PostalCode::code),
        poststed: code.map(PostalCode::place),
        adresse: lines,
        kommune: kommune.name().to_uppercase(),
        kommunenummer: kommune.code(),
    }
}

fn form(form: LegalForm) -> Linked {
    Linked {
        kode: form.code(),
        beskrivelse: form.name(),
        links: own(format!("{UNITS}/organisasjonsformer/{}", form.code())),
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
