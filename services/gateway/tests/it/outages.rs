//! What subscribers notice when the broker or the stream goes away: a pause.

use std::sync::{Arc, Mutex};

use ryggrad_access::Scope;
use ryggrad_client::{Error, Filter, Start};
use ryggrad_eventlog::stream;
use ryggrad_testkit::eventually;
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::Channel;

use crate::followers::{By, Follower, Wish, acknowledge};
use crate::stack::{PATIENCE, Stack, connect, follow, positions, until_caught_up};
use crate::webhooks::receiver::Receiver;
use crate::webhooks::world::World;

/// Somebody who follows by a door from the beginning, by one connection that must not end.
struct Live {
    door: String,
    found: Arc<Mutex<Vec<u64>>>,
    task: AbortOnDropHandle<()>,
}

// === impl Live ===

impl Live {
    async fn follow(stack: &Stack, channel: &Channel, by: By, durable: Option<String>) -> Self {
        let door = format!("{by:?}, durable {}", durable.is_some());
        let token = durable
            .is_some()
            .then(|| stack.issuer.token("org:310000019", &[Scope::SubscriptionsWrite]));
        let wish = Wish {
            token,
            durable,
            ..Wish::default()
        };
        let mut follower = Follower::open(stack, channel, by, &wish).await.unwrap();
        let found = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn({
            let (found, channel) = (Arc::clone(&found), channel.clone());
            async move {
                while let Some(more) = follower.next().await {
                    let last = more[more.len() - 1];
                    found.lock().unwrap().extend(more);
                    if wish.durable.is_some() {
                        acknowledge(&channel, &wish, last).await;
                    }
                }
            }
        });
        Self {
            door,
            found,
            task: AbortOnDropHandle::new(task),
        }
    }
}

/// One by each door, and an endpoint that is called.
struct Everybody {
    live: Vec<Live>,
    receiver: Receiver,
}

// === impl Everybody ===

impl Everybody {
    async fn follow(world: &World) -> Self {
        let channel = Channel::from_shared(world.stack.url())
            .unwrap()
            .connect()
            .await
            .unwrap();
        let mut live = Vec::new();
        for by in By::ALL {
            live.push(Live::follow(&world.stack, &channel, by, None).await);
            if by.is_lasting() {
                live.push(Live::follow(&world.stack, &channel, by, Some(format!("{by:?}"))).await);
            }
        }
        let receiver = Receiver::start().await;
        // The facts here are all of one organisation: one after the other.
        world.create_ordered(receiver.url()).await;
        Self { live, receiver }
    }

    /// Waits until everybody has had everything, in order and once.
    async fn has(&self, last: u64) {
        eventually(PATIENCE, || async {
            for live in &self.live {
                let found = live.found.lock().unwrap();
                assert!(found.iter().copied().eq(1..=found.len() as u64), "by {}", live.door);
                assert!(!live.task.is_finished(), "by {} it ended", live.door);
                if (found.len() as u64) < last {
                    return Err(format!("by {}: {} of {last}", live.door, found.len()));
                }
            }
            let called = self.receiver.positions();
            assert!(called.iter().copied().eq(1..=called.len() as u64), "called: {called:?}");
            if (called.len() as u64) < last {
                return Err(format!("called: {} of {last}", called.len()));
            }
            Ok(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_deleted_and_refilled_is_a_pause_by_every_door() {
    let world = World::start().await;
    let everybody = Everybody::follow(&world).await;
    everybody.has(world.stack.append_many(300).await).await;
    let admin = connect(&world.stack.nats, "admin").await;
    for _ in 0..3 {
        let deleted = async_nats::jetstream::new(admin.clone())
            .delete_stream(stream::NAME)
            .await;
        deleted.unwrap();
        everybody.has(world.stack.append_many(100).await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_and_wiped_is_a_pause_by_every_door() {
    let mut world = World::start().await;
    let everybody = Everybody::follow(&world).await;
    everybody.has(world.stack.append_many(300).await).await;
    for _ in 0..2 {
        world.stack.nats.kill().await.unwrap();
        world.stack.nats.wipe();
        // Commands are taken all the while.
        let last = world.stack.append_many(100).await;
        world.stack.nats.restart().await.unwrap();
        everybody.has(last).await;
        everybody.has(world.stack.append_many(100).await).await;
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
