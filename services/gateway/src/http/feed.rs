//! The feed: pages of CloudEvents, with long polling.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use http::header::{CACHE_CONTROL, LINK};
use http::{HeaderMap, HeaderName, HeaderValue, Response, Uri};
use ryggrad_service::{ApiError, caller};
use tokio::time::Instant;

use super::query::{Query, plainly};
use super::{ASK, FOR_EVER, OWN, anybody, said, stand, tagged};
use crate::api::{Api, PAGE, optional_id};
use crate::cloudevents::BATCH;
use crate::format::Format;
use crate::frame::Batch;
use crate::sieve::Sieve;
use crate::start::Start;

/// The parameters.
pub(super) const NAMES: [&str; 13] = [
    "after",
    "epoch",
    "limit",
    "wait",
    "from_time",
    "from_now",
    "types",
    "contexts",
    "organisations",
    "kommunenummer",
    "classes",
    "aggregate_types",
    "subscription",
];
/// Seconds to wait for an event: fewest, most, and when nothing is said. Below the time in which every answer begins.
const WAIT: (u32, u32, u32) = (0, 25, 0);
/// Position to go on after.
const NEXT: HeaderName = HeaderName::from_static("ryggrad-next");

/// Answers a page.
pub(super) async fn answer(State(api): State<Api>, uri: Uri, headers: HeaderMap) -> Response<Body> {
    said(async { page(&api, &uri, &headers).await.map_err(plainly) }).await
}

async fn page(api: &Api, uri: &Uri, headers: &HeaderMap) -> Result<Response<Body>, ApiError> {
    let query = Query::parse(uri, &NAMES)?;
    let most = query.within("limit", (1, PAGE.1, PAGE.0))? as usize;
    let wait = Duration::from_secs(query.within("wait", WAIT)?.into());
    let request = query.request()?;
    let start = Start::of(&request)?;
    // Whoever waits must not miss what comes while the log is read.
    let mut tip = api.hub.tip();
    let head = api.head_at(&request.epoch).await?;
    let after = start.position(&api.search, head).await?;
    let filter = api.filter(request.filter.as_ref()).await?;
    let subscription = optional_id("subscription", &request.subscription)?;
    let (gate, mut pass) = api.gate(&caller(), subscription, head).await?;
    let mut sieve = Sieve::new(filter, gate);
    let (mut next, mut until) = (after, head.position);
    let deadline = Instant::now() + wait;
    let page = loop {
        let page = api.page(&mut sieve, Format::Json, next, until, most).await?;
        next = page.next;
        let waits = page.batch.is_empty() && next >= until && Instant::now() < deadline;
        if !waits || tip.borrow_and_update().stopping {
            break page;
        }
        // More may have come while the page was read; then there is nothing to wait for.
        if tip.borrow().live <= next && tokio::time::timeout_at(deadline, tip.changed()).await.is_err() {
            break page;
        }
        until = until.max(tip.borrow_and_update().live);
        if let Some(pass) = pass.as_mut().filter(|pass| pass.is_stale(&api.hub)) {
            sieve.reopen(pass.renew(&api.hub, until).await?);
        }
    };
    api.access.record(&sieve).await?;
    let epoch = head.epoch.to_string();
    let mut response = tagged(headers, HeaderValue::from_static(BATCH), array(page.batch));
    let headers = response.headers_mut();
    stand(headers, until.max(next), &epoch);
    headers.insert(NEXT, HeaderValue::from(next));
    let link = format!("<{}>; rel=\"next\"", query.onwards("/v1/events", next, &epoch));
    if let Ok(link) = HeaderValue::from_str(&link) {
        headers.insert(LINK, link);
    }
    // A full page is the same for ever in the log that the address names: what is recorded later comes after it. Which
    // organisation has which number is not.
    let fixed = page.full && query.one("after")?.is_some() && query.one("epoch")?.is_some();
    let keep = if !anybody() {
        OWN
    } else if fixed && query.list("organisations").is_empty() {
        FOR_EVER
    } else {
        ASK
    };
    headers.insert(CACHE_CONTROL, keep);
    Ok(response)
}

/// The events, each with a comma after it, as an array.
fn array(batch: Batch) -> Vec<u8> {
    let mut body = Vec::with_capacity(batch.len() + 2);
    body.push(b'[');
    for piece in batch.pieces() {
        body.extend_from_slice(&piece);
    }
    if body.len() > 1 {
        body.pop();
    }
    body.push(b']');
    body
}
