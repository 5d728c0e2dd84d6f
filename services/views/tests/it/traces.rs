//! A snapshot of what is not open, and the trace that it leaves.

use axum::body::Body;
use http_body_util::BodyExt as _;
use ryggrad_access::{Caller, Identity, Parties, Scope};
use ryggrad_eventlog::Log;
use ryggrad_norway::OrgNumber;
use ryggrad_proto::registration::v1::RegistrationDrafted;
use ryggrad_proto::registration::v1::registration_case_event::Event as Case;
use ryggrad_service::auth::answering;
use ryggrad_testkit::eventually;
use tower::ServiceExt as _;

use crate::access::{BRREG, approve};
use crate::world::{Organisation, PATIENCE, World, fresh};

/// The register authority with a token that has every scope.
fn brreg() -> Caller {
    let consumer = OrgNumber::parse(BRREG).expect("a number");
    Caller::proved(Identity {
        consumer,
        supplier: None,
        system_user: None,
        scopes: Scope::all().collect(),
        parties: Parties::development().of(consumer).to_vec(),
        expires: "2999-01-01T00:00:00Z".parse().expect("an instant"),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_begins_at_once_and_each_of_its_rows_comes_after_its_trace() {
    const CASES: usize = 300;
    let world = World::begin().await;
    for n in 1..=300 {
        let organisation = Organisation::nth(n);
        let drafted = Case::from(RegistrationDrafted {
            organisation_id: organisation.id.to_string(),
            ..RegistrationDrafted::default()
        });
        world
            .append("RegistrationCase", fresh(), 0, &organisation.about(), &[drafted])
            .await;
    }
    approve(&world).await;
    world.caught_up().await;
    let log = Log::new(world.writer.clone());
    let before = world.head().await;
    // Nothing can be written for now.
    let mut held = world.database.pool().begin().await.expect("a transaction");
    sqlx::query("select position from log.head for update")
        .execute(&mut *held)
        .await
        .expect("held");
    let request = http::Request::get("/v1/views/register_case/snapshot").body(Body::empty());
    let answer = world.views.http().oneshot(request.expect("a request"));
    let answer = answering(brreg(), answer).await.expect("an answer");
    assert_eq!(answer.status(), 200, "before any trace is left");
    let mut body = answer.into_body();
    let reading = tokio::spawn(async move {
        let first = body.frame().await;
        (first, body)
    });
    eventually(PATIENCE, || async {
        let sql =
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        let waiting: i64 = sqlx::query_scalar(sql).fetch_one(&world.database.pool()).await?;
        anyhow::ensure!(waiting > 0, "nobody waits to write");
        anyhow::Ok(())
    })
    .await;
    assert!(!reading.is_finished(), "no row without its trace");
    held.rollback().await.expect("let go");
    let (first, body) = reading.await.expect("read");
    let first = first.expect("a piece").expect("no cut").into_data().expect("bytes");
    let rest = body.collect().await.expect("to its end").to_bytes();
    let lines = first.iter().chain(&rest).filter(|byte| **byte == b'\n').count();
    assert_eq!(lines, CASES + 2, "the beginning, the cases, the end");
    let written = log.after(before, 100).await.expect("the log");
    let told: Vec<_> = written.iter().map(|event| event.related.len()).collect();
    assert_eq!(
        told,
        [256, CASES - 256],
        "one reading a batch, and everybody in one of them"
    );
}
