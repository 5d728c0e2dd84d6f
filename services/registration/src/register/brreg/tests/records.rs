//! Single records: the rules by which their values are taken or left.

use ryggrad_norway::OrgNumber;

use super::super::Options;
use super::{Out, gzip, orgnr, read, unit, voluntary};

#[track_caller]
fn one_unit(more: &str) -> Out {
    read(unit(orgnr(31_000_000), more).as_bytes(), Options::default())
}

#[track_caller]
fn one_voluntary(more: &str) -> Out {
    read(voluntary(orgnr(31_000_000), more).as_bytes(), Options::default())
}

#[test]
fn the_same_records_come_from_every_shape_packed_or_not() {
    let (one, two) = (
        unit(orgnr(31_000_000), ""),
        unit(orgnr(32_000_000), r#","konkurs":true"#),
    );
    let shapes = [
        format!("[{one},{two}]"),
        format!(" [\n  {one} ,\n  {two}\n ]\n"),
        format!("\u{feff}[{one},{two}]"),
        format!("{one}\n{two}\n"),
        format!(r#"{{"_embedded":{{"enheter":[{one},{two}]}},"page":{{"number":0}}}}"#),
        format!(
            r#"{{"_embedded":{{"enheter":[{one}]}}}}{}{{"_embedded":{{"enheter":[{two}]}}}}"#,
            "\n"
        ),
        format!("[{one}]\n[{two}]"),
    ];
    let expected = read(shapes[0].as_bytes(), Options::default()).units;
    assert_eq!(expected.len(), 2);
    for shape in &shapes {
        assert_eq!(read(shape.as_bytes(), Options::default()).units, expected, "{shape}");
        assert_eq!(
            read(&gzip(shape.as_bytes()), Options::default()).units,
            expected,
            "{shape}"
        );
    }
}

#[test]
fn a_page_without_records_is_read_as_one() {
    for page in [
        r#"{"_links":{"self":{"href":"x"}},"page":{"size":1000,"totalElements":0}}"#,
        r#"{"_links":{}}"#,
        "[]",
    ] {
        let out = read(page.as_bytes(), Options::default());
        assert_eq!((out.units.len(), out.refused.len()), (0, 0), "{page}");
    }
}

#[test]
fn escaped_and_nested_text_does_not_confuse_the_reader() {
    let odd = r#","aktivitet":["}],{\"\\"],"ukjent":{"a":[[{"b":"]"}]]},"vedtektsfestetFormaal":["Å \"synge\" \u00e5pent\\"]"#;
    let out = read(
        format!("[{},{}]", unit(orgnr(31_000_000), odd), unit(orgnr(32_000_000), "")).as_bytes(),
        Options::default(),
    );
    assert_eq!(out.units.len(), 2);
    assert_eq!(out.units[0].purpose, [r#"Å "synge" åpent\"#]);
}

#[test]
fn documentation_examples_need_the_tolerant_reading() {
    let number = orgnr(50_000_000);
    let strict = read(unit(number, "").as_bytes(), Options::default());
    assert!(strict.refused[0].why.contains("R-0.01"), "{}", strict.refused[0]);
    let tolerant = read(
        unit(number, "").as_bytes(),
        Options {
            tolerant: true,
            ..Options::default()
        },
    );
    assert_eq!(tolerant.units[0].orgnr, number);
    let wrong = unit(number, "").replace(number.as_str(), "512345678");
    assert!(OrgNumber::parse_tolerant("512345678").is_err());
    assert_eq!(
        read(
            wrong.as_bytes(),
            Options {
                tolerant: true,
                ..Options::default()
            }
        )
        .refused
        .len(),
        1
    );
}

#[test]
fn a_former_municipality_is_left_out_and_the_organisation_kept() {
    let out = one_unit(r#","forretningsadresse":{"landkode":"NO","kommunenummer":"0220","postnummer":"1384"}"#);
    assert_eq!(
        (out.units[0].kommunenummer(), out.units[0].postnummer().unwrap().place()),
        (None, "ASKER")
    );
    assert!(out.warnings[0].contains("2020-01-01"), "{:?}", out.warnings);
}

#[test]
fn an_address_abroad_has_no_municipality_and_no_warning() {
    let out = one_unit(r#","forretningsadresse":{"landkode":"SE","postnummer":"111 22"}"#);
    assert_eq!((out.units[0].kommunenummer(), out.warnings.len()), (None, 0));
}

#[test]
fn categories_are_ranked_unique_and_at_most_three() {
    let category =
        |number: &str, rank: u32| format!(r#"{{"icnpoNummer":"{number}","navn":null,"rekkefoelge":{rank}}}"#);
    let list = [
        ("1300", 3),
        ("1200", 1),
        ("1", 2),
        ("1200", 4),
        ("14100", 2),
        ("9100", 5),
    ];
    let list: Vec<_> = list.iter().map(|(number, rank)| category(number, *rank)).collect();
    let out = one_voluntary(&format!(r#","icnpoKategorier":[{}]"#, list.join(",")));
    let codes: Vec<_> = out.voluntary[0].icnpo.iter().map(|icnpo| icnpo.code()).collect();
    assert_eq!(codes, ["1200", "14100", "1300"]);
    assert_eq!(out.warnings.len(), 3, "{:?}", out.warnings);
}

#[test]
fn everything_the_voluntary_register_says_is_taken() {
    let out = one_voluntary(
        r#","foersteGangInnfoert":"2009-01-01","kontonummer":"99999461855",
        "grasrotandel":{"deltarI":true,"utestengelsesperiode":{"fraDato":"2026-01-01","tilDato":"2026-12-31"}},
        "regnskapsrapportering":{"harPaatattSegRapporteringsplikt":true,"avslutningsdatoForRegnskapsperiode":"3006",
            "sistInnsendteAarsregnskap":{"regnskapsaar":2025,"registreringsdato":"2026-05-04"}},
        "vedtekter":{"frivilligRegistrerteVedtekter":true,"sistOppdaterteVedtekter":"2024-04-01"},
        "relasjoner":[{"relasjonsrolleFra":"a","relasjonsrolleTil":"b","relasjonTil":"245915101"},
            {"relasjonsrolleFra":"a","relasjonsrolleTil":"b","relasjonTil":{"organisasjonsnummer":"225522952"}},
            {"relasjonTil":"245915102"}]"#,
    );
    let record = &out.voluntary[0];
    assert_eq!(record.first_entered_on.unwrap().to_string(), "2009-01-01");
    assert_eq!(record.grasrot.exclusion.unwrap().to.unwrap().to_string(), "2026-12-31");
    assert_eq!(record.accounts.year_end.as_ref().unwrap().as_str(), "3006");
    assert_eq!(record.accounts.last_submitted.unwrap().year, 2025);
    assert!(record.accounts.duty && record.bylaws_registered);
    assert_eq!(
        record
            .relations
            .iter()
            .map(|relation| relation.to.as_str())
            .collect::<Vec<_>>(),
        ["245915101", "225522952"]
    );
    assert_eq!(out.warnings.len(), 1, "{:?}", out.warnings);
}

#[test]
fn the_end_of_the_accounting_year_is_read_in_every_likely_form() {
    for (written, expected) in [
        ("3112", Some("3112")),
        ("2025-06-30", Some("3006")),
        ("--09-30", Some("3009")),
        ("31.12", None),
    ] {
        let out = one_voluntary(&format!(
            r#","regnskapsrapportering":{{"avslutningsdatoForRegnskapsperiode":"{written}"}}"#
        ));
        let year_end = out.voluntary[0].accounts.year_end.as_ref();
        assert_eq!(year_end.map(ryggrad_norway::YearEnd::as_str), expected, "{written}");
        assert_eq!(out.warnings.len(), usize::from(expected.is_none()));
    }
}

#[test]
fn a_slettet_dato_means_deleted() {
    let record = &one_voluntary(r#","slettetDato":"2025-01-02""#).voluntary[0];
    assert!(record.deleted && record.deleted_on.unwrap().to_string() == "2025-01-02");
}

#[test]
fn unknown_fields_and_nulls_are_read_over() {
    let out = one_unit(
        r#","nytt":{"felt":1},"vedtektsdato":null,"paategninger":null,"forretningsadresse":null,"maalform":null"#,
    );
    assert_eq!((out.units.len(), out.warnings.len()), (1, 0));
}
