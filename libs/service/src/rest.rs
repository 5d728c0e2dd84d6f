//! REST: from a request over HTTP to the gRPC implementation and back.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt;
use prost::Message;
use rest_over_grpc::transcoding::{HttpResponse, StreamingResponse, TranscodeResponse};
use ryggrad_proto::rest::Routes;
use serde_json::Value;
use tonic_types::pb;

use crate::ApiError;
use crate::error::http::from_status;
use crate::server::BODY_LIMIT;

mod place;

/// Time that a client gets to send its body.
const BODY_PATIENCE: Duration = Duration::from_secs(10);
/// Most bytes of a body that is too large that are read before the answer.
const DISCARDED: usize = 16 * BODY_LIMIT;
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Whether a service has a route at this path, by whatever method.
pub(crate) fn knows(services: &[Routes], path: &str) -> bool {
    METHODS
        .into_iter()
        .any(|method| services.iter().any(|service| service.resolves(method, path)))
}

/// Answers a request by the first service that has a route for it.
pub(crate) async fn answer(services: &[Routes], request: Request<Body>) -> Response<Body> {
    match try_answer(services, request).await {
        Ok(response) => response,
        Err(error) => error.into_http(),
    }
}

async fn try_answer(services: &[Routes], request: Request<Body>) -> Result<Response<Body>, ApiError> {
    let (parts, body) = request.into_parts();
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let Some(service) = services.iter().find(|service| service.resolves(method, path)) else {
        return Err(no_route(services, path));
    };
    let body = read(&parts.headers, body).await?;
    let target = parts.uri.path_and_query().map_or(path, |target| target.as_str());
    match service.answer(method, target, parts.headers, &body).await {
        Some(TranscodeResponse::Unary(response)) if response.status().is_success() => Ok(unary(response)),
        Some(TranscodeResponse::Unary(response)) => Ok(failure(&response, &body)),
        Some(TranscodeResponse::Streaming(stream)) => Ok(streaming(stream)),
        None => Err(ApiError::NoRoute),
    }
}

/// The router's bare 405 with the words that every other error of ours has.
pub(crate) fn explained(response: Response<Body>) -> Response<Body> {
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    let allowed = response.headers().get(ALLOW).and_then(|methods| methods.to_str().ok());
    let allowed = allowed.unwrap_or_default().replace(',', ", ");
    ApiError::Method { allowed }.into_http()
}

fn no_route(services: &[Routes], path: &str) -> ApiError {
    let allowed: Vec<_> = METHODS
        .into_iter()
        .filter(|method| services.iter().any(|service| service.resolves(method, path)))
        .collect();
    if allowed.is_empty() {
        ApiError::NoRoute
    } else {
        ApiError::Method {
            allowed: allowed.join(", "),
        }
    }
}

/// Reads a body into memory, never more of it than is allowed.
async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, ApiError> {
    let collected = tokio::time::timeout(BODY_PATIENCE, collect(body))
        .await
        .map_err(|_| ApiError::Deadline)??;
    // Requiring the content type keeps forms of foreign web pages out: a browser asks before it sends JSON.
    let json = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value
                .split(';')
                .next()
                .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
        });
    if collected.is_empty() || json {
        Ok(collected)
    } else {
        Err(ApiError::NotJson)
    }
}

/// A body that is too large is read on and thrown away for a while: a client that still writes would not hear the answer.
async fn collect(mut body: Body) -> Result<Bytes, ApiError> {
    let (mut kept, mut seen) = (BytesMut::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::invalid("", "the body ended too early"))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        seen += data.len();
        if seen <= BODY_LIMIT {
            kept.extend_from_slice(&data);
        } else if seen > DISCARDED {
            break;
        }
    }
    if seen > BODY_LIMIT {
        Err(ApiError::TooLarge { limit: BODY_LIMIT })
    } else {
        Ok(kept.freeze())
    }
}

fn unary(response: HttpResponse) -> Response<Body> {
    response.into_http().map(Body::from)
}

/// An error of the transcoder or of the service as `google.rpc.Status` JSON with its details unpacked.
fn failure(response: &HttpResponse, body: &[u8]) -> Response<Body> {
    let said: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    let details = said["details"].as_array().map(Vec::as_slice).unwrap_or_default();
    let packed = details
        .iter()
        .find_map(|detail| (detail["kind"] == "grpc-status-details-bin").then(|| detail["value"].as_str())?);
    if let Some(status) = packed
        .and_then(base64)
        .and_then(|bytes| pb::Status::decode(&*bytes).ok())
    {
        return from_status(&status);
    }
    let message = said["message"].as_str().unwrap_or("the request failed").to_owned();
    match said["code"].as_i64().and_then(|code| i32::try_from(code).ok()) {
        Some(3) => place::invalid(&message, body).into_http(),
        Some(code) => from_status(&pb::Status {
            code,
            message,
            details: Vec::new(),
        }),
        None => ApiError::internal(message).into_http(),
    }
}

/// Standard base64 with padding, as the bridge writes it: read by the JSON form of a `bytes` field.
fn base64(text: &str) -> Option<Vec<u8>> {
    let json = serde_json::json!({ "data": text });
    let envelope: ryggrad_proto::common::v1::Envelope = serde_json::from_value(json).ok()?;
    Some(envelope.data.to_vec())
}

fn streaming(stream: StreamingResponse) -> Response<Body> {
    let (content_type, headers, frames) = stream.into_parts();
    let body = Frames {
        frames: Box::pin(frames),
    };
    let mut response = Response::new(Body::new(body));
    *response.headers_mut() = headers;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

struct Frames<S> {
    frames: Pin<Box<S>>,
}

impl<S, E> http_body::Body for Frames<S>
where
    S: futures::Stream<Item = Result<Vec<u8>, E>>,
    E: std::fmt::Display,
{
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.frames.as_mut().poll_next(cx).map(|item| {
            item.map(|result| {
                result
                    .map(|bytes| Frame::data(Bytes::from(bytes)))
                    .map_err(|error| std::io::Error::other(error.to_string()))
            })
        })
    }
}
