//! Given the facts about an organisation, when folded, then what the public sees.

use ryggrad_proto::registration::v1 as pb;

use super::*;
use crate::example::{brreg, event, fold, id};

fn facts(facts: impl IntoIterator<Item = Event>) -> Vec<Recorded> {
    (1..)
        .zip(facts)
        .map(|(position, fact)| event(position, "Organisation", id(1), &fact))
        .collect()
}

/// The entry after the facts.
fn after(events: impl IntoIterator<Item = Event>) -> DirectoryEntry {
    fold(&MunicipalityDirectory, &facts(events))
        .remove(&id(1).to_string())
        .expect("an entry under the organisation's id")
}

fn details() -> OrganisationDetails {
    OrganisationDetails {
        name: "VANG IDRETTSLAG".into(),
        form: "FLI".into(),
        forretningsadresse: Some(pb::Address {
            kommunenummer: "3403".into(),
            postnummer: "2319".into(),
            ..pb::Address::default()
        }),
        hjemmeside: "www.vang-il.example".into(),
        language: "nb".into(),
        antall_ansatte: Some(3),
        stiftelsesdato: "1921-05-01".into(),
        ..OrganisationDetails::default()
    }
}

fn registered() -> Event {
    pb::OrganisationRegistered {
        organisation_id: id(1).to_string(),
        orgnr: "313000009".into(),
        registreringsdato: "1995-02-19".into(),
        details: Some(details()),
        case_id: String::new(),
        origin: Some(brreg()),
    }
    .into()
}

fn entered() -> Event {
    pb::VoluntaryRegistrationEntered {
        orgnr: "313000009".into(),
        innfoert_dato: "2009-03-01".into(),
        icnpo: vec!["1200".into(), "4100".into()],
        grasrot_deltar_i: true,
        origin: Some(brreg()),
        ..pb::VoluntaryRegistrationEntered::default()
    }
    .into()
}

fn left() -> Event {
    pb::VoluntaryRegistrationDeleted::default().into()
}

fn dissolution() -> Event {
    pb::DissolutionReported::default().into()
}

#[test]
fn a_registered_organisation_is_in_the_directory() {
    let entry = after([registered()]);
    assert_eq!(
        (entry.orgnr.as_str(), entry.name.as_str(), entry.form.as_str()),
        ("313000009", "VANG IDRETTSLAG", "FLI")
    );
    assert_eq!(
        (
            entry.kommunenummer.as_str(),
            entry.fylkesnummer.as_str(),
            entry.postnummer.as_str()
        ),
        ("3403", "34", "2319")
    );
    assert_eq!(
        (
            entry.status.as_str(),
            entry.in_voluntary_register,
            entry.grasrot.as_str()
        ),
        ("registered", false, "none")
    );
    assert_eq!(
        (entry.stiftelsesdato.as_str(), entry.registreringsdato.as_str()),
        ("1921-05-01", "1995-02-19")
    );
    assert_eq!(
        (entry.hjemmeside.as_str(), entry.language.as_str(), entry.antall_ansatte),
        ("www.vang-il.example", "nb", Some(3))
    );
    assert_eq!(entry.position, 1);
}

#[test]
fn an_organisation_without_a_number_is_not_public() {
    let opened = pb::OrganisationOpened {
        name: "Vang idrettslag".into(),
        ..pb::OrganisationOpened::default()
    };
    assert!(fold(&MunicipalityDirectory, &facts([opened.into(), entered()])).is_empty());
}

#[test]
fn clocks_are_those_of_the_fact_and_never_filled_in() {
    let entry = after([registered()]);
    let clocks = entry.details_freshness.expect("clocks");
    let origin = brreg();
    assert_eq!(
        (clocks.fetched_at, clocks.source_updated_at, clocks.asserted_at),
        (origin.fetched_at, origin.source_updated_at, None)
    );
    assert_eq!(entry.icnpo_freshness, None, "nobody has said anything about categories");
}

#[test]
fn a_fact_that_its_owner_stated_anew_has_its_owners_clock_alone() {
    let asserted_at = Some(crate::example::minute(9).into());
    let origin = FactOrigin {
        source: "self".into(),
        asserted_at,
        ..FactOrigin::default()
    };
    let changed = OrganisationDetails {
        hjemmeside: "vang.example".into(),
        ..OrganisationDetails::default()
    };
    let changed = pb::OrganisationDetailsChanged {
        changed: Some(changed),
        fields: vec!["hjemmeside".into()],
        origin: Some(origin),
        ..pb::OrganisationDetailsChanged::default()
    };
    let entry = after([registered(), changed.into()]);
    assert_eq!(
        (entry.hjemmeside.as_str(), entry.name.as_str()),
        ("vang.example", "VANG IDRETTSLAG")
    );
    assert_eq!(
        entry.details_freshness,
        Some(Freshness {
            source: "self".into(),
            asserted_at,
            ..Freshness::default()
        })
    );
}

