//! Given the facts about an organisation, when folded, then what is counted of it; and what holds for every view.

use std::collections::BTreeMap;

use proptest::prelude::*;
use prost::Message as _;
use ryggrad_proto::registration::v1 as pb;

use super::*;
use crate::example::{brreg, event, fold, id};
use crate::{MunicipalityDirectory, OrgTimeline, RegisterCase};

fn after(facts: impl IntoIterator<Item = Event>) -> Option<StatsUnit> {
    let events: Vec<_> = (1..)
        .zip(facts)
        .map(|(position, fact)| event(position, "Organisation", id(1), &fact))
        .collect();
    fold(&StatsCube, &events).remove(&id(1).to_string())
}

fn registered() -> Event {
    let address = pb::Address {
        kommunenummer: "3403".into(),
        ..pb::Address::default()
    };
    let details = OrganisationDetails {
        form: "FLI".into(),
        forretningsadresse: Some(address),
        antall_ansatte: Some(3),
        ..OrganisationDetails::default()
    };
    let registered = pb::OrganisationRegistered {
        registreringsdato: "1995-02-19".into(),
        details: Some(details),
        origin: Some(brreg()),
        ..Default::default()
    };
    registered.into()
}

fn entered() -> Event {
    pb::VoluntaryRegistrationEntered {
        icnpo: vec!["1200".into(), "4100".into()],
        ..pb::VoluntaryRegistrationEntered::default()
    }
    .into()
}

fn changed(changed: OrganisationDetails, fields: &[&str]) -> Event {
    let fields = fields.iter().map(ToString::to_string).collect();
    pb::OrganisationDetailsChanged {
        changed: Some(changed),
        fields,
        ..pb::OrganisationDetailsChanged::default()
    }
    .into()
}

fn deleted() -> Event {
    pb::OrganisationDeleted::default().into()
}

#[test]
fn an_organisation_counts_from_its_registration() {
    let unit = after([registered()]).expect("a row");
    let expected = StatsUnit {
        kommunenummer: "3403".into(),
        icnpo: String::new(),
        form: "FLI".into(),
        size: "1-4".into(),
        month: "1995-02".into(),
    };
    assert_eq!(unit, expected);
    assert_eq!(after([entered()]), None);
}

#[test]
fn the_first_category_counts() {
    assert_eq!(
        after([registered(), entered()]).map(|unit| unit.icnpo).as_deref(),
        Some("1200")
    );
    let categories = pb::ActivityCategoriesChanged {
        icnpo: vec!["4100".into()],
        ..pb::ActivityCategoriesChanged::default()
    };
    assert_eq!(
        after([registered(), entered(), categories.into()])
            .map(|unit| unit.icnpo)
            .as_deref(),
        Some("4100")
    );
    assert_eq!(
        after([
            registered(),
            entered(),
            pb::VoluntaryRegistrationDeleted::default().into()
        ])
        .map(|unit| unit.icnpo)
        .as_deref(),
        Some("")
    );
}

#[test]
fn only_the_fields_that_changed_change() {
    let unit = after([
        registered(),
        changed(
            OrganisationDetails {
                form: "STI".into(),
                ..OrganisationDetails::default()
            },
            &["form"],
        ),
    ])
    .expect("a row");
    assert_eq!(
        (unit.form.as_str(), unit.kommunenummer.as_str(), unit.size.as_str()),
        ("STI", "3403", "1-4")
    );
    let unit = after([
        registered(),
        changed(
            OrganisationDetails::default(),
            &["forretningsadresse", "antall_ansatte"],
        ),
    ])
    .expect("a row");
    assert_eq!(
        (unit.form.as_str(), unit.kommunenummer.as_str(), unit.size.as_str()),
        ("FLI", "", "")
    );
}

#[test]
fn a_deleted_organisation_does_not_count_whatever_comes_after() {
    assert_eq!(after([registered(), deleted()]), None);
    assert_eq!(
        after([
            registered(),
            deleted(),
            entered(),
            changed(OrganisationDetails::default(), &["form"])
        ]),
        None
    );
}

#[test]
fn one_that_is_being_wound_up_still_counts() {
    let ends: [Event; 3] = [
        pb::DissolutionReported::default().into(),
        pb::DissolutionRevoked::default().into(),
        pb::InsolvencyDeclared::default().into(),
    ];
    for end in ends {
        assert_eq!(after([registered(), end]), after([registered()]));
    }
}

#[test]
fn sizes_have_no_gap() {
    let bands: Vec<_> = [0, 1, 4, 5, 19, 20, 99, 100, u32::MAX].map(size).into();
    assert_eq!(
        bands,
        ["0", "1-4", "1-4", "5-19", "5-19", "20-99", "20-99", "100+", "100+"]
    );
}

/// An event of one of three organisations, made of a few numbers.
fn drawn(position: u64, organisation: u128, kind: u8, value: u8) -> Recorded {
    let year = 2000 + u32::from(value);
    let organisation_id = id(organisation);
    let fact: Event = match kind % 8 {
        0 => registered(),
        1 => entered(),
        2 => changed(
            OrganisationDetails {
                name: format!("Lag {value}"),
                antall_ansatte: Some(value.into()),
                ..OrganisationDetails::default()
            },
            &["name", "antall_ansatte"],
        ),
        3 => pb::VoluntaryRegistrationDeleted::default().into(),
        4 => pb::DissolutionReported::default().into(),
        5 => pb::AnnualAccountsSubmitted {
            year,
            ..pb::AnnualAccountsSubmitted::default()
        }
        .into(),
        6 => deleted(),
        _ => {
            let drafted = pb::registration_case_event::Event::from(pb::RegistrationDrafted {
                organisation_id: organisation_id.to_string(),
                ..Default::default()
            });
            return Recorded {
                organisation_id,
                ..event(position, "RegistrationCase", id(organisation + 100), &drafted)
            };
        }
    };
    event(position, "Organisation", organisation_id, &fact)
}

fn bytes<P: Projection>(projection: &P, events: &[Recorded]) -> BTreeMap<String, Vec<u8>> {
    fold(projection, events)
        .into_iter()
        .map(|(key, row)| (key, row.encode_to_vec()))
        .collect()
}

proptest! {
    /// What one organisation's rows are does not depend on how its events lie between those of others: views may be folded
    /// by partition, and an organisation that was parked may be taken in later.
    #[test]
    fn rows_do_not_depend_on_the_order_of_organisations_among_each_other(drafts in prop::collection::vec((0_u128..3, any::<u8>(), any::<u8>()), 0..40)) {
        let events: Vec<_> = (1..).zip(drafts).map(|(position, (organisation, kind, value))| drawn(position, organisation, kind, value)).collect();
        let mut sorted = events.clone();
        sorted.sort_by_key(|event| event.organisation_id);
        prop_assert_eq!(bytes(&OrgTimeline, &events), bytes(&OrgTimeline, &sorted));
        prop_assert_eq!(bytes(&RegisterCase, &events), bytes(&RegisterCase, &sorted));
        prop_assert_eq!(bytes(&MunicipalityDirectory, &events), bytes(&MunicipalityDirectory, &sorted));
        prop_assert_eq!(bytes(&StatsCube, &events), bytes(&StatsCube, &sorted));
    }
}
