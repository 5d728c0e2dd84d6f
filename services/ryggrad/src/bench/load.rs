//! Clients that ask again as soon as they are answered, and how they fared.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

/// How a group of clients fared.
#[derive(Debug)]
pub(super) struct Load {
    /// Answers a second that were successes.
    pub(super) per_s: f64,
    /// Latency of the 99th of a hundred, in milliseconds.
    pub(super) p99_ms: f64,
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
    let elapsed = start.elapsed();
    Ok(Load {
        per_s: per_second(latencies.len(), elapsed),
        p99_ms: percentile_ms(&mut latencies, 99),
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
