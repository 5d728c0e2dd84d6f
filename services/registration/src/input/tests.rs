//! Fields that are read, and fields that are not.

use ryggrad_norway::{OrgNumber, PersonNumber};

use super::*;

#[test]
fn a_text_with_an_identity_number_is_refused() {
    for text in ["ring 01810049879 nå", "se 018100 49879"] {
        if PersonNumber::parse("01810049879").is_ok() {
            assert!(names_a_person(text), "{text}");
        }
    }
    assert!(names_a_person("skriv til leder@lag.example.no"));
    assert!(!names_a_person(
        "Vi møtes kl. 18.30 den 12.05.2026 @ klubbhuset, plass til 120"
    ));
}

#[test]
fn a_text_over_its_limit_names_its_field() {
    let refusal = text("title", &"a".repeat(201), NAME).expect_err("too long");
    assert_eq!(refusal.field.as_deref(), Some("title"));
    assert!(
        text("title", &"å".repeat(200), NAME).is_ok(),
        "characters count, not bytes"
    );
}

#[test]
fn nul_and_absent_texts_are_refused() {
    assert!(text("title", "a\0b", NAME).is_err());
    assert!(text("title", "  ", NAME).is_err());
}

#[test]
fn a_date_that_does_not_exist_is_refused() {
    assert!(date("date", "2026-02-30").is_err());
    assert!(date("date", "2026-02-28").is_ok());
}

#[test]
fn a_wrong_check_digit_rests_on_its_rule() {
    let refusal = coded::<OrgNumber>("orgnr", "245915102").expect_err("wrong check digit");
    assert_eq!(refusal.rule.id, "R-0.01");
}
