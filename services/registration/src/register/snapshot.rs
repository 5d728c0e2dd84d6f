//! From what the reader of the register's formats found to what the contract calls a snapshot.

use jiff::civil::Date;
use ryggrad_proto::registration::v1 as pb;

use super::brreg::{Abroad, PostalAddress, RegisterSnapshot, Removed, VoluntaryRecord};

/// The snapshot in the words of the contract, with its origin.
pub(super) fn message(snapshot: &RegisterSnapshot, origin: Option<pb::FactOrigin>) -> pb::RegisterSnapshot {
    let winding_up = snapshot.under_winding_up;
    // A record that has left on an unknown day is told by its absence: no day is made up for it.
    let left = snapshot
        .voluntary
        .as_ref()
        .filter(|record| record.deleted && record.deleted_on.is_none());
    pb::RegisterSnapshot {
        orgnr: snapshot.orgnr.to_string(),
        registreringsdato: day(snapshot.registered_on),
        details: Some(details(snapshot)),
        vedtektsdato: day(snapshot.bylaws_date),
        vedtektsfestet_formaal: snapshot.purpose.clone(),
        registrert_i_frivillighetsregisteret: snapshot.in_voluntary_register && left.is_none(),
        registreringsdato_frivillighetsregisteret: day(snapshot.voluntary_registered_on),
        frivillig_organisasjon: left
            .is_none()
            .then_some(snapshot.voluntary.as_ref())
            .flatten()
            .map(voluntary),
        under_avvikling: winding_up.is_some(),
        under_avvikling_dato: day(winding_up.and_then(|winding_up| winding_up.since)),
        konkurs: snapshot.bankrupt,
        konkursdato: day(snapshot.bankrupt_on),
        slettedato: day(snapshot.deleted_on),
        siste_innsendte_aarsregnskap: snapshot.last_accounts_year.map_or(0, u32::from),
        origin,
        fjernet: false,
    }
}

/// What is left of a removed unit, without its origin.
pub(super) fn removed(removed: &Removed) -> pb::RegisterSnapshot {
    pb::RegisterSnapshot {
        orgnr: removed.orgnr.to_string(),
        slettedato: day(removed.deleted_on),
        fjernet: true,
        ..pb::RegisterSnapshot::default()
    }
}

fn address(address: &PostalAddress) -> pb::Address {
    let abroad = address.abroad.as_ref();
    let word = |word: fn(&Abroad) -> &String| abroad.map(word).cloned().unwrap_or_default();
    pb::Address {
        kommunenummer: text(address.kommunenummer),
        postnummer: text(address.postnummer),
        landkode: word(|abroad| &abroad.country),
        adresse: address.lines.clone(),
        poststed: word(|abroad| &abroad.place),
        land: word(|abroad| &abroad.country_name),
    }
}

fn details(snapshot: &RegisterSnapshot) -> pb::OrganisationDetails {
    pb::OrganisationDetails {
        name: snapshot.name.clone(),
        form: snapshot.form.to_string(),
        forretningsadresse: snapshot.address.as_ref().map(address),
        postadresse: snapshot.postal_address.as_ref().map(address),
        hjemmeside: snapshot.website.clone().unwrap_or_default(),
        antall_ansatte: snapshot.employees,
        har_registrert_antall_ansatte: snapshot.has_employees,
        aktivitet: snapshot.activity.clone(),
        overordnet_enhet: text(snapshot.parent),
        er_i_konsern: snapshot.in_group,
        registers: snapshot
            .registers
            .iter()
            .map(|register| register.code().to_owned())
            .collect(),
        registreringsdatoer: snapshot
            .register_days
            .iter()
            .map(|(register, day)| pb::RegisterEntry {
                register: (*register).to_owned(),
                registreringsdato: day.to_string(),
            })
            .collect(),
        historiske_navn: snapshot
            .former_names
            .iter()
            .map(|former| pb::FormerName {
                navn: former.name.clone(),
                fra_dato: day(former.from),
                til_dato: day(former.to),
            })
            .collect(),
        language: text(snapshot.language),
        naeringskoder: snapshot.nace.iter().map(ToString::to_string).collect(),
        sektorkode: text(snapshot.sector),
        stiftelsesdato: day(snapshot.founded_on),
        annotations: snapshot
            .annotations
            .iter()
            .map(|annotated| pb::Annotation {
                infotype: annotated.about.to_string(),
                text: String::new(),
                innfoert_dato: day(annotated.since),
            })
            .collect(),
        under_tvangsavvikling: snapshot.under_winding_up.is_some_and(|winding_up| winding_up.forced),
        ..pb::OrganisationDetails::default()
    }
}

fn voluntary(record: &VoluntaryRecord) -> pb::VoluntarySnapshot {
    let exclusion = record.grasrot.exclusion;
    let last = record.accounts.last_submitted;
    pb::VoluntarySnapshot {
        innfoert_dato: day(record.entered_on),
        foerste_gang_innfoert: day(record.first_entered_on),
        slettet_dato: day(record.deleted_on),
        icnpo: record.icnpo.iter().map(ToString::to_string).collect(),
        grasrot_deltar_i: record.grasrot.participates,
        utestengelse_fra_dato: day(exclusion.map(|exclusion| exclusion.from)),
        utestengelse_til_dato: day(exclusion.and_then(|exclusion| exclusion.to)),
        regnskapsrapportering: record.accounts.duty.then(|| pb::RapporteringspliktRegnskap {
            har_paatatt_seg_rapporteringsplikt: true,
            avslutningsdato_regnskapsperiode: record
                .accounts
                .year_end
                .as_ref()
                .map(ToString::to_string)
                .filter(|end| end != "3112"),
        }),
        siste_regnskapsaar: last.map_or(0, |last| u32::from(last.year)),
        siste_regnskap_registrert: day(last.and_then(|last| last.registered_on)),
        vedtekter_registrert: record.bylaws_registered,
        vedtekter_sist_oppdatert: day(record.bylaws_updated_on),
        relasjoner: record
            .relations
            .iter()
            .map(|relation| pb::RegisterRelation {
                relasjonsrolle_fra: relation.role_from.clone(),
                relasjonsrolle_til: relation.role_to.clone(),
                relasjon_til: relation.to.to_string(),
            })
            .collect(),
    }
}

fn day(day: Option<Date>) -> String {
    text(day)
}

fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
