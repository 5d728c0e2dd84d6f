//! `ryggrad verify` on a log that somebody has been at.

use std::time::Duration;

use ryggrad_testkit::eventually;
use sqlx::{Connection as _, PgConnection};

use crate::program::{Up, complained, folder, ryggrad, said};

#[tokio::test]
async fn verify_finds_what_somebody_changed_and_ends_with_one() {
    let folder = folder();
    let state = folder.path().to_str().expect("a plain path");
    let up = Up::start(folder.path(), &[]).await;
    let mut owner = PgConnection::connect(&up.endpoints.postgres)
        .await
        .expect("the owner may log in");
    // A view that has not come to a row yet would make it anew.
    caught_up(state).await;

    a_view_that_stands_still_is_different(state, &mut owner).await;
    for (statement, part, finding) in [
        (
            "delete from views.{directory} where key in (select min(key) from views.{directory})",
            "views",
            "municipality_directory",
        ),
        (
            "update log.events set payload = payload || '{\"orgnr\": \"0\"}' where position = 7",
            "log",
            "at 7: the JSON of",
        ),
        (
            "update log.events set data = data || '\\x0a' where position = 6",
            "log",
            "at 6: the bytes are not",
        ),
        (
            "update log.events set event_id = gen_random_uuid() where position = 5",
            "stream",
            "at 5: the log has event",
        ),
        (
            "delete from log.events where position = 4",
            "log",
            "at 4: no such event",
        ),
    ] {
        let table: String = sqlx::query_scalar(
            "select table_name from views.projections where name = 'municipality_directory' and state = 'live'",
        )
        .fetch_one(&mut owner)
        .await
        .expect("the view is live");
        for table in ["events", "commands"] {
            // Even the owner has to take the lock off first.
            sqlx::query(&format!("alter table log.{table} disable trigger {table}_never_change"))
                .execute(&mut owner)
                .await
                .expect("the owner may do everything");
        }
        sqlx::query(&statement.replace("{directory}", &table))
            .execute(&mut owner)
            .await
            .expect("the owner may do everything");
        finds(state, part, finding);
    }
    assert_eq!(up.end("TERM"), Some(0));
}

/// Waits until every view is where the log ends.
async fn caught_up(state: &str) {
    eventually(Duration::from_mins(1), || {
        let views = said(&ryggrad(&["replay", "--json", "--state", state]));
        let parse = |line| serde_json::from_str::<serde_json::Value>(line).expect("JSON");
        let behind = views
            .lines()
            .map(parse)
            .filter(|view| view["position"] != view["head"])
            .count();
        std::future::ready(if behind == 0 { Ok(()) } else { Err(views) })
    })
    .await;
}

/// Runs verify on one part, which finds this difference.
#[track_caller]
fn finds(state: &str, part: &str, finding: &str) {
    let output = ryggrad(&["verify", "--only", part, "--state", state]);
    let told = format!("{}{}", said(&output), complained(&output));
    assert_eq!(output.status.code(), Some(1), "{finding}: {told}");
    assert!(said(&output).contains(finding), "{finding}: {told}");
}

async fn a_view_that_stands_still_is_different(state: &str, owner: &mut PgConnection) {
    let sql = "select table_name from views.projections where name = 'org_timeline' and state = 'live'";
    let table: String = sqlx::query_scalar(sql)
        .fetch_one(&mut *owner)
        .await
        .expect("the view is live");
    let mut tx = owner.begin().await.expect("a transaction");
    // Readers go on, and the view cannot be written.
    sqlx::query(&format!("lock table views.{table} in exclusive mode"))
        .execute(&mut *tx)
        .await
        .expect("the owner may do everything");
    let more = folder();
    let out = more.path().to_str().expect("a plain path");
    let written = ryggrad(&[
        "simulate",
        "register",
        "--organisations",
        "20",
        "--seed",
        "9",
        "--out",
        out,
    ]);
    let files = said(&written);
    let files: Vec<_> = files.lines().collect();
    let report = more.path().join("refused.ndjson");
    let report = report.to_str().expect("a plain path");
    let import = [&["import", "brreg", "--state", state, "--refused", report][..], &files].concat();
    let imported = ryggrad(&import);
    assert_eq!(imported.status.code(), Some(0), "{}", complained(&imported));
    finds(state, "views", "org_timeline stands still at");
    tx.rollback().await.expect("rolled back");
    caught_up(state).await;
}
