//! Given the facts about an organisation, when folded, then what the feeds tell, and nothing else.

use proptest::prelude::*;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::organisation_event::Event;

use super::*;
use crate::example::{changed, entered, fold, minute, organisation, registered};
use crate::register_units::RegisterUnits;

fn changes(facts: impl IntoIterator<Item = Event>) -> Vec<RegisterChange> {
    fold(&RegisterChanges, &organisation(facts))
        .into_values()
        .filter(|row| row.position > 0)
        .collect()
}

fn kinds(facts: impl IntoIterator<Item = Event>) -> Vec<(u64, Endringstype, Endringstype)> {
    changes(facts)
        .iter()
        .map(|row| (row.position, row.enhetsregisteret(), row.frivillighetsregisteret()))
        .collect()
}

fn deleted(ground: &str) -> Event {
    pb::OrganisationDeleted {
        slettedato: "2026-05-01".into(),
        ground: ground.into(),
        ..pb::OrganisationDeleted::default()
    }
    .into()
}

use Endringstype::{Endring, Fjernet, Ny, Sletting, Unspecified as Nothing};

#[test]
fn a_life_in_both_registers() {
    let icnpo: Event = pb::ActivityCategoriesChanged {
        icnpo: vec!["1300".into()],
        ..pb::ActivityCategoriesChanged::default()
    }
    .into();
    let left: Event = pb::VoluntaryRegistrationDeleted::default().into();
    let life = [registered(), entered(), icnpo, left, entered(), deleted("")];
    assert_eq!(
        kinds(life),
        [
            (1, Ny, Nothing),
            (2, Endring, Ny),
            (3, Nothing, Endring),
            (4, Endring, Sletting),
            (5, Endring, Ny),
            (6, Sletting, Sletting),
        ]
    );
}

#[test]
fn a_newer_word_about_an_entry_is_a_change_of_it() {
    let again = |day: &str| {
        Event::from(pb::VoluntaryRegistrationEntered {
            innfoert_dato: day.into(),
            grasrot_deltar_i: true,
            vedtekter_registrert: true,
            ..pb::VoluntaryRegistrationEntered::default()
        })
    };
    // The day is in both registers' documents, the bylaws in one, and what was said already is no news.
    let life = [
        registered(),
        entered(),
        again("2010-01-01"),
        again("2010-01-01"),
        entered(),
    ];
    assert_eq!(
        kinds(life)[1..],
        [(2, Endring, Ny), (3, Endring, Endring), (5, Endring, Endring)]
    );
    let bylaws = [registered(), entered(), again("2009-03-01")];
    assert_eq!(kinds(bylaws)[2..], [(3, Nothing, Endring)]);
}

#[test]
fn every_change_tells_whose_it_is() {
    let site = pb::OrganisationDetails::default();
    let life = [registered(), changed(&["hjemmeside"], site), deleted("fjernet")];
    for change in changes(life) {
        let organisation = change.after.expect("after").organisation_id;
        assert_eq!(organisation, crate::example::id(1).to_string(), "{}", change.position);
    }
}

#[test]
fn who_is_removed_is_removed_from_both() {
    assert_eq!(
        kinds([registered(), entered(), deleted("fjernet"), entered()])[2..],
        [(3, Fjernet, Fjernet)]
    );
    assert_eq!(kinds([registered(), deleted("fjernet")])[1..], [(2, Fjernet, Nothing)]);
}

#[test]
fn a_fact_that_no_document_shows_is_no_change() {
    // The organisation's own words about its purpose are in no register.
    let purpose = pb::OrganisationDetails {
        purpose: "Noe annet".into(),
        ..pb::OrganisationDetails::default()
    };
    let roles: Event = pb::RolesReported::default().into();
    assert_eq!(
        kinds([registered(), changed(&["purpose"], purpose), roles]),
        [(1, Ny, Nothing)]
    );
}

#[test]
fn an_event_of_something_else_is_no_poison() {
    let other = crate::example::named("registration", "Founding", "OrganisationFounded");
    assert!(fold(&RegisterChanges, &[other]).is_empty());
}

