//! The servers that writing is measured on: private, in a folder of their own, stopped afterwards.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use ryggrad_eventlog::{Clock, Executor, Log, Writer, stream};
use ryggrad_local::postgres::OWNER;
use ryggrad_local::{Say, StateFolder};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::net::TcpListener;

use crate::running::{self, Stores};
use crate::servers::Servers;
use crate::stack::{self, Plan, Role};

use super::baseline::Baseline;
use super::counter::Counter;
use super::load::per_second;
use super::report::Report;

/// PostgreSQL and NATS, the log in one database and the baseline in another.
pub(super) struct Stack {
    servers: Servers,
    /// As the role of the registration service.
    pool: PgPool,
    pub(super) writer: Writer,
    pub(super) executor: Executor<Counter>,
    pub(super) baseline: Baseline,
    _state: StateFolder,
}

// === impl Stack ===

impl Stack {
    pub(super) async fn start(folder: &Path) -> anyhow::Result<Self> {
        let state = StateFolder::open(folder)?;
        let servers = Servers::start(&state, &Stores::default(), &Say::default()).await?;
        let owner: PgConnectOptions = servers.addresses.postgres(OWNER).parse()?;
        let other = PgPool::connect_with(owner.clone()).await?;
        sqlx::query("create database baseline").execute(&other).await?;
        other.close().await;
        // The same number of connections for both.
        let pool = connections(servers.addresses.postgres("ryggrad_registration").parse()?).await?;
        let baseline = Baseline::open(connections(owner.database("baseline")).await?).await?;
        let writer = Writer::spawn(&pool, "registration");
        let executor = Executor::new(pool.clone(), writer.clone(), Clock::system());
        Ok(Self {
            servers,
            pool,
            writer,
            executor,
            baseline,
            _state: state,
        })
    }

    /// Publishes what writing left in the log, and counts it against the time.
    pub(super) async fn relay(&self, report: &mut Report) -> anyhow::Result<()> {
        let head = Log::new(self.pool.clone()).head().await?.position;
        let nats = stream::connect(&running::nats(
            self.servers.addresses.nats("relay"),
            None,
            "ryggrad-bench",
        )?)
        .await?;
        let plan = Plan {
            roles: vec![Role::Relay],
            ..Plan::new(self.servers.addresses.clone())
        };
        let began = Instant::now();
        let roles = stack::Stack::start(&plan, TcpListener::bind("127.0.0.1:0").await?).await?;
        while stream::last_sequence(&nats).await.unwrap_or_default() < head {
            anyhow::ensure!(
                began.elapsed() < Duration::from_mins(5),
                "the relay does not get to {head}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        report.add("relay_per_s", per_second(usize::try_from(head)?, began.elapsed()));
        roles.stop().await;
        Ok(())
    }

    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        self.pool.close().await;
        self.servers.stop().await.context("stop the servers")
    }
}

/// A pool of as many connections as serve the baseline best on two cores.
async fn connections(options: PgConnectOptions) -> anyhow::Result<PgPool> {
    let pool = PgPoolOptions::new()
        .min_connections(16)
        .max_connections(16)
        .acquire_timeout(Duration::from_mins(1));
    Ok(pool.connect_with(options).await?)
}
