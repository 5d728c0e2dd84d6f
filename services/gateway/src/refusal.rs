//! What a subscriber is told when it asks for what cannot be given: always explicit, never a cursor moved in silence.

use std::time::Duration;

use ryggrad_service::ApiError;
use uuid::Uuid;

/// After how long it makes sense to come back.
pub(crate) const RETRY: Duration = Duration::from_secs(1);

/// The position is behind the end of the log: OUT_OF_RANGE, with the head.
pub(crate) fn beyond_head(after: u64, head: u64) -> ApiError {
    let error = ApiError::OutOfRange {
        reason: "CURSOR_BEYOND_HEAD",
        message: format!("after: position {after} is beyond the head of the log, {head}"),
    };
    error.with("after", &after).with("head", &head)
}

/// The position was learned in another log: FAILED_PRECONDITION, with the epoch that is.
pub(crate) fn other_epoch(asked: &str, epoch: Uuid) -> ApiError {
    let error = ApiError::Precondition {
        reason: "OTHER_EPOCH",
        message: format!(
            "epoch: the log is {epoch}, not {asked}; it was restored, and positions may have been given twice"
        ),
    };
    error.with("epoch", &epoch)
}

/// Nobody knows the event, or the caller may not see it: NOT_FOUND.
pub(crate) fn no_event(id: &impl ToString) -> ApiError {
    ApiError::NotFound {
        what: "event",
        id: id.to_string(),
    }
}

/// The approved subscription gives nothing: PERMISSION_DENIED.
pub(crate) fn not_in_force(subscription: Uuid) -> ApiError {
    let error = ApiError::Denied {
        reason: "SUBSCRIPTION_NOT_IN_FORCE",
        message: format!("subscription: {subscription} is not one of the caller's that is in force"),
    };
    error.with("subscription", &subscription)
}

/// The database or the reader of the stream cannot be asked now: UNAVAILABLE, with when to come back.
pub(crate) fn unavailable(what: &str) -> ApiError {
    ApiError::Unavailable {
        what: what.to_owned(),
        retry_after: RETRY,
    }
}

/// The log could not be read.
pub(crate) fn unreadable(error: &sqlx::Error) -> ApiError {
    ApiError::unreadable(error)
}

/// The process stops; another one goes on from the same position: UNAVAILABLE, with when to come back.
pub(crate) fn stopping() -> ApiError {
    unavailable("the gateway is stopping; subscribe again from the last position")
}

/// A number is outside of its bounds: INVALID_ARGUMENT.
pub(crate) fn out_of_bounds(field: &str, asked: u64, least: u64, most: u64) -> ApiError {
    ApiError::invalid(field, format!("{asked} is not between {least} and {most}"))
}
