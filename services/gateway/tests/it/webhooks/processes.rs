//! Several processes, and processes that die.

use std::time::Duration;

use super::receiver::{Receiver, Reply};
use super::world::{World, id};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_and_not_kept_comes_again_with_the_same_id() {
    let mut world = World::with(|options| options.lease = Duration::from_secs(1)).await;
    let receiver = Receiver::start().await;
    receiver.answers(|_, before| if before == 0 { Reply::held() } else { Reply::ok() });
    let id = id(&world.endpoint(&receiver).await);
    let last = world.record(&[1]).await;
    // It is there; its answer never comes to be known, because the process is killed.
    receiver.delivered(1).await;
    world.process.kill().await;
    receiver.open();
    world.process = world.another().await;
    world.until(&id, |endpoint| endpoint.position == last).await;
    let deliveries = receiver.deliveries();
    assert_eq!(deliveries.len(), 2);
    assert_eq!(deliveries[0].id(), deliveries[1].id());
    assert_eq!(deliveries[0].body, deliveries[1].body);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_deliver_everything_once() {
    let world = World::start().await;
    let receivers = [
        Receiver::start().await,
        Receiver::start().await,
        Receiver::start().await,
    ];
    let _other = world.another().await;
    let mut ids = Vec::new();
    for receiver in &receivers {
        ids.push(id(&world.endpoint(receiver).await));
    }
    let last = world.stack.append_many(1_000).await;
    for (id, receiver) in ids.iter().zip(&receivers) {
        world.until(id, |endpoint| endpoint.position == last).await;
        let by_position = receiver.by_position();
        assert!(by_position.keys().copied().eq(1..=last));
        assert!(
            by_position.values().all(|deliveries| deliveries.len() == 1),
            "each once"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_one_is_killed_another_goes_on_within_seconds_and_loses_nothing() {
    let mut world = World::with(|options| options.lease = Duration::from_secs(1)).await;
    let receiver = Receiver::start().await;
    let id = id(&world.endpoint(&receiver).await);
    world.stack.append_many(200).await;
    receiver.delivered(20).await;
    world.process.kill().await;
    let began = std::time::Instant::now();
    world.process = world.another().await;
    let last = world.stack.append_many(200).await;
    world.until(&id, |endpoint| endpoint.position == last).await;
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(receiver.by_position().keys().copied().eq(1..=last), "nothing is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_in_order_repeats_nothing() {
    let mut world = World::start().await;
    let receiver = Receiver::start().await;
    let id = id(&world.endpoint(&receiver).await);
    world.stack.append_many(300).await;
    receiver.delivered(50).await;
    world.process.stop().await;
    let so_far = receiver.deliveries().len();
    world.process = world.another().await;
    let last = world.stack.append_many(100).await;
    world.until(&id, |endpoint| endpoint.position == last).await;
    let by_position = receiver.by_position();
    assert!(by_position.keys().copied().eq(1..=last));
    assert!(
        by_position.values().all(|deliveries| deliveries.len() == 1),
        "after {so_far}"
    );
}
