//! Why an initiative says no.

use ryggrad_decider::{Refusal, rules};

use super::{Stage, Status};
use crate::input::{refuse, wrong_state};

pub(super) fn not_there() -> Refusal {
    wrong_state(
        "none",
        "Det finnes ingen idé med denne id-en. Registrer ideen først.",
        "Det finst ingen idé med denne id-en. Registrer ideen først.",
        "there is no initiative with this id: sketch it first",
    )
    .at("initiative_id")
}

pub(super) fn exists_already() -> Refusal {
    wrong_state(
        "sketched",
        "Ideen er registrert fra før. Bruk en ny id for en ny idé.",
        "Ideen er registrert frå før. Bruk ein ny id for ein ny idé.",
        "the initiative is sketched already: use a new id for a new one",
    )
    .at("initiative_id")
}

pub(super) fn over(status: &Status) -> Refusal {
    wrong_state(
        status.name().unwrap_or("none"),
        "Ideen er avsluttet og kan ikke endres. Registrer en ny idé for å begynne på nytt.",
        "Ideen er avslutta og kan ikkje endrast. Registrer ein ny idé for å byrje på nytt.",
        "the initiative has ended and cannot be changed: sketch a new one to start again",
    )
}

pub(super) fn stage(stage: Stage) -> Refusal {
    let (nb, nn, en) = match stage {
        Stage::Sketched => (
            "Ideen er bare skissert. Åpne den for medstiftere først.",
            "Ideen er berre skissert. Opne han for medstiftarar først.",
            "the initiative is only sketched: open it for co-founders first",
        ),
        Stage::Open => (
            "Ideen er åpen, men prøveperioden har ikke startet. Start den først.",
            "Ideen er open, men prøveperioden har ikkje starta. Start han først.",
            "the initiative is open, but no trial has started: start it first",
        ),
        Stage::Trialling => (
            "Prøveperioden pågår. Evaluer den først.",
            "Prøveperioden går føre seg. Evaluer han først.",
            "the trial is going on: evaluate it first",
        ),
        Stage::Evaluated => (
            "Prøveperioden er evaluert. Gå videre til stiftelse, eller legg ideen inn i en organisasjon som finnes.",
            "Prøveperioden er evaluert. Gå vidare til stifting, eller legg ideen inn i ein organisasjon som finst.",
            "the trial has been evaluated: go on to found, or take the initiative into an organisation that exists",
        ),
    };
    wrong_state(stage.name(), nb, nn, en)
}

pub(super) fn reason_missing() -> Refusal {
    refuse(
        &rules::R_1_02,
        "ReasonMissing",
        "Skriv kort hvorfor dere vil lage noe nytt selv om dere har sett på det som finnes. Det stopper dere ikke.",
        "Skriv kort kvifor de vil lage noko nytt sjølv om de har sett på det som finst. Det stoppar dykk ikkje.",
        "say briefly why something new is wanted although you have looked at what exists; it does not stop you",
    )
    .at("reason")
}

pub(super) fn not_reviewed() -> Refusal {
    refuse(
        &rules::R_1_02,
        "ExistingOfferingsNotReviewed",
        "Se først på hva som finnes i kommunen, og registrer hva dere kom til. Deretter kan dere stifte.",
        "Sjå først på kva som finst i kommunen, og registrer kva de kom til. Deretter kan de stifte.",
        "look first at what exists in the municipality and record what you found; then you can found",
    )
}

pub(super) fn form_not_founded(form: &str) -> Refusal {
    refuse(
        &rules::R_1_01,
        "FormNotFounded",
        "Velg FLI (forening), STI (stiftelse), SA (samvirkeforetak) eller AS (aksjeselskap). En gruppe i en forening trenger ingen stiftelse.",
        "Vel FLI (foreining), STI (stifting), SA (samvirkeføretak) eller AS (aksjeselskap). Ei gruppe i ei foreining treng inga stifting.",
        "choose FLI (association), STI (foundation), SA (cooperative) or AS (company); a group inside an association needs no founding",
    )
    .at("proposed_form")
    .with("form", form)
}

pub(super) fn host_has_not_accepted() -> Refusal {
    refuse(
        &rules::STATE,
        "HostHasNotAccepted",
        "Styret i organisasjonen må selv si ja: noen i styret sender kommandoen på vegne av organisasjonen.",
        "Styret i organisasjonen må sjølv seie ja: nokon i styret sender kommandoen på vegner av organisasjonen.",
        "the organisation's board has to accept: somebody in the board sends the command, acting for the organisation",
    )
    .at("meta.actor.acting_for")
}

pub(super) fn not_a_board_role() -> Refusal {
    refuse(
        &rules::STATE,
        "HostHasNotAccepted",
        "Den som sier ja, må sitte i styret: LEDE, NEST eller MEDL.",
        "Den som seier ja, må sitje i styret: LEDE, NEST eller MEDL.",
        "whoever accepts must sit on the board: LEDE, NEST or MEDL",
    )
    .at("accepted_by_role")
}

pub(super) fn period_backwards() -> Refusal {
    refuse(
        &rules::INPUT,
        "InvalidField",
        "Prøveperioden slutter før den begynner. Rett datoene.",
        "Prøveperioden sluttar før han byrjar. Rett datoane.",
        "the trial ends before it begins: correct the dates",
    )
    .at("period_to")
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

pub(super) fn in_the_past(field: &'static str) -> Refusal {
    refuse(
        &rules::INPUT,
        "InvalidField",
        "Tidspunktet er passert. Velg et som kommer.",
        "Tidspunktet er passert. Vel eit som kjem.",
        "the time has passed: choose one to come",
    )
    .at(field)
}

pub(super) fn bands_exceed_participants() -> Refusal {
    refuse(
        &rules::INPUT,
        "InvalidField",
        "Aldersgruppene har til sammen flere enn deltakerne. Rett tallene.",
        "Aldersgruppene har til saman fleire enn deltakarane. Rett tala.",
        "the age bands add up to more than the participants: correct the numbers",
    )
    .at("age_band_counts")
}
