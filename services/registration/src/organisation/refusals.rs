//! Why an organisation says no.

use ryggrad_decider::{Refusal, Text, rules};

use super::state::{Status, Voluntary};
use crate::input::{refuse, wrong_state};

pub(super) fn state(status: Status) -> Refusal {
    let (nb, nn, en) = match status {
        Status::Informal => (
            "Organisasjonen finnes ikke her ennå. Stift den først, eller vent på registeret.",
            "Organisasjonen finst ikkje her enno. Stift han først, eller vent på registeret.",
            "the organisation is not known here yet: found it first, or wait for the register",
        ),
        Status::Founded => (
            "Organisasjonen er stiftet, men har ikke fått organisasjonsnummer. Endre registermeldingen i stedet, eller vent på registeret.",
            "Organisasjonen er stifta, men har ikkje fått organisasjonsnummer. Endre registermeldinga i staden, eller vent på registeret.",
            "the organisation is founded but has no number yet: amend the notification instead, or wait for the register",
        ),
        Status::Registered | Status::RegisteredVoluntary => (
            "Organisasjonen er registrert fra før.",
            "Organisasjonen er registrert frå før.",
            "the organisation is registered already",
        ),
        Status::UnderWindingUp(_) => (
            "Organisasjonen er under avvikling. Omgjør oppløsningen først.",
            "Organisasjonen er under avvikling. Gjer om oppløysinga først.",
            "the organisation is being wound up: revoke the dissolution first",
        ),
        Status::InBankruptcy => (
            "Organisasjonen er konkurs. Ta kontakt med bostyreren.",
            "Organisasjonen er konkurs. Ta kontakt med bustyraren.",
            "the organisation is bankrupt: turn to the trustee",
        ),
        Status::Merged => (
            "Organisasjonen er slått sammen med en annen. Bruk den andres nummer.",
            "Organisasjonen er slegen saman med ein annan. Bruk nummeret til den andre.",
            "the organisation has merged with another: use the other's number",
        ),
        Status::Deleted => (
            "Organisasjonen er slettet. Opplysningene kan leses, men ikke endres.",
            "Organisasjonen er sletta. Opplysningane kan lesast, men ikkje endrast.",
            "the organisation is deleted: what is known can be read but not changed",
        ),
    };
    wrong_state(status.name(), nb, nn, en)
}

pub(super) fn not_of_this_founding() -> Refusal {
    refuse(
        &rules::STATE,
        "OtherFounding",
        "Det finnes alt en organisasjon med denne id-en, og den kommer ikke fra denne stiftelsen.",
        "Det finst alt ein organisasjon med denne id-en, og han kjem ikkje frå denne stiftinga.",
        "an organisation with this id exists already, and it does not come from this founding",
    )
    .at("organisation_id")
}

pub(super) fn other_orgnr() -> Refusal {
    refuse(
        &rules::R_0_01,
        "OrgnrDiffers",
        "Organisasjonen har et annet organisasjonsnummer. Et nummer byttes aldri.",
        "Organisasjonen har eit anna organisasjonsnummer. Eit nummer blir aldri bytt.",
        "the organisation has another number: a number never changes",
    )
    .at("orgnr")
}

pub(super) fn no_orgnr_no_account() -> Refusal {
    refuse(
        &rules::R_2_23,
        "OrgnrMissing",
        "Banken krever organisasjonsnummer. Vent til organisasjonen er registrert.",
        "Banken krev organisasjonsnummer. Vent til organisasjonen er registrert.",
        "banks ask for an organisation number: wait until the organisation is registered",
    )
}

pub(super) fn not_in_er() -> Refusal {
    refuse(
        &rules::R_2_13,
        "NotInEnhetsregisteret",
        "Organisasjonen må stå i Enhetsregisteret før den kan innføres i Frivillighetsregisteret.",
        "Organisasjonen må stå i Einingsregisteret før han kan førast inn i Frivilligregisteret.",
        "the organisation has to be in Enhetsregisteret before it can enter Frivillighetsregisteret",
    )
}

