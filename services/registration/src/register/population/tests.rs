//! The population: the same for the same seed, readable, and distributed as the country is.

use std::collections::{HashMap, HashSet};

use ryggrad_norway::KommuneNumber;

use super::Population;
use crate::register::brreg::{Join, Joined, Options, Reader, RegisterSnapshot};

fn bytes(population: &Population) -> (Vec<u8>, Vec<u8>) {
    let (mut units, mut voluntary) = (Vec::new(), Vec::new());
    population.write_units(&mut units, &mut |_| {}).unwrap();
    population.write_voluntary(&mut voluntary, &mut |_| {}).unwrap();
    (units, voluntary)
}

/// The population read back through the reader; every record must be whole.
#[track_caller]
fn read(population: &Population) -> Vec<RegisterSnapshot> {
    let (units, voluntary) = bytes(population);
    let mut join = Join::default();
    let mut reader = Reader::open("voluntary", voluntary.as_slice(), Options::default()).unwrap();
    join.read_voluntary(&mut reader, |other| panic!("{other:?}")).unwrap();
    let mut reader = Reader::open("units", units.as_slice(), Options::default()).unwrap();
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

#[track_caller]
fn assert_share(count: usize, of: usize, expected: f64) {
    let share = f64::from(u32::try_from(count).unwrap()) / f64::from(u32::try_from(of).unwrap());
    assert!((share - expected).abs() < 0.02, "{share:.3} instead of {expected:.3}");
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
    let snapshots = read(&Population::try_new(1000, 500, 1).unwrap());
    assert_eq!(snapshots.len(), 1000);
    assert!(
        snapshots
            .iter()
            .all(|snapshot| snapshot.orgnr.is_synthetic() && snapshot.voluntary.is_some())
    );
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
fn the_shares_are_those_of_the_country() {
    let snapshots = read(&Population::try_new(8000, 0, 1).unwrap());
    let of = snapshots.len();
    let count = |holds: &dyn Fn(&RegisterSnapshot) -> bool| snapshots.iter().filter(|snapshot| holds(snapshot)).count();
    let categories = |snapshot: &RegisterSnapshot| snapshot.voluntary.as_ref().unwrap().icnpo.clone();
    assert_share(count(&|snapshot| snapshot.form.code() == "FLI"), of, 0.95);
    assert_share(count(&|snapshot| snapshot.form.code() == "STI"), of, 0.04);
    assert_share(count(&|snapshot| categories(snapshot).len() > 1), of, 0.24);
    assert_share(count(&|snapshot| categories(snapshot).len() > 2), of, 0.06);
    assert_share(count(&|snapshot| categories(snapshot)[0].code() == "1200"), of, 0.163);
    assert_share(count(&|snapshot| snapshot.nace[0].as_str() == "93.120"), of, 0.155);
    assert_share(count(&|snapshot| snapshot.nace[0].as_str() == "94.992"), of, 0.568);
    assert_share(
        count(&|snapshot| snapshot.voluntary.as_ref().unwrap().grasrot.participates),
        of,
        0.814 * 0.95 + 0.3 * 0.05,
    );
    let new = |snapshot: &RegisterSnapshot| snapshot.voluntary.as_ref().unwrap().entered_on.unwrap().to_string();
    assert_share(
        count(&|snapshot| new(snapshot).as_str() > "2025-10-01"),
        of,
        2012.0 / 72_827.0,
    );
    assert_share(
        count(&|snapshot| new(snapshot).as_str() < "2011-10-05"),
        of,
        19_053.0 / 72_827.0,
    );
}

#[test]
fn large_places_have_fewer_organisations_for_each_inhabitant() {
    let snapshots = read(&Population::try_new(8000, 0, 1).unwrap());
    let mut organisations: HashMap<KommuneNumber, usize> = HashMap::new();
    for snapshot in &snapshots {
        *organisations.entry(snapshot.kommunenummer().unwrap()).or_default() += 1;
    }
    let weight = |kommune: KommuneNumber| match kommune.population() {
        people @ 0..2000 => f64::from(people) * 1.6,
        people @ 2000..50_000 => f64::from(people),
        people => f64::from(people) * 0.8,
    };
    let all: f64 = KommuneNumber::all().map(weight).sum();
    let oslo = KommuneNumber::parse("0301").unwrap();
    assert_share(organisations[&oslo], snapshots.len(), weight(oslo) / all);
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
