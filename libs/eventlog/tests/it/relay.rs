//! I1, I2: the stream is the log at the same numbers, whatever happens to relays and broker.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream;
use rand::{Rng as _, SeedableRng as _};
use ryggrad_eventlog::relay::{Mismatch, Relay};
use ryggrad_eventlog::{Log, stream};
use ryggrad_testkit::eventually;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::world::{World, organisations};

const PATIENCE: Duration = Duration::from_mins(1);

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
            second.or_else(|| Some(Process::relay(&world)))
        } else {
            None
        };
        let _first = Process::relay(&world);
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
    let admin = world.nats.client("admin").await;
    stream::ensure(&admin, 1).await.expect("the stream");
    let mut headers = async_nats::HeaderMap::new();
    headers.insert(NATS_MESSAGE_ID, Uuid::nil().to_string());
    let context = jetstream::new(admin);
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
    for user in ["registration", "views", "gateway"] {
        let client = world.nats.client(user).await;
        client
            .publish("ryggrad.v1.public.registration.Forged.00", "".into())
            .await
            .expect("sent");
        client.flush().await.expect("heard");
    }
    assert_eq!(stream::last_sequence(&world.client).await.expect("the broker"), 1);
}

/// A relay in a process of its own: this test binary again. Killed with SIGKILL when dropped.
struct Process(Child);

impl Process {
    fn relay(world: &World) -> Self {
        let child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "relay::process", "--ignored", "--nocapture"])
            .env("RYGGRAD_TEST_DATABASE", world.database.url_as("ryggrad_relay"))
            .env("RYGGRAD_TEST_NATS", world.nats.address())
            .env("RYGGRAD_TEST_NATS_PASSWORD", world.nats.password_of("relay"))
            .stdout(Stdio::null())
            .spawn()
            .expect("started");
        Self(child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().expect("killed");
        self.0.wait().expect("gone");
    }
}

#[tokio::test]
#[ignore = "the other process of the tests above"]
#[expect(
    clippy::disallowed_methods,
    reason = "how a test tells its other process where the servers are"
)]
async fn process() {
    let told = |name: &str| std::env::var(name).expect("started by another test");
    let pool = PgPool::connect_lazy(&told("RYGGRAD_TEST_DATABASE")).expect("a url");
    let credentials = stream::Credentials::User {
        user: "relay".to_owned(),
        password: told("RYGGRAD_TEST_NATS_PASSWORD"),
    };
    let settings = stream::Settings {
        url: told("RYGGRAD_TEST_NATS"),
        credentials,
        name: "relay".to_owned(),
    };
    let client = stream::connect(&settings).await.expect("connected");
    Relay::new(pool, client)
        .run(CancellationToken::new())
        .await
        .expect("stream and log agree");
}

fn rand_chacha(seed: u64) -> impl rand::Rng {
    rand::rngs::StdRng::seed_from_u64(seed)
}
