//! The two registers put together.

use super::super::{Join, Joined, Options, Reader};
use super::{orgnr, unit, voluntary};

fn reader(text: &str) -> Reader<&[u8]> {
    Reader::open("file.json", text.as_bytes(), Options::default()).unwrap()
}

/// A limited company, which is not kept for its own sake.
fn company(first_eight: u32) -> String {
    unit(orgnr(first_eight), "").replace("FLI", "AS")
}

#[track_caller]
fn join(join: &mut Join, units: &str, known: &dyn Fn(u32) -> bool) -> Vec<(String, bool)> {
    let mut units = reader(units);
    let mut joined = Vec::new();
    while let Some(next) = join.next(&mut units, known) {
        match next.unwrap() {
            Joined::Snapshot(snapshot, _) => {
                joined.push((snapshot.orgnr.to_string(), snapshot.voluntary.is_some()));
            }
            Joined::Removed(removed) => panic!("{removed:?}"),
            Joined::Refused(refused) | Joined::Replaced(refused) => panic!("{refused}"),
        }
    }
    joined
}

#[test]
fn units_meet_their_voluntary_records_and_the_rest_is_reported() {
    let mut joining = Join::default();
    let records = format!(
        "[{},{}]",
        voluntary(orgnr(31_000_000), ""),
        voluntary(orgnr(33_000_000), "")
    );
    let counts = joining
        .read_voluntary(&mut reader(&records), |_| panic!("nothing else is in it"))
        .unwrap();
    assert_eq!(counts.kept, 2);
    let units = format!("[{},{}]", unit(orgnr(31_000_000), ""), unit(orgnr(32_000_000), ""));
    let joined = join(&mut joining, &units, &|_| false);
    assert_eq!(
        joined,
        [
            (orgnr(31_000_000).to_string(), true),
            (orgnr(32_000_000).to_string(), false)
        ]
    );
    let left: Vec<_> = joining
        .finish()
        .into_iter()
        .map(|left| (left.record.orgnr, left.place.record))
        .collect();
    assert_eq!(left, [(orgnr(33_000_000), 2)]);
}

#[test]
fn a_company_is_kept_when_it_is_voluntary_or_already_known() {
    let mut joining = Join::default();
    joining
        .read_voluntary(&mut reader(&voluntary(orgnr(31_000_000), "")), |_| {})
        .unwrap();
    let units = format!(
        "[{},{},{}]",
        company(31_000_000),
        company(32_000_000),
        company(33_000_000)
    );
    let known = orgnr(33_000_000).to_u32();
    let joined = join(&mut joining, &units, &|orgnr| orgnr == known);
    assert_eq!(
        joined,
        [
            (orgnr(31_000_000).to_string(), true),
            (orgnr(33_000_000).to_string(), false)
        ]
    );
}

#[test]
fn of_a_removed_unit_number_and_day_are_read_and_only_when_it_is_known() {
    let removed = |first: u32, day: &str| {
        format!(
            r#"{{"organisasjonsnummer":"{}"{day},"respons_klasse":"FjernetEnhet"}}"#,
            orgnr(first)
        )
    };
    let units = [
        removed(31_000_000, r#","slettedato":"2026-02-01""#),
        removed(32_000_000, ""),
        removed(33_000_000, ""),
    ];
    let units = format!("[{}]", units.join(","));
    let mut joining = Join::default();
    joining
        .read_voluntary(&mut reader(&voluntary(orgnr(32_000_000), "")), |_| {})
        .unwrap();
    let known = orgnr(31_000_000).to_u32();
    let mut units = reader(&units);
    let mut found = Vec::new();
    while let Some(next) = joining.next(&mut units, &|orgnr| orgnr == known) {
        match next.unwrap() {
            Joined::Removed(removed) => found.push((removed.orgnr, removed.deleted_on)),
            other => panic!("{other:?}"),
        }
    }
    let day = jiff::civil::date(2026, 2, 1);
    assert_eq!(found, [(orgnr(31_000_000), Some(day)), (orgnr(32_000_000), None)]);
    assert_eq!((units.counts().skipped, joining.finish().len()), (1, 0));
}

#[test]
fn the_warnings_of_both_records_come_with_the_organisation() {
    let mut joining = Join::default();
    let record = voluntary(orgnr(31_000_000), r#","icnpoKategorier":[{"icnpoNummer":"01100"}]"#);
    joining.read_voluntary(&mut reader(&record), |_| {}).unwrap();
    let unit = unit(orgnr(31_000_000), r#","maalform":"Engelsk""#);
    match joining.next(&mut reader(&unit), &|_| false) {
        Some(Ok(Joined::Snapshot(_, warnings))) => {
            let fields: Vec<_> = warnings
                .iter()
                .map(|warning| (warning.place.record, warning.field))
                .collect();
            assert_eq!(fields, [(1, "maalform"), (1, "icnpoKategorier.icnpoNummer")]);
        }
        other => panic!("{other:?}"),
    }
}
