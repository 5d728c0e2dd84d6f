//! gRPC, REST, reflection, health and metrics on one port, from the first connection to the last answer.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use ryggrad_proto::rest::Routes;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::server::NamedService;
use tonic::service::RoutesBuilder;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tower::Service;

use crate::auth::Verifier;
use crate::metrics;

mod activity;
mod answers;
mod bounds;
mod connections;
mod dispatch;
mod frames;
mod limit;
mod peers;
mod ready;

pub use bounds::Bounds;

use connections::Connections;
use dispatch::App;

/// Most bytes of a request's body: 1 MiB.
pub const BODY_LIMIT: usize = 1024 * 1024;

type Check = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// What a role serves. Several roles may be mounted on one server.
pub struct Server {
    role: String,
    grpc: RoutesBuilder,
    names: Vec<&'static str>,
    rest: Vec<Routes>,
    http: axum::Router,
    described: Vec<serde_json::Value>,
    checks: Vec<(String, Check)>,
    verifier: Option<Verifier>,
    bounds: Bounds,
    drain: Duration,
}

// === impl Server ===

impl Server {
    /// A server that serves nothing yet but its own health.
    pub fn new(role: impl Into<String>) -> Self {
        Self {
            role: role.into(),
            grpc: RoutesBuilder::default(),
            names: Vec::new(),
            rest: Vec::new(),
            http: axum::Router::new(),
            described: Vec::new(),
            checks: Vec::new(),
            verifier: None,
            bounds: Bounds::default(),
            drain: Duration::from_secs(10),
        }
    }

    /// Serves a gRPC service, with reflection and health under its name.
    #[must_use]
    pub fn grpc<S>(mut self, service: S) -> Self
    where
        S: Service<http::Request<tonic::body::Body>, Error = Infallible> + NamedService + Clone + Send + Sync + 'static,
        S::Response: axum::response::IntoResponse,
        S::Future: Send + 'static,
    {
        self.grpc.add_service(service);
        self.names.push(S::NAME);
        self
    }

    /// Serves the REST routes of a service, and describes them in `/openapi.json`.
    #[must_use]
    pub fn rest(mut self, routes: Routes) -> Self {
        self.rest.push(routes);
        self
    }

    /// Serves routes whose shape is somebody else's, which no contract of ours can describe: feeds, register-shaped doors,
    /// downloads. They are asked after those of the contracts.
    #[must_use]
    pub fn http(mut self, routes: axum::Router) -> Self {
        self.http = self.http.merge(routes);
        self
    }

    /// Describes such routes in `/openapi.json`: a document of OpenAPI 3.1 of which `paths`, `components.schemas` and
    /// `components.parameters` are taken. Errors are added to every operation.
    #[must_use]
    pub fn describe(mut self, document: serde_json::Value) -> Self {
        self.described.push(document);
        self
    }

    /// Asks a check by that name at every `/readyz`; its error text is shown there.
    #[must_use]
    pub fn ready<F>(mut self, name: impl Into<String>, check: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.checks.push((name.into(), Box::new(move || Box::pin(check()))));
        self
    }

    /// Verifies the tokens of requests. Without it everybody is anybody, and who sends a token is refused.
    #[must_use]
    pub fn authentication(mut self, verifier: Verifier) -> Self {
        self.verifier = Some(verifier);
        self
    }

    /// How much clients may ask of it, when that is not the usual.
    #[must_use]
    pub fn bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// Time that open requests get to finish at shutdown; 10 s when not set.
    #[must_use]
    pub fn drain(mut self, drain: Duration) -> Self {
        self.drain = drain;
        self
    }

    /// Serves until the token is cancelled, then stops accepting and lets open requests finish.
    ///
    /// Long answers such as subscriptions must watch the token themselves, or they are cut after the drain time.
    ///
    /// # Errors
    /// When the descriptors for reflection cannot be read; single connections that fail are only logged.
    pub async fn run(self, listener: TcpListener, shutdown: CancellationToken) -> anyhow::Result<()> {
        let (drain, bounds) = (self.drain, self.bounds);
        let (app, health) = self.build().await?;
        let mut connections = Connections::new(app, bounds);
        let upkeep = tokio::spawn(metrics::upkeep());
        tracing::info!(address = %listener.local_addr()?, "listening");
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = connections.accept(&listener) => accepted,
            }
        }
        drop(listener);
        health.stop().await;
        connections.drain(drain).await;
        upkeep.abort();
        tracing::info!("stopped listening");
        Ok(())
    }

    async fn build(self) -> anyhow::Result<(Arc<App>, Health)> {
        let Self {
            role,
            mut grpc,
            names,
            rest,
            http,
            described,
            checks,
            verifier,
            bounds: _,
            drain: _,
        } = self;
        let (reporter, health) = tonic_health::server::health_reporter();
        grpc.add_service(health);
        for name in &names {
            reporter.set_service_status(*name, ServingStatus::Serving).await;
        }
        grpc.add_service(reflection(&names).build_v1().context("reflection")?);
        grpc.add_service(reflection(&names).build_v1alpha().context("reflection")?);
        let app = App::new(&role, grpc.routes().prepare(), rest, http, described, checks, verifier);
        Ok((Arc::new(app), Health { reporter, names }))
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("role", &self.role)
            .field("services", &self.names)
            .finish_non_exhaustive()
    }
}

fn reflection(names: &[&'static str]) -> tonic_reflection::server::Builder<'static> {
    let builder = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(ryggrad_proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    let own = ["grpc.health.v1.Health"];
    names
        .iter()
        .chain(&own)
        .fold(builder, |builder, name| builder.with_service_name(*name))
}

/// What `grpc.health.v1` says about the services.
struct Health {
    reporter: HealthReporter,
    names: Vec<&'static str>,
}

// === impl Health ===

impl Health {
    async fn stop(&self) {
        for name in self.names.iter().copied().chain([""]) {
            self.reporter.set_service_status(name, ServingStatus::NotServing).await;
        }
    }
}
