//! Webhooks: the stream sent to those who would rather be called, in order, once it is wanted, and with proof of delivery.
//!
//! An `endpoint` is made through the `api`, asked whether it wants to be called (`handshake`), and taken up by the
//! `deliverer` of one process, which has its lease. Its `worker` reads the log (`recent`) as its owner (`access`),
//! makes each event a signed `message` (`keys`, `seal`), sends it (`client`, `address`), and keeps what came of
//! it (`queue`, `history`); what fails is tried again (`schedule`).

mod access;
mod address;
mod api;
mod client;
mod deliverer;
mod endpoint;
mod extras;
mod handshake;
mod history;
mod keys;
mod message;
mod options;
mod queue;
mod recent;
mod schedule;
mod seal;
mod store;
mod worker;

use std::sync::Arc;

use ryggrad_access::Registry;
use ryggrad_eventlog::schema::Step;
use ryggrad_eventlog::{Clock, Log};
use ryggrad_proto::rest::Routes;
use ryggrad_proto::webhooks::v1::webhooks_rest;
use ryggrad_proto::webhooks::v1::webhooks_server::{Webhooks as Calls, WebhooksServer};
use ryggrad_service::Readings;
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub use self::options::Options;
pub use self::schedule::Schedule;
pub use self::seal::{Seal, SealError};

use self::api::Api;
use self::client::Client;
use self::deliverer::Deliverer;
use self::extras::Extras;
use self::recent::Recent;
use self::store::Store;
use self::worker::Shared;
use crate::hub::Hub;

/// The steps of the schema, numbered from 10.
pub(crate) const STEPS: &[Step] = &[
    Step {
        version: 10,
        description: "webhooks",
        sql: include_str!("../sql/webhooks_0010.sql"),
    },
    Step {
        version: 11,
        description: "proofs of webhooks",
        sql: include_str!("../sql/webhooks_0011.sql"),
    },
];

/// The webhooks of a gateway. Cheap to clone; clones are the same.
#[derive(Debug, Clone)]
pub struct Webhooks {
    api: Api,
    hub: Arc<Hub>,
}

// === impl Webhooks ===

impl Webhooks {
    /// Webhooks on a pool whose role may read the log and whose schema is the gateway's. They deliver once
    /// [`run`](Self::run) runs, in any number of processes. Without a key in the options every call is answered
    /// FAILED_PRECONDITION.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub(crate) fn try_new(
        pool: PgPool,
        hub: Arc<Hub>,
        registry: Registry,
        clock: Clock,
        options: Options,
    ) -> Result<Self, reqwest::Error> {
        let log = Log::new(pool.clone());
        let shared = match &options.seal {
            None => None,
            Some(seal) => Some(Arc::new(Shared {
                readings: Readings::new(&pool, clock.clone()),
                store: Store { pool },
                registry,
                clock,
                recent: Recent::new(log.clone()),
                client: Client::new(options.allow_private, options.patience)?,
                seal: Arc::clone(seal),
                extras: Extras::new(options.extras),
                hurry: Notify::new(),
                options,
            })),
        };
        Ok(Self {
            api: Api { shared, log },
            hub,
        })
    }

    /// The gRPC service.
    pub fn grpc(&self) -> WebhooksServer<impl Calls + use<>> {
        WebhooksServer::new(self.calls())
    }

    /// The calls themselves, for those who are not on the other side of a wire.
    pub fn calls(&self) -> impl Calls + use<> {
        self.api.clone()
    }

    /// The REST routes under `/v1/webhooks`.
    pub fn rest(&self) -> Routes {
        webhooks_rest::routes(self.api.clone())
    }

    /// Delivers until the token ends, and lets what is on its way come back.
    pub async fn run(&self, token: CancellationToken) {
        let Some(shared) = &self.api.shared else {
            tracing::info!("there is no webhook key: no webhooks");
            return token.cancelled().await;
        };
        // The tail is read until the deliverers have ended.
        let reading = CancellationToken::new();
        tokio::join!(shared.recent.run(&self.hub, &reading), async {
            Deliverer::new(Arc::clone(shared)).run(&token).await;
            reading.cancel();
        });
    }
}
