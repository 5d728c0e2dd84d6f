//! Why a registration case says no.

mod content;

use ryggrad_decider::{Refusal, Text, rules};

pub(super) use self::content::*;
use super::state::Status;
use crate::input::{refuse, wrong_state};

pub(super) fn state(status: &Status) -> Refusal {
    let (nb, nn, en) = match status {
        Status::Undrafted => (
            "Det finnes ingen registermelding med denne id-en. Påbegynn den først.",
            "Det finst inga registermelding med denne id-en. Byrj på ho først.",
            "there is no notification with this id: draft it first",
        ),
        Status::Draft => (
            "Meldingen er et utkast. Be om signaturer først.",
            "Meldinga er eit utkast. Be om signaturar først.",
            "the notification is a draft: request signatures first",
        ),
        Status::AwaitingSignatures(_) => (
            "Meldingen venter på signaturer. Vent til alle har signert, eller endre innholdet.",
            "Meldinga ventar på signaturar. Vent til alle har signert, eller endre innhaldet.",
            "the notification waits for signatures: wait until all have signed, or change its content",
        ),
        Status::Signed(_) => (
            "Alle har signert. Send inn meldingen, eller endre innholdet og be om signaturer på nytt.",
            "Alle har signert. Send inn meldinga, eller endre innhaldet og be om signaturar på nytt.",
            "everybody has signed: submit the notification, or change its content and ask for signatures anew",
        ),
        Status::Submitted | Status::UnderReview => (
            "Meldingen er hos registeret. Vent på svar, eller trekk den.",
            "Meldinga er hos registeret. Vent på svar, eller trekk ho.",
            "the register has the notification: wait for its answer, or withdraw it",
        ),
        Status::InfoRequested { .. } => (
            "Registeret har bedt om mer. Ettersend det som mangler, eller trekk meldingen.",
            "Registeret har bede om meir. Ettersend det som manglar, eller trekk meldinga.",
            "the register has asked for more: send what is missing, or withdraw the notification",
        ),
        Status::Registered => (
            "Meldingen er ferdig behandlet. Send en ny melding for å endre noe.",
            "Meldinga er ferdig behandla. Send ei ny melding for å endre noko.",
            "the notification is finished: send a new one to change anything",
        ),
        Status::Rejected { .. } => (
            "Registreringen er nektet. Klag innen fristen, eller send en ny melding.",
            "Registreringa er nekta. Klag innan fristen, eller send ei ny melding.",
            "the registration was refused: appeal in time, or send a new notification",
        ),
        Status::Withdrawn => (
            "Meldingen er trukket. Send en ny.",
            "Meldinga er trekt. Send ei ny.",
            "the notification was withdrawn: send a new one",
        ),
        Status::Lapsed => (
            "Meldingen ble ikke signert i tide og er bortfalt. Påbegynn en ny.",
            "Meldinga vart ikkje signert i tide og er bortfallen. Byrj på ei ny.",
            "the notification was not signed in time and has lapsed: draft a new one",
        ),
    };
    wrong_state(status.name().unwrap_or("none"), nb, nn, en)
}

pub(super) fn election_not_declared() -> Refusal {
    refuse(
        &rules::R_2_09,
        "BoardElectionNotDeclared",
        "Erklær at styret er gyldig valgt og at protokollen finnes. Protokollen skal ikke sendes inn.",
        "Erklær at styret er gyldig valt og at protokollen finst. Protokollen skal ikkje sendast inn.",
        "declare that the board was validly elected and that minutes exist; the minutes are not sent",
    )
    .at("content.endrer_styret")
}

pub(super) fn board_not_reported() -> Refusal {
    refuse(
        &rules::R_2_08,
        "BoardNotReported",
        "Meldingen gjelder styret, men styret er ikke meldt. Be om signaturer på nytt, med hele styret og kontaktpersonen, før dere endrer innholdet.",
        "Meldinga gjeld styret, men styret er ikkje meldt. Be om signaturar på nytt, med heile styret og kontaktpersonen, før de endrar innhaldet.",
        "the notification is about the board, but no board is reported: ask for signatures anew, with the whole board and the contact, before changing the content",
    )
    .at("roles")
}

pub(super) fn minutes_must_exist() -> Refusal {
    refuse(
        &rules::R_2_09,
        "MinutesMissing",
        "Protokollen fra valget må finnes og stemme med det som meldes. Skriv den først.",
        "Protokollen frå valet må finnast og stemme med det som blir meldt. Skriv han først.",
        "minutes of the election have to exist and match what is reported: write them first",
    )
    .at("minutes_exist")
}

pub(super) fn chair_must_sign() -> Refusal {
    refuse(
        &rules::R_2_10,
        "ChairMustSign",
        "Styrelederen må være blant dem som signerer.",
        "Styreleiaren må vere mellom dei som signerer.",
        "the chair has to be among those who sign",
    )
    .at("signers")
}