#[test]
fn a_field_that_is_named_and_empty_has_no_value_any_more() {
    let changed = pb::OrganisationDetailsChanged {
        changed: Some(OrganisationDetails::default()),
        fields: vec![
            "forretningsadresse".into(),
            "antall_ansatte".into(),
            "naeringskoder".into(),
        ],
        ..pb::OrganisationDetailsChanged::default()
    };
    let entry = after([registered(), changed.into()]);
    assert_eq!(
        (
            entry.kommunenummer.as_str(),
            entry.fylkesnummer.as_str(),
            entry.postnummer.as_str(),
            entry.antall_ansatte
        ),
        ("", "", "", None)
    );
}

#[test]
fn a_move_changes_municipality_and_county() {
    let address = pb::Address {
        kommunenummer: "0301".into(),
        ..pb::Address::default()
    };
    let changed = pb::OrganisationDetailsChanged {
        changed: Some(OrganisationDetails {
            forretningsadresse: Some(address),
            ..OrganisationDetails::default()
        }),
        fields: vec!["forretningsadresse".into()],
        ..pb::OrganisationDetailsChanged::default()
    };
    let entry = after([registered(), changed.into()]);
    assert_eq!(
        (entry.kommunenummer.as_str(), entry.fylkesnummer.as_str()),
        ("0301", "03")
    );
}

#[test]
fn categories_keep_their_rank() {
    let entry = after([registered(), entered()]);
    let ranked: Vec<_> = entry
        .icnpo
        .iter()
        .map(|category| (category.rank, category.code.as_str()))
        .collect();
    assert_eq!(ranked, [(1, "1200"), (2, "4100")]);
    assert_eq!(with_groups(&entry), ["1200", "1", "4100", "4"]);
    assert_eq!(
        (
            entry.status.as_str(),
            entry.voluntary_on.as_str(),
            entry.grasrot.as_str()
        ),
        ("registered_voluntary", "2009-03-01", "requested")
    );
    let changed = pb::ActivityCategoriesChanged {
        icnpo: vec!["4100".into()],
        origin: Some(brreg()),
        ..pb::ActivityCategoriesChanged::default()
    };
    let entry = after([registered(), entered(), changed.into()]);
    assert_eq!(
        entry
            .icnpo
            .iter()
            .map(|category| category.code.as_str())
            .collect::<Vec<_>>(),
        ["4100"]
    );
    assert!(entry.icnpo_freshness.is_some());
}

#[test]
fn a_newer_word_about_an_entry_takes_the_place_of_the_one_before() {
    let again: Event = pb::VoluntaryRegistrationEntered {
        innfoert_dato: "2010-01-01".into(),
        ..pb::VoluntaryRegistrationEntered::default()
    }
    .into();
    let before = after([registered(), entered()]);
    let entry = after([registered(), entered(), again]);
    assert_eq!(entry.voluntary_on, "2010-01-01");
    // It names no categories, which have facts of their own.
    assert_eq!(
        (&entry.icnpo, &entry.icnpo_freshness),
        (&before.icnpo, &before.icnpo_freshness)
    );
}

#[test]
fn who_leaves_the_voluntary_register_loses_its_categories() {
    let entry = after([registered(), entered(), left()]);
    assert_eq!(
        (
            entry.status.as_str(),
            entry.in_voluntary_register,
            entry.voluntary_on.as_str()
        ),
        ("registered", false, "")
    );
    assert_eq!((entry.icnpo.len(), entry.icnpo_freshness), (0, None));
}

#[test]
fn who_leaves_the_voluntary_register_takes_part_in_grasrotandelen_no_more() {
    let approved = || Event::from(pb::GrasrotParticipationApproved::default());
    let excluded = pb::GrasrotExclusionImposed {
        fra_dato: "2026-01-01".into(),
        til_dato: "2026-12-31".into(),
        ..pb::GrasrotExclusionImposed::default()
    };
    let deleted = || Event::from(pb::OrganisationDeleted::default());
    for (facts, part) in [
        (vec![registered(), entered(), left()], "ended"),
        (vec![registered(), entered(), approved(), left()], "ended"),
        (
            vec![registered(), entered(), approved(), excluded.into(), left()],
            "ended",
        ),
        (vec![registered(), entered(), approved(), deleted()], "ended"),
        (vec![registered(), deleted()], "none"),
        // It comes back, and is approved anew.
        (
            vec![registered(), entered(), approved(), left(), entered()],
            "requested",
        ),
    ] {
        let entry = after(facts);
        assert_eq!(
            (entry.grasrot.as_str(), entry.grasrot_excluded_from.as_str()),
            (part, ""),
            "{entry:?}"
        );
    }
}

