//! A unit of Enhetsregisteret: which of them concern us, and what is taken from them.

use jiff::civil::Date;
use ryggrad_norway::{Annotation, Language, LegalForm, Nace, OrgNumber, Sector};

use super::address::{Fields, address};
use super::convert::{Notes, Unusable, date, impersonal, line, orgnr, required, year};
use super::fault::Warning;
use super::snapshot::{Annotated, FormerName, OtherRegister, RegisterSnapshot, Removed, WindingUp};
use super::wire::{Coded, Enhet};

const FORRETNINGSADRESSE: Fields = Fields {
    lines: "forretningsadresse.adresse",
    kommunenummer: "forretningsadresse.kommunenummer",
    postnummer: "forretningsadresse.postnummer",
};
const POSTADRESSE: Fields = Fields {
    lines: "postadresse.adresse",
    kommunenummer: "postadresse.kommunenummer",
    postnummer: "postadresse.postnummer",
};

impl Enhet<'_> {
    /// Whether the handbook (9.2, step 1) keeps it: a non-profit institution, in Frivillighetsregisteret, an association or a
    /// foundation. Sub-units never are organisations of their own.
    pub(super) fn concerns_us(&self) -> bool {
        let form = code(self.organisasjonsform.as_ref());
        !self.is_sub_unit()
            && (matches!(form, Some("FLI" | "STI"))
                || self.registrert_i_frivillighetsregisteret == Some(true)
                || code(self.institusjonell_sektorkode.as_ref()) == Some("7000"))
    }

    pub(super) fn is_sub_unit(&self) -> bool {
        matches!(code(self.organisasjonsform.as_ref()), Some("AAFY" | "BEDR"))
            || self
                .respons_klasse
                .as_deref()
                .is_some_and(|class| class.ends_with("nderenhet"))
    }

    /// Whether the register removed it on legal grounds.
    pub(super) fn is_removed(&self) -> bool {
        self.respons_klasse.as_deref() == Some("FjernetEnhet")
    }

    /// The number as a key, when it looks like one; not checked.
    pub(super) fn key(&self) -> Option<u32> {
        self.organisasjonsnummer.as_ref()?.parse().ok()
    }
}

/// What is left of a unit that was removed.
pub(super) fn removed(unit: &Enhet<'_>, tolerant: bool) -> Result<Removed, Unusable> {
    Ok(Removed {
        orgnr: orgnr(unit.organisasjonsnummer.as_ref(), tolerant)?,
        deleted_on: date("slettedato", unit.slettedato.as_ref())?,
    })
}

