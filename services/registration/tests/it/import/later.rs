//! Files that come later, or older ones that do; what is gone from the register; and runs that are asked to stop.

use ryggrad_registration::register::brreg::Options;
use ryggrad_registration::register::import::ImportError;
use ryggrad_registration::register::population::Population;
use tokio::sync::Notify;

use super::input::{orgnr, unit, voluntary};
use super::world::World;

#[tokio::test]
async fn an_older_file_imported_later_undoes_nothing() {
    let world = World::new().await;
    let today = world.file("today.json", unit(1, ""));
    let tomorrow = world.file("tomorrow.json", unit(1, "").replace("HAGELAG", "SANGLAG"));
    world
        .import(Options::default())
        .run(std::slice::from_ref(&today), |_| {})
        .await
        .unwrap();
    let newer = world.tomorrow().run(&[tomorrow], |_| {}).await.unwrap();
    assert_eq!(newer.changed, 1);
    let older = world.import(Options::default()).run(&[today], |_| {}).await.unwrap();
    assert_eq!((older.unchanged, older.events), (1, 0), "{older:?}");
}

/// A snapshot that changed nothing leaves no fact, and still it was taken.
#[tokio::test]
async fn an_older_file_between_two_that_said_the_same_undoes_nothing() {
    let world = World::new().await;
    let (club, choir) = (unit(1, ""), unit(1, "").replace("HAGELAG", "SANGLAG"));
    let files = [world.file("club.json", club), world.file("choir.json", choir)];
    let mut outcomes = Vec::new();
    for (file, day) in [(0, 1), (0, 3), (1, 2), (1, 4), (0, 3), (0, 5)] {
        let fetched_at = format!("2026-10-0{day}T06:00:00Z").parse().unwrap();
        let import = world.import_at(Options::default(), fetched_at);
        let summary = import.run(&files[file..=file], |_| {}).await.unwrap();
        outcomes.push((summary.new, summary.changed, summary.unchanged, summary.events));
    }
    assert_eq!(
        outcomes,
        [
            (1, 0, 0, 1),
            (0, 0, 1, 0),
            // Fetched on the second day: it was a club on the third.
            (0, 0, 1, 0),
            (0, 1, 0, 1),
            (0, 0, 1, 0),
            (0, 1, 0, 1),
        ]
    );
}

