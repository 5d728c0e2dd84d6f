//! What the register authority changes and deletes on a notification, in sentences.

use ryggrad_proto::registration::v1 as pb;

use super::{entered, opened, organisation, origin, registered};
use crate::organisation::{Event, Grasrot, Status, Voluntary};

fn change() -> pb::ChangeRegistration {
    pb::ChangeRegistration {
        effective: "2026-03-02".into(),
        origin: Some(origin()),
        ..Default::default()
    }
}

fn rename(name: &str) -> pb::ChangeRegistration {
    pb::ChangeRegistration {
        details: Some(pb::OrganisationDetails {
            name: name.into(),
            ..Default::default()
        }),
        fields: vec!["name".into()],
        ..change()
    }
}

#[test]
fn a_new_name_is_applied_with_its_day_and_source() {
    let (state, events) = organisation(vec![registered()])
        .when(rename("Tromøya sjakklubb"))
        .then_names(&["OrganisationDetailsChanged"]);
    assert_eq!(state.details.name, "Tromøya sjakklubb");
    let Event::OrganisationDetailsChanged(told) = &events[0] else {
        panic!("another event")
    };
    assert_eq!((told.effective.as_str(), told.fields.len()), ("2026-03-02", 1));
    assert_eq!(told.origin, Some(origin()));
    organisation(vec![registered()])
        .when(rename("Tromøy sjakklubb"))
        .then(&[]);
}

#[test]
fn categories_accounts_and_grasrotandelen_change_for_those_in_frivillighetsregisteret() {
    let everything = pb::ChangeRegistration {
        vedtektsdato: "2026-02-20".into(),
        icnpo: vec!["1200".into()],
        grasrot_ends: true,
        regnskapsrapportering: Some(pb::RapporteringspliktRegnskap {
            har_paatatt_seg_rapporteringsplikt: true,
            ..Default::default()
        }),
        ..change()
    };
    let approved: Event = pb::GrasrotParticipationApproved::default().into();
    let (state, _) = organisation(vec![registered(), entered(), approved])
        .when(everything.clone())
        .then_names(&[
            "BylawsAdopted",
            "ActivityCategoriesChanged",
            "GrasrotParticipationEnded",
            "AccountingDutyChanged",
        ]);
    assert_eq!((state.icnpo, state.grasrot), (vec!["1200".to_owned()], Grasrot::Ended));
    assert!(state.reports_accounts);
    organisation(vec![registered()])
        .when(everything)
        .then_names(&["BylawsAdopted"]);
}

fn in_registers(codes: &[&str]) -> Event {
    let entry = |register: &str| pb::RegisterEntry {
        register: register.into(),
        registreringsdato: "2015-02-01".into(),
    };
    pb::OrganisationDetailsChanged {
        changed: Some(pb::OrganisationDetails {
            registers: codes.iter().map(|&code| code.into()).collect(),
            registreringsdatoer: ["FOR", "MVA", "MVA-ER"].map(entry).into(),
            ..Default::default()
        }),
        fields: vec!["registers".into(), "registreringsdatoer".into()],
        origin: Some(origin()),
        ..Default::default()
    }
    .into()
}

#[test]
fn an_organisation_that_leaves_another_register_lives_on() {
    let leave = |codes: &[&str]| pb::ChangeRegistration {
        leaves_registers: codes.iter().map(|&code| code.into()).collect(),
        ..change()
    };
    let past = vec![registered(), in_registers(&["FOR", "MVA"])];
    let (state, told) = organisation(past.clone())
        .when(leave(&["MVA"]))
        .then_names(&["OrganisationDetailsChanged"]);
    assert_eq!(
        (state.status, &state.details.registers[..]),
        (Status::Registered, &["FOR".to_owned()][..])
    );
    let days: Vec<_> = state
        .details
        .registreringsdatoer
        .iter()
        .map(|entry| &entry.register)
        .collect();
    assert_eq!(days, ["FOR"]);
    organisation([past.clone(), told].concat())
        .when(leave(&["MVA"]))
        .then(&[]);
    let refusal = organisation(past)
        .when(leave(&["FR"]))
        .then_refused("R-0.00", "InvalidField");
    assert_eq!(refusal.field.as_deref(), Some("leaves_registers"));
}

