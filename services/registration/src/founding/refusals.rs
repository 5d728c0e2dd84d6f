//! Why a founding says no.

use std::fmt::Display;

use ryggrad_decider::{Refusal, Text, rules};

use super::Status;
use crate::form::{FORM, Form, SURPLUS};
use crate::input::{refuse, wrong_state};

pub(super) fn state(status: Status) -> Refusal {
    let (nb, nn, en) = match status {
        Status::Unplanned => (
            "Det finnes ingen stiftelse med denne id-en. Planlegg den først.",
            "Det finst inga stifting med denne id-en. Planlegg ho først.",
            "there is no founding with this id: plan it first",
        ),
        Status::Planned => (
            "Stiftelsen er bare planlagt. Kall inn til stiftelsesmøte, eller registrer møtet hvis det er holdt.",
            "Stiftinga er berre planlagd. Kall inn til stiftingsmøte, eller registrer møtet om det er halde.",
            "the founding is only planned: call the founding meeting, or record it if it was held",
        ),
        Status::Convened => (
            "Stiftelsesmøtet er innkalt. Registrer at det er holdt først.",
            "Stiftingsmøtet er kalla inn. Registrer at det er halde først.",
            "the founding meeting is called: record that it was held first",
        ),
        Status::Held => (
            "Stiftelsesmøtet er holdt. Vedta vedtekter, velg styre og signer stiftelsesdokumentet først.",
            "Stiftingsmøtet er halde. Vedta vedtekter, vel styre og signer stiftingsdokumentet først.",
            "the founding meeting was held: adopt bylaws, elect a board and sign the founding document first",
        ),
        Status::Documented => (
            "Stiftelsesdokumentet er signert. Fullfør stiftelsen.",
            "Stiftingsdokumentet er signert. Fullfør stiftinga.",
            "the founding document is signed: complete the founding",
        ),
        Status::Completed { .. } => (
            "Organisasjonen er stiftet, og stiftelsen kan ikke endres mer.",
            "Organisasjonen er stifta, og stiftinga kan ikkje endrast meir.",
            "the organisation is founded, and its founding cannot be changed any more",
        ),
        Status::Cancelled => (
            "Stiftelsen er avlyst. Planlegg en ny.",
            "Stiftinga er avlyst. Planlegg ei ny.",
            "the founding was called off: plan a new one",
        ),
    };
    wrong_state(status.name().unwrap_or("none"), nb, nn, en)
}

pub(super) fn meeting_in_the_past() -> Refusal {
    refuse(
        &rules::INPUT,
        "InvalidField",
        "Datoen er passert. Er møtet holdt, registrer det som holdt i stedet for å kalle inn; ellers velg en dag som kommer.",
        "Datoen er passert. Er møtet halde, registrer det som halde i staden for å kalle inn; elles vel ein dag som kjem.",
        "the day has passed: if the meeting was held, record it instead of calling it; otherwise choose a day to come",
    )
    .at("date")
}

pub(super) fn only_paper_is_dated() -> Refusal {
    refuse(
        &rules::INPUT,
        "InvalidField",
        "Bare en signatur på papir kan ha et eget tidspunkt. En elektronisk signatur gis nå.",
        "Berre ein signatur på papir kan ha eit eige tidspunkt. Ein elektronisk signatur blir gitt no.",
        "only a signature on paper has a time of its own: an electronic one is given now",
    )
    .at("signed_at")
}

pub(super) fn signed_before_the_meeting() -> Refusal {
    refuse(
        &rules::R_2_03,
        "SignedBeforeMeeting",
        "Stiftelsesdokumentet kan ikke være signert før møtet. Rett tidspunktet.",
        "Stiftingsdokumentet kan ikkje vere signert før møtet. Rett tidspunktet.",
        "the founding document cannot have been signed before the meeting: correct the time",
    )
    .at("signed_at")
}

pub(super) fn in_the_future(field: &'static str) -> Refusal {
    refuse(
        &rules::INPUT,
        "InvalidField",
        "Datoen er ikke kommet ennå. Registrer det når det har skjedd.",
        "Datoen er ikkje komen enno. Registrer det når det har hendt.",
        "the day has not come yet: record it when it has happened",
    )
    .at(field)
}

pub(super) fn place_missing() -> Refusal {
    refuse(
        &rules::R_2_03,
        "PlaceMissing",
        "Skriv hvor møtet er, eller at det er digitalt.",
        "Skriv kvar møtet er, eller at det er digitalt.",
        "say where the meeting is, or that it is digital",
    )
    .at("place")
}

