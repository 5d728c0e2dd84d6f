//! Webhooks: how many events a second a `ryggrad up` delivers, signed, to one endpoint and to several.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use axum::http::{Method, StatusCode, header::HeaderName};
use axum::response::IntoResponse as _;
use ryggrad_proto::events::v1::HeadRequest;
use ryggrad_proto::events::v1::event_stream_client::EventStreamClient;
use ryggrad_proto::webhooks::v1 as pb;
use ryggrad_proto::webhooks::v1::webhooks_client::WebhooksClient;
use tokio::sync::Notify;

use super::backbone::Backbone;
use super::load::per_second;
use super::report::Report;

/// Events that each endpoint gets.
const EVENTS: u64 = 20_000;
/// Endpoints at once in the second measurement.
const ENDPOINTS: u64 = 10;
/// How long it may take.
const PATIENCE: Duration = Duration::from_mins(2);
/// Who follows, as the development issuer knows it.
const FOLLOWER: &str = "lottstift";

/// Delivers the end of the log to one endpoint, then to ten at once, and counts what comes in.
pub(super) async fn deliver(backbone: &Backbone, report: &mut Report) -> anyhow::Result<()> {
    let mut stream = EventStreamClient::new(backbone.running.connect().await?);
    let head = stream.head(HeadRequest {}).await?.into_inner().position;
    let after = head.saturating_sub(EVENTS);
    for (endpoints, key) in [(1, "webhook_per_s"), (ENDPOINTS, "webhook_per_s_10_endpoints")] {
        let receiver = Receiver::start((head - after) * endpoints).await?;
        let mut client = WebhooksClient::new(backbone.running.connect_as(FOLLOWER).await?);
        let mut made = Vec::new();
        let began = Instant::now();
        for _ in 0..endpoints {
            let request = pb::CreateEndpointRequest {
                url: receiver.url.clone(),
                start: Some(pb::create_endpoint_request::Start::After(after)),
                ..Default::default()
            };
            let endpoint = client.create_endpoint(request).await?.into_inner().endpoint;
            let endpoint = endpoint.context("an endpoint was made")?;
            anyhow::ensure!(endpoint.state() == pb::EndpointState::Active, "{}", endpoint.reason);
            made.push(endpoint.endpoint_id);
        }
        let all = tokio::time::timeout(PATIENCE, receiver.all.notified()).await;
        let (came, took) = (receiver.came.load(Ordering::Relaxed), began.elapsed());
        anyhow::ensure!(all.is_ok(), "{came} deliveries within {PATIENCE:?}");
        report.add(key, per_second(usize::try_from(came)?, took));
        for endpoint_id in made {
            client
                .delete_endpoint(pb::DeleteEndpointRequest { endpoint_id })
                .await?;
        }
    }
    Ok(())
}

/// An endpoint that says yes to everything, and counts.
struct Receiver {
    url: String,
    came: Arc<AtomicU64>,
    /// Told when everything that is expected has come.
    all: Arc<Notify>,
    _server: tokio_util::task::AbortOnDropHandle<()>,
}

// === impl Receiver ===

impl Receiver {
    async fn start(expected: u64) -> anyhow::Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let (came, all) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()));
        let (counted, told) = (Arc::clone(&came), Arc::clone(&all));
        let router = Router::new().fallback(move |method: Method| {
            if method == Method::POST && counted.fetch_add(1, Ordering::Relaxed) + 1 == expected {
                told.notify_one();
            }
            let allowed = (HeaderName::from_static("webhook-allowed-origin"), "*");
            std::future::ready((StatusCode::OK, [allowed]).into_response())
        });
        let server = tokio::spawn(async move {
            // It ends with the measurement.
            let _ended = axum::serve(listener, router).await;
        });
        Ok(Self {
            url,
            came,
            all,
            _server: tokio_util::task::AbortOnDropHandle::new(server),
        })
    }
}