#[test]
fn the_choice_to_register_bylaws_and_the_end_of_the_year_are_told_with_the_entry() {
    let choose = pb::ChangeRegistration {
        vedtekter_registrert: Some(true),
        ..change()
    };
    let (_, told) = organisation(vec![registered(), entered()])
        .when(choose.clone())
        .then_names(&["VoluntaryRegistrationEntered"]);
    let Event::VoluntaryRegistrationEntered(again) = &told[0] else {
        panic!("another event")
    };
    assert_eq!(
        (again.innfoert_dato.as_str(), &again.icnpo[..]),
        ("2026-03-01", &["1300".to_owned()][..])
    );
    assert!(again.vedtekter_registrert && again.case_id.is_empty());
    let past = [vec![registered(), entered()], told].concat();
    organisation(past.clone()).when(choose.clone()).then(&[]);
    organisation(vec![registered()]).when(choose).then(&[]);
    let duty = |day: &str| pb::ChangeRegistration {
        regnskapsrapportering: Some(pb::RapporteringspliktRegnskap {
            har_paatatt_seg_rapporteringsplikt: true,
            avslutningsdato_regnskapsperiode: Some(day.into()),
        }),
        ..change()
    };
    let (_, taken_on) = organisation(past.clone())
        .when(duty("3112"))
        .then_names(&["AccountingDutyChanged"]);
    let (state, _) = organisation([past, taken_on].concat())
        .when(duty("3006"))
        .then_names(&["VoluntaryRegistrationEntered"]);
    assert_eq!(state.accounting_year_end, "3006");
    assert!(state.bylaws_registered);
}

#[test]
fn only_a_register_changes_and_only_what_a_notification_can() {
    let own = pb::ChangeRegistration {
        origin: Some(pb::FactOrigin {
            source: "self".into(),
            ..Default::default()
        }),
        ..rename("Tromøya sjakklubb")
    };
    organisation(vec![registered()])
        .when(own)
        .then_refused("R-0.00", "InvalidField");
    let form = pb::ChangeRegistration {
        fields: vec!["form".into()],
        ..change()
    };
    organisation(vec![registered()])
        .when(form)
        .then_refused("R-0.00", "InvalidField");
    organisation(vec![opened()])
        .when(rename("Tromøya sjakklubb"))
        .then_refused("R-0.99", "WrongState");
}

fn delete() -> pb::DeleteOrganisation {
    pb::DeleteOrganisation {
        slettedato: "2026-03-02".into(),
        origin: Some(origin()),
        ..Default::default()
    }
}

#[test]
fn an_organisation_is_deleted_from_every_register_once() {
    let (state, events) = organisation(vec![registered(), entered()])
        .when(delete())
        .then_names(&["VoluntaryRegistrationDeleted", "OrganisationDeleted"]);
    assert_eq!((state.status, state.voluntary), (Status::Deleted, Voluntary::Slettet));
    let mut past = vec![registered(), entered()];
    past.extend(events);
    organisation(past.clone()).when(delete()).then(&[]);
    organisation(past)
        .when(rename("Igjen"))
        .then_refused("R-0.99", "WrongState");
    organisation(vec![opened()])
        .when(delete())
        .then_refused("R-0.99", "WrongState");
}

#[test]
fn leaving_frivillighetsregisteret_keeps_the_number() {
    let leave = pb::LeaveVoluntaryRegister {
        slettet_dato: "2026-03-02".into(),
        origin: Some(origin()),
        ..Default::default()
    };
    let (state, events) = organisation(vec![registered(), entered()])
        .when(leave.clone())
        .then_names(&["VoluntaryRegistrationDeleted"]);
    assert_eq!(state.status, Status::Registered);
    organisation(vec![registered(), entered(), events[0].clone()])
        .when(leave.clone())
        .then(&[]);
    organisation(vec![registered()])
        .when(leave)
        .then_refused("R-0.99", "WrongState");
}
