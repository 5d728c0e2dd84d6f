//! Laws of the check digits, on numbers drawn at random.

use proptest::prelude::*;
use ryggrad_norway::{Kid, KidMethod, Kontonummer, OrgNumber, PersonNumber, YearEnd, parse_date};

/// `text` with the digit at `at` replaced by another one.
fn corrupt(text: &str, at: usize, by: u8) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = b'0' + (bytes[at] - b'0' + by) % 10;
    String::from_utf8(bytes).unwrap()
}

/// The last digits that make `stem` valid, if any do.
fn complete(stem: &str, digits: usize, valid: impl Fn(&str) -> bool) -> Option<String> {
    (0..10_u32.pow(u32::try_from(digits).unwrap()))
        .map(|end| format!("{stem}{end:0digits$}"))
        .find(|candidate| valid(candidate))
}

proptest! {
    #[test]
    fn one_wrong_digit_of_an_organisation_number_is_caught(stem in 0_u32..100_000_000, at in 0..9_usize, by in 1..10_u8) {
        if let Some(number) = OrgNumber::with_check_digit(stem) {
            prop_assert_eq!(OrgNumber::parse_tolerant(number.as_str()), Ok(number));
            prop_assert!(OrgNumber::parse_tolerant(&corrupt(number.as_str(), at, by)).is_err());
        }
    }

    #[test]
    fn an_organisation_number_survives_every_form_it_is_written_in(stem in 20_000_000_u32..40_000_000) {
        if let Some(number) = OrgNumber::with_check_digit(stem) {
            prop_assert!(number.is_synthetic());
            prop_assert_eq!(number.to_string().parse::<OrgNumber>(), Ok(number));
            prop_assert_eq!(number.to_u32().to_string(), number.to_string());
        }
    }

    #[test]
    fn one_wrong_digit_of_an_account_number_is_caught(stem in 0_u64..10_000_000_000, at in 0..11_usize, by in 1..10_u8) {
        if let Some(number) = complete(&format!("{stem:010}"), 1, |text| Kontonummer::parse(text).is_ok()) {
            prop_assert!(Kontonummer::parse(&corrupt(&number, at, by)).is_err());
        }
    }

    #[test]
    fn the_second_check_digit_catches_one_wrong_digit_of_a_person_number(
        day in 1..=28_u8, month in 81..=92_u8, rest in 0..100_000_u32, at in 0..11_usize, by in 1..10_u8,
    ) {
        let stem = format!("{day:02}{month:02}{rest:05}");
        if let Some(number) = complete(&stem, 2, |text| PersonNumber::parse(text).is_ok()) {
            prop_assert!(PersonNumber::parse(&corrupt(&number, at, by)).is_err());
        }
    }

    #[test]
    fn one_wrong_digit_of_a_mod10_reference_is_caught_by_mod10(stem in "[0-9]{1,24}", at in 0..25_usize, by in 1..10_u8) {
        let kid = (0..10).map(|digit| format!("{stem}{digit}")).find_map(|text| {
            Kid::parse(&text).ok().filter(|kid| kid.satisfies(KidMethod::Mod10))
        });
        let kid = kid.expect("MOD10 always has a check digit");
        let wrong = corrupt(kid.as_str(), at % kid.as_str().len(), by);
        prop_assert!(Kid::parse(&wrong).map_or(true, |kid| !kid.satisfies(KidMethod::Mod10)));
    }

    #[test]
    fn nothing_panics_on_any_text(text in ".{0,14}") {
        let _ = (OrgNumber::parse(&text), PersonNumber::parse(&text), Kontonummer::parse(&text), Kid::parse(&text));
        let _ = (parse_date(&text), YearEnd::parse(&text), ryggrad_norway::Nace::parse(&text));
        let _ = (ryggrad_norway::KommuneNumber::parse(&text), ryggrad_norway::PostalCode::parse(&text));
    }

    #[test]
    fn a_date_is_read_as_it_is_written(days in 0..60_000_i32) {
        let date = jiff::civil::date(1900, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
        prop_assert_eq!(parse_date(&date.to_string()), Ok(date));
    }
}

#[test]
fn days_that_do_not_exist_are_refused() {
    for text in ["2025-02-29", "2025-13-01", "2025-00-10", "2025-04-31", "0000-00-00"] {
        assert!(parse_date(text).is_err(), "{text}");
    }
    for text in [
        "2025-2-01",
        "20250201",
        "01.02.2025",
        "2025-02-01T00:00:00Z",
        " 2025-02-01",
        "２025-02-01",
    ] {
        assert!(
            parse_date(text).unwrap_err().to_string().contains("YYYY-MM-DD"),
            "{text}"
        );
    }
    assert!(parse_date("2024-02-29").is_ok());
}

#[test]
fn an_accounting_year_ends_on_a_day_of_every_year() {
    assert_eq!(YearEnd::default().as_str(), "3112");
    assert!(YearEnd::parse("3006").is_ok());
    for text in ["2902", "3106", "0013", "1231", "31.12"] {
        assert!(YearEnd::parse(text).is_err(), "{text}");
    }
}
