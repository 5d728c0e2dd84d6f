//! Rough measurements, for `cargo test --release -p ryggrad-gateway -- --ignored --nocapture`; the numbers that count are `ryggrad bench`'s.

use std::time::{Duration, Instant};

use ryggrad_client::{Filter, Start};

use crate::stack::{Stack, follow};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn measures_catching_up() {
    let stack = Stack::start().await;
    let last = stack.append_many(400_000).await;
    let client = stack.client().await;
    for round in 1..=3 {
        let began = Instant::now();
        let mut subscription = follow(&client, Start::Beginning, Filter::new());
        while subscription.cursor().position < last {
            subscription.next_event().await.unwrap();
        }
        let took = began.elapsed();
        println!("round {round}: {last} events in {took:?}: {:.0} events/s", f64::from(u32::try_from(last).unwrap()) / took.as_secs_f64());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn measures_commit_to_subscriber() {
    let stack = Stack::start().await;
    let mut subscription = follow(&stack.client().await, Start::Now, Filter::new());
    let mut ticks = tokio::time::interval(Duration::from_millis(1));
    let reading = async {
        let mut delays = Vec::new();
        while delays.len() < 20_000 {
            let event = subscription.next_event().await.unwrap().unwrap();
            let recorded = jiff::Timestamp::try_from(event.envelope.recorded_at.unwrap()).unwrap();
            delays.push(ryggrad_eventlog::clock::wall().duration_since(recorded).as_micros());
        }
        delays.sort_unstable();
        delays
    };
    let writing = async {
        loop {
            ticks.tick().await;
            tokio::join!(stack.append_many(1), stack.append_many(1));
        }
    };
    let delays = tokio::select! { delays = reading => delays, () = writing => unreachable!("writing does not end") };
    println!("commit to subscriber: p50 {} µs, p99 {} µs", delays[delays.len() / 2], delays[delays.len() * 99 / 100]);
}
