//! A snapshot over HTTP: NDJSON, the beginning on the first line and the number of rows on the last.

use std::io::Write;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderValue, header};
use ryggrad_proto::views::v1::snapshot_response::Part;
use ryggrad_proto::views::v1::{SnapshotBegin, SnapshotRequest};
use ryggrad_service::ApiError;
use serde::Serialize;

use super::Opened;
use crate::api::Api;
use crate::doors::{AS_OF, EPOCH};
use crate::download::{self, Encoder, Piece};

/// The first line.
#[derive(Serialize)]
struct First<'a> {
    as_of: u64,
    epoch: &'a str,
    view: &'a str,
    version: u32,
}

/// The last line. Without it the snapshot was cut.
#[derive(Serialize)]
struct Last {
    rows: u64,
}

/// The route of every view's snapshot.
pub(crate) fn routes(api: Api) -> Router {
    Router::new()
        .route("/v1/views/{view}/snapshot", get(answer))
        .with_state(api)
}

async fn answer(
    State(api): State<Api>,
    Path(view): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let opened = match request(view, query.as_deref()) {
        Ok(request) => super::open(&api, request).await,
        Err(refused) => Err(refused),
    };
    match opened {
        Ok(opened) => sent(opened, takes_gzip(&headers)),
        Err(refused) => refused.into_http(),
    }
}

fn request(view: String, query: Option<&str>) -> Result<SnapshotRequest, ApiError> {
    let mut request = SnapshotRequest {
        view,
        ..SnapshotRequest::default()
    };
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match &*name {
            "at_least" => {
                request.at_least = value
                    .parse()
                    .map_err(|_| ApiError::invalid("at_least", "is not a position"))?;
            }
            "by" => request.by.push(value.into_owned()),
            other => return Err(ApiError::invalid(other, "is not a parameter of a snapshot")),
        }
    }
    Ok(request)
}

fn sent(opened: Opened, gzip: bool) -> Response {
    let Opened { begin, rows } = opened;
    let text = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding, authorization"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(AS_OF, HeaderValue::from(begin.as_of));
    headers.insert(EPOCH, text(&begin.epoch));
    if gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let mut begin = Some(begin);
    let body = download::body(Encoder::new(gzip), rows, move |out, piece| {
        if let Some(SnapshotBegin {
            as_of,
            epoch,
            view,
            version,
        }) = begin.take()
        {
            let (epoch, view) = (epoch.as_str(), view.as_str());
            line(
                out,
                &First {
                    as_of,
                    epoch,
                    view,
                    version,
                },
            )?;
        }
        match piece {
            Piece::Rows(rows) => rows.iter().try_for_each(|row| write(out, row)),
            Piece::End(rows) => line(out, &Last { rows }),
        }
    });
    (headers, body).into_response()
}

/// A row in the JSON of its message.
fn write(out: &mut dyn Write, row: &Part) -> std::io::Result<()> {
    match row {
        Part::TimelineEntry(row) => line(out, row),
        Part::RegisterCase(row) => line(out, row),
        Part::DirectoryEntry(row) => line(out, row),
        Part::StatsCell(row) => line(out, row),
        Part::RegisterUnit(row) => line(out, row),
        Part::RegisterChange(row) => line(out, row),
        Part::AccessLogEntry(row) => line(out, row),
        Part::SubscriptionEntry(row) => line(out, row),
        // They are not rows: the first and the last line say what they say.
        Part::Begin(_) | Part::End(_) => Ok(()),
    }
}

fn line(out: &mut dyn Write, value: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// Whether gzip is among what the client takes, and not ruled out.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter();
    accepted
        .filter_map(|accept| accept.to_str().ok())
        .flat_map(|accept| accept.split(','))
        .any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
            is_gzip && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
}
