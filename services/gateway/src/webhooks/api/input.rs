//! What a request has to be, and what is answered when it cannot be carried out.

use ryggrad_proto::webhooks::v1 as pb;
use ryggrad_service::ApiError;

use super::Answer;
use crate::refusal;
use crate::webhooks::endpoint::Endpoint;
use crate::webhooks::store::StoreError;
use crate::webhooks::worker::{Shared, WorkerError};

/// Deliveries a second that can be asked for at the most.
const RATE: u32 = 1_000;
/// Characters of a description at the most.
const DESCRIPTION: usize = 500;
/// Entries of a page when nothing is said, and at the most.
const PAGE: (u32, u32) = (100, 500);

pub(super) fn url(shared: &Shared, text: &str) -> Answer<String> {
    let url = shared.client.check(text);
    let url = url.map_err(|error| ApiError::invalid("url", error.to_string()))?;
    Ok(url.into())
}

pub(super) fn structured(mode: i32) -> Answer<Option<bool>> {
    match pb::ContentMode::try_from(mode) {
        Ok(pb::ContentMode::Unspecified) => Ok(None),
        Ok(pb::ContentMode::Binary) => Ok(Some(false)),
        Ok(pb::ContentMode::Structured) => Ok(Some(true)),
        Err(_) => Err(ApiError::invalid("mode", format!("there is no content mode {mode}"))),
    }
}

pub(super) fn rate(asked: u32) -> Answer<u32> {
    if asked <= RATE {
        return Ok(asked);
    }
    let reason = format!("{asked} is more than {RATE}");
    Err(ApiError::invalid("rate_per_second", reason))
}

pub(super) fn description(text: String) -> Answer<String> {
    if text.chars().count() <= DESCRIPTION {
        return Ok(text);
    }
    let reason = format!("has more than {DESCRIPTION} characters");
    Err(ApiError::invalid("description", reason))
}

pub(super) fn size(asked: u32) -> Answer<u32> {
    match asked {
        0 => Ok(PAGE.0),
        asked if asked <= PAGE.1 => Ok(asked),
        asked => Err(ApiError::invalid(
            "page_size",
            format!("{asked} is not between 1 and {}", PAGE.1),
        )),
    }
}

pub(super) fn token(text: &str) -> Answer<Option<i64>> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = text.parse().map(Some);
    read.map_err(|_| ApiError::invalid("page_token", "is not a next_page_token of ours"))
}

/// Where the next page begins; empty when there is none.
pub(super) fn next<T>(page: &[T], size: u32, last: impl Fn(&T) -> u64) -> String {
    let is_full = page.len() == size as usize;
    page.last()
        .filter(|_| is_full)
        .map(|entry| last(entry).to_string())
        .unwrap_or_default()
}

pub(super) fn not_so(endpoint: &Endpoint, why: &str) -> ApiError {
    ApiError::Precondition {
        reason: "ENDPOINT_STATE",
        message: format!("the endpoint is {}: {why}", endpoint.state.name()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn unreadable(error: sqlx::Error) -> ApiError {
    tracing::warn!(%error, "the webhooks cannot be read or written");
    ApiError::Unavailable {
        what: "the webhooks cannot be read or written now".to_owned(),
        retry_after: refusal::RETRY,
    }
}

pub(super) fn unkept(error: StoreError) -> ApiError {
    match error {
        StoreError::Database(error) => unreadable(error),
        error @ (StoreError::Seal(_) | StoreError::Filter(_)) => ApiError::internal(error),
    }
}

pub(super) fn unsigned(error: WorkerError) -> ApiError {
    match error {
        WorkerError::Database(error) => unreadable(error),
        WorkerError::Untraced(error) => error,
        error @ (WorkerError::Seal(_) | WorkerError::LeaseLost) => ApiError::internal(error),
    }
}
