//! Fields that are read, and fields that are not.

use ryggrad_norway::OrgNumber;

use super::*;

/// Values of a kind in the code list of test vectors: synthetic persons, the fictional bank, made-up organisations.
fn vectors(kinds: &[&str], expected: &str) -> Vec<&'static str> {
    let rows = include_str!("../../../../libs/norway/data/id_test_vectors.csv").lines();
    let found: Vec<_> = rows
        .filter_map(|row| {
            let mut cells = row.splitn(4, ',');
            let (kind, value, told) = (cells.next()?, cells.next()?, cells.next()?);
            (kinds.contains(&kind) && told == expected).then_some(value)
        })
        .collect();
    assert!(!found.is_empty(), "no vector of {kinds:?} is {expected}");
    found
}

#[track_caller]
fn found(text: &str) {
    assert!(names_a_person(text), "not found: {text:?}");
    let refusal = self::text("purpose", text, PROSE).expect_err("personal data");
    assert_eq!((refusal.rule.id, refusal.code), ("R-0.05", "PersonalData"), "{text:?}");
}

#[test]
fn a_text_with_an_identity_number_is_refused_however_it_is_grouped() {
    for number in [
        vectors(&["fnr", "dnr"], "valid"),
        vectors(&["fnr2032"], "valid-2032-only"),
    ]
    .concat()
    {
        let (day, rest) = number.split_at(6);
        found(number);
        found(&format!("ring {number} nå"));
        for between in [" ", ".", "-", "\t", "\u{a0}", "\u{202f}", "–", " - ", "/", "\u{200b}"] {
            found(&format!("fnr. {day}{between}{rest}, takk"));
        }
        found(&format!("{}.{}.{} {rest}", &day[..2], &day[2..4], &day[4..]));
    }
}

#[test]
fn eleven_digits_that_are_nobody_are_let_through() {
    for number in vectors(&["fnr", "dnr"], "invalid")
        .into_iter()
        .filter(|number| number.len() == 11 && number.bytes().all(|b| b.is_ascii_digit()))
    {
        for said in [number.to_owned(), format!("nummer {number} i arkivet")] {
            assert_eq!(text("purpose", &said, PROSE), Ok(said));
        }
    }
}

#[test]
fn a_text_with_an_account_number_is_refused() {
    for number in vectors(&["konto"], "valid") {
        found(&format!("konto {number}"));
        for between in [".", " ", "\u{a0}"] {
            found(&format!(
                "{}{between}{}{between}{}",
                &number[..4],
                &number[4..6],
                &number[6..]
            ));
        }
    }
}

#[test]
fn a_text_with_a_telephone_number_is_refused() {
    for text in [
        "22862000",
        "Tlf. 22862000.",
        "ring 228 62 000",
        "ring 22 86 20 00 etter kl. 18",
        "22.86.20.00",
        "22\u{a0}86\u{a0}20\u{a0}00",
        "mobil: 912 34 567",
        "912-34-567",
        "+4722862000",
        "+47 22 86 20 00",
        "(+47) 912 34 567",
        "0047 91234567",
        "004791234567",
        "Velkommen! 91234567",
    ] {
        found(text);
    }
}

#[test]
fn a_text_with_an_email_address_is_refused() {
    found("skriv til leder@lag.example.no");
}

#[test]
fn years_dates_times_amounts_and_organisation_numbers_are_no_persons() {
    for text in [
        "Vi møtes kl. 18.30 den 12.05.2026 @ klubbhuset, plass til 120",
        "sesongen 2025/2026 og 2026-2027",
        "20260512",
        "21.05.2026 kl. 20.00-22.00",
        "aldersgruppene 6-12, 13-19 og 20-25",
        "budsjett 25000000 kr",
        "kr 25000000",
        "25 000 000 kroner",
        "NOK 32500000",
        "org.nr. 245915101",
        "org.nr. 245 915 101",
        "NO 225522952 MVA",
        "4836 Arendal, gnr. 22 bnr. 145",
        "sak 2026/22862000",
        "https://example.org/grupper/22862000",
        "uke 22, 23, 24 og 25",
        "versjon 22862000-b",
        "01958f6e-7c00-7000-8000-0000000000a1",
        "2286 2000",
    ] {
        assert!(!names_a_person(text), "found: {text:?}");
    }
    for number in vectors(&["orgnr"], "valid") {
        for text in [
            number.to_owned(),
            format!("{} {} {}", &number[..3], &number[3..6], &number[6..]),
        ] {
            assert!(!names_a_person(&text), "found: {text:?}");
        }
    }
}

#[test]
fn an_address_by_way_of_somebody_is_told_from_one_that_is_not() {
    for line in [
        "c/o Styret",
        "C/O Styret",
        "v/leder",
        "v/ leder",
        "Samfunnshuset v/ leder",
        "Att: styret",
        "att. styret",
        "ved leder",
    ] {
        assert!(by_way_of_somebody(line), "{line}");
    }
    for line in [
        "Oppdiktvegen 1",
        "Postboks 12",
        "Vedvegen 3",
        "Attvegen 2",
        "Covegen 1",
        "Torget 3 B",
    ] {
        assert!(!by_way_of_somebody(line), "{line}");
    }
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
