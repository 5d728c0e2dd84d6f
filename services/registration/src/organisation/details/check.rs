//! What a command says of master data: readable, of the official lists, and nothing that leads to a person.

use ryggrad_norway::{Annotation, LegalForm, Nace, Sector};
use ryggrad_proto::registration::v1::OrganisationDetails;

use crate::address;
use crate::input::{self, Read};
use crate::organisation::refusals;

/// Registers beside Enhetsregisteret and Frivillighetsregisteret.
const REGISTERS: [&str; 4] = ["FOR", "MVA", "STI", "PARTI"];
/// What the days of entry are of: as above, and the day that Enhetsregisteret noted Merverdiavgiftsregisteret's.
const DAYS: [&str; 5] = ["FOR", "MVA", "MVA-ER", "STI", "PARTI"];

/// Checks master data as a whole: a name and a legal form, and everything else that is filled in. Refusals name the field
/// under `at`.
pub(in crate::organisation) fn whole(at: &str, details: &OrganisationDetails) -> Read<()> {
    let filled = super::difference(&OrganisationDetails::default(), details, |_, _| true);
    ["name", "form"]
        .into_iter()
        .chain(filled.fields.iter().map(String::as_str))
        .try_for_each(|name| field(at, name, details))
}

/// Checks the new value of one field; a refusal names it under `at`. A field that this version does not have is refused.
pub(in crate::organisation) fn field(at: &str, name: &str, details: &OrganisationDetails) -> Read<()> {
    one(name, details).map_err(|no| {
        let inner = no.field.as_deref().unwrap_or(name);
        let field = format!("{at}.{inner}");
        no.at(field)
    })
}

fn one(name: &str, details: &OrganisationDetails) -> Read<()> {
    match name {
        "name" => input::text("name", &details.name, input::NAME).map(drop),
        "form" => input::coded::<LegalForm>("form", &details.form).map(drop),
        "purpose" => input::text("purpose", &details.purpose, input::PROSE).map(drop),
        "forretningsadresse" => {
            let address = details.forretningsadresse.as_ref();
            address::check(name, address.ok_or_else(|| input::missing("forretningsadresse"))?)
        }
        "postadresse" => details
            .postadresse
            .as_ref()
            .map_or(Ok(()), |address| address::check(name, address)),
        "hjemmeside" if details.hjemmeside.chars().any(char::is_whitespace) => Err(refusals::website()),
        "hjemmeside" => input::free("hjemmeside", &details.hjemmeside, input::NAME).map(drop),
        "language" => input::written_standard("language", &details.language).map(drop),
        "naeringskoder" => {
            input::count("naeringskoder", details.naeringskoder.len(), 0, 3)?;
            every(&details.naeringskoder, |code| {
                input::coded::<Nace>("naeringskoder", code).map(drop)
            })
        }
        "sektorkode" => input::optional_coded::<Sector>("sektorkode", Some(&details.sektorkode)).map(drop),
        "stiftelsesdato" => day("stiftelsesdato", &details.stiftelsesdato),
        "registers" => registers("registers", &details.registers),
        "overordnet_enhet" => input::optional_orgnr("overordnet_enhet", Some(&details.overordnet_enhet)).map(drop),
        "aktivitet" => {
            input::count("aktivitet", details.aktivitet.len(), 0, 20)?;
            every(&details.aktivitet, |line| {
                input::text("aktivitet", line, input::NAME).map(drop)
            })
        }
        "annotations" => every(&details.annotations, |annotation| {
            input::coded::<Annotation>("annotations.infotype", &annotation.infotype)?;
            input::free("annotations.text", &annotation.text, input::PROSE)?;
            day("annotations.innfoert_dato", &annotation.innfoert_dato)
        }),
        "registreringsdatoer" => every(&details.registreringsdatoer, |entry| {
            if !DAYS.contains(&entry.register.as_str()) {
                return Err(refusals::unknown_register(
                    "registreringsdatoer.register",
                    &entry.register,
                ));
            }
            day("registreringsdatoer.registreringsdato", &entry.registreringsdato)
        }),
        "historiske_navn" => every(&details.historiske_navn, |former| {
            input::text("historiske_navn.navn", &former.navn, input::NAME)?;
            day("historiske_navn.fra_dato", &former.fra_dato)?;
            day("historiske_navn.til_dato", &former.til_dato)
        }),
        "antall_ansatte" | "under_tvangsavvikling" | "har_registrert_antall_ansatte" | "er_i_konsern" => Ok(()),
        other => Err(refusals::not_changed_here(other)),
    }
}

/// Codes of registers beside Enhetsregisteret and Frivillighetsregisteret.
pub(in crate::organisation) fn registers(field: &'static str, codes: &[String]) -> Read<()> {
    let unknown = codes.iter().find(|code| !REGISTERS.contains(&code.as_str()));
    unknown.map_or(Ok(()), |code| Err(refusals::unknown_register(field, code)))
}

/// A day that may be unknown.
fn day(field: &'static str, value: &str) -> Read<()> {
    if value.is_empty() {
        return Ok(());
    }
    input::date(field, value).map(drop)
}

fn every<T>(values: &[T], check: impl Fn(&T) -> Read<()>) -> Read<()> {
    values.iter().try_for_each(check)
}
