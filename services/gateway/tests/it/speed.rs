//! Rough measurements, for `cargo test --release -p ryggrad-gateway -- --ignored --nocapture`; the numbers that count are `ryggrad bench`'s.

use std::time::{Duration, Instant};

use ryggrad_client::{Filter, Start};

use crate::stack::{PATIENCE, Stack, follow};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn measures_catching_up() {
    let stack = Stack::start().await;
    let last = stack.append_many(400_000).await;
    let client = stack.client().await;
    ryggrad_testkit::eventually(PATIENCE, || async {
        if stack.door.gateway.position() == last {
            Ok(())
        } else {
            Err("the stream is behind")
        }
    })
    .await;
    for round in 1..=3 {
        let (began, spent) = (Instant::now(), processor_time());
        let mut subscription = follow(&client, Start::Beginning, Filter::new());
        while subscription.cursor().position < last {
            subscription.next_event().await.unwrap();
        }
        let (took, spent) = (began.elapsed(), processor_time().saturating_sub(spent));
        let per_second = f64::from(u32::try_from(last).unwrap()) / took.as_secs_f64();
        println!(
            "round {round}: {last} events in {took:?}: {per_second:.0} events/s, {spent:?} of processor time in gateway and client"
        );
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
    println!(
        "commit to subscriber: p50 {} µs, p99 {} µs",
        delays[delays.len() / 2],
        delays[delays.len() * 99 / 100]
    );
}

/// What this process has had of the processors.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}
