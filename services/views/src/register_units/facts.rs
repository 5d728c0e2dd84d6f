//! What each fact changes in a unit.

use ryggrad_proto::registration::v1::organisation_event::Event;
use ryggrad_proto::registration::v1::{
    FormerName, OrganisationDeleted, OrganisationDetails, VoluntaryRegistrationEntered,
};
use ryggrad_proto::views::v1::{FrivilligEnhet, FrivilligRelasjon, RegisterUnit};

/// The ground of a deletion after which nothing is told of a unit any more.
pub(crate) const REMOVED: &str = "fjernet";

/// Takes a fact in; false when the registers do not show what it says.
pub(crate) fn apply(unit: &mut RegisterUnit, fact: &Event) -> bool {
    if unit.fjernet {
        return false;
    }
    match fact {
        Event::OrganisationRegistered(e) => {
            unit.organisasjonsnummer.clone_from(&e.orgnr);
            unit.registreringsdato_enhetsregisteret.clone_from(&e.registreringsdato);
            details(unit, &e.details.clone().unwrap_or_default(), |_| true);
        }
        Event::OrganisationDetailsChanged(e) => {
            let said = |field: &str| e.fields.iter().any(|f| f == field);
            let before = unit.navn.clone();
            details(unit, &e.changed.clone().unwrap_or_default(), said);
            if said("historiske_navn") {
                unit.navn_fra.clone_from(&e.effective);
            } else if unit.navn != before {
                renamed(unit, before, &e.effective);
            }
        }
        Event::VoluntaryRegistrationEntered(e) => entered(unit, e),
        Event::VoluntaryRegistrationDeleted(e) => left(unit, &e.slettet_dato),
        Event::GrasrotParticipationApproved(_) => grasrot(unit, true),
        // The fact is confidential; that the register no longer says `deltarI` is not (docs/adr/0056).
        Event::GrasrotParticipationEnded(_) => grasrot(unit, false),
        Event::GrasrotExclusionImposed(e) => {
            if let Some(entry) = &mut unit.frivillig {
                entry.utestengelse_fra_dato.clone_from(&e.fra_dato);
                entry.utestengelse_til_dato.clone_from(&e.til_dato);
            }
        }
        Event::ActivityCategoriesChanged(e) => {
            if let Some(entry) = &mut unit.frivillig {
                entry.icnpo.clone_from(&e.icnpo);
            }
        }
        Event::AnnualAccountsSubmitted(e) => {
            if e.year >= unit.siste_regnskapsaar {
                unit.siste_regnskapsaar = e.year;
                unit.siste_regnskap_registrert.clone_from(&e.submitted_at);
            }
        }
        Event::AffiliationEstablished(e) => {
            let tie = FrivilligRelasjon {
                relasjonsrolle_fra: e.role_from.clone(),
                relasjonsrolle_til: e.role_to.clone(),
                relasjon_til: e.parent_orgnr.clone(),
            };
            if !unit.relasjoner.contains(&tie) {
                unit.relasjoner.push(tie);
            }
        }
        Event::BylawsAdopted(e) => {
            unit.vedtektsdato.clone_from(&e.vedtektsdato);
            unit.vedtektsfestet_formaal.clone_from(&e.purpose);
        }
        Event::DissolutionReported(e) => {
            unit.under_avvikling = true;
            unit.under_avvikling_dato.clone_from(&e.at);
        }
        Event::DissolutionRevoked(_) => {
            unit.under_avvikling = false;
            unit.under_avvikling_dato.clear();
        }
        Event::InsolvencyDeclared(e) => {
            unit.konkurs = true;
            unit.konkursdato.clone_from(&e.at);
        }
        Event::OrganisationDeleted(e) => deleted(unit, e),
        // Not public.
        Event::OrganisationOpened(_)
        | Event::VoluntaryRegistrationApplied(_)
        | Event::VoluntaryApplicationEnded(_)
        | Event::VoluntaryRegistrationRefused(_)
        | Event::AccountingDutyChanged(_)
        | Event::RolesReported(_)
        | Event::BankAccountLinked(_) => return false,
    }
    true
}

