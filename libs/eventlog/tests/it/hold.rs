//! Aggregates read many at once and held.

use ryggrad_eventlog::ExecuteError;
use uuid::Uuid;

use crate::support::{Count, SERVICE, all, assert_whole, count, database, process};

#[tokio::test]
async fn held_aggregates_come_in_the_order_asked_with_their_versions() {
    let pool = database().await.pool_as(SERVICE);
    let executor = process(pool.clone());
    let ids = [Uuid::from_u128(3), Uuid::from_u128(1), Uuid::from_u128(2)];
    executor.execute(count(ids[0], 2)).await.expect("counted");
    process(pool)
        .execute(count(ids[2], 5))
        .await
        .expect("counted by another process");
    let held = executor.hold(&ids).await.expect("read");
    let versions: Vec<_> = held.iter().map(ryggrad_eventlog::executor::Held::version).collect();
    assert_eq!(versions, [2, 0, 5]);
}

#[tokio::test]
async fn what_another_process_wrote_is_seen_of_an_aggregate_that_is_remembered() {
    let pool = database().await.pool_as(SERVICE);
    let executor = process(pool.clone());
    let id = Uuid::from_u128(1);
    executor.execute(count(id, 1)).await.expect("counted");
    process(pool)
        .execute(count(id, 3))
        .await
        .expect("counted by another process");
    let held = executor.hold(&[id]).await.expect("read");
    assert_eq!(held[0].version(), 4);
}

#[tokio::test]
async fn a_held_aggregate_says_what_a_command_would_do_and_writes_nothing() {
    let pool = database().await.pool_as(SERVICE);
    let executor = process(pool.clone());
    let id = Uuid::from_u128(1);
    let held = executor.hold(&[id]).await.expect("read");
    assert!(!held[0].would_change(&count(id, 0)).await.expect("decided"));
    assert!(held[0].would_change(&count(id, 2)).await.expect("decided"));
    let mut refused = count(id, 2);
    refused.command = Count { events: 2, limit: 1 };
    assert!(matches!(
        held[0].would_change(&refused).await,
        Err(ExecuteError::Refused(_))
    ));
    assert!(all(&pool).await.is_empty());
}

#[tokio::test]
async fn a_held_aggregate_that_others_moved_is_decided_on_anew() {
    let pool = database().await.pool_as(SERVICE);
    let (executor, other) = (process(pool.clone()), process(pool.clone()));
    let id = Uuid::from_u128(1);
    let held = executor.hold(&[id]).await.expect("read");
    other.execute(count(id, 2)).await.expect("counted");
    let receipt = held[0]
        .execute(&count(id, 1))
        .await
        .expect("decided again after the race");
    assert_eq!((receipt.version, receipt.duplicate), (3, false));
    assert_whole(&all(&pool).await);
}
