//! The entry in Frivillighetsregisteret after the first sight of it: what only the register's own record tells.

use ryggrad_proto::registration::v1 as pb;

use super::{gives, mirror, mirrored, voluntary};
use crate::organisation::tests::{ORGNR, organisation};
use crate::organisation::{Event, Grasrot};

/// What Enhetsregisteret alone tells of the entry.
fn units_only(snapshot: &mut pb::RegisterSnapshot) {
    snapshot.frivillig_organisasjon = None;
    snapshot.registreringsdato_frivillighetsregisteret = "2014-01-03".into();
}

fn whole_record(snapshot: &mut pb::RegisterSnapshot) {
    let record = voluntary(snapshot);
    record.foerste_gang_innfoert = "2009-03-01".into();
    record.vedtekter_registrert = true;
    record.regnskapsrapportering = Some(pb::RapporteringspliktRegnskap {
        har_paatatt_seg_rapporteringsplikt: true,
        avslutningsdato_regnskapsperiode: Some("3006".into()),
    });
}

#[track_caller]
fn entered(events: &[Event]) -> pb::VoluntaryRegistrationEntered {
    let entered = events.iter().find_map(|event| match event {
        Event::VoluntaryRegistrationEntered(event) => Some(event.clone()),
        _ => None,
    });
    entered.expect("an entry")
}

#[test]
fn the_record_of_frivillighetsregisteret_completes_what_enhetsregisteret_told() {
    let (_, first) = organisation(vec![]).when(mirror(units_only)).then_names(&[
        "OrganisationRegistered",
        "BylawsAdopted",
        "VoluntaryRegistrationEntered",
    ]);
    let told = entered(&first);
    assert_eq!(
        (told.innfoert_dato.as_str(), told.foerste_gang_innfoert.as_str()),
        ("2014-01-03", ""),
        "no first day is made up (R-0.06)"
    );
    let (state, then) = organisation(first.clone())
        .when(mirror(whole_record))
        .then_names(&["VoluntaryRegistrationEntered", "GrasrotParticipationApproved"]);
    let told = entered(&then);
    assert_eq!(told.orgnr, ORGNR);
    assert_eq!(
        (told.innfoert_dato.as_str(), told.foerste_gang_innfoert.as_str()),
        ("2014-01-02", "2009-03-01")
    );
    assert_eq!(told.icnpo, ["1300"]);
    assert!(told.vedtekter_registrert && told.grasrot_deltar_i && told.case_id.is_empty());
    assert!(state.reports_accounts && state.grasrot == Grasrot::Approved);
    let past = [first, then].concat();
    organisation(past.clone()).when(mirror(whole_record)).then(&[]);
    organisation(past).when(mirror(units_only)).then(&[]);
}

#[test]
fn bylaws_that_are_registered_later_are_told() {
    let chosen = |s: &mut pb::RegisterSnapshot| voluntary(s).vedtekter_registrert = true;
    let (state, told) = organisation(mirrored())
        .when(mirror(chosen))
        .then_names(&["VoluntaryRegistrationEntered"]);
    assert!(state.bylaws_registered && state.icnpo == ["1300"] && state.grasrot == Grasrot::Approved);
    let past = [mirrored(), told].concat();
    organisation(past.clone()).when(mirror(chosen)).then(&[]);
    let (state, _) = organisation(past)
        .when(mirror(|_| {}))
        .then_names(&["VoluntaryRegistrationEntered"]);
    assert!(!state.bylaws_registered, "the choice is taken back");
}

#[test]
fn another_end_of_the_accounting_year_is_told() {
    let (_, told) = organisation(mirrored())
        .when(mirror(whole_record))
        .then_names(&["VoluntaryRegistrationEntered"]);
    let past = [mirrored(), told].concat();
    let ends = |day: Option<&str>| {
        mirror(|s| {
            whole_record(s);
            let duty = voluntary(s).regnskapsrapportering.as_mut().expect("a duty");
            duty.avslutningsdato_regnskapsperiode = day.map(str::to_owned);
        })
    };
    let (_, told) = organisation(past.clone())
        .when(ends(None))
        .then_names(&["VoluntaryRegistrationEntered"]);
    organisation([past, told].concat()).when(ends(Some("3112"))).then(&[]);
}

#[test]
fn days_that_the_record_does_not_tell_stay_as_they_are_known() {
    gives(|s| voluntary(s).innfoert_dato = String::new(), &[]);
}
