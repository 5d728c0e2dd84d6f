//! The population: the same for the same seed, readable, and distributed as the country is.

mod shares;

use std::collections::HashSet;

use super::Population;
use super::organisation::AS_OF;
use crate::register::brreg::{Entry, Join, Joined, Keep, Options, Reader, RegisterSnapshot};

/// Every unit, also those that an import passes over.
const ALL: Options = Options {
    tolerant: false,
    keep: Keep::All,
};

fn bytes(population: &Population) -> (Vec<u8>, Vec<u8>) {
    let (mut units, mut voluntary) = (Vec::new(), Vec::new());
    population.write_units(&mut units, &mut |_| {}).unwrap();
    population.write_voluntary(&mut voluntary, &mut |_| {}).unwrap();
    (units, voluntary)
}

/// The population read back through the reader; every record must be whole.
#[track_caller]
fn read(population: &Population) -> Vec<RegisterSnapshot> {
    read_with(population, Options::default())
}

#[track_caller]
fn read_with(population: &Population, options: Options) -> Vec<RegisterSnapshot> {
    let (units, voluntary) = bytes(population);
    let mut join = Join::default();
    let mut reader = Reader::open("voluntary", voluntary.as_slice(), options).unwrap();
    join.read_voluntary(&mut reader, |other| panic!("{other:?}")).unwrap();
    let mut reader = Reader::open("units", units.as_slice(), options).unwrap();
    let mut snapshots = Vec::new();
    while let Some(joined) = join.next(&mut reader, &|_| false) {
        match joined.unwrap() {
            Joined::Snapshot(snapshot, warnings) => {
                assert!(warnings.is_empty(), "{warnings:?}");
                snapshots.push(*snapshot);
            }
            Joined::Removed(removed) => panic!("{removed:?}"),
            Joined::Refused(refused) | Joined::Replaced(refused) => panic!("{refused}"),
        }
    }
    assert!(join.finish().is_empty(), "every voluntary organisation has its unit");
    snapshots
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let population = |seed| bytes(&Population::try_new(300, 50, seed).unwrap());
    assert_eq!(population(7), population(7));
    assert_ne!(population(7), population(8));
}

#[test]
fn files_are_the_same_too_and_are_read_as_they_are() {
    let folder = std::env::temp_dir().join(format!("ryggrad-population-{}", std::process::id()));
    let population = Population::try_new(150, 0, 3).unwrap();
    let mut last = 0;
    let files = population.write_files(&folder, &mut |done| last = done).unwrap();
    let first = std::fs::read(&files.units).unwrap();
    assert_eq!(population.write_files(&folder, &mut |_| {}).unwrap(), files);
    assert_eq!(std::fs::read(&files.units).unwrap(), first);
    assert_eq!(last, 300);
    let reader = Reader::open(
        "pages",
        std::fs::File::open(&files.voluntary).unwrap(),
        Options::default(),
    )
    .unwrap();
    assert_eq!(reader.count(), 150);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn numbers_are_synthetic_unique_and_rising() {
    let snapshots = read_with(&Population::try_new(1000, 500, 1).unwrap(), ALL);
    assert_eq!(snapshots.len(), 1500);
    assert!(snapshots.iter().all(|snapshot| snapshot.orgnr.is_synthetic()));
    let voluntary = snapshots.iter().filter(|snapshot| snapshot.voluntary.is_some());
    assert_eq!(voluntary.count(), 1000);
    assert!(snapshots.is_sorted_by(|a, b| a.orgnr < b.orgnr));
}

#[test]
fn pages_link_to_the_next_and_the_last_does_not() {
    let (_, voluntary) = bytes(&Population::try_new(250, 0, 1).unwrap());
    let pages: Vec<serde_json::Value> = voluntary
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!(pages.len(), 3);
    let last = pages[0]["_embedded"]["frivilligeOrganisasjoner"][99]["organisasjonsnummer"]
        .as_str()
        .unwrap();
    assert!(
        pages[0]["_links"]["next"]["href"]
            .as_str()
            .unwrap()
            .ends_with(&format!("searchAfter={last}&size=100"))
    );
    assert_eq!(pages[0]["_links"]["next"], pages[1]["_links"]["self"]);
    assert!(pages[2]["_links"].get("next").is_none());
}

#[test]
fn every_organisation_is_consistent_in_itself() {
    for snapshot in read(&Population::sample()) {
        let voluntary = snapshot.voluntary.as_ref().unwrap();
        assert!(
            snapshot.founded_on <= snapshot.registered_on && snapshot.registered_on <= voluntary.entered_on,
            "{snapshot:?}"
        );
        assert!(voluntary.first_entered_on <= voluntary.entered_on);
        assert_eq!(
            snapshot.postnummer().and_then(ryggrad_norway::PostalCode::kommune),
            snapshot.kommunenummer()
        );
        assert!(snapshot.in_voluntary_register && snapshot.voluntary_registered_on == voluntary.entered_on);
    }
}

#[test]
fn relations_point_to_organisations_of_the_population() {
    let snapshots = read(&Population::sample());
    let numbers: HashSet<_> = snapshots.iter().map(|snapshot| snapshot.orgnr).collect();
    let relations: Vec<_> = snapshots
        .iter()
        .flat_map(|snapshot| &snapshot.voluntary.as_ref().unwrap().relations)
        .collect();
    assert!(relations.len() > 100);
    assert!(relations.iter().all(|relation| numbers.contains(&relation.to)));
}

#[test]
fn more_units_than_there_are_synthetic_numbers_are_refused() {
    assert!(Population::try_new(u32::MAX, u32::MAX, 1).is_err());
    assert_eq!(read(&Population::try_new(0, 0, 1).unwrap()).len(), 0);
}

#[test]
fn who_is_gone_a_year_later_is_answered_as_the_register_does() {
    let population = Population::try_new(2000, 100, 1).unwrap();
    let (mut gone, mut again) = (Vec::new(), Vec::new());
    let counts = population.write_gone(&mut gone).unwrap();
    assert_eq!((counts, &gone), (population.write_gone(&mut again).unwrap(), &again));
    let numbers: HashSet<_> = read(&population)
        .iter()
        .map(|snapshot| snapshot.orgnr.to_u32())
        .collect();
    let mut reader = Reader::open("gone", gone.as_slice(), ALL).unwrap();
    let (mut deleted, mut removed) = (0, 0);
    while let Some(entry) = reader.next_entry(&|_| true) {
        let (orgnr, on) = match entry.unwrap() {
            Entry::Unit(unit, warnings) => {
                assert!(warnings.is_empty(), "{warnings:?}");
                deleted += 1;
                (unit.orgnr, unit.deleted_on)
            }
            Entry::Removed(unit) => {
                removed += 1;
                (unit.orgnr, unit.deleted_on)
            }
            other => panic!("{other:?}"),
        };
        assert!(numbers.contains(&orgnr.to_u32()), "{orgnr}");
        assert!(on.is_some_and(|day| day >= AS_OF), "{on:?}");
    }
    assert_eq!((deleted, removed), (counts.deleted, counts.removed));
    assert!(deleted > 0 && removed > 0, "{counts:?}");
}
