//! Why the content of a notification is refused.

use ryggrad_decider::{Refusal, Rule, Text, rules};

use crate::form::FORM;
use crate::input::refuse;

/// Content for a register that the notification does not go to.
pub(in crate::registration_case) fn not_for_fr() -> Refusal {
    refuse(
        &rules::INPUT,
        "NotForFrivillighetsregisteret",
        "Meldingen går ikke til Frivillighetsregisteret. Ta med FR blant registrene, eller la feltet stå tomt.",
        "Meldinga går ikkje til Frivilligregisteret. Ta med FR mellom registra, eller lat feltet stå tomt.",
        "the notification does not go to Frivillighetsregisteret: name FR among the registers, or leave the field empty",
    )
    .at("content.frivillig_organisasjon")
}

pub(in crate::registration_case) fn unknown_register(code: &str) -> Refusal {
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

pub(in crate::registration_case) fn needs_er() -> Refusal {
    refuse(
        &rules::R_2_13,
        "NotInEnhetsregisteret",
        "Frivillighetsregisteret krever at organisasjonen er i Enhetsregisteret. Ta med ER i meldingen, eller oppgi organisasjonsnummeret.",
        "Frivilligregisteret krev at organisasjonen er i Einingsregisteret. Ta med ER i meldinga, eller oppgi organisasjonsnummeret.",
        "Frivillighetsregisteret needs the organisation to be in Enhetsregisteret: add ER to the notification, or give the organisation number",
    )
    .at("registers")
}

/// A number that is there is never given anew.
pub(in crate::registration_case) fn has_a_number() -> Refusal {
    refuse(
        &rules::INPUT,
        "InvalidField",
        "En ny enhet har ikke organisasjonsnummer før Enhetsregisteret gir den et. Ta ut nummeret, eller ta ER ut av meldingen hvis enheten alt er registrert.",
        "Ei ny eining har ikkje organisasjonsnummer før Einingsregisteret gjev ho eit. Ta ut nummeret, eller ta ER ut av meldinga om eininga alt er registrert.",
        "a new unit has no number before Enhetsregisteret gives it one: leave the number out, or take ER out of the notification if the unit is registered already",
    )
    .at("content.organisasjonsnummer")
}

pub(in crate::registration_case) fn not_eligible(form: &str) -> Refusal {
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

pub(in crate::registration_case) fn distributes_elsewhere(form: &str) -> Refusal {
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

pub(in crate::registration_case) fn unanswered(field: &'static str) -> Refusal {
    refuse(
        &rules::R_2_15,
        "RightToRegisterUnanswered",
        "Spørsmålene om rett til registrering må besvares. Svar ja eller nei.",
        "Spørsmåla om rett til registrering må svarast på. Svar ja eller nei.",
        "the questions on the right to register have to be answered: yes or no",
    )
    .at(field)
}

/// asks what says: that is where its law is.
pub(in crate::registration_case) fn no_right(
    field: &'static str,
    nb: &'static str,
    nn: &'static str,
    en: &'static str,
) -> Refusal {
    refuse(&rules::R_2_15, "NoRightToRegister", nb, nn, en)
        .by_law_of(&rules::R_2_14)
        .at(field)
}

pub(in crate::registration_case) fn icnpo_count(found: usize) -> Refusal {
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

pub(in crate::registration_case) fn icnpo_twice(code: &str) -> Refusal {
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

pub(in crate::registration_case) fn account_missing() -> Refusal {
    refuse(
        &rules::R_2_17,
        "AccountMissing",
        "Grasrotandelen betales til en konto. Knytt et kontonummer til meldingen, eller svar nei til Grasrotandelen.",
        "Grasrotandelen blir betalt til ein konto. Knyt eit kontonummer til meldinga, eller svar nei til Grasrotandelen.",
        "Grasrotandelen is paid to an account: add an account number, or say no to Grasrotandelen",
    )
    .at("kontonummer_token")
}

pub(in crate::registration_case) fn not_local() -> Refusal {
    refuse(
        &rules::R_2_17,
        "NotLocal",
        "Grasrotandelen er for lokal eller regional aktivitet. Svar nei til Grasrotandelen hvis aktiviteten ikke er det.",
        "Grasrotandelen er for lokal eller regional aktivitet. Svar nei til Grasrotandelen om aktiviteten ikkje er det.",
        "Grasrotandelen is for local or regional activity: say no to it if yours is not",
    )
    .at("content.frivillig_organisasjon.grasrotandel.drives_all_aktivitet_lokalt_eller_regionalt")
}

pub(in crate::registration_case) fn grasrot_unanswered(field: &'static str) -> Refusal {
    refuse(
        &rules::R_2_17,
        "GrasrotUnanswered",
        "Svar på alle spørsmålene om Grasrotandelen, eller svar nei til å delta.",
        "Svar på alle spørsmåla om Grasrotandelen, eller svar nei til å delta.",
        "answer all questions on Grasrotandelen, or say no to taking part",
    )
    .at(field)
}

pub(in crate::registration_case) fn no_business() -> Refusal {
    refuse(
        &rules::R_2_20,
        "NoBusiness",
        "Foretaksregisteret er bare for næringsvirksomhet, og det koster gebyr. Ta FOR ut av meldingen, eller kryss av for næringsvirksomhet.",
        "Føretaksregisteret er berre for næringsverksemd, og det kostar gebyr. Ta FOR ut av meldinga, eller kryss av for næringsverksemd.",
        "Foretaksregisteret is for business only, and has a fee: take FOR out of the notification, or state that there is business",
    )
    .at("registers")
}

pub(in crate::registration_case) fn register_of_form(register: &'static str, form: &'static str) -> Refusal {
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

pub(in crate::registration_case) fn only_foundations() -> Refusal {
    refuse(
        &FORM,
        "OnlyFoundations",
        "Stiftelsesregisteret er bare for stiftelser. Ta STI ut av meldingen.",
        "Stiftingsregisteret er berre for stiftingar. Ta STI ut av meldinga.",
        "Stiftelsesregisteret is for foundations only: take STI out of the notification",
    )
    .at("registers")
}

pub(in crate::registration_case) fn needs_auditor() -> Refusal {
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
pub(in crate::registration_case) fn incomplete(field: &'static str) -> Refusal {
    refuse(
        &rules::R_2_07,
        "ContentIncomplete",
        "Enhetsregisteret må vite dette før noen kan signere. Fyll det ut.",
        "Einingsregisteret må vite dette før nokon kan signere. Fyll det ut.",
        "Enhetsregisteret has to know this before anybody can sign: fill it in",
    )
    .at(field)
}

/// Bylaws are attached by law or by practice, as the registers of the case say.
pub(in crate::registration_case) fn bylaws_missing(rule: &'static Rule) -> Refusal {
    document_missing(
        rule,
        "vedtekter",
        "Legg ved vedtektene.",
        "Legg ved vedtektene.",
        "attach the bylaws",
    )
}

pub(in crate::registration_case) fn founding_document_missing() -> Refusal {
    document_missing(
        &rules::R_2_03,
        "stiftelsesdokument",
        "Legg ved stiftelsesdokumentet. Er det borte, legg ved en forklaring og siste protokoll.",
        "Legg ved stiftingsdokumentet. Er det borte, legg ved ei forklaring og siste protokoll.",
        "attach the founding document; if it is lost, an explanation and the last minutes",
    )
}

pub(in crate::registration_case) fn minutes_missing() -> Refusal {
    document_missing(
        &rules::R_2_04,
        "protokoll",
        "Stiftelsesdokumentet er borte. Legg ved siste protokoll i tillegg til forklaringen.",
        "Stiftingsdokumentet er borte. Legg ved siste protokoll i tillegg til forklaringa.",
        "the founding document is lost: attach the last minutes beside the explanation",
    )
}

/// Named after the field of `AttachDocument` that is to say it.
fn document_missing(
    rule: &'static Rule,
    kind: &'static str,
    nb: &'static str,
    nn: &'static str,
    en: &'static str,
) -> Refusal {
    refuse(rule, "DocumentMissing", nb, nn, en)
        .at("kind")
        .with("kind", kind)
}