#[tokio::test]
async fn what_is_removed_from_the_register_is_removed_here_and_the_unknown_is_told() {
    let world = World::new().await;
    let files = [
        world.file("units.json", format!("[{},{}]", unit(1, ""), unit(2, ""))),
        world.file("voluntary.json", voluntary(1, "")),
    ];
    world.import(Options::default()).run(&files, |_| {}).await.unwrap();
    let (head, _) = world.head_and_commands().await;
    let removed = |n: u32| {
        let orgnr = orgnr(n);
        format!(r#"{{"organisasjonsnummer":"{orgnr}","slettedato":"2026-10-01","respons_klasse":"FjernetEnhet"}}"#)
    };
    let file = world.file("removed.ndjson", [removed(1), removed(3), unit(2, "")].join("\n"));
    let first = world.tomorrow().run(std::slice::from_ref(&file), |_| {}).await.unwrap();
    assert_eq!(
        (first.read, first.changed, first.unchanged, first.skipped, first.events),
        (3, 1, 1, 1, 1),
        "{first:?}"
    );
    assert_eq!(world.names_after(head).await, ["OrganisationDeleted"]);
    let facts = world.organisations().await;
    let deleted = facts
        .iter()
        .find(|(.., name, _)| name == "OrganisationDeleted")
        .unwrap();
    assert_eq!(
        (&deleted.3["ground"], &deleted.3["slettedato"]),
        (&"fjernet".into(), &"2026-10-01".into())
    );
    let again = world.tomorrow().run(&[file], |_| {}).await.unwrap();
    assert_eq!((again.unchanged, again.events), (2, 0), "{again:?}");
    // One that claims to be an association and was never known cannot be taken, and is not passed over in silence.
    let stranger = world.file("stranger.json", unit(4, r#","respons_klasse":"FjernetEnhet""#));
    let told = world.tomorrow().run(&[stranger], |_| {}).await.unwrap();
    assert_eq!(told.refused, 1, "{told:?}");
    assert_eq!(world.report()[0]["field"], "respons_klasse");
}

#[tokio::test]
async fn a_run_that_leaves_nothing_out_leaves_no_report() {
    let world = World::new().await;
    let stranger = world.file("stranger.json", unit(4, r#","respons_klasse":"FjernetEnhet""#));
    world.import(Options::default()).run(&[stranger], |_| {}).await.unwrap();
    assert_eq!(world.report().len(), 1);
    let club = world.file("club.json", unit(1, ""));
    let taken = world.tomorrow().run(&[club], |_| {}).await.unwrap();
    assert_eq!((taken.new, taken.refused, taken.warnings), (1, 0, 0));
    assert!(world.report().is_empty(), "nor that of an earlier run");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_asked_to_stop_tells_what_it_has_written() {
    let world = World::new().await;
    let files = world.population(&Population::try_new(3_000, 0, 4).unwrap());
    let begun = Notify::new();
    let import = world.import(Options::default());
    let stopped = import
        .run_until(&files, begun.notified(), |progress| {
            if progress.done > 0 {
                begun.notify_one();
            }
        })
        .await;
    let error = stopped.unwrap_err();
    let summary = error.summary().expect("what was written").clone();
    assert!(matches!(error, ImportError::Stopped { .. }), "{error:?}");
    assert!(summary.new > 0 && summary.new < 3_000, "{summary:?}");
    let (head, commands) = world.head_and_commands().await;
    assert_eq!((head, commands), (summary.events, summary.new));
    let rest = world.import(Options::default()).run(&files, |_| {}).await.unwrap();
    assert_eq!((rest.unchanged, rest.new), (summary.new, 3_000 - summary.new));
    world.assert_whole().await;
}

#[tokio::test]
async fn a_run_that_is_asked_to_stop_before_it_begins_writes_nothing() {
    let world = World::new().await;
    let files = world.population(&Population::try_new(200, 0, 4).unwrap());
    let stopped = world
        .import(Options::default())
        .run_until(&files, std::future::ready(()), |_| {})
        .await;
    let error = stopped.unwrap_err();
    assert!(matches!(error, ImportError::Stopped { .. }), "{error:?}");
    assert_eq!(
        (error.summary().unwrap().new, world.head_and_commands().await),
        (0, (0, 0))
    );
}

/// What Enhetsregisteret says of the entry comes first; the record of Frivillighetsregisteret completes it, and changes it later.
#[tokio::test]
async fn the_record_of_frivillighetsregisteret_is_mirrored_after_the_first_sight_too() {
    let world = World::new().await;
    let flag = r#","registrertIFrivillighetsregisteret":true,"registreringsdatoFrivillighetsregisteret":"2020-02-04""#;
    let units = world.file("units.json", unit(1, flag));
    let record = |name: &str, registered: bool| {
        let more = format!(
            r#","foersteGangInnfoert":"2011-05-06","vedtekter":{{"frivilligRegistrerteVedtekter":{registered}}}"#
        );
        world.file(name, voluntary(1, &more))
    };
    let (without, with) = (record("without.json", false), record("with.json", true));
    let mut told = Vec::new();
    let runs = [
        vec![units.clone()],
        vec![units.clone(), without.clone()],
        vec![units.clone(), without],
        vec![units.clone(), with.clone()],
        vec![units.clone(), with],
        vec![units],
    ];
    for (day, files) in (1..).zip(runs) {
        let fetched_at = format!("2026-10-0{day}T06:00:00Z").parse().unwrap();
        let summary = world
            .import_at(Options::default(), fetched_at)
            .run(&files, |_| {})
            .await
            .unwrap();
        assert_eq!(summary.refused, 0, "{summary:?}");
        told.push(summary.events);
    }
    assert_eq!(told, [2, 1, 0, 1, 0, 0], "what is the same again is not written");
    let entries: Vec<_> = world
        .organisations()
        .await
        .into_iter()
        .filter(|(.., name, _)| name == "VoluntaryRegistrationEntered")
        .map(|(.., entry)| {
            let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
            let registered = entry["vedtekterRegistrert"].as_bool().unwrap_or_default();
            (text("innfoertDato"), text("foersteGangInnfoert"), registered)
        })
        .collect();
    let entry = |on: &str, first: &str, registered| (on.to_owned(), first.to_owned(), registered);
    assert_eq!(
        entries,
        [
            entry("2020-02-04", "", false),
            entry("2020-02-03", "2011-05-06", false),
            entry("2020-02-03", "2011-05-06", true),
        ]
    );
}