pub(super) fn excluded_from_grasrot(to: &str) -> Refusal {
    Refusal::new(
        &rules::R_3_14,
        "ExcludedFromGrasrot",
        Text::new(
            "Organisasjonen er utestengt fra Grasrotandelen i denne tiden. Godkjenn den fra en dag etter utestengelsen.",
            "Organisasjonen er utestengd frå Grasrotdelen i denne tida. Godkjenn han frå ein dag etter utestenginga.",
            "the organisation is excluded from Grasrotandelen at that time: approve it from a day after the exclusion",
        ),
    )
    .at("from")
    .with("excluded_to", to)
}

pub(super) fn nothing_to_leave(voluntary: Voluntary) -> Refusal {
    wrong_state(
        voluntary.name(),
        "Organisasjonen står ikke i Frivillighetsregisteret og kan ikke slettes der.",
        "Organisasjonen står ikkje i Frivilligregisteret og kan ikkje slettast der.",
        "the organisation is not in Frivillighetsregisteret and cannot be deleted there",
    )
}

pub(super) fn not_in_fr() -> Refusal {
    refuse(
        &rules::R_2_17,
        "NotInFrivillighetsregisteret",
        "Grasrotandelen er for organisasjoner i Frivillighetsregisteret.",
        "Grasrotandelen er for organisasjonar i Frivilligregisteret.",
        "Grasrotandelen is for organisations in Frivillighetsregisteret",
    )
}

pub(super) fn icnpo_count() -> Refusal {
    refuse(
        &rules::R_2_16,
        "IcnpoCount",
        "En organisasjon har én til tre ICNPO-kategorier.",
        "Ein organisasjon har éin til tre ICNPO-kategoriar.",
        "an organisation has one to three ICNPO categories",
    )
    .at("icnpo")
}

pub(super) fn icnpo_twice(code: &str) -> Refusal {
    refuse(
        &rules::R_2_16,
        "IcnpoTwice",
        "Samme ICNPO-kategori står to ganger. Ta bort den ene.",
        "Same ICNPO-kategori står to gonger. Ta bort den eine.",
        "the same ICNPO category is there twice: remove one",
    )
    .at("icnpo")
    .with("icnpo", code)
}

pub(super) fn unknown_register(field: &'static str, code: &str) -> Refusal {
    refuse(
        &rules::INPUT,
        "InvalidField",
        "Dette er ikke et register ved siden av Enhetsregisteret og Frivillighetsregisteret. Oppgi FOR, MVA, STI eller PARTI.",
        "Dette er ikkje eit register ved sida av Einingsregisteret og Frivilligregisteret. Oppgi FOR, MVA, STI eller PARTI.",
        "this is not a register beside Enhetsregisteret and Frivillighetsregisteret: give FOR, MVA, STI or PARTI",
    )
    .at(field)
    .with("register", code)
}

pub(super) fn own_parent() -> Refusal {
    refuse(
        &rules::INPUT,
        "InvalidField",
        "En organisasjon kan ikke tilhøre seg selv. Oppgi sentralleddets nummer.",
        "Ein organisasjon kan ikkje høyre til seg sjølv. Oppgi nummeret til sentralleddet.",
        "an organisation cannot belong to itself: give the central organisation's number",
    )
    .at("parent_orgnr")
}

pub(super) fn not_changed_here(field: &str) -> Refusal {
    refuse(
        &rules::INPUT,
        "InvalidField",
        "Dette feltet endres ikke her. Navn, formål, adresser, nettsted, språk, næringskoder og aktivitet kan endres.",
        "Dette feltet blir ikkje endra her. Namn, føremål, adresser, nettstad, språk, næringskodar og aktivitet kan endrast.",
        "this field is not changed here: name, purpose, addresses, website, language, industrial codes and activity can be",
    )
    .at("fields")
    .with("field", field)
}

pub(super) fn website() -> Refusal {
    refuse(
        &rules::INPUT,
        "InvalidField",
        "Skriv nettstedet som www.eksempel.no, uten mellomrom.",
        "Skriv nettstaden som www.eksempel.no, utan mellomrom.",
        "write the website as www.example.no, without spaces",
    )
    .at("hjemmeside")
}
