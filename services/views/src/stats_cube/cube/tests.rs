//! What the tables say, and what subtracting them from one another does not.

use proptest::prelude::*;

use super::*;
use crate::stats_cube::sample::THRESHOLD;

type Unit = [&'static str; 5];

/// Every table that can be asked for: of each dimension no level or one.
fn tables() -> Vec<Vec<Level>> {
    let mut tables = vec![Vec::new()];
    for dimension in 0..5 {
        let levels: Vec<_> = Level::ALL
            .into_iter()
            .map(|(_, level)| level)
            .filter(|level| level.dimension() == dimension)
            .collect();
        let finer: Vec<Vec<_>> = tables
            .iter()
            .flat_map(|table| levels.iter().map(|level| [table.as_slice(), &[*level]].concat()))
            .collect();
        tables.extend(finer);
    }
    tables
}

fn secret(seed: u8) -> Secret {
    Secret::new(vec![seed; 32])
}

/// The cube of these organisations; the nth is called n.
fn cube(secret: &Secret, units: &[Unit]) -> Cube {
    let mut cube = Cube::default();
    for (n, unit) in units.iter().enumerate() {
        cube.add(secret, &n.to_string(), *unit);
    }
    cube
}

/// Everything that can be read: every table, and of every table every part.
fn readable(cube: &Cube) -> Vec<Vec<Cell>> {
    let mut answers = Vec::new();
    for by in tables() {
        let table = cube.count(&by, &[]);
        for cell in &table {
            let only: Vec<_> = by.iter().copied().zip(cell.values.iter().cloned()).collect();
            answers.push(cube.count(&[], &only));
        }
        answers.push(table);
    }
    answers
}

/// How many there are in truth of a cell.
fn truly(units: &[Unit], by: &[Level], values: &[String]) -> usize {
    let is_there = |unit: &&Unit| {
        by.iter()
            .zip(values)
            .all(|(level, value)| level.of(unit[level.dimension()]) == value)
    };
    units.iter().filter(is_there).count()
}

fn unit() -> impl Strategy<Value = Unit> {
    let of = |values: &'static [&'static str]| prop::sample::select(values);
    (
        of(&["0301", "4201", "4202", "5001", ""]),
        of(&["1100", "1200", "2100", ""]),
        of(&["FLI", "STI"]),
        of(&["0", "1-4", ""]),
        of(&["2025-12", "2026-01", "2026-02"]),
    )
        .prop_map(|(kommune, icnpo, form, size, month)| [kommune, icnpo, form, size, month])
}

#[test]
fn every_table_is_tried() {
    assert_eq!(tables().len(), 3 * 3 * 2 * 2 * 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Subtracting any of the tables from any others, at any levels and in any number, does not pin a small cell: whichever it is,
    /// there is another population, with one organisation more in it, of which every table and every part of one is the same.
    #[test]
    fn no_small_number_follows_from_all_tables_together(units in prop::collection::vec(unit(), 1..20), seed in any::<u8>()) {
        let secret = secret(seed);
        let answers = readable(&cube(&secret, &units));
        let spare = (units.len()..10_000).map(|n| n.to_string()).find(|name| !secret.takes(name)).expect("one in ten");
        let mut members = units.clone();
        members.sort_unstable();
        members.dedup();
        // Every cell has a member, and one more like it is in all the cells that it is in.
        for member in members {
            let mut other = cube(&secret, &units);
            other.add(&secret, &spare, member);
            prop_assert_eq!(&readable(&other), &answers);
        }
    }

    #[test]
    fn a_cell_of_fewer_than_five_is_never_told(units in prop::collection::vec(unit(), 1..60), seed in any::<u8>()) {
        let cube = cube(&secret(seed), &units);
        for by in tables() {
            for cell in cube.count(&by, &[]) {
                let truth = truly(&units, &by, &cell.values) as u64;
                prop_assert!(truth > 0);
                prop_assert!(cell.count.is_none_or(|count| truth >= THRESHOLD && count >= THRESHOLD && count % THRESHOLD == 0), "{cell:?} is {truth}");
            }
        }
    }

    #[test]
    fn a_part_says_what_the_whole_table_says(units in prop::collection::vec(unit(), 1..60), seed in any::<u8>()) {
        let cube = cube(&secret(seed), &units);
        for by in tables().into_iter().filter(|by| !by.is_empty()) {
            for cell in cube.count(&by, &[]) {
                let only: Vec<_> = by.iter().copied().zip(cell.values.iter().cloned()).collect();
                prop_assert_eq!(&cube.count(&by, &only), &[cell]);
            }
        }
    }
}

/// Alone in its county, three; the county, the country and every other municipality are told.
#[test]
fn the_only_municipality_of_a_county_is_not_the_country_less_the_rest() {
    let mut units = Vec::new();
    for (kommune, count) in [("0301", 3), ("4201", 9), ("4202", 8)] {
        units.extend(std::iter::repeat_n([kommune, "1100", "FLI", "0", "2026-01"], count));
    }
    let mut right = 0;
    for seed in 0..=u8::MAX {
        let cube = cube(&secret(seed), &units);
        let total = cube.count(&[], &[])[0].count.expect("20 are told");
        for level in [Level::Kommune, Level::Fylke] {
            let table = cube.count(&[level], &[]);
            assert!(
                table
                    .iter()
                    .all(|cell| !cell.values[0].starts_with("03") || cell.count.is_none()),
                "{table:?}"
            );
            let rest: u64 = table.iter().filter_map(|cell| cell.count).sum();
            right += u32::from(total.checked_sub(rest) == Some(3));
        }
    }
    // Three is no multiple of five.
    assert_eq!(right, 0);
}

/// The standard deviation of a number n is the square root of n / 9, and rounding adds at most 2.5: four of them are almost never
/// exceeded, and what is told is right on the average.
#[test]
fn what_is_told_is_near_the_truth() {
    let mut units = Vec::new();
    for (kommune, count) in [("0301", 6_500), ("4201", 400), ("4202", 40), ("5001", 12)] {
        units.extend(std::iter::repeat_n([kommune, "1100", "FLI", "0", "2026-01"], count));
    }
    for (kommune, truth) in [("0301", 6_500.0), ("4201", 400.0), ("4202", 40.0)] {
        let told: Vec<_> = (0..64_u8)
            .map(|seed| {
                let only = [(Level::Kommune, kommune.to_owned())];
                let count = cube(&secret(seed), &units).count(&[], &only)[0].count.expect("many");
                f64::from(u32::try_from(count).expect("not so many"))
            })
            .collect();
        let deviation = f64::sqrt(truth / 9.0);
        assert!(
            told.iter().all(|told| (told - truth).abs() < 4.0 * deviation + 2.5),
            "{kommune}: {told:?}"
        );
        let mean = told.iter().sum::<f64>() / 64.0;
        assert!(
            (mean - truth).abs() < 4.0 * (deviation + 2.5) / 8.0,
            "{kommune}: {mean}"
        );
    }
}
