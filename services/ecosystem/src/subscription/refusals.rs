//! Why a subscription says no.

use ryggrad_access::{Grant, Invalid};
use ryggrad_decider::input::wrong_state;
use ryggrad_decider::{Refusal, Text, rules};

pub(super) fn not_there() -> Refusal {
    wrong_state(
        "none",
        "Det finnes ikke noe abonnement med denne id-en.",
        "Det finst ikkje noko abonnement med denne id-en.",
        "there is no subscription with this id",
    )
    .at("subscription_id")
}

pub(super) fn exists_already() -> Refusal {
    wrong_state(
        "approved",
        "Abonnementet finnes fra før. Bruk en ny id for et nytt.",
        "Abonnementet finst frå før. Bruk ein ny id for eit nytt.",
        "the subscription exists already: use a new id for a new one",
    )
    .at("subscription_id")
}

pub(super) fn no_stakeholder(code: &str) -> Refusal {
    Refusal::new(
        &rules::ACCESS,
        "UnknownStakeholder",
        Text::new(
            "Oppgi hvilken interessent i tilgangsmatrisen abonnementet er for, for eksempel LOTTSTIFT.",
            "Oppgi kva interessent i tilgangsmatrisa abonnementet er for, til dømes LOTTSTIFT.",
            "say which stakeholder of the access matrix the subscription is for, for example LOTTSTIFT",
        ),
    )
    .at("stakeholder")
    .with("stakeholder", code)
}

pub(super) fn nothing_to_subscribe_to(grant: &Grant) -> Refusal {
    let Grant { name, .. } = grant;
    Refusal::new(
        &rules::ACCESS,
        "OpenDataOnly",
        Text::formatted(
            format!("{name} har ikke grunnlag for mer enn åpne data, og de kan leses uten abonnement."),
            format!("{name} har ikkje grunnlag for meir enn opne data, og dei kan lesast utan abonnement."),
            format!("{name} has no basis for more than open data, which can be read without a subscription"),
        ),
    )
    .at("stakeholder")
    .with("stakeholder", grant.code)
}

pub(super) fn no_legal_basis(grant: &Grant) -> Refusal {
    let bases = grant.legal_bases.join("; ");
    Refusal::new(
        &rules::ACCESS,
        "NoLegalBasis",
        Text::formatted(
            format!(
                "Oppgi grunnlaget abonnementet hviler på. For {} er det ett av disse: {bases}.",
                grant.name
            ),
            format!(
                "Oppgi grunnlaget abonnementet kviler på. For {} er det eitt av desse: {bases}.",
                grant.name
            ),
            format!(
                "name what the subscription rests on; for {} it is one of these: {bases}",
                grant.name
            ),
        ),
    )
    .at("legal_basis")
    .with("legal_bases", &bases)
}

pub(super) fn view_not_for(grant: &Grant, view: &str) -> Refusal {
    let views = grant
        .views
        .iter()
        .map(|view| view.name())
        .collect::<Vec<_>>()
        .join(", ");
    Refusal::new(
        &rules::ACCESS,
        "ViewNotCovered",
        Text::formatted(
            format!("Visningen {view:?} er ikke for {}. Velg blant: {views}.", grant.name),
            format!("Visinga {view:?} er ikkje for {}. Vel blant: {views}.", grant.name),
            format!("the view {view:?} is not for {}; choose among: {views}", grant.name),
        ),
    )
    .at("views")
    .with("views", &views)
}

pub(super) fn type_not_for(grant: &Grant, name: &str) -> Refusal {
    Refusal::new(
        &rules::ACCESS,
        "TypeNotCovered",
        Text::formatted(
            format!("Hendelsen {name} er ikke for {}. Ta den ut av filteret.", grant.name),
            format!("Hendinga {name} er ikkje for {}. Ta henne ut av filteret.", grant.name),
            format!("the event {name} is not for {}: leave it out of the filter", grant.name),
        ),
    )
    .at("filter.types")
    .with("type", name)
}

pub(super) fn not_of_rows(field: &str, view: &str) -> Refusal {
    Refusal::new(
        &rules::ACCESS,
        "FilterNotOfView",
        Text::formatted(
            format!(
                "Visningen {view} viser tilstander, ikke hendelser, og kan ikke avgrenses med {field}. Avgrens den med \
                 organisations eller kommunenummer, eller søk om visningen i et eget abonnement."
            ),
            format!(
                "Visinga {view} viser tilstandar, ikkje hendingar, og kan ikkje avgrensast med {field}. Avgrens henne med \
                 organisations eller kommunenummer, eller søk om visinga i eit eige abonnement."
            ),
            format!(
                "the view {view} has states, not events, and cannot be bound by {field}: bind it by organisations or \
                 kommunenummer, or ask for it in a subscription of its own"
            ),
        ),
    )
    .at(format!("filter.{field}"))
    .with("view", view)
}

pub(super) fn filter(invalid: Invalid) -> Refusal {
    let Invalid { field, problem } = invalid;
    Refusal::invalid(
        field,
        Text::formatted(
            format!("Verdien kan ikke brukes: {problem}."),
            format!("Verdien kan ikkje brukast: {problem}."),
            problem,
        ),
    )
}

pub(super) fn over_already() -> Refusal {
    Refusal::invalid(
        "until",
        Text::new(
            "Siste dag er i fortiden. Velg i dag eller senere.",
            "Siste dag er i fortida. Vel i dag eller seinare.",
            "the last day has passed: choose today or later",
        ),
    )
}
