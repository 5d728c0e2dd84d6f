//! Server-sent events: the stream for browsers and for everybody whose HTTP client can read line by line.

use axum::body::Body;
use axum::extract::State;
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, Uri};
use ryggrad_proto::events::v1::EventFilter;
use ryggrad_service::ApiError;
use serde::Serialize;

use super::query::{Query, plainly};
use super::said;
use crate::api::{Api, HEARTBEAT};
use crate::format::Format;
use crate::frame::Frame;

/// The parameters.
pub(super) const NAMES: [&str; 15] = [
    "after",
    "epoch",
    "from_time",
    "from_now",
    "types",
    "contexts",
    "organisations",
    "kommunenummer",
    "classes",
    "aggregate_types",
    "subscription",
    "durable",
    "replace",
    "heartbeat_ms",
    "stop_at_head",
];
/// Where a client that comes back says how far it has come.
const LAST: HeaderName = HeaderName::from_static("last-event-id");
/// Milliseconds after which a client that lost the stream is to come back.
const RETRY: u32 = 1_000;

/// Answers a subscription.
pub(super) async fn answer(State(api): State<Api>, uri: Uri, headers: HeaderMap) -> Response<Body> {
    said(async { follow(&api, &uri, &headers).await.map_err(plainly) }).await
}

async fn follow(api: &Api, uri: &Uri, headers: &HeaderMap) -> Result<Response<Body>, ApiError> {
    let query = Query::parse(uri, &NAMES)?;
    let mut request = query.request()?;
    request.heartbeat_ms = query.within("heartbeat_ms", HEARTBEAT)?;
    request.stop_at_head = query.flag("stop_at_head")?;
    request.durable = query.one("durable")?.unwrap_or_default().to_owned();
    request.replace = query.flag("replace")?;
    if !request.durable.is_empty() && request.filter == Some(EventFilter::default()) {
        // An address without a filter goes on with the one that is remembered.
        request.filter = None;
    }
    if let Some(last) = headers.get(LAST) {
        // A client that comes back sends the address that it began with: this is where it is now.
        (request.after, request.after_event_id) = (0, String::new());
        (request.from_time, request.from_now) = (None, false);
        let last = last.to_str().unwrap_or("?");
        Query::start_after(&mut request, "Last-Event-ID", Some(last))?;
    }
    let frames = api.frames(request, Format::ServerSent).await?;
    let mut response = Response::new(Body::from_stream(events(frames)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that hold answers back until they are whole would never let go of this one.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// The frames as they are sent; an error is the last of them.
fn events(
    frames: impl Stream<Item = Result<Frame, ApiError>> + Send,
) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> + Send {
    frames.flat_map(|frame| {
        let pieces = match frame {
            Ok(Frame::Batch(batch) | Frame::CloudEvents(batch)) => batch.pieces(),
            Ok(Frame::Started(started)) => {
                let event = event(None, "started", &started);
                vec![Bytes::from(format!("retry: {RETRY}\n\n")), event]
            }
            Ok(Frame::CaughtUp(caught_up)) => vec![event(Some(caught_up.position), "caught_up", &caught_up)],
            // An id without data moves the client's Last-Event-ID and nothing else.
            Ok(Frame::Heartbeat(heartbeat)) => {
                let text = format!("id: {}\n: heartbeat, head {}\n\n", heartbeat.position, heartbeat.head);
                vec![Bytes::from(text)]
            }
            Err(error) => vec![event(None, "error", &error.json())],
        };
        stream::iter(pieces.into_iter().map(Ok))
    })
}

fn event(id: Option<u64>, name: &str, data: &impl Serialize) -> Bytes {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    let data = serde_json::to_string(data).unwrap_or_default();
    Bytes::from(format!("{id}event: {name}\ndata: {data}\n\n"))
}
