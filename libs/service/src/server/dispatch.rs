//! One request: its span, its time limit, its metrics, who asks, and who answers it.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use futures::FutureExt;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response};
use ryggrad_proto::rest::Routes;
use tonic::{Code, Status};
use tower::ServiceExt;
use tracing::Instrument;

use super::answers::Answers;
use super::limit::LimitedBody;
use super::{Check, ready};
use crate::auth::{self, Verifier, bearer};
use crate::{ApiError, metrics, openapi, rest, trace};

/// Time until an answer's head; a subscription's body may go on for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// What answers requests.
pub(crate) struct App {
    grpc: tonic::service::Routes,
    rest: Vec<Routes>,
    http: axum::Router,
    checks: Vec<(String, Check)>,
    verifier: Option<Verifier>,
    openapi: String,
    /// Paths of the calls whose answers are streams.
    streams: HashSet<String>,
}

#[derive(Clone, Copy)]
enum Protocol {
    Grpc,
    Http,
}

// === impl App ===

impl App {
    pub(crate) fn new(
        role: &str,
        grpc: tonic::service::Routes,
        rest: Vec<Routes>,
        http: axum::Router,
        described: Vec<serde_json::Value>,
        checks: Vec<(String, Check)>,
        verifier: Option<Verifier>,
    ) -> Self {
        metrics::handle();
        let openapi = openapi::document(role, &rest, described);
        Self {
            grpc,
            rest,
            http: http.fallback(no_route),
            checks,
            verifier,
            openapi,
            streams: streams(),
        }
    }

    /// Whether the answer will be in memory whole, and not a stream that is made as the client takes it.
    fn is_whole(&self, protocol: Protocol, request: &Request<Body>) -> bool {
        let path = request.uri().path();
        match protocol {
            // Health and reflection, which are not among our contracts, are streams too.
            Protocol::Grpc => !self.streams.contains(path) && !path.starts_with("/grpc."),
            Protocol::Http => !is_probe(request),
        }
    }

    /// Finds out who asks, and answers them.
    async fn answer(&self, protocol: Protocol, request: Request<Body>) -> Response<Body> {
        // Those who look after the process have no token; whatever they send in its place is not looked at.
        if is_probe(&request) {
            return self.route(protocol, request).await;
        }
        match bearer::caller(self.verifier.as_ref(), request.headers()).await {
            Ok(caller) => {
                if let Some(identity) = caller.identity() {
                    tracing::Span::current().record("consumer", identity.consumer.as_str());
                }
                auth::answering(caller, self.route(protocol, request)).await
            }
            Err(error) => protocol.failure(error),
        }
    }

    async fn route(&self, protocol: Protocol, request: Request<Body>) -> Response<Body> {
        match protocol {
            Protocol::Grpc => {
                let request = request.map(LimitedBody::new);
                match self.grpc.clone().oneshot(request).await {
                    Ok(response) => response.map(Body::new),
                    Err(never) => match never {},
                }
            }
            Protocol::Http => self.http(request).await,
        }
    }

    async fn http(&self, request: Request<Body>) -> Response<Body> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return self.routed(request).await;
        }
        match request.uri().path() {
            "/livez" => text("text/plain", "ok\n".to_owned()),
            "/readyz" => ready::answer(&self.checks).await,
            "/metrics" => text("text/plain; version=0.0.4; charset=utf-8", metrics::handle().render()),
            "/openapi.json" => text("application/json", self.openapi.clone()),
            _ => self.routed(request).await,
        }
    }

    /// The contracts' own routes first, then those of other shapes.
    async fn routed(&self, request: Request<Body>) -> Response<Body> {
        if rest::knows(&self.rest, request.uri().path()) {
            return rest::answer(&self.rest, request).await;
        }
        match self.http.clone().oneshot(request).await {
            Ok(response) => rest::explained(response),
            Err(never) => match never {},
        }
    }
}

/// Answers a request, whatever happens inside.
pub(crate) async fn answer(app: Arc<App>, answers: Answers, request: Request<Body>) -> Response<Body> {
    let started = Instant::now();
    let protocol = Protocol::of(&request);
    let incoming = trace::incoming(request.headers());
    let span = tracing::info_span!(
        "request",
        otel.kind = "server",
        otel.name = %request.uri().path(),
        protocol = protocol.name(),
        method = %request.method(),
        consumer = tracing::field::Empty,
    );
    if let Some(parent) = &incoming {
        trace::set_parent(&span, parent);
    }
    let work = async {
        let place = if app.is_whole(protocol, &request) {
            answers.place().await
        } else {
            None
        };
        let answered = AssertUnwindSafe(app.answer(protocol, request)).catch_unwind().await;
        answered.map(|response| match place {
            Some(place) if !is_stream(&response) => response.map(|body| place.around(body)),
            _ => response,
        })
    };
    let work = trace::within(incoming, tokio::time::timeout(PATIENCE, work)).instrument(span);
    let response = match work.await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => protocol.failure(ApiError::internal(said(panic.as_ref()))),
        Err(_) => protocol.failure(ApiError::Deadline),
    };
    let outcome = protocol.outcome(&response);
    ::metrics::histogram!(metrics::REQUEST_SECONDS, "protocol" => protocol.name(), "outcome" => outcome)
        .record(started.elapsed().as_secs_f64());
    response
}

/// The paths of our calls whose answers are streams.
fn streams() -> HashSet<String> {
    let services = ryggrad_proto::pool().services();
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    methods
        .filter(prost_reflect::MethodDescriptor::is_server_streaming)
        .map(|method| format!("/{}/{}", method.parent_service().full_name(), method.name()))
        .collect()
}

/// Whether an answer over HTTP goes on for as long as there is something to tell.
fn is_stream(response: &Response<Body>) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.is_some_and(|kind| kind.starts_with(b"text/event-stream") || kind.starts_with(b"application/x-ndjson"))
}

fn is_probe(request: &Request<Body>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
        && matches!(request.uri().path(), "/livez" | "/readyz" | "/metrics")
}

async fn no_route() -> Response<Body> {
    ApiError::NoRoute.into_http()
}

fn text(kind: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    format!("panicked: {}", text.unwrap_or("without a word"))
}

// === impl Protocol ===

impl Protocol {
    fn of(request: &Request<Body>) -> Self {
        let grpc = request
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
        if grpc { Self::Grpc } else { Self::Http }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Http => "http",
        }
    }

    fn failure(self, error: ApiError) -> Response<Body> {
        match self {
            Self::Grpc => Status::from(error).into_http(),
            Self::Http => error.into_http(),
        }
    }

    /// Who is to thank: nobody, the client or us. A gRPC status that comes after the answer's head is not seen here.
    fn outcome(self, response: &Response<Body>) -> &'static str {
        let blame = |ours: bool, theirs: bool| {
            if ours {
                "fault"
            } else if theirs {
                "refused"
            } else {
                "ok"
            }
        };
        match self {
            Self::Http => blame(response.status().is_server_error(), response.status().is_client_error()),
            Self::Grpc => {
                let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
                let ours = matches!(
                    code,
                    Code::Internal | Code::Unknown | Code::DataLoss | Code::DeadlineExceeded | Code::Unavailable
                );
                blame(ours, code != Code::Ok)
            }
        }
    }
}
