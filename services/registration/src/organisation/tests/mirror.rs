//! The register's word becomes facts: the difference, and nothing when there is none.

use ryggrad_proto::registration::v1 as pb;

use super::{ORGNR, OTHER, organisation};
use crate::organisation::{Event, Grasrot, State, Status};

mod entry;
mod own;
mod removed;

fn snapshot() -> pb::RegisterSnapshot {
    pb::RegisterSnapshot {
        orgnr: ORGNR.into(),
        registreringsdato: "2013-08-24".into(),
        details: Some(pb::OrganisationDetails {
            name: "TROMØY SJAKKLUBB".into(),
            form: "FLI".into(),
            forretningsadresse: Some(pb::Address {
                kommunenummer: "4203".into(),
                postnummer: "4818".into(),
                ..Default::default()
            }),
            language: "nb".into(),
            ..Default::default()
        }),
        vedtektsdato: "2013-01-01".into(),
        vedtektsfestet_formaal: vec!["Fremme sjakk.".into()],
        registrert_i_frivillighetsregisteret: true,
        frivillig_organisasjon: Some(pb::VoluntarySnapshot {
            innfoert_dato: "2014-01-02".into(),
            icnpo: vec!["1300".into()],
            grasrot_deltar_i: true,
            ..Default::default()
        }),
        origin: Some(pb::FactOrigin {
            source: "brreg-snapshot".into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn mirror(change: impl FnOnce(&mut pb::RegisterSnapshot)) -> pb::MirrorRegister {
    let mut snapshot = snapshot();
    change(&mut snapshot);
    pb::MirrorRegister {
        snapshot: Some(snapshot),
        ..Default::default()
    }
}

fn voluntary(snapshot: &mut pb::RegisterSnapshot) -> &mut pb::VoluntarySnapshot {
    snapshot.frivillig_organisasjon.as_mut().expect("the sample has it")
}

/// An organisation after its first snapshot.
fn mirrored() -> Vec<Event> {
    organisation(vec![])
        .when(mirror(|_| {}))
        .then_names(&[
            "OrganisationRegistered",
            "BylawsAdopted",
            "VoluntaryRegistrationEntered",
            "GrasrotParticipationApproved",
        ])
        .1
}

#[track_caller]
fn gives(change: impl FnOnce(&mut pb::RegisterSnapshot), expected: &[&str]) -> State {
    organisation(mirrored()).when(mirror(change)).then_names(expected).0
}

#[test]
fn the_first_snapshot_gives_all_facts_and_the_same_again_none() {
    assert_eq!(gives(|_| {}, &[]).status, Status::RegisteredVoluntary);
}

#[test]
fn a_new_name_is_the_only_change() {
    let state = gives(
        |s| s.details.as_mut().expect("details").name = "TROMØYA SJAKK".into(),
        &["OrganisationDetailsChanged"],
    );
    assert_eq!(state.details.name, "TROMØYA SJAKK");
}

#[test]
fn what_the_register_does_not_tell_is_not_emptied() {
    gives(|s| s.details.as_mut().expect("details").forretningsadresse = None, &[]);
}

fn site(website: &str) -> impl FnOnce(&mut pb::RegisterSnapshot) + use<> {
    let website = website.to_owned();
    |snapshot| snapshot.details.as_mut().expect("details").hjemmeside = website
}

#[test]
fn a_website_that_has_left_the_register_is_emptied() {
    let (state, told) = organisation(mirrored())
        .when(mirror(site("www.example.org")))
        .then_names(&["OrganisationDetailsChanged"]);
    assert_eq!(state.details.hjemmeside, "www.example.org");
    let mut past = mirrored();
    past.extend(told);
    let (state, _) = organisation(past)
        .when(mirror(|_| {}))
        .then_names(&["OrganisationDetailsChanged"]);
    assert_eq!(state.details.hjemmeside, "");
}

#[test]
fn employees_registers_and_former_names_are_mirrored() {
    let more = |s: &mut pb::RegisterSnapshot| {
        let details = s.details.as_mut().expect("details");
        details.antall_ansatte = Some(12);
        details.har_registrert_antall_ansatte = Some(true);
        details.registers = vec!["FOR".into()];
        details.registreringsdatoer = vec![pb::RegisterEntry {
            register: "FOR".into(),
            registreringsdato: "2015-02-01".into(),
        }];
        details.historiske_navn = vec![pb::FormerName {
            navn: "TROMØY SJAKK".into(),
            fra_dato: "2013-08-24".into(),
            til_dato: "2019-01-31".into(),
        }];
        details.forretningsadresse.as_mut().expect("an address").adresse = vec!["Oppdiktvegen 1".into()];
    };
    let details = gives(more, &["OrganisationDetailsChanged"]).details;
    assert_eq!(
        (details.antall_ansatte, details.registers),
        (Some(12), vec!["FOR".to_owned()])
    );
    assert_eq!(details.registreringsdatoer[0].registreringsdato, "2015-02-01");
    assert_eq!(details.historiske_navn[0].navn, "TROMØY SJAKK");
    assert_eq!(
        details.forretningsadresse.expect("an address").adresse,
        ["Oppdiktvegen 1"]
    );
}

#[test]
fn categories_accounts_and_duties_change_one_by_one() {
    gives(
        |s| voluntary(s).icnpo = vec!["1300".into(), "13100".into()],
        &["ActivityCategoriesChanged"],
    );
    gives(|s| s.siste_innsendte_aarsregnskap = 2024, &["AnnualAccountsSubmitted"]);
    let duty = pb::RapporteringspliktRegnskap {
        har_paatatt_seg_rapporteringsplikt: true,
        ..Default::default()
    };
    gives(
        |s| voluntary(s).regnskapsrapportering = Some(duty),
        &["AccountingDutyChanged"],
    );
    gives(|s| s.vedtektsdato = "2025-03-01".into(), &["BylawsAdopted"]);
    let relation = pb::RegisterRelation {
        relasjonsrolle_fra: "underledd".into(),
        relasjonsrolle_til: "sentralledd".into(),
        relasjon_til: OTHER.into(),
    };
    gives(
        |s| voluntary(s).relasjoner = vec![relation],
        &["AffiliationEstablished"],
    );
}

#[test]
fn grasrotandelen_ends_and_shuts_out() {
    assert_eq!(
        gives(
            |s| voluntary(s).grasrot_deltar_i = false,
            &["GrasrotParticipationEnded"]
        )
        .grasrot,
        Grasrot::Ended
    );
    let shut_out = |s: &mut pb::RegisterSnapshot| {
        voluntary(s).grasrot_deltar_i = false;
        voluntary(s).utestengelse_fra_dato = "2026-01-01".into();
        voluntary(s).utestengelse_til_dato = "2026-12-31".into();
    };
    let state = gives(shut_out, &["GrasrotExclusionImposed"]);
    assert_eq!(
        state.grasrot,
        Grasrot::Excluded {
            from: "2026-01-01".into(),
            to: "2026-12-31".into()
        }
    );
}

/// Shut out of Grasrotandelen from one day to another, and taking part otherwise. The clock of the tests stands on 2 March 2026.
fn exclusion(from: &str, to: &str) -> impl FnOnce(&mut pb::RegisterSnapshot) + use<> {
    let (from, to) = (from.to_owned(), to.to_owned());
    |snapshot| {
        voluntary(snapshot).utestengelse_fra_dato = from;
        voluntary(snapshot).utestengelse_til_dato = to;
    }
}

#[test]
fn an_exclusion_that_is_over_excludes_nobody() {
    assert_eq!(
        gives(exclusion("2025-01-01", "2025-12-31"), &[]).grasrot,
        Grasrot::Approved
    );
    organisation(vec![])
        .when(mirror(exclusion("2025-01-01", "2026-03-01")))
        .then_names(&[
            "OrganisationRegistered",
            "BylawsAdopted",
            "VoluntaryRegistrationEntered",
            "GrasrotParticipationApproved",
        ]);
}

#[test]
fn an_exclusion_of_today_excludes_on_its_last_day_too() {
    let state = gives(exclusion("2025-01-01", "2026-03-02"), &["GrasrotExclusionImposed"]);
    assert!(state.grasrot.excluded_on(jiff::civil::date(2026, 3, 2)));
    assert!(!state.grasrot.excluded_on(jiff::civil::date(2026, 3, 3)));
}

#[test]
fn an_exclusion_that_lies_ahead_is_of_one_who_takes_part() {
    let (state, _) = organisation(vec![])
        .when(mirror(exclusion("2026-06-01", "2026-12-31")))
        .then_names(&[
            "OrganisationRegistered",
            "BylawsAdopted",
            "VoluntaryRegistrationEntered",
            "GrasrotParticipationApproved",
            "GrasrotExclusionImposed",
        ]);
    assert!(!state.grasrot.excluded_on(jiff::civil::date(2026, 3, 2)));
    assert!(state.grasrot.excluded_on(jiff::civil::date(2026, 6, 1)));
}

fn excluded(from: &str, to: &str) -> Vec<Event> {
    let mut past = mirrored();
    past.push(
        pb::GrasrotExclusionImposed {
            fra_dato: from.into(),
            til_dato: to.into(),
            ..Default::default()
        }
        .into(),
    );
    past
}

#[test]
fn an_organisation_takes_part_again_when_its_exclusion_is_over() {
    let (state, _) = organisation(excluded("2025-01-01", "2026-03-01"))
        .when(mirror(exclusion("2025-01-01", "2026-03-01")))
        .then_names(&["GrasrotParticipationApproved"]);
    assert_eq!(state.grasrot, Grasrot::Approved);
}

fn approve(from: &str) -> pb::ApproveGrasrot {
    pb::ApproveGrasrot {
        from: from.into(),
        origin: snapshot().origin,
        ..Default::default()
    }
}

#[test]
fn nobody_is_approved_for_grasrotandelen_during_an_exclusion() {
    let now = excluded("2026-01-01", "2026-12-31");
    for from in ["2026-03-02", "2026-12-31"] {
        let refusal = organisation(now.clone())
            .when(approve(from))
            .then_refused("R-3.14", "ExcludedFromGrasrot");
        assert_eq!(refusal.field.as_deref(), Some("from"));
    }
    organisation(excluded("2026-06-01", ""))
        .when(approve("2026-07-01"))
        .then_refused("R-3.14", "ExcludedFromGrasrot");
    organisation(excluded("2025-01-01", "2026-03-01"))
        .when(approve("2026-03-02"))
        .then_names(&["GrasrotParticipationApproved"]);
}

#[test]
fn leaving_frivillighetsregisteret_is_told_by_either_register() {
    let state = gives(
        |s| voluntary(s).slettet_dato = "2026-02-01".into(),
        &["VoluntaryRegistrationDeleted"],
    );
    assert_eq!(state.status, Status::Registered);
    let flag = |s: &mut pb::RegisterSnapshot| {
        s.frivillig_organisasjon = None;
        s.registrert_i_frivillighetsregisteret = false;
    };
    assert_eq!(gives(flag, &["VoluntaryRegistrationDeleted"]).grasrot, Grasrot::Ended);
    gives(|s| s.frivillig_organisasjon = None, &[]);
}

#[test]
fn who_leaves_frivillighetsregisteret_takes_part_in_grasrotandelen_no_more() {
    let left = |s: &mut pb::RegisterSnapshot| voluntary(s).slettet_dato = "2026-02-01".into();
    for past in [mirrored(), excluded("2026-01-01", "")] {
        let (state, told) = organisation(past.clone())
            .when(mirror(left))
            .then_names(&["VoluntaryRegistrationDeleted"]);
        assert_eq!(state.grasrot, Grasrot::Ended);
        let past = [past, told].concat();
        organisation(past.clone()).when(mirror(left)).then(&[]);
        // Back again, it is approved anew.
        let (state, _) = organisation(past)
            .when(mirror(|_| {}))
            .then_names(&["VoluntaryRegistrationEntered", "GrasrotParticipationApproved"]);
        assert_eq!(state.grasrot, Grasrot::Approved);
    }
    let gone = |s: &mut pb::RegisterSnapshot| s.slettedato = "2026-02-20".into();
    assert_eq!(gives(gone, &["OrganisationDeleted"]).grasrot, Grasrot::Ended);
}

#[test]
fn winding_up_is_reported_and_revoked() {
    let winding_up = |s: &mut pb::RegisterSnapshot| s.under_avvikling = true;
    let (state, reported) = organisation(mirrored())
        .when(mirror(winding_up))
        .then_names(&["DissolutionReported"]);
    assert!(matches!(state.status, Status::UnderWindingUp(_)));
    let mut past = mirrored();
    past.extend(reported);
    let (state, _) = organisation(past)
        .when(mirror(|_| {}))
        .then_names(&["DissolutionRevoked"]);
    assert_eq!(state.status, Status::RegisteredVoluntary, "as before");
}

/// ADR 0024: the register shows where an organisation is, and not how it came there.
#[test]
fn what_the_register_shows_at_its_end_is_not_given_a_way_there() {
    let bankrupt = |s: &mut pb::RegisterSnapshot| s.konkurs = true;
    let state = gives(bankrupt, &["InsolvencyDeclared"]);
    assert_eq!(state.status, Status::InBankruptcy);
    let deleted = |s: &mut pb::RegisterSnapshot| s.slettedato = "2026-02-20".into();
    let state = gives(deleted, &["OrganisationDeleted"]);
    assert_eq!(state.status, Status::Deleted);
}

#[test]
fn an_organisation_that_is_gone_is_deleted_with_all_that_led_there() {
    let gone = |s: &mut pb::RegisterSnapshot| {
        s.under_avvikling = true;
        s.konkurs = true;
        s.slettedato = "2026-02-20".into();
        s.details.as_mut().expect("details").language = String::new();
    };
    let state = gives(
        gone,
        &["DissolutionReported", "InsolvencyDeclared", "OrganisationDeleted"],
    );
    assert_eq!(state.status, Status::Deleted);
    let mut past = mirrored();
    past.push(pb::OrganisationDeleted::default().into());
    organisation(past.clone()).when(mirror(gone)).then(&[]);
    organisation(past)
        .when(mirror(|_| {}))
        .then_refused("R-0.99", "WrongState");
}

#[test]
fn an_older_snapshot_tells_nothing_new() {
    let at = |second: i64| {
        Some(ryggrad_proto::Timestamp {
            seconds: second,
            nanos: 0,
        })
    };
    let new = |s: &mut pb::RegisterSnapshot| s.origin.as_mut().expect("origin").source_updated_at = at(200);
    let (_, past) = organisation(vec![]).when(mirror(new)).then_names(&[
        "OrganisationRegistered",
        "BylawsAdopted",
        "VoluntaryRegistrationEntered",
        "GrasrotParticipationApproved",
    ]);
    let old = |s: &mut pb::RegisterSnapshot| {
        s.details.as_mut().expect("details").name = "GAMMELT NAVN".into();
        s.origin.as_mut().expect("origin").source_updated_at = at(100);
    };
    organisation(past).when(mirror(old)).then(&[]);
}

#[test]
fn an_older_snapshot_does_not_undo_newer_categories() {
    let fetched = |seconds: i64, icnpo: &'static str| {
        move |s: &mut pb::RegisterSnapshot| {
            s.origin.as_mut().expect("origin").fetched_at = Some(ryggrad_proto::Timestamp { seconds, nanos: 0 });
            voluntary(s).icnpo = vec![icnpo.into()];
        }
    };
    let (_, mut past) = organisation(vec![]).when(mirror(fetched(100, "1300"))).then_names(&[
        "OrganisationRegistered",
        "BylawsAdopted",
        "VoluntaryRegistrationEntered",
        "GrasrotParticipationApproved",
    ]);
    let (_, newer) = organisation(past.clone())
        .when(mirror(fetched(300, "1200")))
        .then_names(&["ActivityCategoriesChanged"]);
    past.extend(newer);
    organisation(past.clone()).when(mirror(fetched(200, "1300"))).then(&[]);
    organisation(past)
        .when(mirror(fetched(400, "1300")))
        .then_names(&["ActivityCategoriesChanged"]);
}

#[test]
fn nobody_has_confirmed_what_was_only_fetched() {
    let fetched = Some(ryggrad_proto::Timestamp { seconds: 1, nanos: 0 });
    let (_, events) = organisation(vec![])
        .when(mirror(|s| s.origin.as_mut().expect("origin").fetched_at = fetched))
        .then_names(&[
            "OrganisationRegistered",
            "BylawsAdopted",
            "VoluntaryRegistrationEntered",
            "GrasrotParticipationApproved",
        ]);
    let Event::OrganisationRegistered(event) = &events[0] else {
        panic!("another event")
    };
    let origin = event.origin.clone().expect("an origin");
    assert_eq!(
        (origin.fetched_at, origin.source_updated_at, origin.asserted_at),
        (fetched, None, None)
    );
}

#[test]
fn a_snapshot_of_another_number_is_refused() {
    organisation(mirrored())
        .when(mirror(|s| s.orgnr = OTHER.into()))
        .then_refused("R-0.01", "OrgnrDiffers");
}

#[test]
fn a_day_that_does_not_exist_is_refused() {
    let refusal = organisation(vec![])
        .when(mirror(|s| s.registreringsdato = "2026-02-30".into()))
        .then_refused("R-0.00", "InvalidField");
    assert_eq!(refusal.field.as_deref(), Some("snapshot.registreringsdato"));
}
