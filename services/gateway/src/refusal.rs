//! What a subscriber is told when it asks for what cannot be given: always explicit, never a cursor moved in silence.

use std::time::Duration;

use ryggrad_service::ApiError;
use ryggrad_service::error::DOMAIN;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use uuid::Uuid;

/// After how long it makes sense to come back.
const RETRY: Duration = Duration::from_secs(1);

/// The position is behind the end of the log: OUT_OF_RANGE, with the head.
pub(crate) fn beyond_head(after: u64, head: u64) -> Status {
    cursor(
        Code::OutOfRange,
        "CURSOR_BEYOND_HEAD",
        format!("after: position {after} is beyond the head of the log, {head}"),
        &[("after", after.to_string()), ("head", head.to_string())],
    )
}

/// The position was learned in another log: FAILED_PRECONDITION, with the epoch that is.
pub(crate) fn other_epoch(asked: &str, epoch: Uuid) -> Status {
    cursor(
        Code::FailedPrecondition,
        "OTHER_EPOCH",
        format!("epoch: the log is {epoch}, not {asked}; it was restored, and positions may have been given twice"),
        &[("epoch", epoch.to_string())],
    )
}

/// The database or the reader of the stream cannot be asked now: UNAVAILABLE, with when to come back.
pub(crate) fn unavailable(what: &str) -> Status {
    ApiError::Unavailable {
        what: what.to_owned(),
        retry_after: RETRY,
    }
    .into()
}

/// The log could not be read.
pub(crate) fn unreadable(error: &sqlx::Error) -> Status {
    tracing::warn!(%error, "the log cannot be read");
    unavailable("the log cannot be read now")
}

/// The process stops; another one goes on from the same position: UNAVAILABLE, with when to come back.
pub(crate) fn stopping() -> Status {
    unavailable("the gateway is stopping; subscribe again from the last position")
}

fn cursor(code: Code, reason: &str, message: String, metadata: &[(&str, String)]) -> Status {
    let metadata: std::collections::HashMap<_, _> = metadata
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    Status::with_error_details(code, message, ErrorDetails::with_error_info(reason, DOMAIN, metadata))
}