pub(super) fn signer_without_role() -> Refusal {
    refuse(
        &rules::R_2_10,
        "SignerWithoutRole",
        "Den som signerer, må ha rollen som signaturen bygger på. Rett listen.",
        "Den som signerer, må ha rolla som signaturen byggjer på. Rett lista.",
        "whoever signs has to have the role that the signature rests on: correct the list",
    )
    .at("signers")
}

pub(super) fn signer_twice() -> Refusal {
    refuse(
        &rules::R_2_10,
        "SignerTwice",
        "Samme person står to ganger blant dem som skal signere.",
        "Same person står to gonger mellom dei som skal signere.",
        "the same person is among the signers twice: remove one",
    )
    .at("signers")
}

pub(super) fn not_a_signer() -> Refusal {
    refuse(
        &rules::R_2_10,
        "NotASigner",
        "Denne personen er ikke bedt om å signere. Be om signaturer på nytt hvis listen er feil.",
        "Denne personen er ikkje beden om å signere. Be om signaturar på nytt om lista er feil.",
        "this person was not asked to sign: request signatures anew if the list is wrong",
    )
    .at("person_ref")
}

pub(super) fn not_personal() -> Refusal {
    refuse(
        &rules::R_2_10,
        "SignatureNotPersonal",
        "Signaturen er personlig og kan ikke gis på vegne av andre. Den det gjelder, må signere selv.",
        "Signaturen er personleg og kan ikkje givast på vegner av andre. Den det gjeld, må signere sjølv.",
        "a signature is personal and cannot be given for another: the person has to sign",
    )
    .at("person_ref")
}

pub(super) fn eid_too_low() -> Refusal {
    refuse(
        &rules::R_2_10,
        "EidTooLow",
        "Signer elektronisk med ID-porten på nivå betydelig eller høyt.",
        "Signer elektronisk med ID-porten på nivå betydeleg eller høgt.",
        "sign electronically with ID-porten on level substantial or high",
    )
    .at("eid_level")
}

pub(super) fn signatures_missing(n: usize) -> Refusal {
    Refusal::new(
        &rules::R_2_10,
        "SignaturesMissing",
        Text::formatted(
            format!("{n} har ikke signert ennå. Meldingen kan sendes når alle har signert selv."),
            format!("{n} har ikkje signert enno. Meldinga kan sendast når alle har signert sjølve."),
            format!("{n} have not signed yet: the notification can be sent when everybody has signed personally"),
        ),
    )
    .with("n", n)
}

pub(super) fn auditor_unconfirmed(field: &'static str, orgnr: &str) -> Refusal {
    refuse(
        &rules::R_2_11,
        "AuditorUnconfirmed",
        "Revisor eller regnskapsfører må bekrefte oppdraget før meldingen sendes.",
        "Revisor eller rekneskapsførar må stadfeste oppdraget før meldinga blir send.",
        "the auditor or accountant has to confirm the assignment before the notification is sent",
    )
    .at(field)
    .with("orgnr", orgnr)
}

pub(super) fn not_the_auditor() -> Refusal {
    refuse(
        &rules::R_2_11,
        "NotTheAuditor",
        "Meldingen nevner ikke denne som revisor eller regnskapsfører. Endre meldingen først.",
        "Meldinga nemner ikkje denne som revisor eller rekneskapsførar. Endre meldinga først.",
        "the notification does not name this one as auditor or accountant: amend it first",
    )
    .at("orgnr_auditor")
}

pub(super) fn unknown_deficiency(code: &str) -> Refusal {
    refuse(
        &rules::INPUT,
        "InvalidField",
        "Registeret har ikke bedt om dette. Bruk kodene i mangelbrevet.",
        "Registeret har ikkje bede om dette. Bruk kodane i mangelbrevet.",
        "the register has not asked for this: use the codes of its letter",
    )
    .at("items.deficiency_code")
    .with("deficiency", code)
}

pub(super) fn deficiency_unanswered(code: &str) -> Refusal {
    refuse(
        &rules::STATE,
        "DeficiencyUnanswered",
        "Noe av det registeret ba om, mangler fortsatt. Ta med svar på alt.",
        "Noko av det registeret bad om, manglar framleis. Ta med svar på alt.",
        "something that the register asked for is still missing: answer everything",
    )
    .at("items")
    .with("deficiency", code)
}

pub(super) fn appeal_too_late() -> Refusal {
    refuse(
        &rules::R_2_24,
        "AppealTooLate",
        "Klagefristen på tre uker er ute. Send en ny melding i stedet.",
        "Klagefristen på tre veker er ute. Send ei ny melding i staden.",
        "the three weeks for an appeal are over: send a new notification instead",
    )
}

pub(super) fn in_the_future(field: &'static str) -> Refusal {
    refuse(
        &rules::INPUT,
        "InvalidField",
        "Datoen er ikke kommet ennå. Rett den.",
        "Datoen er ikkje komen enno. Rett han.",
        "the day has not come yet: correct it",
    )
    .at(field)
}
