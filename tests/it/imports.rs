//! The registers' files, imported once, twice and interrupted.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use ryggrad::import::import;
use ryggrad::servers;
use ryggrad_eventlog::{Clock, Log};
use ryggrad_registration::register::brreg;
use ryggrad_registration::register::import::{Options, SOURCE, Summary};
use ryggrad_registration::register::population::{Files, Population};
use ryggrad_testkit::{Database, eventually};
use uuid::Uuid;

use crate::architecture::{files, root};
use crate::harness::database;
use crate::privacy::i7_no_row_of_the_log_tells_about_a_person;

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
    run_at(&database.url_as("ryggrad_registration"), files).await
}

async fn run_at(database: &str, files: Files) -> anyhow::Result<Summary> {
    let pool = servers::pool(database, "registration", 4).await?;
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
    assert_eq!((first.unchanged, first.refused), (0, 0), "{first:?}");
    // Of those outside the voluntary register, associations and foundations are organisations too.
    assert_eq!(first.new + first.skipped, 350, "{first:?}");
    assert!(first.new >= 300, "{first:?}");
    let written = position(&database).await;
    assert_eq!(written, first.events);

    let second = run(&database, files).await.expect("imported");
    assert_eq!(
        (second.new, second.changed, second.unchanged, second.events),
        (0, 0, first.new, 0)
    );
    assert_eq!(position(&database).await, written);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i7_an_import_leaves_the_registers_contact_details_where_they_are() {
    let database = database().await;
    let folder = tempfile::tempdir().expect("a folder");
    // The register tells them; the project's copies of its files have lost theirs.
    let contact = "{ \"epostadresse\": \"post@eksempel.no\", \"telefon\": \"22 22 22 22\", \"mobil\": \"99 99 99 99\",";
    let fixtures = root().join("services/registration/tests/fixtures/brreg");
    let read: Vec<_> = files(&fixtures, &["json"])
        .into_iter()
        .map(|file| {
            let text = std::fs::read_to_string(&file).expect("a readable file");
            let told = folder.path().join(file.file_name().expect("a name"));
            std::fs::write(&told, text.replacen('{', contact, 1)).expect("written");
            told
        })
        .collect();
    let pool = servers::pool(&database.url_as("ryggrad_registration"), "registration", 4)
        .await
        .expect("connects");
    let options = Options {
        reader: brreg::Options::default(),
        source: SOURCE,
        fetched_at: clock().now(),
        report: folder.path().join("refused.ndjson"),
    };
    let told = import(&pool, clock(), &read, options).await.expect("imported");
    assert!(told.new > 0, "nothing was taken from the files");
    run(&database, population(300, folder.path())).await.expect("imported");
    i7_no_row_of_the_log_tells_about_a_person(&database.pool()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_killed_in_the_middle_and_run_again_gives_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = population(3_000, folder.path());
    let (whole, killed) = (database().await, database().await);
    run(&whole, files.clone()).await.expect("imported");

    // Three times, each a little further on.
    let mut written = 0;
    for _ in 0..3 {
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "imports::process", "--ignored", "--nocapture"])
            .env(DATABASE, killed.url_as("ryggrad_registration"))
            .env(UNITS, &files.units)
            .env(VOLUNTARY, &files.voluntary)
            .stdout(Stdio::null())
            .spawn()
            .expect("started");
        written = eventually(Duration::from_mins(1), || async {
            match position(&killed).await {
                more if more > written => Ok(more),
                still => Err(format!("the log is at {still}")),
            }
        })
        .await;
        process.kill().expect("killed with SIGKILL");
        process.wait().expect("gone");
    }
    let whole_log = position(&whole).await;
    assert!(position(&killed).await < whole_log, "it was killed in the middle");

    let again = run(&killed, files).await.expect("imported");
    assert_eq!(again.refused, 0);
    let (expected, found) = (essence(&whole).await, essence(&killed).await);
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(position(&killed).await, whole_log, "dense");
}

/// Where the other process finds what it imports, and into what.
const DATABASE: &str = "RYGGRAD_TEST_DATABASE";
const UNITS: &str = "RYGGRAD_TEST_UNITS";
const VOLUNTARY: &str = "RYGGRAD_TEST_VOLUNTARY";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the other process of the test above"]
#[expect(
    clippy::disallowed_methods,
    reason = "how a test tells its other process where everything is"
)]
async fn process() {
    let told = |name: &str| std::env::var(name).expect("started by another test");
    let files = Files {
        units: told(UNITS).into(),
        voluntary: told(VOLUNTARY).into(),
    };
    run_at(&told(DATABASE), files).await.expect("imported");
}
