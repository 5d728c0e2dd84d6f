//! From a view to a snapshot of it, and from a fault of the database to an answer.

use std::time::Duration;

use ryggrad_eventlog::projection::{Snapshot, View};
use ryggrad_service::ApiError;

/// The view as it is once it has come to `at_least`; as it is anyway when that takes longer than `patience`.
pub(crate) async fn open(view: &View, at_least: u64, patience: Duration) -> Result<Snapshot, ApiError> {
    if at_least > 0 {
        view.wait_for(at_least, patience).await.map_err(unreadable)?;
    }
    view.snapshot().await.map_err(unreadable)
}

/// What a failed query means to the one who asked.
pub(crate) fn unreadable(error: sqlx::Error) -> ApiError {
    // The database is stopping or starting, the connection was cut, or a view was replaced under a query that took long.
    const FOR_NOW: [&str; 5] = ["08", "57", "53", "42P01", "40"];
    let is_for_now = match &error {
        sqlx::Error::RowNotFound
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(database) => database
            .code()
            .is_some_and(|code| FOR_NOW.iter().any(|class| code.starts_with(class))),
        _ => false,
    };
    if is_for_now {
        tracing::warn!(%error, "a view cannot be read");
        return ApiError::Unavailable {
            what: "the view cannot be read just now".to_owned(),
            retry_after: Duration::from_secs(1),
        };
    }
    ApiError::internal(error)
}