#[test]
fn a_change_has_its_position_its_instant_and_both_values() {
    let site = pb::OrganisationDetails {
        hjemmeside: "vang.example".into(),
        ..pb::OrganisationDetails::default()
    };
    let rows = changes([registered(), changed(&["hjemmeside"], site)]);
    let [_, change] = rows.as_slice() else {
        panic!("{rows:?}")
    };
    assert_eq!((change.position, change.dato), (2, Some(minute(2).into())));
    let (before, after) = (
        change.before.clone().expect("before"),
        change.after.clone().expect("after"),
    );
    assert_eq!(
        (before.hjemmeside.as_str(), after.hjemmeside.as_str()),
        ("www.vang-il.example", "vang.example")
    );
    // What did not change is not told again.
    assert_eq!((after.aktivitet.len(), after.forretningsadresse), (0, None));
}

fn any_fact() -> impl Strategy<Value = Event> {
    let details = |field: &'static str| {
        ("[a-c]{0,1}", 0_u32..3).prop_map(move |(text, number)| {
            changed(
                &[field],
                pb::OrganisationDetails {
                    name: text.clone(),
                    hjemmeside: text.clone(),
                    naeringskoder: vec![text; number as usize],
                    antall_ansatte: Some(number),
                    ..pb::OrganisationDetails::default()
                },
            )
        })
    };
    prop_oneof![
        Just(registered()),
        Just(entered()),
        details("name"),
        details("hjemmeside"),
        details("naeringskoder"),
        details("antall_ansatte"),
        Just(pb::VoluntaryRegistrationDeleted::default().into()),
        Just(pb::GrasrotParticipationEnded::default().into()),
        Just(pb::GrasrotParticipationApproved::default().into()),
        (2024_u32..2027).prop_map(|year| pb::AnnualAccountsSubmitted {
            year,
            ..Default::default()
        }
        .into()),
        Just(pb::InsolvencyDeclared::default().into()),
        Just(pb::DissolutionReported::default().into()),
        Just(pb::DissolutionRevoked::default().into()),
        Just(deleted("")),
    ]
}

proptest! {
    /// Who follows the feed knows what the register answers: an answer changes only at a change, and the patch leads from one
    /// to the next.
    #[test]
    fn the_feed_tells_every_change_of_an_answer_and_no_other(facts in prop::collection::vec(any_fact(), 1..12)) {
        let rows = changes(facts.clone());
        let answers = |until: usize| {
            let unit = fold(&RegisterUnits, &organisation(facts[..until].iter().cloned())).into_values().next();
            let er = unit.as_ref().map(|unit| serde_json::to_value(document::enhet(unit, "")).expect("a document"));
            let fr = unit.as_ref().and_then(|unit| document::frivillig(unit, None)).map(|record| serde_json::to_value(record).expect("a document"));
            (er, fr)
        };
        for position in 1..=facts.len() {
            let (before, after) = (answers(position - 1), answers(position));
            let row = rows.iter().find(|row| row.position == position as u64);
            let kind = |kind: Endringstype| kind != Nothing;
            prop_assert_eq!(before.0 != after.0, row.is_some_and(|row| kind(row.enhetsregisteret())), "{}", position);
            prop_assert_eq!(before.1 != after.1, row.is_some_and(|row| kind(row.frivillighetsregisteret())), "{}", position);
            if let Some(row) = row && row.enhetsregisteret() == Endring {
                let told = (row.before.as_ref().expect("before"), row.after.as_ref().expect("after"));
                let steps = crate::doors::steps(&document::enhet(told.0, ""), &document::enhet(told.1, ""));
                let whole = crate::doors::steps(&before.0, &after.0);
                prop_assert_eq!(steps, whole, "what was left out was no part of the change");
            }
            if let Some(row) = row && row.frivillighetsregisteret() == Endring {
                let told = (row.before.as_ref().expect("before"), row.after.as_ref().expect("after"));
                let steps = crate::doors::steps(&document::frivillig(told.0, None), &document::frivillig(told.1, None));
                prop_assert_eq!(steps, crate::doors::steps(&before.1, &after.1));
            }
        }
    }
}
