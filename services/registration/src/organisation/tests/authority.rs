//! What the register authority says becomes public, and is read as strictly as everybody else's word.

use ryggrad_proto::registration::v1 as pb;

use super::{assign, enter, opened, organisation, registered};

fn details(change: impl FnOnce(&mut pb::OrganisationDetails)) -> pb::AssignOrgnr {
    let mut details = pb::OrganisationDetails {
        name: "Tromøy sjakklubb".into(),
        form: "FLI".into(),
        forretningsadresse: Some(pb::Address {
            kommunenummer: "4203".into(),
            adresse: vec!["Oppdiktvegen 1".into()],
            ..Default::default()
        }),
        language: "nb".into(),
        naeringskoder: vec!["94.992".into()],
        sektorkode: "7000".into(),
        stiftelsesdato: "2026-02-01".into(),
        registers: vec!["FOR".into()],
        ..Default::default()
    };
    change(&mut details);
    pb::AssignOrgnr {
        details: Some(details),
        ..assign()
    }
}

fn address(details: &mut pb::OrganisationDetails) -> &mut pb::Address {
    details.forretningsadresse.as_mut().expect("an address")
}

#[track_caller]
fn refuses(change: impl FnOnce(&mut pb::OrganisationDetails), rule: &str, code: &str, field: &str) {
    let refusal = organisation(vec![opened()])
        .when(details(change))
        .then_refused(rule, code);
    assert_eq!(refusal.field.as_deref(), Some(field));
}

#[test]
fn an_organisation_is_registered_with_what_the_authority_says() {
    let (state, _) = organisation(vec![opened()])
        .when(details(|_| {}))
        .then_names(&["OrganisationRegistered"]);
    assert_eq!(state.details.sektorkode, "7000");
}

#[test]
fn refuses_a_registration_without_name_or_legal_form() {
    refuses(|d| d.name.clear(), "R-0.00", "InvalidField", "details.name");
    refuses(|d| d.form.clear(), "R-0.00", "InvalidField", "details.form");
    let nothing = organisation(vec![])
        .when(assign())
        .then_refused("R-0.00", "InvalidField");
    assert_eq!(nothing.field.as_deref(), Some("details.name"));
}

#[test]
fn refuses_codes_and_days_that_do_not_exist() {
    refuses(|d| d.form = "XYZ".into(), "R-2.07", "InvalidField", "details.form");
    // Of before 2020: historical, and never current.
    refuses(
        |d| address(d).kommunenummer = "0220".into(),
        "R-0.00",
        "InvalidField",
        "details.forretningsadresse.kommunenummer",
    );
    refuses(
        |d| d.naeringskoder = vec!["sjakk".into()],
        "R-0.00",
        "InvalidField",
        "details.naeringskoder",
    );
    refuses(
        |d| d.sektorkode = "7".into(),
        "R-0.00",
        "InvalidField",
        "details.sektorkode",
    );
    refuses(
        |d| d.stiftelsesdato = "2026-02-30".into(),
        "R-0.00",
        "InvalidField",
        "details.stiftelsesdato",
    );
    refuses(
        |d| d.registers = vec!["ER".into()],
        "R-0.00",
        "InvalidField",
        "details.registers",
    );
    let former = |d: &mut pb::OrganisationDetails| {
        d.historiske_navn = vec![pb::FormerName {
            navn: "Sjakk".into(),
            fra_dato: "i fjor".into(),
            ..Default::default()
        }];
    };
    refuses(former, "R-0.00", "InvalidField", "details.historiske_navn.fra_dato");
}

#[test]
fn refuses_what_leads_to_a_person() {
    refuses(
        |d| address(d).adresse = vec!["c/o Styret".into()],
        "R-0.05",
        "PersonalData",
        "details.forretningsadresse.adresse",
    );
    refuses(
        |d| d.aktivitet = vec!["Ring 22 86 20 00".into()],
        "R-0.05",
        "PersonalData",
        "details.aktivitet",
    );
}

#[test]
fn an_entry_has_each_category_once_and_a_year_that_ends() {
    let twice = pb::EnterVoluntaryRegister {
        icnpo: vec!["1300".into(), "1300".into()],
        ..enter()
    };
    let refusal = organisation(vec![registered()])
        .when(twice)
        .then_refused("R-2.16", "IcnpoTwice");
    assert_eq!(refusal.field.as_deref(), Some("icnpo"));
    let ends = |day: &str| pb::EnterVoluntaryRegister {
        regnskapsrapportering: Some(pb::RapporteringspliktRegnskap {
            har_paatatt_seg_rapporteringsplikt: true,
            avslutningsdato_regnskapsperiode: Some(day.into()),
        }),
        ..enter()
    };
    for day in ["2902", "3113", "når som helst"] {
        let refusal = organisation(vec![registered()])
            .when(ends(day))
            .then_refused("R-2.18", "InvalidField");
        assert_eq!(
            refusal.field.as_deref(),
            Some("regnskapsrapportering.avslutningsdato_regnskapsperiode"),
            "{day}"
        );
    }
    organisation(vec![registered()])
        .when(ends("3006"))
        .then_names(&["VoluntaryRegistrationEntered"]);
}
