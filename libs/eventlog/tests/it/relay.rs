//! I1, I2: the stream is the log at the same numbers, whatever happens to relays and broker.

use std::time::Duration;

use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream;
use async_nats::jetstream::context::PublishErrorKind;
use rand::{Rng as _, SeedableRng as _};
use ryggrad_eventlog::relay::{Mismatch, Relay};
use ryggrad_eventlog::{Log, stream};
use ryggrad_local::nats::{ADMIN, SERVICES};
use ryggrad_testkit::eventually;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::process::{self, Process};
use crate::world::{World, organisations};

const PATIENCE: Duration = Duration::from_mins(1);
/// A subject of the stream.
const FORGED: &str = "ryggrad.v1.public.registration.Forged.00";

/// Waits until the stream is as long as the log.
#[track_caller]
fn published(world: &World) -> impl Future<Output = u64> {
    eventually(PATIENCE, move || async move {
        let (last, head) = (stream::last_sequence(&world.client).await?, world.head().await);
        anyhow::ensure!(last == head && head > 0, "the stream is at {last} of {head}");
        anyhow::Ok(head)
    })
}

/// Every event is in the stream, once, at its own number, with its own bytes.
async fn assert_same(world: &World) {
    let events = Log::new(world.writer.clone())
        .after(0, 1_000_000)
        .await
        .expect("the log");
    let mut feed = ryggrad_eventlog::consumer::Feed::after(world.client.clone(), 0);
    let mut followed = Vec::new();
    while followed.len() < events.len() {
        feed.next(&mut followed, events.len()).await;
    }
    assert_eq!(followed, events);
    let state = stream::info(&world.client)
        .await
        .expect("the broker")
        .expect("the stream")
        .state;
    assert_eq!(
        (state.messages, state.first_sequence, state.last_sequence),
        (events.len() as u64, 1, events.len() as u64)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i1_relays_killed_thirty_times_lose_double_and_move_nothing() {
    let world = World::begin().await;
    let organisations = organisations(50);
    let mut rng = rand_chacha(1);
    let mut second = None;
    for round in 0..30 {
        // Two at once for the middle third.
        second = if (10..20).contains(&round) {
            second.or_else(|| Some(relay_process(&world)))
        } else {
            None
        };
        let _first = relay_process(&world);
        world.append_many(rng.random_range(100..600), &organisations).await;
        // Killed somewhere in the middle of its work, or before, or after.
        let at_least = rng.random_range(0..=world.head().await);
        eventually(PATIENCE, || async {
            let last = stream::last_sequence(&world.client).await?;
            anyhow::ensure!(
                last >= at_least.saturating_sub(300),
                "the stream is at {last}, not {at_least}"
            );
            anyhow::Ok(())
        })
        .await;
        if round % 3 == 0 {
            second = None;
        }
    }
    let _relay = world.relay().await;
    published(&world).await;
    assert_same(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i1_two_relays_whose_lead_is_taken_away_in_the_middle_of_publishing_move_nothing() {
    let world = World::begin().await;
    let _both = (world.relay().await, world.relay().await);
    let organisations = organisations(50);
    let owner = world.database.pool();
    // One that has lost the lead does not know it yet, and goes on publishing beside the next.
    let take_away = "select pg_terminate_backend(pid) from pg_locks
                      where locktype = 'advisory' and granted
                        and database = (select oid from pg_database where datname = current_database())";
    for round in 1..=10 {
        world.append_many(2_000, &organisations).await;
        sqlx::query(take_away).execute(&owner).await.expect("ended");
        eventually(PATIENCE, || async {
            let last = stream::last_sequence(&world.client).await?;
            anyhow::ensure!(last > round * 2_000 - 1_000, "the stream is at {last}");
            anyhow::Ok(())
        })
        .await;
    }
    published(&world).await;
    assert_same(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i1_what_a_relay_sends_late_is_refused_by_its_number() {
    let world = World::begin().await;
    let _relay = world.relay().await;
    world.append_many(3, &organisations(1)).await;
    published(&world).await;
    let late = jetstream::new(world.nats.client("relay").await);
    for event in Log::new(world.writer.clone()).after(0, 3).await.expect("the log") {
        let mut headers = stream::headers(&event);
        // The broker remembers ids for a while only; now it knows this one no more.
        headers.insert(NATS_MESSAGE_ID, Uuid::now_v7().to_string());
        let sent = late
            .publish_with_headers(stream::subject(&event), headers, event.data.clone())
            .await;
        let refused = sent.expect("sent").await.expect_err("it is there already");
        assert_eq!(refused.kind(), PublishErrorKind::WrongLastSequence, "{refused}");
    }
    assert_same(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i2_a_stream_that_is_deleted_is_refilled_with_the_same() {
    let world = World::begin().await;
    let _relay = world.relay().await;
    world.append_many(1_500, &organisations(20)).await;
    published(&world).await;
    let admin = jetstream::new(world.nats.client("admin").await);
    admin.delete_stream(stream::NAME).await.expect("deleted");
    world.append_many(500, &organisations(20)).await;
    published(&world).await;
    assert_same(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i2_while_the_broker_is_down_commands_are_taken_and_everything_arrives_later() {
    let mut world = World::begin().await;
    let _relay = world.relay().await;
    world.append_many(300, &organisations(10)).await;
    published(&world).await;
    world.nats.kill().await.expect("killed");
    world.append_many(2_000, &organisations(10)).await;
    assert_eq!(world.head().await, 2_300);
    world.nats.restart().await.expect("restarted");
    published(&world).await;
    assert_same(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_message_in_the_stream_stops_the_relay() {
    let world = World::begin().await;
    let relay = Relay::new(
        world.database.pool_as("ryggrad_relay"),
        world.nats.client("relay").await,
    );
    // Only the relay's own user can: another program with its password.
    let forger = world.nats.client("relay").await;
    stream::ensure(&forger, 1).await.expect("the stream");
    let mut headers = async_nats::HeaderMap::new();
    headers.insert(NATS_MESSAGE_ID, Uuid::nil().to_string());
    let context = jetstream::new(forger);
    let ack = context
        .publish_with_headers("ryggrad.v1.public.registration.Foreign.00", headers, "".into())
        .await
        .expect("sent");
    ack.await.expect("stored");
    assert_eq!(
        relay.run(CancellationToken::new()).await,
        Err(Mismatch::Ahead { stream: 1, log: 0 })
    );
    world.append_many(1, &organisations(1)).await;
    let event_id = Log::new(world.writer.clone())
        .at(1)
        .await
        .expect("the log")
        .expect("an event")
        .event_id;
    assert_eq!(
        relay.run(CancellationToken::new()).await,
        Err(Mismatch::Other { position: 1, event_id })
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i3_nobody_but_the_relay_publishes_events() {
    let world = World::begin().await;
    let _relay = world.relay().await;
    world.append_many(1, &organisations(1)).await;
    published(&world).await;
    for user in SERVICES.into_iter().chain([ADMIN]) {
        let client = world.nats.client(user).await;
        client.publish(FORGED, "".into()).await.expect("sent");
        // Nor through the broker's own answers and deliveries.
        for asked in ["$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.INFO.RYGGRAD"] {
            client.publish_with_reply(asked, FORGED, "".into()).await.expect("sent");
        }
        client.flush().await.expect("heard");
    }
    assert_eq!(stream::last_sequence(&world.client).await.expect("the broker"), 1);
}

/// A relay in a process of its own.
fn relay_process(world: &World) -> Process {
    Process::start("relay::process", world, "ryggrad_relay", "relay")
}

#[tokio::test]
#[ignore = "the other process of the tests above"]
async fn process() {
    let (database, client) = process::told().await;
    let pool = PgPool::connect_lazy(&database).expect("a url");
    Relay::new(pool, client)
        .run(CancellationToken::new())
        .await
        .expect("stream and log agree");
}

fn rand_chacha(seed: u64) -> impl rand::Rng {
    rand::rngs::StdRng::seed_from_u64(seed)
}
