//! Every row of `id_test_vectors.csv`.

use ryggrad_norway::{
    CheckRule, Kid, KidMethod, KommuneNumber, Kontonummer, OrgNumber, PersonNumber, PersonNumberKind, PostalCode,
    Problem,
};

struct Vector {
    kind: String,
    value: String,
    expected: String,
    note: String,
}

fn vectors() -> Vec<Vector> {
    let mut reader = csv::Reader::from_path(concat!(env!("CARGO_MANIFEST_DIR"), "/data/id_test_vectors.csv")).unwrap();
    reader
        .records()
        .map(|row| {
            let row = row.unwrap();
            let field = |at: usize| row[at].to_owned();
            Vector {
                kind: field(0),
                value: field(1),
                expected: field(2),
                note: field(3),
            }
        })
        .collect()
}

/// What the types say about a vector, in the words of the file.
fn verdict(vector: &Vector) -> &'static str {
    let valid = |ok: bool| if ok { "valid" } else { "invalid" };
    let value = vector.value.as_str();
    match vector.kind.as_str() {
        "orgnr" => match (OrgNumber::parse(value), OrgNumber::parse_tolerant(value)) {
            (Ok(_), Ok(_)) => "valid",
            (Err(_), Ok(_)) => "valid-checksum-only",
            (_, Err(_)) => "invalid",
        },
        "fnr" | "fnr2032" | "dnr" => match PersonNumber::parse(value) {
            Err(_) => "invalid",
            Ok(number) => {
                let dnr = number.kind() == PersonNumberKind::Dnr;
                assert_eq!(dnr, vector.kind == "dnr", "{value}: kind");
                assert!(number.is_synthetic(), "{value}: every person number here is synthetic");
                match number.check_rule() {
                    CheckRule::Rule1964 => "valid",
                    CheckRule::Rule2032 => "valid-2032-only",
                }
            }
        },
        "konto" => valid(Kontonummer::parse(value).is_ok()),
        "kid" => valid(Kid::parse(value).is_ok()),
        "kommunenummer" => valid(KommuneNumber::parse(value).is_ok()),
        "postnummer" => match PostalCode::parse(value) {
            Err(_) => "invalid",
            Ok(code) if code.kommune().is_none() => "valid-outside-kommune",
            Ok(_) => "valid",
        },
        other => panic!("the vectors have a kind nobody tests: {other}"),
    }
}

#[test]
fn every_vector_is_judged_as_expected() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 71, "a row was added or lost");
    let wrong: Vec<String> = vectors
        .iter()
        .filter(|vector| verdict(vector) != vector.expected)
        .map(|vector| {
            format!(
                "{} {}: {} but is {} ({})",
                vector.kind,
                vector.value,
                vector.expected,
                verdict(vector),
                vector.note
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn refusals_of_organisation_numbers_say_what_is_wrong() {
    let problem = |text| OrgNumber::parse(text).unwrap_err().problem().clone();
    assert_eq!(problem("988077918"), Problem::CheckDigit);
    assert_eq!(problem("12345678"), Problem::Length { expected: 9, found: 8 });
    assert_eq!(problem("70173049X"), Problem::NotADigit { at: 9 });
    assert_eq!(problem("200000030"), Problem::NeverAssigned);
    assert_eq!(problem("701730496"), Problem::FirstDigit { allowed: "2, 3, 8, 9" });
    assert_eq!(OrgNumber::parse("1").unwrap_err().rule(), Some("R-0.01"));
}

#[test]
fn synthetic_organisation_numbers_are_told_apart() {
    for vector in vectors()
        .iter()
        .filter(|vector| vector.kind == "orgnr" && vector.expected == "valid")
    {
        let number = OrgNumber::parse(&vector.value).unwrap();
        assert_eq!(number.is_synthetic(), vector.note.starts_with("synthetic"), "{number}");
    }
}

#[test]
fn a_kid_knows_its_method() {
    let mod10 = Kid::parse("12344").unwrap();
    assert!(mod10.satisfies(KidMethod::Mod10) && !mod10.satisfies(KidMethod::Mod11));
    let mod11 = Kid::parse("12343").unwrap();
    assert!(mod11.satisfies(KidMethod::Mod11) && !mod11.satisfies(KidMethod::Mod10));
}

#[test]
fn former_municipality_numbers_are_called_historical() {
    let problem = |text| KommuneNumber::parse(text).unwrap_err().problem().clone();
    assert_eq!(problem("0220"), Problem::Historical { until: "2020-01-01" });
    assert_eq!(problem("3025"), Problem::Historical { until: "2024-01-01" });
    assert_eq!(problem("9999"), Problem::Unspecified);
    assert_eq!(problem("030"), Problem::Length { expected: 4, found: 3 });
}

#[test]
fn person_and_account_numbers_are_never_printed() {
    for vector in vectors() {
        let printed = match vector.kind.as_str() {
            "fnr" | "fnr2032" | "dnr" => {
                PersonNumber::parse(&vector.value).map(|number| format!("{number} {number:?}"))
            }
            "konto" => Kontonummer::parse(&vector.value).map(|number| format!("{number} {number:?}")),
            _ => continue,
        };
        let printed = printed.unwrap_or_else(|refused| format!("{refused} {refused:?}"));
        assert!(
            !printed.contains(&vector.value[..6]) && !printed.contains(&vector.value[5..]),
            "{printed}"
        );
    }
}
