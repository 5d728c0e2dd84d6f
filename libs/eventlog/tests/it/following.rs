//! Following: every event once and in order, whether it is long past, comes by the stream, or comes faster than it is kept.

use std::time::Duration;

use ryggrad_eventlog::consumer::{Follower, Source};
use ryggrad_eventlog::{Log, Recorded};

use crate::world::{World, organisations};

const PATIENCE: Duration = Duration::from_mins(1);
/// More than the recent end of the stream that is kept, and than how far behind it is read.
const BURST: usize = 12_000;

/// Follows until a position, and answers all positions on the way.
async fn until(follower: &mut Follower, last: u64) -> Vec<u64> {
    let mut batch: Vec<Recorded> = Vec::new();
    let all = async {
        while batch.last().is_none_or(|event| event.position < last) {
            follower.next(&mut batch, 500).await;
        }
    };
    tokio::time::timeout(PATIENCE, all).await.expect("the events come");
    batch.iter().map(|event| event.position).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn i2_what_comes_faster_than_it_is_kept_is_not_missed() {
    let world = World::begin().await;
    let log = Log::new(world.writer.clone());
    let clubs = organisations(7);
    world.append_many(100, &clubs).await;
    let source = Source::new(world.client.clone());
    let mut from_start = Follower::after(&source, log.clone(), 0);
    let mut from_now = Follower::after(&source, log, 100);
    let relay = world.relay().await;
    assert_eq!(until(&mut from_start, 100).await, (1..=100).collect::<Vec<_>>());
    drop(relay);
    // Three times so much at once that the reader of the stream passes over it, and a trickle after it.
    let mut head = 100;
    for _ in 0..3 {
        world.append_many(BURST, &clubs).await;
        let relay = world.relay().await;
        world.append_many(10, &clubs).await;
        let next = head + BURST as u64 + 10;
        let expected: Vec<_> = (head + 1..=next).collect();
        let (one, other) = tokio::join!(until(&mut from_start, next), until(&mut from_now, next));
        assert_eq!(one, expected);
        assert_eq!(other, expected);
        head = next;
        drop(relay);
    }
}
