//! Every fixture is read, and as it should be.

use std::fs;
use std::path::PathBuf;

use ryggrad_norway::{LegalForm, OrgNumber};

use super::super::{Kind, Options, Reader};
use super::{ALL, Out, read};

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/brreg"))
}

#[track_caller]
fn fixture(name: &str, options: Options) -> Out {
    read(&fs::read(folder().join(name)).unwrap(), options)
}

#[test]
fn every_fixture_is_read_without_a_fault() {
    let mut files = 0;
    for file in fs::read_dir(folder()).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let out = read(&fs::read(&path).unwrap(), ALL);
            let records = out.units.len() + out.voluntary.len() + out.refused.len();
            assert!(records > 0, "{} has no record", path.display());
            files += 1;
        }
    }
    assert_eq!(files, 15);
}

#[test]
fn fixtures_hold_synthetic_numbers_only() {
    for file in fs::read_dir(folder()).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for word in text
            .split(|char: char| !char.is_ascii_digit())
            .filter(|word| word.len() == 9)
        {
            assert!(OrgNumber::parse(word).unwrap().is_synthetic(), "{word}");
        }
        assert!(!text.contains("epostadresse") && !text.contains("telefon\"") && !text.contains("mobil\""));
    }
}

#[test]
fn deleted_units_of_other_forms_are_skipped() {
    for name in ["02-enhet-slettet.json", "08-slettet-enhet-respons_klasse.json"] {
        let out = fixture(name, Options::default());
        assert_eq!((out.skipped, out.units.len(), out.refused.len()), (1, 0, 0), "{name}");
    }
    let deleted = &fixture("08-slettet-enhet-respons_klasse.json", ALL).units[0];
    assert_eq!(deleted.deleted_on.unwrap().to_string(), "2024-03-09");
    let refused = &fixture("02-enhet-slettet.json", ALL).refused[0];
    assert_eq!(refused.field.as_deref(), Some("organisasjonsform.kode"));
    assert!(refused.why.contains("R-2.07"), "{}", refused.why);
}

#[test]
fn a_search_page_gives_the_association_in_it() {
    let out = fixture("05-enheter-sok-side1.json", Options::default());
    assert_eq!((out.skipped, out.units.len()), (1, 1));
    let unit = &out.units[0];
    assert_eq!(unit.name, "TVEITALV FAMILIEBARNEHAGE");
    assert_eq!(unit.kommunenummer().unwrap().name(), "Oslo");
    assert_eq!(unit.last_accounts_year, Some(2012));
    assert!(!unit.in_voluntary_register);
}

#[test]
fn a_unit_with_every_field_gives_all_that_is_mapped() {
    let unit = &fixture("07-enhet-alle-felt.json", Options::default()).units[0];
    assert_eq!(unit.form, LegalForm::parse("ASA").unwrap());
    assert_eq!(unit.founded_on.unwrap().to_string(), "2024-01-12");
    assert_eq!(unit.registered_on.unwrap().to_string(), "2024-01-13");
    assert_eq!(unit.voluntary_registered_on.unwrap().to_string(), "2024-01-20");
    assert_eq!(unit.purpose, ["Telekommunikasjonsvirksomhet"]);
    assert_eq!(unit.bylaws_date.unwrap().to_string(), "2024-01-11");
    assert_eq!(unit.nace.len(), 3);
    assert_eq!((unit.has_employees, unit.employees), (Some(true), Some(50)));
    assert_eq!(unit.parent.unwrap().as_str(), "239240291");
    let registers: Vec<_> = unit.registers.iter().map(|register| register.code()).collect();
    assert_eq!(registers, ["FOR", "MVA", "STI", "PARTI"]);
    let days: Vec<_> = unit
        .register_days
        .iter()
        .map(|(register, day)| format!("{register} {day}"))
        .collect();
    assert_eq!(
        days,
        [
            "FOR 2024-01-19",
            "MVA 2024-01-16",
            "MVA-ER 2024-01-17",
            "PARTI 2024-01-21"
        ]
    );
    assert_eq!(unit.postal_address.as_ref().unwrap().lines, ["Oppdiktvegen 1"]);
    assert_eq!(unit.sector.unwrap().code(), "8200");
    let winding_up = unit.under_winding_up.unwrap();
    assert_eq!(
        (winding_up.since.unwrap().to_string().as_str(), winding_up.forced),
        ("2024-01-04", true)
    );
    assert_eq!(
        (unit.bankrupt, unit.bankrupt_on.unwrap().to_string().as_str()),
        (true, "2024-01-05")
    );
    let annotations: Vec<_> = unit
        .annotations
        .iter()
        .map(|annotated| annotated.about.code())
        .collect();
    assert_eq!(annotations, ["NAVN", "FADR"]);
}

#[test]
fn a_sub_unit_is_no_organisation() {
    assert_eq!(
        fixture("09-underenhet-respons_klasse.json", Options::default()).skipped,
        1
    );
    assert!(
        fixture("09-underenhet-respons_klasse.json", ALL).refused[0]
            .why
            .contains("sub-unit")
    );
}

