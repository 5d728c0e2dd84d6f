//! What subscribers notice when the broker or the stream goes away: a pause.

use ryggrad_client::{Error, Filter, Start};
use ryggrad_eventlog::stream;
use ryggrad_testkit::eventually;

use crate::stack::{PATIENCE, Stack, connect, follow, positions, until_caught_up};

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_deleted_and_refilled_is_a_pause() {
    let stack = Stack::start().await;
    stack.append_many(500).await;
    let mut subscription = follow(&stack.client().await, Start::Beginning, Filter::new());
    assert_eq!(positions(&mut subscription, 500).await.last(), Some(&500));
    eventually(PATIENCE, || async {
        if stack.door.gateway.position() == 500 {
            Ok(())
        } else {
            Err("the stream is behind")
        }
    })
    .await;
    let admin = connect(&stack.nats, "admin").await;
    for round in 1..=3_u64 {
        async_nats::jetstream::new(admin.clone())
            .delete_stream(stream::NAME)
            .await
            .unwrap();
        stack.append_many(100).await;
        let first = 500 + (round - 1) * 100 + 1;
        assert_eq!(
            positions(&mut subscription, 100).await,
            (first..first + 100).collect::<Vec<_>>(),
            "round {round}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_dies_and_comes_back_is_a_pause() {
    let mut stack = Stack::start().await;
    stack.append_many(50).await;
    let mut subscription = follow(&stack.client().await, Start::Beginning, Filter::new());
    until_caught_up(&mut subscription).await;
    stack.nats.kill().await.unwrap();
    // Commands are taken, and who comes now is served from the log.
    let last = stack.append_many(50).await;
    let mut newcomer = follow(&stack.client().await, Start::Beginning, Filter::new());
    assert_eq!(until_caught_up(&mut newcomer).await, (1..=last).collect::<Vec<_>>());
    stack.nats.restart().await.unwrap();
    assert_eq!(positions(&mut subscription, 50).await, (51..=100).collect::<Vec<_>>());
    stack.append_many(10).await;
    let fresh: Vec<_> = (101..=110).collect();
    assert_eq!(positions(&mut subscription, 10).await, fresh);
    assert_eq!(positions(&mut newcomer, 10).await, fresh);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_restored_ends_subscriptions_with_its_epoch() {
    let stack = Stack::start().await;
    stack.append_many(5).await;
    let mut subscription = follow(&stack.client().await, Start::Beginning, Filter::new());
    until_caught_up(&mut subscription).await;
    sqlx::query("update log.head set epoch = gen_random_uuid()")
        .execute(&stack.database.pool())
        .await
        .unwrap();
    let error = tokio::time::timeout(PATIENCE, subscription.next_event())
        .await
        .unwrap()
        .unwrap_err();
    assert!(matches!(error, Error::Epoch { .. }), "{error}");
}
