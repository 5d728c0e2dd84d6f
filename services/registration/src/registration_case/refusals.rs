//! Why a registration case says no.

use ryggrad_decider::{Refusal, Rule, Text, rules};

use super::state::Status;
use crate::form::FORM;
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

pub(super) fn unknown_register(code: &str) -> Refusal {
    refuse(
        &rules::INPUT,
        "InvalidField",
        "Velg blant registrene ER, FR, FOR, MVA og STI, hvert bare én gang.",
        "Vel mellom registra ER, FR, FOR, MVA og STI, kvart berre éin gong.",
        "choose among the registers ER, FR, FOR, MVA and STI, each only once",
    )
    .at("registers")
    .with("register", code)
}

pub(super) fn needs_er() -> Refusal {
    refuse(
        &rules::R_2_13,
        "NotInEnhetsregisteret",
        "Frivillighetsregisteret krever at organisasjonen er i Enhetsregisteret. Ta med ER i meldingen, eller oppgi organisasjonsnummeret.",
        "Frivilligregisteret krev at organisasjonen er i Einingsregisteret. Ta med ER i meldinga, eller oppgi organisasjonsnummeret.",
        "Frivillighetsregisteret needs the organisation to be in Enhetsregisteret: add ER to the notification, or give the organisation number",
    )
    .at("registers")
}

pub(super) fn not_eligible(form: &str) -> Refusal {
    refuse(
        &rules::R_2_14,
        "FormNotEligible",
        "Denne organisasjonsformen kan ikke stå i Frivillighetsregisteret. Ta FR ut av meldingen.",
        "Denne organisasjonsforma kan ikkje stå i Frivilligregisteret. Ta FR ut av meldinga.",
        "this legal form cannot be in Frivillighetsregisteret: take FR out of the notification",
    )
    .at("content.form")
    .with("form", form)
}

pub(super) fn distributes_elsewhere(form: &str) -> Refusal {
    refuse(
        &rules::R_2_14,
        "DistributionsNotVoluntary",
        "Et selskap eller en stiftelse kan bare stå i Frivillighetsregisteret når alt som deles ut, går til frivillig virksomhet.",
        "Eit selskap eller ei stifting kan berre stå i Frivilligregisteret når alt som blir delt ut, går til frivillig verksemd.",
        "a company or foundation can be in Frivillighetsregisteret only when all that it distributes goes to voluntary activity",
    )
    .at("content.frivillig_organisasjon.registreringsrett.utdeling_utelukkende_til_frivillige")
    .with("form", form)
}

pub(super) fn unanswered(field: &'static str) -> Refusal {
    refuse(
        &rules::R_2_15,
        "RightToRegisterUnanswered",
        "Spørsmålene om rett til registrering må besvares. Svar ja eller nei.",
        "Spørsmåla om rett til registrering må svarast på. Svar ja eller nei.",
        "the questions on the right to register have to be answered: yes or no",
    )
    .at(field)
}

pub(super) fn no_right(field: &'static str, nb: &'static str, nn: &'static str, en: &'static str) -> Refusal {
    refuse(&rules::R_2_15, "NoRightToRegister", nb, nn, en).at(field)
}

pub(super) fn icnpo_count(found: usize) -> Refusal {
    Refusal::new(
        &rules::R_2_16,
        "IcnpoCount",
        Text::formatted(
            format!("Velg én til tre ICNPO-kategorier, den viktigste først. Meldingen har {found}."),
            format!("Vel éin til tre ICNPO-kategoriar, den viktigaste først. Meldinga har {found}."),
            format!("choose one to three ICNPO categories, the most important first; the notification has {found}"),
        ),
    )
    .at("content.frivillig_organisasjon.icnpo")
    .with("n", found)
}

pub(super) fn icnpo_twice(code: &str) -> Refusal {
    refuse(
        &rules::R_2_16,
        "IcnpoTwice",
        "Samme ICNPO-kategori står to ganger. Ta bort den ene.",
        "Same ICNPO-kategori står to gonger. Ta bort den eine.",
        "the same ICNPO category is there twice: remove one",
    )
    .at("content.frivillig_organisasjon.icnpo")
    .with("icnpo", code)
}

pub(super) fn account_missing() -> Refusal {
    refuse(
        &rules::R_2_17,
        "AccountMissing",
        "Grasrotandelen betales til en konto. Knytt et kontonummer til meldingen, eller svar nei til Grasrotandelen.",
        "Grasrotdelen blir betalt til ein konto. Knyt eit kontonummer til meldinga, eller svar nei til Grasrotdelen.",
        "Grasrotandelen is paid to an account: add an account number, or say no to Grasrotandelen",
    )
    .at("kontonummer_token")
}

