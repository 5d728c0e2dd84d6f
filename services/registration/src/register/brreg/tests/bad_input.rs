//! Bad input: what is refused, what ends the reading, and how precisely either is said.

use proptest::prelude::*;

use super::super::{Fault, Options, Reader};
use super::{gzip, orgnr, read, try_read, unit, voluntary};

#[track_caller]
fn fault(bytes: &[u8]) -> String {
    try_read(bytes, Options::default()).unwrap_err().to_string()
}

#[test]
fn a_bad_record_is_refused_and_the_others_are_read() {
    let good = unit(orgnr(31_000_000), "");
    let bad = unit(orgnr(32_000_000), r#","konkurs":"ja""#);
    let out = read(format!("[{good},{bad},{good}]").as_bytes(), Options::default());
    assert_eq!(out.units.len(), 2);
    let refused = &out.refused[0];
    assert_eq!((refused.record, refused.byte), (2, 2 + good.len() as u64));
    assert_eq!(refused.orgnr.as_deref(), Some(orgnr(32_000_000).as_str()));
    assert_eq!(refused.field.as_deref(), Some("konkurs"));
    assert!(refused.why.contains("expected a boolean"), "{refused}");
}

#[test]
fn the_field_of_a_wrong_type_is_named_with_its_path() {
    let bad = voluntary(
        orgnr(31_000_000),
        r#","icnpoKategorier":[{"icnpoNummer":"1200"},{"icnpoNummer":true}]"#,
    );
    let refused = &read(bad.as_bytes(), Options::default()).refused[0];
    assert_eq!(
        refused.field.as_deref(),
        Some("icnpoKategorier[1].icnpoNummer"),
        "{refused}"
    );
}

#[test]
fn a_bad_record_of_a_page_does_not_take_the_others_with_it() {
    let (good, bad) = (
        voluntary(orgnr(31_000_000), ""),
        voluntary(orgnr(32_000_000), r#","slettetDato":"2025-02-30""#),
    );
    let page = format!(r#"{{"_embedded":{{"frivilligeOrganisasjoner":[{bad},{good}]}}}}"#);
    let out = read(page.as_bytes(), Options::default());
    assert_eq!((out.voluntary.len(), out.refused.len()), (1, 1));
    assert_eq!(out.refused[0].byte, page.find(&bad).unwrap() as u64);
    assert_eq!(out.refused[0].field.as_deref(), Some("slettetDato"));
}

#[test]
fn values_that_cannot_be_are_refused_by_field_and_rule() {
    for (more, field, why) in [
        (r#","stiftelsesdato":"2025-02-29""#, "stiftelsesdato", "no such day"),
        (r#","vedtektsdato":"01.02.2025""#, "vedtektsdato", "YYYY-MM-DD"),
        (
            r#","vedtektsfestetFormaal":["a\u0000b"]"#,
            "vedtektsfestetFormaal",
            "control character \\u{0}",
        ),
        (r#","respons_klasse":"SlettetEnhet""#, "slettedato", "missing"),
        (
            r#","respons_klasse":"FjernetEnhet","slettedato":"2025-02-29""#,
            "slettedato",
            "no such day",
        ),
    ] {
        let refused = read(unit(orgnr(31_000_000), more).as_bytes(), Options::default())
            .refused
            .remove(0);
        assert_eq!(refused.field.as_deref(), Some(field), "{refused}");
        assert!(refused.why.contains(why), "{refused}");
    }
    let number = orgnr(31_000_000);
    let wrong = format!("{}{}", &number.as_str()[..8], (number.to_u32() + 1) % 10);
    let refused = read(
        unit(number, "").replace(number.as_str(), &wrong).as_bytes(),
        Options::default(),
    )
    .refused
    .remove(0);
    assert_eq!(refused.orgnr, Some(wrong));
    assert!(refused.why.contains("R-0.01"), "{refused}");
    let nameless = unit(number, "").replace("GRANALVHEIM HAGELAG", "  ");
    assert_eq!(
        read(nameless.as_bytes(), Options::default()).refused[0]
            .field
            .as_deref(),
        Some("navn")
    );
}

#[test]
fn elements_that_are_no_objects_are_refused_one_by_one() {
    let out = read(
        format!(r#"[1,"x",{{}},{},[2],null]"#, unit(orgnr(31_000_000), "")).as_bytes(),
        Options::default(),
    );
    assert_eq!((out.units.len(), out.refused.len()), (1, 5));
}

#[test]
fn a_file_that_is_no_array_and_no_object_says_so() {
    for (text, found) in [
        ("\"tekst\"", "a text"),
        ("17", "a number"),
        ("<html>", "'<'"),
        ("", "nothing"),
        ("null", "'n'"),
    ] {
        let said = fault(text.as_bytes());
        assert!(
            said.contains("file.json: byte 0") && said.contains("array") && said.ends_with(found),
            "{said}"
        );
    }
}

#[test]
fn files_of_other_things_are_told_apart_from_registers() {
    for text in [
        r#"{"_embedded":{"oppdaterteEnheter":[]}}"#,
        r#"{"rollegrupper":[],"_links":{}}"#,
        "{}",
        r#"{"a":1}"#,
    ] {
        assert!(
            matches!(
                try_read(text.as_bytes(), Options::default()),
                Err(Fault::NotARegister { .. })
            ),
            "{text}"
        );
    }
}

#[test]
fn malformed_json_is_named_by_byte_and_field() {
    let good = unit(orgnr(31_000_000), "");
    let broken = unit(orgnr(32_000_000), r#","maalform":Bokmål"#);
    let text = format!("[{good},\n{broken}]");
    let said = fault(text.as_bytes());
    let expected = text.find("Bokmål").unwrap();
    assert!(
        said.contains(&format!("byte {expected}")) && said.contains("in maalform"),
        "{said}, not {expected}"
    );
    let missing_comma = format!("[{good} {good}]");
    assert!(fault(missing_comma.as_bytes()).contains(&format!("byte {}: expected , or ]", good.len() + 2)));
    assert!(fault(format!("[{good},]").as_bytes()).contains("expected a record"));
    assert!(fault(format!("[{good}").as_bytes()).contains("ends inside an array"));
    assert!(fault(&good.as_bytes()[..40]).contains("byte 40: the file ends inside a value"));
}

#[test]
fn a_gzip_stream_that_is_cut_off_or_damaged_is_told_apart() {
    let records: Vec<_> = (0..5000).map(|at| unit(orgnr(31_000_000 + at * 11), "")).collect();
    let packed = gzip(format!("[{}]", records.join(",")).as_bytes());
    let said = fault(&packed[..packed.len() / 2]);
    assert!(said.contains("file.json: the gzip stream is cut off"), "{said}");
    assert!(fault(&packed[..packed.len() - 4]).contains("cut off"));
    let mut damaged = packed.clone();
    for byte in &mut damaged[packed.len() / 2..packed.len() / 2 + 64] {
        *byte = !*byte;
    }
    assert!(try_read(&damaged, Options::default()).is_err());
}

#[test]
fn what_was_read_before_a_fault_stands() {
    let text = format!("[{},{{\"navn\"", unit(orgnr(31_000_000), ""));
    let mut reader = Reader::open("file.json", text.as_bytes(), Options::default()).unwrap();
    assert!(reader.next().unwrap().is_ok());
    assert!(reader.next().unwrap().is_err());
    assert!(reader.next().is_none(), "a fault ends the reading");
    assert_eq!(reader.counts().kept, 1);
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = try_read(&bytes, Options::default());
    }

    #[test]
    fn no_corruption_of_a_file_makes_the_reader_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let text = format!("[{},{}]", unit(orgnr(31_000_000), r#","konkurs":true"#), voluntary(orgnr(32_000_000), ""));
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = try_read(&bytes, Options::default());
        bytes.truncate(cut.index(bytes.len()));
        let _ = try_read(&bytes, Options::default());
    }
}
