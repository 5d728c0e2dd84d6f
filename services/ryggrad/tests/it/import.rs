//! An import that is interrupted.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use ryggrad::servers;
use ryggrad_registration::register::population::Population;
use ryggrad_testkit::{Database, eventually};

use crate::program::{command, folder};

const ORGANISATIONS: u32 = 4_000;
const PATIENCE: Duration = Duration::from_mins(2);

#[tokio::test]
async fn an_import_that_is_interrupted_tells_what_it_has_written() {
    for signal in ["INT", "TERM"] {
        let database = Database::create("the log of an interrupted import", |owner| async move {
            servers::migrate_in(&owner).await
        })
        .await;
        let folder = folder();
        let population = Population::try_new(ORGANISATIONS, 0, 5).expect("few enough");
        let files = population.write_files(folder.path(), &mut |_| {}).expect("written");
        // While this is held nothing is written, so that the signal comes in the middle.
        let pool = database.pool();
        let mut lock = pool.begin().await.expect("a transaction");
        let head = sqlx::query("select from log.head for update").execute(&mut *lock);
        assert_eq!(head.await.expect("the head").rows_affected(), 1);

        let mut import = command(&["import", "--postgres-url"])
            .arg(database.url_as("ryggrad_registration"))
            .args(["brreg", "--json", "--refused"])
            .arg(folder.path().join("refused.ndjson"))
            .args([files.units, files.voluntary])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program can be run");
        eventually(PATIENCE, || {
            assert_eq!(import.try_wait().expect("a child"), None, "it ended by itself");
            let pool = pool.clone();
            async move {
                let waiting = "select count(*) from pg_locks join pg_stat_activity using (pid)
                where not granted and datname = current_database()";
                let waiting: i64 = sqlx::query_scalar(waiting)
                    .fetch_one(&pool)
                    .await
                    .expect("the activity");
                if waiting > 0 {
                    Ok(())
                } else {
                    Err("nothing waits to be written yet")
                }
            }
        })
        .await;
        let sent = Command::new("kill")
            .args(["-s", signal, &import.id().to_string()])
            .status();
        assert!(sent.expect("kill").success());
        let mut errors = BufReader::new(import.stderr.take().expect("a pipe"));
        let mut line = String::new();
        errors.read_line(&mut line).expect("a line");
        assert!(line.contains("stopping; what is under way is written first"), "{line}");
        lock.rollback().await.expect("it lets go");

        let output = import.wait_with_output().expect("a child");
        errors.read_to_string(&mut line).expect("the other lines");
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert!(line.contains("run again, it goes on from there"), "{line}");
        let summary: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a summary");
        let written: i64 = sqlx::query_scalar("select count(*) from log.events where name = 'OrganisationRegistered'")
            .fetch_one(&pool)
            .await
            .expect("the log");
        assert_eq!(summary["new"].as_i64(), Some(written));
        assert!(0 < written && written < i64::from(ORGANISATIONS), "{summary}");
    }
}