#[test]
fn an_unknown_municipality_is_left_out_with_a_warning() {
    let out = fixture("10-enhet-FLI.json", Options::default());
    assert_eq!(out.units[0].kommunenummer(), None);
    assert_eq!(out.units[0].language.unwrap().code(), "nb");
    assert!(
        out.warnings[0].starts_with("forretningsadresse.kommunenummer: \"1234\""),
        "{:?}",
        out.warnings
    );
}

#[test]
fn units_outside_voluntary_activity_are_skipped() {
    for name in ["13-enhet-ORGL.json", "15-enhet-ASA.json"] {
        assert_eq!(fixture(name, Options::default()).skipped, 1, "{name}");
        assert_eq!(fixture(name, ALL).units.len(), 1, "{name}");
    }
}

#[test]
fn associations_of_all_versions_are_read() {
    let nynorsk = &fixture("16-enhet-FLI-frivillig-nynorsk.json", Options::default()).units[0];
    assert_eq!(nynorsk.language.unwrap().code(), "nn");
    assert_eq!(nynorsk.kommunenummer().unwrap().name(), "Stavanger");
    assert!(nynorsk.in_voluntary_register);
    assert_eq!(
        fixture("17-enhet-FLI-frivillig-oslo.json", Options::default())
            .units
            .len(),
        1
    );
    let newest = &fixture("18-enhet-FLI-v2.json", Options::default()).units[0];
    assert_eq!(newest.voluntary_registered_on.unwrap().to_string(), "2022-06-18");
    assert_eq!(newest.postnummer().unwrap().place(), "SANDVIKA");
    assert_eq!(newest.website.as_deref(), Some("www.example.org"));
    assert_eq!(newest.activity, ["Velarbeid for grenda"]);
    assert_eq!((newest.has_employees, newest.employees), (Some(false), None));
    assert_eq!(newest.address.as_ref().unwrap().lines, ["Oppdiktvegen 1"]);
    assert_eq!(
        newest.postal_address.as_ref().unwrap().postnummer.unwrap().code(),
        "1337"
    );
}

#[test]
fn early_documentation_of_voluntary_organisations_is_read_with_warnings() {
    let out = fixture("23-frivillige-organisasjoner-side-aktiv.json", Options::default());
    assert_eq!(out.voluntary.len(), 2);
    assert_eq!(out.voluntary[0].icnpo, []);
    assert!(
        out.warnings.iter().any(|warning| warning.contains("AKTIV")),
        "{:?}",
        out.warnings
    );
    assert!(
        out.warnings
            .iter()
            .any(|warning| warning.contains("01100") && warning.contains("R-2.16"))
    );
    let single = fixture("24-frivillig-organisasjon-innfoert.json", Options::default());
    assert_eq!(single.voluntary[0].first_entered_on.unwrap().to_string(), "2010-04-15");
    assert_eq!(single.warnings.len(), 3);
    let deleted = fixture("24b-frivillig-organisasjon-slettet.json", Options::default());
    assert!(deleted.voluntary[0].deleted && deleted.voluntary[0].deleted_on.is_none());
}

#[test]
fn a_page_of_the_live_register_is_read_without_a_warning() {
    let out = fixture("25-frivillige-organisasjoner-side.json", Options::default());
    assert_eq!((out.voluntary.len(), out.warnings.len()), (2, 0));
    assert!(
        out.voluntary
            .iter()
            .all(|record| record.grasrot.participates && record.grasrot.exclusion.is_none())
    );
    assert_eq!(out.voluntary[0].icnpo[0].code(), "9100");
}

#[test]
fn the_register_of_a_file_is_known_before_it_is_read() {
    let kind = |name: &str| {
        let bytes = fs::read(folder().join(name)).unwrap();
        Reader::open(name, bytes.as_slice(), Options::default()).unwrap().kind()
    };
    assert_eq!(kind("05-enheter-sok-side1.json"), Some(Kind::Units));
    assert_eq!(kind("08-slettet-enhet-respons_klasse.json"), Some(Kind::Units));
    assert_eq!(kind("24b-frivillig-organisasjon-slettet.json"), Some(Kind::Voluntary));
    assert_eq!(kind("25-frivillige-organisasjoner-side.json"), Some(Kind::Voluntary));
}

#[test]
fn nothing_that_identifies_a_person_or_an_account_is_taken() {
    let by_way_of = &fixture("17-enhet-FLI-frivillig-oslo.json", ALL).units[0];
    assert!(
        by_way_of.address.as_ref().unwrap().lines.is_empty(),
        "c/o and its street"
    );
    let text = [
        "07-enhet-alle-felt.json",
        "17-enhet-FLI-frivillig-oslo.json",
        "24-frivillig-organisasjon-innfoert.json",
    ]
    .map(|name| fixture(name, ALL))
    .map(|out| serde_json::to_string(&(out.units, out.voluntary)).unwrap())
    .concat();
    for secret in ["99999461855", "c/o", "Styret", "Påtegning på", "99993854405"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
