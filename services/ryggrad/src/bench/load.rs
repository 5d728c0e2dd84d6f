//! Clients that ask again as soon as they are answered, and how they fared.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

/// How often each contestant has its turn.
const TURNS: u32 = 4;

/// How a group of clients fared.
#[derive(Debug)]
pub(super) struct Load {
    latencies: Vec<Duration>,
    elapsed: Duration,
}

// === impl Load ===

impl Load {
    /// Answers a second that were successes.
    pub(super) fn per_s(&self) -> f64 {
        per_second(self.latencies.len(), self.elapsed)
    }

    /// Latency of the 99th of a hundred, in milliseconds.
    pub(super) fn p99_ms(&self) -> f64 {
        percentile_ms(&mut self.latencies.clone(), 99)
    }

    fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.elapsed += other.elapsed;
    }
}

/// Runs two contestants in turns, each for so long in all, so that what else the machine does meets both.
pub(super) async fn in_turns<T, O>(
    length: Duration,
    mut theirs: impl FnMut(Duration) -> T,
    mut ours: impl FnMut(Duration) -> O,
) -> anyhow::Result<(Load, Load)>
where
    T: Future<Output = anyhow::Result<Load>>,
    O: Future<Output = anyhow::Result<Load>>,
{
    let turn = length / TURNS;
    let (mut they, mut we) = (theirs(turn).await?, ours(turn).await?);
    for _ in 1..TURNS {
        they.add(theirs(turn).await?);
        we.add(ours(turn).await?);
    }
    Ok((they, we))
}

/// Runs so many clients for so long. Each calls `ask(client, n)` with n = 0, 1, 2, …; `false` is an attempt that
/// gave nothing and is not counted.
pub(super) async fn clients<F, A>(count: usize, length: Duration, ask: F) -> anyhow::Result<Load>
where
    F: Fn(usize, u64) -> A + Clone + Send + 'static,
    A: Future<Output = anyhow::Result<bool>> + Send,
{
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for client in 0..count {
        let ask = ask.clone();
        tasks.spawn(async move {
            let mut latencies = Vec::new();
            let mut n = 0;
            while start.elapsed() < length {
                let asked = Instant::now();
                if ask(client, n).await? {
                    latencies.push(asked.elapsed());
                }
                n += 1;
            }
            anyhow::Ok(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(done) = tasks.join_next().await {
        latencies.append(&mut done??);
    }
    Ok(Load {
        latencies,
        elapsed: start.elapsed(),
    })
}

/// The value below which so many in a hundred lie, in milliseconds.
pub(super) fn percentile_ms(latencies: &mut [Duration], percent: usize) -> f64 {
    latencies.sort_unstable();
    let at = (latencies.len() * percent / 100).min(latencies.len().saturating_sub(1));
    latencies
        .get(at)
        .map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e3)
}

/// So many in so long, a second.
#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^52")]
pub(super) fn per_second(count: usize, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}