/// What is taken from a unit, and what had to be left out.
pub(super) fn snapshot(unit: &Enhet<'_>, tolerant: bool) -> Result<(RegisterSnapshot, Vec<Warning>), Unusable> {
    let orgnr = orgnr(unit.organisasjonsnummer.as_ref(), tolerant)?;
    if unit.is_sub_unit() {
        return Err(Unusable::new(
            "organisasjonsform",
            "is a sub-unit, and no organisation of its own",
        ));
    }
    let mut notes = Notes::new(orgnr);
    let form = required(
        "organisasjonsform.kode",
        unit.organisasjonsform.as_ref().and_then(|form| form.kode.as_ref()),
    )?;
    let snapshot = RegisterSnapshot {
        orgnr,
        name: line("navn", required("navn", unit.navn.as_ref())?)?,
        form: LegalForm::parse(form).map_err(|invalid| Unusable::new("organisasjonsform.kode", invalid.to_string()))?,
        founded_on: date("stiftelsesdato", unit.stiftelsesdato.as_ref())?,
        registered_on: date(
            "registreringsdatoEnhetsregisteret",
            unit.registreringsdato_enhetsregisteret.as_ref(),
        )?,
        purpose: impersonal(
            "vedtektsfestetFormaal",
            unit.vedtektsfestet_formaal.as_deref(),
            &mut notes,
        )?,
        bylaws_date: date("vedtektsdato", unit.vedtektsdato.as_ref())?,
        address: address(&FORRETNINGSADRESSE, unit.forretningsadresse.as_ref(), &mut notes)?,
        postal_address: address(&POSTADRESSE, unit.postadresse.as_ref(), &mut notes)?,
        website: impersonal(
            "hjemmeside",
            unit.hjemmeside.as_ref().map(std::slice::from_ref),
            &mut notes,
        )?
        .pop(),
        activity: impersonal("aktivitet", unit.aktivitet.as_deref(), &mut notes)?,
        has_employees: unit.har_registrert_antall_ansatte,
        employees: employees(unit, &mut notes),
        former_names: former_names(unit)?,
        parent: parent(unit, tolerant, &mut notes),
        in_group: unit.er_i_konsern == Some(true),
        registers: registers(unit),
        register_days: register_days(unit)?,
        nace: nace(unit, &mut notes),
        sector: notes.parse(
            "institusjonellSektorkode.kode",
            unit.institusjonell_sektorkode
                .as_ref()
                .and_then(|sector| sector.kode.as_ref()),
            Sector::parse,
        ),
        language: notes.parse("maalform", unit.maalform.as_ref(), Language::from_maalform),
        in_voluntary_register: unit.registrert_i_frivillighetsregisteret == Some(true),
        voluntary_registered_on: date(
            "registreringsdatoFrivillighetsregisteret",
            unit.registreringsdato_frivillighetsregisteret.as_ref(),
        )?,
        voluntary: None,
        last_accounts_year: year(
            "sisteInnsendteAarsregnskap",
            unit.siste_innsendte_aarsregnskap.as_ref(),
            &mut notes,
        ),
        under_winding_up: winding_up(unit)?,
        bankrupt: unit.konkurs == Some(true),
        bankrupt_on: date("konkursdato", unit.konkursdato.as_ref())?,
        deleted_on: deleted_on(unit)?,
        annotations: annotations(unit, &mut notes)?,
    };
    Ok((snapshot, notes.warnings))
}

fn code<'u>(coded: Option<&'u Coded<'_>>) -> Option<&'u str> {
    coded?.kode.as_deref()
}

/// The number of employees, when it is one.
fn employees(unit: &Enhet<'_>, notes: &mut Notes) -> Option<u32> {
    const FIELD: &str = "antallAnsatte";
    let text: &str = unit.antall_ansatte.as_ref()?;
    let number = text.parse().ok();
    if number.is_none() {
        notes.warn(FIELD, format!("\"{}\" is no number of people", text.escape_debug()));
    }
    number
}

fn former_names(unit: &Enhet<'_>) -> Result<Vec<FormerName>, Unusable> {
    let mut names = Vec::new();
    for former in unit.historiske_navn.iter().flatten() {
        names.push(FormerName {
            name: line(
                "historiskeNavn.navn",
                required("historiskeNavn.navn", former.navn.as_ref())?,
            )?,
            from: date("historiskeNavn.fraDato", former.fra_dato.as_ref())?,
            to: date("historiskeNavn.tilDato", former.til_dato.as_ref())?,
        });
    }
    Ok(names)
}

/// The unit above, when its number is one.
fn parent(unit: &Enhet<'_>, tolerant: bool, notes: &mut Notes) -> Option<OrgNumber> {
    let parse = if tolerant {
        OrgNumber::parse_tolerant
    } else {
        OrgNumber::parse
    };
    notes.parse("overordnetEnhet", unit.overordnet_enhet.as_ref(), parse)
}

fn registers(unit: &Enhet<'_>) -> Vec<OtherRegister> {
    let flags = [
        (OtherRegister::For, unit.registrert_i_foretaksregisteret),
        (OtherRegister::Mva, unit.registrert_i_mvaregisteret),
        (OtherRegister::Sti, unit.registrert_i_stiftelsesregisteret),
        (OtherRegister::Parti, unit.registrert_i_partiregisteret),
    ];
    flags
        .into_iter()
        .filter(|(_, there)| *there == Some(true))
        .map(|(register, _)| register)
        .collect()
}