pub(super) fn too_few_founders(form: Form, found: usize) -> Refusal {
    let min = form.founders();
    let (rule, nb, nn) = match form {
        Form::Fli => (&rules::R_2_01, "En forening", "Ei foreining"),
        Form::Sti => (&FORM, "En stiftelse", "Ei stifting"),
        Form::Sa => (&FORM, "Et samvirkeforetak", "Eit samvirkeføretak"),
        Form::As => (&FORM, "Et aksjeselskap", "Eit aksjeselskap"),
    };
    Refusal::new(
        rule,
        "TooFewFounders",
        Text::formatted(
            format!("{nb} trenger minst {min} ulike stiftere. Dere er {found}; få med flere."),
            format!("{nn} treng minst {min} ulike stiftarar. De er {found}; få med fleire."),
            format!(
                "{} takes at least {min} different founders, and you are {found}: find more",
                form.code()
            ),
        ),
    )
    .at("founders")
    .with("n", found)
    .with("min", min)
}

pub(super) fn not_decided(votes_for: impl Display, votes_cast: impl Display) -> Refusal {
    refuse(
        &rules::R_2_03,
        "FoundingNotDecided",
        "Mer enn halvparten av stemmene må være for å stifte. Hold et nytt møte, eller avlys stiftelsen.",
        "Meir enn halvparten av røystene må vere for å stifte. Hald eit nytt møte, eller avlys stiftinga.",
        "more than half of the votes must be for founding: hold a new meeting, or call the founding off",
    )
    .at("votes_for")
    .with("votes_for", votes_for)
    .with("votes_cast", votes_cast)
}

pub(super) fn bylaws_incomplete(form: Form, uncovered: &[&'static str]) -> Refusal {
    let list = uncovered.join(", ");
    Refusal::new(
        form.bylaws_rule(),
        "BylawsIncomplete",
        Text::formatted(
            format!("Vedtektene mangler: {list}. Ta inn bestemmelser om det, og vedta dem på nytt."),
            format!("Vedtektene manglar: {list}. Ta inn føresegner om det, og vedta dei på nytt."),
            format!("the bylaws do not cover: {list}; add it and adopt them again"),
        ),
    )
    .at("content_checklist")
    .with("missing", list)
}

pub(super) fn surplus_not_to_purpose() -> Refusal {
    refuse(
        &SURPLUS,
        "SurplusNotToPurpose",
        "Vedtektene må si at overskudd går tilbake til formålet, også når organisasjonen legges ned.",
        "Vedtektene må seie at overskot går attende til føremålet, også når organisasjonen blir lagd ned.",
        "the bylaws have to say that a surplus goes back to the purpose, also when the organisation ends",
    )
    .at("content_checklist")
}

pub(super) fn has_owners() -> Refusal {
    refuse(
        &rules::R_2_02,
        "HasOwners",
        "Vedtektene må si at ingen eier organisasjonen, og at midlene ikke kan deles mellom medlemmene.",
        "Vedtektene må seie at ingen eig organisasjonen, og at midlane ikkje kan delast mellom medlemene.",
        "the bylaws have to say that nobody owns the organisation and that its assets are not divided among the members",
    )
    .at("content_checklist")
}

pub(super) fn document_not_ready() -> Refusal {
    refuse(
        &rules::R_2_03,
        "FoundingDocumentIncomplete",
        "Stiftelsesdokumentet skal vise vedtektene og styret. Vedta vedtekter og velg styre før dere signerer.",
        "Stiftingsdokumentet skal vise vedtektene og styret. Vedta vedtekter og vel styre før de signerer.",
        "the founding document shows bylaws and board: adopt bylaws and elect a board before you sign",
    )
}

pub(super) fn signed_already() -> Refusal {
    refuse(
        &rules::R_2_03,
        "FoundingDocumentSigned",
        "Noen har alt signert stiftelsesdokumentet, så innholdet kan ikke endres. Avlys og planlegg på nytt hvis det er feil.",
        "Nokon har alt signert stiftingsdokumentet, så innhaldet kan ikkje endrast. Avlys og planlegg på nytt om det er feil.",
        "somebody has signed the founding document, so its content cannot change: call it off and plan anew if it is wrong",
    )
}

pub(super) fn not_a_founder(field: &'static str) -> Refusal {
    refuse(
        &rules::R_2_03,
        "NotAFounder",
        "Bare de som stiftet organisasjonen på møtet, signerer stiftelsesdokumentet.",
        "Berre dei som stifta organisasjonen på møtet, signerer stiftingsdokumentet.",
        "only those who founded at the meeting sign the founding document",
    )
    .at(field)
}

pub(super) fn other_document() -> Refusal {
    refuse(
        &rules::R_2_03,
        "DocumentDiffers",
        "De andre har signert et annet dokument. Alle skal signere det samme.",
        "Dei andre har signert eit anna dokument. Alle skal signere det same.",
        "the others have signed another document: everybody signs the same",
    )
    .at("document_hash")
}
