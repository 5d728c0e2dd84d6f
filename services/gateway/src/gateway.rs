//! The gateway as a role: what it is made of, what it serves, and how long it runs.

use std::sync::Arc;

use anyhow::Context as _;
use async_nats::Client;
use ryggrad_access::Registry;
use ryggrad_eventlog::{Clock, Log};
use ryggrad_proto::events::v1::event_stream_rest;
use ryggrad_proto::rest::Routes;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::access::Access;
use crate::api::Api;
use crate::durable::Durables;
use crate::history::Past;
use crate::http;
use crate::hub::Hub;
use crate::ring::Bounds;
use crate::schema;
use crate::start::Search;
use crate::webhooks::{self, Webhooks};
use crate::wire::EventStream;

/// How much of the stream is kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Most events.
    pub ring_events: usize,
    /// Most bytes.
    pub ring_bytes: usize,
}

/// The stream of facts, open to those who follow it. Cheap to clone; clones are the same gateway.
#[derive(Debug, Clone)]
pub struct Gateway {
    api: Api,
    nats: Client,
}

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self {
            ring_events: 32_768,
            ring_bytes: 12 << 20,
        }
    }
}

// === impl Gateway ===

impl Gateway {
    /// A gateway on a pool whose role may read the log and whose search path begins with the schema `gateway`, and a broker
    /// whose user may read the stream. The clock tells the day on which approvals and mandates are in force. It answers
    /// from now on, and sends new events once [`run`](Self::run) runs.
    pub fn new(pool: PgPool, nats: Client, clock: Clock, options: Options) -> Self {
        let hub = Hub::new(Bounds {
            events: options.ring_events,
            bytes: options.ring_bytes,
        });
        let api = Api {
            hub: Arc::new(hub),
            log: Log::new(pool.clone()),
            access: Access::new(&pool, clock),
            durables: Durables::new(pool.clone()),
            past: Past::new(pool.clone()),
            search: Search::new(pool.clone()),
            pool,
        };
        Self { api, nats }
    }

    /// Brings the gateway's own schema up to date. Harmless when run again or by two at once.
    ///
    /// # Errors
    /// When the database refuses, or holds a schema that this version does not know.
    pub async fn prepare(&self) -> Result<(), sqlx::migrate::MigrateError> {
        schema::migrate(&self.api.pool).await
    }

    /// The gRPC service.
    pub fn grpc(&self) -> EventStream {
        EventStream::new(self.api.clone())
    }

    /// The REST routes: the same calls, Subscribe as NDJSON, server-sent events or one JSON array, as `Accept` asks.
    pub fn rest(&self) -> Routes {
        event_stream_rest::routes(self.api.clone())
    }

    /// The routes of the feed, of server-sent events and of what describes them, for [`Server::http`]; they are described by
    /// [`openapi`](Self::openapi).
    ///
    /// [`Server::http`]: ryggrad_service::Server::http
    pub fn http(&self) -> axum::Router {
        http::router(self.api.clone())
    }

    /// What [`Server::describe`](ryggrad_service::Server::describe) is to know of these routes.
    pub fn openapi() -> serde_json::Value {
        http::openapi()
    }

    /// The webhooks beside it, on the same log. The schema must have been [prepared](Self::prepare).
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn webhooks(&self, clock: Clock, options: webhooks::Options) -> anyhow::Result<Webhooks> {
        let Api { hub, pool, .. } = &self.api;
        Webhooks::try_new(
            pool.clone(),
            Arc::clone(hub),
            Registry::new(pool.clone()),
            clock,
            options,
        )
        .context("cannot make an HTTP client for webhooks")
    }

    /// Reads the stream for all subscribers until the token ends. Then every subscription is sent what is in memory, and
    /// ends with UNAVAILABLE and when to come back.
    pub async fn run(&self, token: CancellationToken) {
        self.api.hub.run(&self.api.log, &self.nats, &token).await;
    }

    /// Whether the gateway knows the log. A broker that is away does not make it unready: who comes is served from the
    /// log, and who is there already waits.
    ///
    /// # Errors
    /// Says what is missing.
    pub fn ready(&self) -> Result<(), String> {
        match self.api.hub.tip().borrow().epoch {
            Some(_) => Ok(()),
            None => Err("the log has not been read yet".to_owned()),
        }
    }

    /// Position of the last event that came by the stream.
    pub fn position(&self) -> u64 {
        self.api.hub.tip().borrow().live
    }
}
