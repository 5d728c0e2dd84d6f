//! Several processes, and processes that die.

use std::collections::BTreeSet;
use std::time::Duration;

use ryggrad_gateway::webhooks::Schedule;
use ryggrad_testkit::eventually;

use super::receiver::{Receiver, Reply};
use super::world::{World, id};
use crate::stack::PATIENCE;

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

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_record_beyond_the_cursor_is_not_sent_again_and_what_failed_there_is_not_forgotten() {
    let mut world = World::with(|options| {
        options.lease = Duration::from_secs(1);
        // Nothing is given up, and something waits when the process is killed.
        options.schedule = Schedule::new([Duration::from_secs(1); 10]);
    })
    .await;
    let receiver = Receiver::start().await;
    receiver.answers(|request, _| match request.position() {
        1 => Reply::held(),
        3 => Reply::status(500),
        _ => Reply::ok(),
    });
    let made = world.create_ordered(receiver.url()).await;
    let id = id(&made);
    let last = world.record(&[1, 2, 3, 3]).await;
    eventually(PATIENCE, || async {
        let (delivered, failed) = (
            world.attempts_of(&id, "delivered").await,
            world.attempts_of(&id, "failed").await,
        );
        if delivered == 1 && failed >= 1 {
            Ok(())
        } else {
            Err(format!("{delivered} delivered, {failed} failed"))
        }
    })
    .await;
    assert_eq!(world.get(&id).await.position, 0, "the first one is under way");
    world.process.kill().await;
    receiver.answers(|_, _| Reply::ok());
    receiver.open();
    world.process = world.another().await;
    world
        .until(&id, |endpoint| endpoint.position == last && endpoint.waiting == 0)
        .await;
    let by_position = receiver.by_position();
    assert!(by_position.keys().copied().eq(1..=last), "nothing is lost");
    assert_eq!((by_position[&2].len(), by_position[&4].len()), (1, 1));
    // It goes on counting where it was.
    let attempts = world.attempts(&id).await;
    let numbers: BTreeSet<_> = attempts
        .iter()
        .filter(|one| one.position == 3)
        .map(|one| one.number)
        .collect();
    assert!(numbers.len() >= 2 && numbers.contains(&2), "{attempts:?}");
}