pub(super) fn not_local() -> Refusal {
    refuse(
        &rules::R_2_17,
        "NotLocal",
        "Grasrotandelen er for lokal eller regional aktivitet. Svar nei til Grasrotandelen hvis aktiviteten ikke er det.",
        "Grasrotdelen er for lokal eller regional aktivitet. Svar nei til Grasrotdelen om aktiviteten ikkje er det.",
        "Grasrotandelen is for local or regional activity: say no to it if yours is not",
    )
    .at("content.frivillig_organisasjon.grasrotandel.drives_all_aktivitet_lokalt_eller_regionalt")
}

pub(super) fn grasrot_unanswered(field: &'static str) -> Refusal {
    refuse(
        &rules::R_2_17,
        "GrasrotUnanswered",
        "Svar på alle spørsmålene om Grasrotandelen, eller svar nei til å delta.",
        "Svar på alle spørsmåla om Grasrotdelen, eller svar nei til å delta.",
        "answer all questions on Grasrotandelen, or say no to taking part",
    )
    .at(field)
}

pub(super) fn no_business() -> Refusal {
    refuse(
        &rules::R_2_20,
        "NoBusiness",
        "Foretaksregisteret er bare for næringsvirksomhet, og det koster gebyr. Ta FOR ut av meldingen, eller kryss av for næringsvirksomhet.",
        "Føretaksregisteret er berre for næringsverksemd, og det kostar gebyr. Ta FOR ut av meldinga, eller kryss av for næringsverksemd.",
        "Foretaksregisteret is for business only, and has a fee: take FOR out of the notification, or state that there is business",
    )
    .at("registers")
}

pub(super) fn register_of_form(register: &'static str, form: &'static str) -> Refusal {
    Refusal::new(
        &FORM,
        "RegisterMissing",
        Text::formatted(
            format!("En ny enhet med formen {form} meldes også til {register}. Ta det med i meldingen."),
            format!("Ei ny eining med forma {form} blir òg meld til {register}. Ta det med i meldinga."),
            format!("a new unit of the form {form} is reported to {register} too: add it to the notification"),
        ),
    )
    .at("registers")
    .with("register", register)
}

pub(super) fn only_foundations() -> Refusal {
    refuse(
        &FORM,
        "OnlyFoundations",
        "Stiftelsesregisteret er bare for stiftelser. Ta STI ut av meldingen.",
        "Stiftingsregisteret er berre for stiftingar. Ta STI ut av meldinga.",
        "Stiftelsesregisteret is for foundations only: take STI out of the notification",
    )
    .at("registers")
}

pub(super) fn needs_auditor() -> Refusal {
    refuse(
        &FORM,
        "AuditorMissing",
        "En stiftelse må ha revisor. Oppgi revisors organisasjonsnummer.",
        "Ei stifting må ha revisor. Oppgi organisasjonsnummeret til revisoren.",
        "a foundation has to have an auditor: give the auditor's organisation number",
    )
    .at("content.revisor_orgnr")
}

/// names what Enhetsregisteret has to know.
pub(super) fn incomplete(field: &'static str) -> Refusal {
    refuse(
        &rules::R_2_07,
        "ContentIncomplete",
        "Enhetsregisteret må vite dette før noen kan signere. Fyll det ut.",
        "Einingsregisteret må vite dette før nokon kan signere. Fyll det ut.",
        "Enhetsregisteret has to know this before anybody can sign: fill it in",
    )
    .at(field)
}

pub(super) fn document_missing(rule: &'static Rule, kind: &'static str) -> Refusal {
    refuse(
        rule,
        "DocumentMissing",
        "Legg ved vedtekter og stiftelsesdokument. Er stiftelsesdokumentet borte, legg ved en forklaring og siste protokoll.",
        "Legg ved vedtekter og stiftingsdokument. Er stiftingsdokumentet borte, legg ved ei forklaring og siste protokoll.",
        "attach bylaws and founding document; if the founding document is lost, an explanation and the last minutes",
    )
    .at("documents")
    .with("kind", kind)
}

pub(super) fn election_not_declared() -> Refusal {
    refuse(
        &rules::R_2_09,
        "BoardElectionNotDeclared",
        "Erklær at styret er gyldig valgt og at protokollen finnes. Protokollen skal ikke sendes inn.",
        "Erklær at styret er gyldig valt og at protokollen finst. Protokollen skal ikkje sendast inn.",
        "declare that the board was validly elected and that minutes exist; the minutes are not sent",
    )
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

pub(super) fn auditor_unconfirmed(orgnr: &str) -> Refusal {
    refuse(
        &rules::R_2_11,
        "AuditorUnconfirmed",
        "Revisor eller regnskapsfører må bekrefte oppdraget før meldingen sendes.",
        "Revisor eller rekneskapsførar må stadfeste oppdraget før meldinga blir send.",
        "the auditor or accountant has to confirm the assignment before the notification is sent",
    )
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
