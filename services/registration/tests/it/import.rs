//! The import: exactly once, however often it is run and wherever it is stopped.

mod input;
mod later;
mod world;

use std::sync::Arc;

use ryggrad_registration::register::brreg::Options;
use ryggrad_registration::register::population::Population;
use tokio::sync::Notify;
use uuid::Uuid;

use input::{gzip, orgnr, unit, voluntary};
use world::{World, fixtures};

const TOLERANT: Options = Options {
    tolerant: true,
    keep: ryggrad_registration::register::brreg::Keep::Voluntary,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_run_of_the_same_files_writes_nothing() {
    let world = World::new().await;
    let files = world.population(&Population::sample());
    let first = world.import(Options::default()).run(&files, |_| {}).await.unwrap();
    assert_eq!((first.read, first.joined, first.new), (4_000, 2_000, 2_000));
    assert_eq!((first.changed, first.unchanged, first.refused), (0, 0, 0), "{first:?}");
    let (head, commands) = world.head_and_commands().await;
    assert_eq!((first.events, commands), (head, 2_000));
    // The files in the other order, another day, by another process.
    let files: Vec<_> = files.into_iter().rev().collect();
    let second = world.tomorrow().run(&files, |_| {}).await.unwrap();
    assert_eq!(
        (second.unchanged, second.new, second.changed, second.events),
        (2_000, 0, 0, 0),
        "{second:?}"
    );
    assert_eq!(world.head_and_commands().await, (head, commands));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_killed_and_run_again_ends_as_one_that_was_not() {
    let whole = World::new().await;
    let population = Population::try_new(1_500, 500, 7).unwrap();
    let files = whole.population(&population);
    let all = whole.import(Options::default()).run(&files, |_| {}).await.unwrap().new;
    // Associations and foundations outside the voluntary register are organisations too.
    assert!((1_501..1_700).contains(&all), "{all}");
    let expected = whole.organisations().await;

    let killed = World::new().await;
    let mut before = 0;
    for limit in [0, 1, 300, 600] {
        let import = killed.import(Options::default());
        let reached = Arc::new(Notify::new());
        let tell = Arc::clone(&reached);
        tokio::select! {
            result = import.run(&files, move |progress| if progress.done > limit { tell.notify_one() }) => {
                result.unwrap();
            }
            () = reached.notified() => {}
        }
        let (head, _) = killed.head_and_commands().await;
        assert!(head >= before);
        before = head;
    }
    let last = killed.import(Options::default()).run(&files, |_| {}).await.unwrap();
    assert!(last.unchanged > 600 && last.new + last.unchanged == all, "{last:?}");
    assert_eq!(killed.organisations().await, expected);
    killed.assert_whole().await;
    let again = killed.import(Options::default()).run(&files, |_| {}).await.unwrap();
    assert_eq!((again.unchanged, again.events), (all, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_imports_of_the_same_files_at_once_write_each_fact_once() {
    let whole = World::new().await;
    let population = Population::try_new(600, 0, 3).unwrap();
    let files = whole.population(&population);
    whole.import(Options::default()).run(&files, |_| {}).await.unwrap();

    let twice = World::new().await;
    let (one, other) = (twice.import(Options::default()), twice.import(Options::default()));
    let (one, other) = tokio::join!(one.run(&files, |_| {}), other.run(&files, |_| {}));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.new + other.new, 600, "{one:?} {other:?}");
    assert_eq!(twice.organisations().await, whole.organisations().await);
    twice.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_differs_in_a_later_file_is_written() {
    let world = World::new().await;
    let population = Population::try_new(400, 0, 5).unwrap();
    let mut units = Vec::new();
    population.write_units(&mut units, &mut |_| {}).unwrap();
    let mut units: Vec<serde_json::Value> = serde_json::from_slice(&units).unwrap();
    let mut pages = Vec::new();
    population.write_voluntary(&mut pages, &mut |_| {}).unwrap();
    let pages = world.file("pages.ndjson", &pages);
    let first = world.file("first.json", serde_json::to_vec(&units).unwrap());
    world
        .import(Options::default())
        .run(&[pages.clone(), first], |_| {})
        .await
        .unwrap();
    let (head, _) = world.head_and_commands().await;

    units[3]["navn"] = "GRANALVHEIM SANGLAG".into();
    units[77]["navn"] = "GRANALVHEIM MUSIKKLAG".into();
    units.remove(200);
    let second = world.file("second.json", serde_json::to_vec(&units).unwrap());
    let summary = world.tomorrow().run(&[pages, second], |_| {}).await.unwrap();
    assert_eq!(
        (summary.changed, summary.unchanged, summary.events),
        (2, 397, 2),
        "{summary:?}"
    );
    assert_eq!(
        summary.refused, 1,
        "the voluntary record whose unit is gone: {summary:?}"
    );
    assert_eq!(
        world.names_after(head).await,
        ["OrganisationDetailsChanged", "OrganisationDetailsChanged"]
    );
}

#[tokio::test]
async fn a_record_that_changes_and_changes_back_is_written_each_time() {
    let world = World::new().await;
    let (a, b) = (unit(1, ""), unit(1, "").replace("HAGELAG", "SANGLAG"));
    let mut outcomes = Vec::new();
    for content in [&a, &b, &a, &a, &b] {
        let file = world.file("unit.json", content);
        let summary = world.import(Options::default()).run(&[file], |_| {}).await.unwrap();
        outcomes.push((summary.new, summary.changed, summary.unchanged, summary.events));
    }
    assert_eq!(
        outcomes,
        [(1, 0, 0, 1), (0, 1, 0, 1), (0, 1, 0, 1), (0, 0, 1, 0), (0, 1, 0, 1)]
    );
    let (head, commands) = world.head_and_commands().await;
    assert_eq!((head, commands), (4, 4));
}

#[tokio::test]
async fn an_organisation_that_has_its_number_already_is_found_by_it() {
    let world = World::new().await;
    let id = Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001);
    world.register(id, orgnr(1)).await;
    let file = world.file("unit.json", unit(1, r#","vedtektsdato":"2020-03-04""#));
    let summary = world.import(Options::default()).run(&[file], |_| {}).await.unwrap();
    assert_eq!((summary.new, summary.changed), (0, 1), "{summary:?}");
    let organisations = world.organisations().await;
    assert!(
        organisations.iter().all(|(organisation, ..)| *organisation == id),
        "{organisations:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_packed_file_that_is_not_whole_writes_nothing() {
    let world = World::new().await;
    let mut units = Vec::new();
    Population::try_new(1_200, 0, 9)
        .unwrap()
        .write_units(&mut units, &mut |_| {})
        .unwrap();
    let packed = gzip(&units);
    let good = world.file("good.json", unit(1, ""));
    // Cut off in the middle, in the checksum, and whole with one bit of the checksum turned.
    let mut damaged = packed.clone();
    let at = damaged.len() - 8;
    damaged[at] ^= 1;
    let broken = [
        ("cut.json.gz", &packed[..packed.len() * 2 / 3], "is cut off"),
        ("end.json.gz", &packed[..packed.len() - 3], "is cut off"),
        ("damaged.json.gz", &damaged[..], "is damaged"),
    ];
    for (name, bytes, why) in broken {
        let file = world.file(name, bytes);
        let error = world
            .import(Options::default())
            .run(&[good.clone(), file], |_| {})
            .await
            .unwrap_err();
        let told = format!("{name}: the gzip stream {why}");
        assert!(error.to_string().contains(&told), "{error}");
        assert_eq!(error.summary().unwrap().new, 0, "{name}");
        assert_eq!(world.head_and_commands().await, (0, 0), "{name}");
    }
    let whole = world.file("whole.json.gz", packed);
    let summary = world.import(Options::default()).run(&[whole], |_| {}).await.unwrap();
    assert_eq!(summary.new, 1_200);
}

#[tokio::test]
async fn a_voluntary_record_that_comes_twice_is_told_with_its_place() {
    let world = World::new().await;
    let units = world.file("units.json", unit(1, r#","registrertIFrivillighetsregisteret":true"#));
    let category = |code: &str| format!(r#","icnpoKategorier":[{{"icnpoNummer":"{code}","rekkefoelge":1}}]"#);
    let pages = world.file(
        "voluntary.json",
        format!(
            "[{},{}]",
            voluntary(1, &category("1300")),
            voluntary(1, &category("1200"))
        ),
    );
    let summary = world
        .import(Options::default())
        .run(&[units, pages.clone()], |_| {})
        .await
        .unwrap();
    assert_eq!(
        (summary.read, summary.joined, summary.new, summary.refused),
        (3, 1, 1, 1),
        "{summary:?}"
    );
    let lines = world.report();
    let place = (
        lines[0]["file"].as_str(),
        lines[0]["record"].as_u64(),
        lines[0]["byte"].as_u64(),
    );
    assert_eq!(place, (pages.to_str(), Some(1), Some(1)));
    assert!(lines[0]["reason"].as_str().unwrap().contains("the last record counts"));
    let entered = world
        .organisations()
        .await
        .into_iter()
        .find(|(.., name, _)| name == "VoluntaryRegistrationEntered");
    assert_eq!(entered.unwrap().3["icnpo"], serde_json::json!(["1200"]));
}

#[tokio::test]
async fn a_wrong_file_stops_an_import_before_it_writes() {
    let world = World::new().await;
    let good = world.file("good.json", unit(1, ""));
    for (name, content, why) in [
        (
            "text.json",
            r#""enheter""#,
            "byte 0: expected a JSON array of records, a page of them, or a record",
        ),
        ("empty.json", "", "found nothing"),
        ("roles.json", r#"{"rollegrupper":[]}"#, "expected a JSON array"),
    ] {
        let wrong = world.file(name, content);
        let error = world
            .import(Options::default())
            .run(&[good.clone(), wrong], |_| {})
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains(name) && error.to_string().contains(why),
            "{error}"
        );
    }
    let missing = world.path("missing.json");
    let error = world
        .import(Options::default())
        .run(&[good, missing], |_| {})
        .await
        .unwrap_err();
    assert!(error.to_string().contains("missing.json: cannot be read"), "{error}");
    assert_eq!(world.head_and_commands().await, (0, 0));
}

#[tokio::test]
async fn malformed_json_ends_an_import_with_its_byte_and_keeps_what_came_before() {
    let world = World::new().await;
    let before = format!("[{},{},", unit(1, ""), unit(2, ""));
    let file = world.file("units.json", format!("{before}{{\"organisasjonsnummer\":tull}}]"));
    let error = world.import(Options::default()).run(&[file], |_| {}).await.unwrap_err();
    let byte = before.len() + r#"{"organisasjonsnummer":"#.len();
    assert!(error.to_string().contains("malformed JSON at byte"), "{error}");
    let told: usize = error
        .to_string()
        .split("at byte ")
        .nth(1)
        .and_then(|rest| rest.split([',', ':']).next())
        .unwrap()
        .parse()
        .unwrap();
    assert!((byte..=byte + 2).contains(&told), "{error}, and it is at {byte}");
    assert_eq!(error.summary().unwrap().new, 2);
    assert_eq!(world.head_and_commands().await, (2, 2));
}

#[tokio::test]
async fn everything_that_is_not_used_has_its_line_in_the_report() {
    let world = World::new().await;
    let wrong = unit(2, "").replace(&orgnr(2).to_string(), "312345678");
    let records = [
        unit(
            1,
            r#","forretningsadresse":{"kommunenummer":"1234","postnummer":"0150"}"#,
        ),
        wrong,
        unit(3, "").replace("FLI", "BEDR"),
        unit(1, "").replace("HAGELAG", "SANGLAG"),
        unit(4, "").replace("FLI", "AS"),
        unit(5, r#","stiftelsesdato":"2020-02-30""#),
    ];
    let units = world.file("units.json", format!("[{}]", records.join(",\n")));
    let pages = world.file("voluntary.json", format!("[{},{}]", voluntary(1, ""), voluntary(9, "")));
    let options = Options {
        keep: ryggrad_registration::register::brreg::Keep::All,
        ..Options::default()
    };
    let summary = world
        .import(options)
        .run(&[units.clone(), pages.clone()], |_| {})
        .await
        .unwrap();

    assert_eq!(
        (summary.new, summary.joined, summary.refused, summary.warnings),
        (2, 1, 5, 1),
        "{summary:?}"
    );
    let sum = summary.joined + summary.skipped + summary.new + summary.changed + summary.unchanged + summary.refused;
    assert_eq!(summary.read, sum);
    let lines = world.report();
    assert_eq!(lines.len() as u64, summary.refused + summary.warnings);
    assert_eq!(
        summary.reasons.values().sum::<u64>(),
        summary.refused + summary.warnings
    );
    let told = |line: &serde_json::Value| {
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        assert!(!text("reason").is_empty() && line["byte"].is_u64(), "{line}");
        (
            text("kind"),
            line["record"].as_u64().unwrap(),
            text("orgnr"),
            text("field"),
        )
    };
    let expected = |kind: &str, record, orgnr: String, field: &str| (kind.to_owned(), record, orgnr, field.to_owned());
    let found: Vec<_> = lines.iter().map(told).collect();
    for line in [
        expected("warning", 1, orgnr(1).to_string(), "forretningsadresse.kommunenummer"),
        expected("refused", 2, "312345678".to_owned(), "organisasjonsnummer"),
        expected("refused", 3, orgnr(3).to_string(), "organisasjonsform"),
        expected("refused", 4, orgnr(1).to_string(), "organisasjonsnummer"),
        expected("refused", 6, orgnr(5).to_string(), "stiftelsesdato"),
        expected("refused", 2, orgnr(9).to_string(), ""),
    ] {
        assert!(found.contains(&line), "{line:?} is missing from {found:#?}");
    }
    let place = lines.iter().find(|line| line["field"] == "stiftelsesdato").unwrap();
    let byte = records[..5].iter().map(|record| record.len() + 2).sum::<usize>() + 1;
    assert_eq!(
        (place["file"].as_str(), place["byte"].as_u64()),
        (units.to_str(), Some(byte as u64))
    );
    let place = lines.iter().find(|line| line["orgnr"] == orgnr(9).to_string()).unwrap();
    assert_eq!(place["file"].as_str(), pages.to_str());
}

#[tokio::test]
async fn what_the_domain_refuses_is_in_the_report_too() {
    let world = World::new().await;
    let deleted = unit(1, r#","slettedato":"2024-05-06""#);
    let file = world.file("deleted.json", deleted);
    world.import(Options::default()).run(&[file], |_| {}).await.unwrap();
    let file = world.file("risen.json", format!("[{}]", unit(1, "")));
    let summary = world.tomorrow().run(&[file], |_| {}).await.unwrap();
    assert_eq!((summary.refused, summary.events), (1, 0), "{summary:?}");
    let lines = world.report();
    assert_eq!(
        (lines[0]["record"].as_u64(), lines[0]["byte"].as_u64()),
        (Some(1), Some(1))
    );
    assert!(lines[0]["reason"].as_str().unwrap().contains("deleted"), "{}", lines[0]);
}

#[tokio::test]
async fn a_voluntary_record_that_left_on_an_unknown_day_gets_no_day() {
    let world = World::new().await;
    let units = world.file("units.json", unit(1, r#","registrertIFrivillighetsregisteret":true"#));
    let entered = world.file("entered.json", voluntary(1, ""));
    world
        .import(Options::default())
        .run(&[units.clone(), entered], |_| {})
        .await
        .unwrap();
    let left = world.file(
        "left.json",
        voluntary(1, r#","respons_klasse":"FrivilligOrganisasjonSlettet""#),
    );
    world.tomorrow().run(&[units, left], |_| {}).await.unwrap();
    let organisations = world.organisations().await;
    let (.., name, payload) = organisations.last().unwrap();
    assert_eq!(name, "VoluntaryRegistrationDeleted");
    assert_eq!(payload.get("slettetDato"), None, "{payload}");
}

#[tokio::test]
async fn all_fixtures_are_imported_and_then_known() {
    let world = World::new().await;
    let first = world.import(TOLERANT).run(&fixtures(), |_| {}).await.unwrap();
    let sum = first.joined + first.skipped + first.new + first.changed + first.unchanged + first.refused;
    assert_eq!(first.read, sum, "{first:?}");
    assert!(first.new > 5 && first.changed == 0, "{first:?}");
    assert_eq!(world.report().len() as u64, first.refused + first.warnings);
    let before = world.head_and_commands().await;
    let second = world.tomorrow_with(TOLERANT).run(&fixtures(), |_| {}).await.unwrap();
    assert_eq!(
        (second.unchanged, second.changed, second.refused),
        (first.new, 0, first.refused),
        "{second:?}"
    );
    assert_eq!(world.head_and_commands().await, before);
}

#[tokio::test]
async fn progress_ends_at_the_size_of_the_files() {
    let world = World::new().await;
    let files = world.population(&Population::try_new(300, 0, 2).unwrap());
    let size: u64 = files.iter().map(|file| std::fs::metadata(file).unwrap().len()).sum();
    let mut last = None;
    world
        .import(Options::default())
        .run(&files, |progress| last = Some(*progress))
        .await
        .unwrap();
    let last = last.unwrap();
    assert_eq!(
        (last.bytes, last.total_bytes, last.read, last.done),
        (size, size, 600, 300)
    );
}