#[test]
fn grasrot_follows_what_is_decided() {
    let approved = || Event::from(pb::GrasrotParticipationApproved::default());
    assert_eq!(after([registered(), entered(), approved()]).grasrot, "approved");
    let excluded = pb::GrasrotExclusionImposed {
        fra_dato: "2026-01-01".into(),
        til_dato: "2026-12-31".into(),
        ..pb::GrasrotExclusionImposed::default()
    };
    let entry = after([registered(), entered(), approved(), excluded.into()]);
    assert_eq!(
        (
            entry.grasrot.as_str(),
            entry.grasrot_excluded_from.as_str(),
            entry.grasrot_excluded_to.as_str()
        ),
        ("excluded", "2026-01-01", "2026-12-31")
    );
    let entry = after([
        registered(),
        entered(),
        approved(),
        pb::GrasrotParticipationEnded::default().into(),
    ]);
    assert_eq!(
        (entry.grasrot.as_str(), entry.grasrot_excluded_from.as_str()),
        ("ended", "")
    );
}

#[test]
fn accounts_bylaws_and_affiliations_are_told() {
    let accounts = |year| {
        Event::from(pb::AnnualAccountsSubmitted {
            year,
            ..pb::AnnualAccountsSubmitted::default()
        })
    };
    let tie = |parent: &str| {
        Event::from(pb::AffiliationEstablished {
            parent_orgnr: parent.into(),
            ..pb::AffiliationEstablished::default()
        })
    };
    let bylaws = pb::BylawsAdopted {
        vedtektsdato: "2020-03-31".into(),
        purpose: vec!["Idrett for alle".into()],
        origin: Some(brreg()),
        ..pb::BylawsAdopted::default()
    };
    let entry = after([
        registered(),
        accounts(2024),
        accounts(2023),
        tie("314000002"),
        tie("313000009"),
        tie("314000002"),
        bylaws.into(),
    ]);
    assert_eq!(entry.accounts_year, 2024);
    assert_eq!(entry.parents, ["313000009", "314000002"]);
    assert_eq!(
        (entry.vedtektsdato.as_str(), entry.purpose.as_slice()),
        ("2020-03-31", ["Idrett for alle".to_owned()].as_slice())
    );
    assert!(entry.bylaws_freshness.is_some());
}

#[test]
fn winding_up_comes_and_goes() {
    assert_eq!(
        after([registered(), entered(), dissolution()]).status,
        "under_winding_up"
    );
    let revoked = || Event::from(pb::DissolutionRevoked::default());
    assert_eq!(
        after([registered(), entered(), dissolution(), revoked()]).status,
        "registered_voluntary"
    );
    assert_eq!(
        after([registered(), entered(), dissolution(), left(), revoked()]).status,
        "registered"
    );
    let insolvent = || Event::from(pb::InsolvencyDeclared::default());
    assert_eq!(
        after([registered(), dissolution(), insolvent(), revoked()]).status,
        "in_bankruptcy"
    );
}

#[test]
fn a_deleted_organisation_is_a_tombstone() {
    let deleted = pb::OrganisationDeleted {
        slettedato: "2026-02-01".into(),
        successor_orgnr: Some("314000002".into()),
        ..pb::OrganisationDeleted::default()
    };
    let entry = after([registered(), entered(), deleted.into(), left(), dissolution()]);
    assert_eq!(
        (
            entry.status.as_str(),
            entry.slettedato.as_str(),
            entry.successor_orgnr.as_str()
        ),
        ("deleted", "2026-02-01", "314000002")
    );
    assert_eq!(entry.name, "VANG IDRETTSLAG");
}

#[test]
fn of_a_removed_organisation_number_and_day_are_left() {
    let gone = |slettedato: &str, ground: &str| {
        Event::from(pb::OrganisationDeleted {
            slettedato: slettedato.into(),
            ground: ground.into(),
            ..pb::OrganisationDeleted::default()
        })
    };
    for facts in [
        vec![registered(), entered(), gone("2026-02-01", "fjernet")],
        vec![registered(), entered(), gone("2026-02-01", ""), gone("", "fjernet")],
    ] {
        let entry = after(facts);
        let left = DirectoryEntry {
            organisation_id: entry.organisation_id.clone(),
            orgnr: after([registered()]).orgnr,
            status: "deleted".into(),
            slettedato: "2026-02-01".into(),
            grasrot: "none".into(),
            position: entry.position,
            ..DirectoryEntry::default()
        };
        assert_eq!(entry, left);
    }
}

#[test]
fn what_is_not_public_changes_nothing() {
    let before = after([registered()]);
    let private: [Event; 6] = [
        pb::OrganisationOpened {
            name: "X".into(),
            ..pb::OrganisationOpened::default()
        }
        .into(),
        pb::VoluntaryRegistrationApplied {
            grasrot: true,
            ..pb::VoluntaryRegistrationApplied::default()
        }
        .into(),
        pb::VoluntaryRegistrationRefused::default().into(),
        pb::AccountingDutyChanged::default().into(),
        pb::RolesReported::default().into(),
        pb::BankAccountLinked::default().into(),
    ];
    for fact in private {
        assert_eq!(after([registered(), fact.clone()]), before, "{fact:?}");
    }
}