/// The days of entry. Merverdiavgiftsregisteret has two: its own, and the day that Enhetsregisteret noted it.
fn register_days(unit: &Enhet<'_>) -> Result<Vec<(&'static str, Date)>, Unusable> {
    let texts = [
        (
            OtherRegister::For.code(),
            "registreringsdatoForetaksregisteret",
            &unit.registreringsdato_foretaksregisteret,
        ),
        (
            OtherRegister::Mva.code(),
            "registreringsdatoMerverdiavgiftsregisteret",
            &unit.registreringsdato_merverdiavgiftsregisteret,
        ),
        (
            "MVA-ER",
            "registreringsdatoMerverdiavgiftsregisteretEnhetsregisteret",
            &unit.registreringsdato_merverdiavgiftsregisteret_enhetsregisteret,
        ),
        (
            OtherRegister::Parti.code(),
            "registreringsdatoPartiregisteret",
            &unit.registreringsdato_partiregisteret,
        ),
    ];
    let mut days = Vec::new();
    for (register, field, text) in texts {
        days.extend(date(field, text.as_ref())?.map(|day| (register, day)));
    }
    Ok(days)
}

fn nace(unit: &Enhet<'_>, notes: &mut Notes) -> Vec<Nace> {
    let codes = [
        ("naeringskode1.kode", &unit.naeringskode1),
        ("naeringskode2.kode", &unit.naeringskode2),
        ("naeringskode3.kode", &unit.naeringskode3),
    ];
    codes
        .into_iter()
        .filter_map(|(field, coded)| notes.parse(field, coded.as_ref()?.kode.as_ref(), Nace::parse))
        .collect()
}

fn winding_up(unit: &Enhet<'_>) -> Result<Option<WindingUp>, Unusable> {
    let own = date("underAvviklingDato", unit.under_avvikling_dato.as_ref())?;
    let forced = [
        (
            "tvangsavvikletPgaManglendeSlettingDato",
            &unit.tvangsavviklet_pga_manglende_sletting_dato,
        ),
        (
            "tvangsopplostPgaManglendeDagligLederDato",
            &unit.tvangsopplost_pga_manglende_daglig_leder_dato,
        ),
        (
            "tvangsopplostPgaManglendeRevisorDato",
            &unit.tvangsopplost_pga_manglende_revisor_dato,
        ),
        (
            "tvangsopplostPgaManglendeRegnskapDato",
            &unit.tvangsopplost_pga_manglende_regnskap_dato,
        ),
        (
            "tvangsopplostPgaMangelfulltStyreDato",
            &unit.tvangsopplost_pga_mangelfullt_styre_dato,
        ),
    ];
    let mut earliest = None;
    for (field, text) in forced {
        let day = date(field, text.as_ref())?;
        earliest = [earliest, day].into_iter().flatten().min();
    }
    let is_forced = unit.under_tvangsavvikling_eller_tvangsopplosning == Some(true);
    let is_own = unit.under_avvikling == Some(true);
    Ok((is_own || is_forced).then(|| WindingUp {
        since: if is_own { own.or(earliest) } else { earliest },
        forced: is_forced,
    }))
}

fn deleted_on(unit: &Enhet<'_>) -> Result<Option<jiff::civil::Date>, Unusable> {
    let deleted_on = date("slettedato", unit.slettedato.as_ref())?;
    if deleted_on.is_none() && unit.respons_klasse.as_deref() == Some("SlettetEnhet") {
        return Err(Unusable::new("slettedato", "is missing from a deleted unit"));
    }
    Ok(deleted_on)
}

fn annotations(unit: &Enhet<'_>, notes: &mut Notes) -> Result<Vec<Annotated>, Unusable> {
    let mut annotations = Vec::new();
    for annotation in unit.paategninger.iter().flatten() {
        let since = date("paategninger.innfoertDato", annotation.innfoert_dato.as_ref())?;
        let about = notes.parse("paategninger.infotype", annotation.infotype.as_ref(), Annotation::parse);
        annotations.extend(about.map(|about| Annotated { about, since }));
    }
    Ok(annotations)
}
