//! The registers' files, imported once, twice and interrupted.

use std::path::Path;
use std::time::Duration;

use ryggrad::import::import;
use ryggrad::servers;
use ryggrad_eventlog::{Clock, Log};
use ryggrad_registration::register::brreg;
use ryggrad_registration::register::import::{Options, SOURCE, Summary};
use ryggrad_registration::register::population::{Files, Population};
use ryggrad_testkit::{Database, eventually};
use uuid::Uuid;

use crate::harness::database;

/// An event without what differs from run to run: position, ids made at random and wall-clock time.
type Essence = (Uuid, i64, String, serde_json::Value);

/// A population in the registers' formats.
fn population(organisations: u32, folder: &Path) -> Files {
    let population = Population::try_new(organisations, 50, 3).expect("few enough");
    population.write_files(folder, &mut |_| {}).expect("written")
}

fn clock() -> Clock {
    Clock::simulated("2026-03-02T11:00:00Z".parse().expect("an instant"))
}

async fn run(database: &Database, files: Files) -> anyhow::Result<Summary> {
    let pool = servers::pool(&database.url_as("ryggrad_registration"), "registration", 4).await?;
    let report = files.units.with_extension("refused");
    let fetched_at = clock().now();
    let options = Options {
        reader: brreg::Options::default(),
        source: SOURCE,
        fetched_at,
        report,
    };
    import(&pool, clock(), &[files.units, files.voluntary], options).await
}

async fn essence(database: &Database) -> Vec<Essence> {
    sqlx::query_as(
        "select aggregate_id, sequence, name, payload - 'bylawsId' from log.events order by aggregate_id, sequence",
    )
    .fetch_all(&database.pool())
    .await
    .expect("the log")
}

async fn position(database: &Database) -> u64 {
    Log::new(database.pool()).head().await.expect("the log").position
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_run_twice_writes_nothing_the_second_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = population(300, folder.path());
    let database = database().await;

    let first = run(&database, files.clone()).await.expect("imported");
    assert_eq!(
        (first.new, first.unchanged, first.refused, first.skipped),
        (300, 0, 0, 50)
    );
    let written = position(&database).await;
    assert_eq!(written, first.events);

    let second = run(&database, files).await.expect("imported");
    assert_eq!(
        (second.new, second.changed, second.unchanged, second.events),
        (0, 0, 300, 0)
    );
    assert_eq!(position(&database).await, written);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_killed_in_the_middle_and_run_again_gives_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = population(3_000, folder.path());
    let (whole, killed) = (database().await, database().await);
    run(&whole, files.clone()).await.expect("imported");

    let task = tokio::spawn({
        let (database, files) = (killed.clone(), files.clone());
        async move { run(&database, files).await }
    });
    eventually(Duration::from_mins(1), || async {
        match position(&killed).await {
            0 => Err("nothing is written yet"),
            _ => Ok(()),
        }
    })
    .await;
    task.abort();
    let _cancelled = task.await;

    let again = run(&killed, files).await.expect("imported");
    assert_eq!(again.refused, 0);
    let (expected, found) = (essence(&whole).await, essence(&killed).await);
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(position(&killed).await, position(&whole).await, "dense");
}