/// Master data, the fields that `said` says are said. Taken apart field by field, so that a new one has to be thought of.
fn details(unit: &mut RegisterUnit, details: &OrganisationDetails, said: impl Fn(&str) -> bool) {
    let OrganisationDetails {
        name,
        form,
        // The organisation's own words; the registers have the purpose of the bylaws.
        purpose: _,
        forretningsadresse,
        postadresse,
        hjemmeside,
        language,
        naeringskoder,
        sektorkode,
        stiftelsesdato,
        registers,
        antall_ansatte,
        overordnet_enhet,
        aktivitet,
        annotations,
        under_tvangsavvikling,
        har_registrert_antall_ansatte,
        registreringsdatoer,
        er_i_konsern,
        historiske_navn,
    } = details;
    macro_rules! take {
        ($($name:ident => $field:ident),* $(,)?) => {
            $(if said(stringify!($name)) {
                unit.$field.clone_from($name);
            })*
        };
    }
    take! {
        name => navn,
        form => organisasjonsform,
        forretningsadresse => forretningsadresse,
        postadresse => postadresse,
        hjemmeside => hjemmeside,
        language => maalform,
        naeringskoder => naeringskoder,
        sektorkode => institusjonell_sektorkode,
        stiftelsesdato => stiftelsesdato,
        registers => registre,
        antall_ansatte => antall_ansatte,
        overordnet_enhet => overordnet_enhet,
        aktivitet => aktivitet,
        annotations => paategninger,
        under_tvangsavvikling => under_tvangsavvikling,
        har_registrert_antall_ansatte => har_registrert_antall_ansatte,
        registreringsdatoer => registreringsdatoer,
        er_i_konsern => er_i_konsern,
        historiske_navn => historiske_navn,
    }
}

/// The name before becomes a former one. Its days are those that the facts tell.
fn renamed(unit: &mut RegisterUnit, before: String, effective: &str) {
    if !before.is_empty() {
        let fra_dato = std::mem::take(&mut unit.navn_fra);
        unit.historiske_navn.push(FormerName {
            navn: before,
            fra_dato,
            til_dato: effective.to_owned(),
        });
    }
    effective.clone_into(&mut unit.navn_fra);
}

/// The newer word counts, also about an entry that is known. What is told by facts of its own stays: an exclusion from
/// Grasrotandelen, and categories where the entry names none.
fn entered(unit: &mut RegisterUnit, e: &VoluntaryRegistrationEntered) {
    let duty = e.regnskapsrapportering.clone().unwrap_or_default();
    let earlier = unit.frivillig.take().unwrap_or_default();
    let first = [
        &e.foerste_gang_innfoert,
        &earlier.foerste_gang_innfoert,
        &e.innfoert_dato,
    ]
    .into_iter()
    .find(|day| !day.is_empty())
    .cloned();
    unit.frivillig = Some(FrivilligEnhet {
        innfoert_dato: e.innfoert_dato.clone(),
        foerste_gang_innfoert: first.unwrap_or_default(),
        icnpo: if e.icnpo.is_empty() {
            earlier.icnpo
        } else {
            e.icnpo.clone()
        },
        grasrot_deltar_i: e.grasrot_deltar_i,
        utestengelse_fra_dato: earlier.utestengelse_fra_dato,
        utestengelse_til_dato: earlier.utestengelse_til_dato,
        har_paatatt_seg_rapporteringsplikt: duty.har_paatatt_seg_rapporteringsplikt,
        avslutningsdato_regnskapsperiode: duty.avslutningsdato_regnskapsperiode.unwrap_or_default(),
        frivillig_registrerte_vedtekter: e.vedtekter_registrert,
        ..FrivilligEnhet::default()
    });
}

/// Only that it was there is left.
fn left(unit: &mut RegisterUnit, on: &str) {
    if let Some(entry) = &mut unit.frivillig {
        *entry = FrivilligEnhet {
            slettet: true,
            slettet_dato: on.to_owned(),
            foerste_gang_innfoert: std::mem::take(&mut entry.foerste_gang_innfoert),
            ..FrivilligEnhet::default()
        };
    }
}

/// A unit that is deleted leaves Frivillighetsregisteret too. Of one that is removed, its number and the day are left.
fn deleted(unit: &mut RegisterUnit, e: &OrganisationDeleted) {
    if unit.frivillig.as_ref().is_some_and(|entry| !entry.slettet) {
        left(unit, &e.slettedato);
    }
    unit.slettet = true;
    if !e.slettedato.is_empty() {
        unit.slettedato.clone_from(&e.slettedato);
    }
    if e.ground == REMOVED {
        *unit = RegisterUnit {
            organisation_id: std::mem::take(&mut unit.organisation_id),
            organisasjonsnummer: std::mem::take(&mut unit.organisasjonsnummer),
            slettedato: std::mem::take(&mut unit.slettedato),
            frivillig: unit.frivillig.as_ref().map(|_| FrivilligEnhet {
                slettet: true,
                ..FrivilligEnhet::default()
            }),
            slettet: true,
            fjernet: true,
            ..RegisterUnit::default()
        };
    }
}

/// An exclusion ends with the approval that comes after it.
fn grasrot(unit: &mut RegisterUnit, takes_part: bool) {
    if let Some(entry) = &mut unit.frivillig {
        entry.grasrot_deltar_i = takes_part;
        entry.utestengelse_fra_dato.clear();
        entry.utestengelse_til_dato.clear();
    }
}
