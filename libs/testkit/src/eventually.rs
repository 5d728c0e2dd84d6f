//! Waiting for a condition instead of sleeping.

use std::fmt::Display;
use std::panic::Location;
use std::time::{Duration, Instant};

/// Tries `attempt` until it answers `Ok`, and answers with what it found.
///
/// # Panics
/// When `timeout` has passed, with the last attempt's error and the caller's line.
#[track_caller]
pub fn eventually<T, E, F>(timeout: Duration, mut attempt: impl FnMut() -> F) -> impl Future<Output = T>
where
    F: Future<Output = Result<T, E>>,
    E: Display,
{
    let caller = Location::caller();
    async move {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            let left = timeout.saturating_sub(begun.elapsed()).max(Duration::from_millis(10));
            let why = match tokio::time::timeout(left, attempt()).await {
                Ok(Ok(found)) => return found,
                Ok(Err(why)) => format!("{why:#}"),
                Err(_elapsed) => "the attempt itself did not come back".to_owned(),
            };
            assert!(
                begun.elapsed() < timeout,
                "not within {timeout:?}, waited for at {caller}: {why}"
            );
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }
}
