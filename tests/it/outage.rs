//! Servers that die under load, and come back.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ryggrad::servers::{Addresses, migrate};
use ryggrad_client::Connection;
use ryggrad_eventlog::Log;
use ryggrad_eventlog::consumer::Feed;
use ryggrad_proto::common::v1::Receipt;
use ryggrad_testkit::eventually;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::harness::{Whole, fresh, sketch, start, whole};

/// How many clients send commands at once.
const CLIENTS: usize = 8;
/// How many commands are accepted before and after the server dies.
const ENOUGH: u64 = 200;

/// Sends commands until told to stop, each again and again with its id until it is accepted; every receipt.
async fn load(app: Connection, stop: Arc<AtomicBool>) -> Vec<(Uuid, Receipt)> {
    let mut receipts = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let id = fresh();
        let receipt = eventually(Duration::from_mins(1), || sketch(app.clone(), id)).await;
        receipts.push((id, receipt));
    }
    receipts
}

/// Starts the clients.
fn clients(whole: &Whole) -> (JoinSet<Vec<(Uuid, Receipt)>>, Arc<AtomicBool>) {
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(load(whole.app(), Arc::clone(&stop)));
    }
    (clients, stop)
}

/// Waits until the log has so many events.
async fn grown_to(log: &Log, position: u64) -> u64 {
    eventually(Duration::from_mins(1), || async {
        match log.head().await {
            Ok(head) if head.position >= position => Ok(head.position),
            Ok(head) => Err(format!("the log is at {}", head.position)),
            Err(error) => Err(error.to_string()),
        }
    })
    .await
}

/// Every receipt's event is in the log at its position, every command once, and the stream has the same.
async fn everything_is_there(whole: &Whole, log: &Log, receipts: &[(Uuid, Receipt)]) {
    let head = log.head().await.expect("the log answers").position;
    let events = log.after(0, u32::MAX).await.expect("the log answers");
    let positions: Vec<u64> = events.iter().map(|event| event.position).collect();
    assert_eq!(positions, (1..=head).collect::<Vec<_>>(), "dense");
    let by_command: HashMap<Uuid, u64> = events.iter().map(|event| (event.command_id, event.position)).collect();
    assert_eq!(by_command.len(), events.len(), "every command once");
    for (id, receipt) in receipts {
        assert_eq!(
            by_command.get(id),
            Some(&receipt.position),
            "an acknowledged command is where its receipt says"
        );
    }
    let mut feed = Feed::after(whole.nats.client("views").await, 0);
    let mut streamed = Vec::new();
    while streamed.len() < events.len() {
        tokio::time::timeout(Duration::from_mins(1), feed.next(&mut streamed, events.len()))
            .await
            .expect("the stream has everything");
    }
    assert_eq!(streamed, events, "the stream equals the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_killed_under_load_loses_no_acknowledged_command() {
    let mut postgres = ryggrad_testkit::private_postgres().await;
    let nats = ryggrad_testkit::nats().await;
    let addresses = Addresses::new(
        |role| postgres.url_as(role).expect("an address"),
        |user| nats.url_as(user).expect("an address"),
    );
    migrate(addresses.postgres("ryggrad")).await.expect("the schema");
    let whole = start(addresses, nats).await;
    let log = Log::new(whole.owner());
    let (clients, stop) = clients(&whole);
    let before = grown_to(&log, ENOUGH).await;

    postgres.kill().await.expect("killed");
    postgres.restart().await.expect("started again");

    grown_to(&log, before + ENOUGH).await;
    stop.store(true, Ordering::Relaxed);
    let receipts: Vec<_> = clients.join_all().await.into_iter().flatten().collect();
    everything_is_there(&whole, &log, &receipts).await;
    whole.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i2_nats_down_refuses_no_command_and_up_again_everything_arrives() {
    let mut whole = whole().await;
    let log = Log::new(whole.owner());
    whole.sketch().await.expect("accepted");
    whole.nats.kill().await.expect("killed");

    let mut receipts = Vec::new();
    for _ in 0..50 {
        let id = fresh();
        receipts.push((id, sketch(whole.app(), id).await.expect("accepted without the broker")));
    }

    whole.nats.restart().await.expect("started again");
    everything_is_there(&whole, &log, &receipts).await;
    whole.stack.stop().await;
}
