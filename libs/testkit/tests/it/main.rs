//! The test kit tried on itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ryggrad_local::postgres::ROLES;
use ryggrad_testkit::{Database, eventually};

async fn migrated(times: &AtomicU32) -> Database {
    let sql = "CREATE TABLE fact AS SELECT 17 AS n; GRANT SELECT ON fact TO PUBLIC";
    Database::create(sql, |pool| async move {
        times.fetch_add(1, Ordering::SeqCst);
        sqlx::raw_sql(sql).execute(&pool).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn gives_each_test_a_database_of_its_own_and_migrates_once() {
    let times = AtomicU32::new(0);
    let databases = tokio::join!(migrated(&times), migrated(&times), migrated(&times));
    assert!(times.into_inner() <= 1);
    sqlx::query("DELETE FROM fact")
        .execute(&databases.0.pool())
        .await
        .unwrap();
    for role in ROLES {
        let n: i32 = sqlx::query_scalar("SELECT n FROM fact")
            .fetch_one(&databases.1.pool_as(role))
            .await
            .unwrap();
        assert_eq!(n, 17);
    }
}

#[tokio::test]
async fn hands_every_caller_the_same_server() {
    let (one, other) = tokio::join!(Database::empty(), Database::empty());
    assert_eq!(
        ryggrad_testkit::postgres().await.port(),
        ryggrad_testkit::postgres().await.port()
    );
    assert_ne!(one.name(), other.name());
}

#[tokio::test]
async fn starts_a_broker_for_one_test() {
    let nats = ryggrad_testkit::nats().await;
    let (relay, service) = tokio::join!(nats.client("relay"), nats.client("views"));
    drop((relay, service));
}

#[tokio::test]
async fn kills_a_private_database_and_starts_it_again() {
    let mut postgres = ryggrad_testkit::private_postgres().await;
    postgres.kill().await.unwrap();
    assert_eq!(postgres.pid(), None);
    postgres.restart().await.unwrap();
    assert!(postgres.pid().is_some());
}

#[tokio::test]
async fn waits_until_the_condition_holds() {
    let tries = Arc::new(AtomicU32::new(0));
    let found = eventually(Duration::from_secs(5), || {
        let tries = tries.clone();
        async move {
            match tries.fetch_add(1, Ordering::SeqCst) {
                3 => Ok("there"),
                n => Err(format!("only {n}")),
            }
        }
    })
    .await;
    assert_eq!(found, "there");
}

#[tokio::test]
#[should_panic(expected = "libs/testkit/tests/it/main.rs")]
async fn names_the_line_that_waited_in_vain() {
    let begun = Instant::now();
    eventually(Duration::from_millis(20), || async {
        Err::<(), _>(format!("after {:?}", begun.elapsed()))
    })
    .await;
}
