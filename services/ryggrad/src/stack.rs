//! Roles at work in this process: one for `serve`, all of them for `up`, `demo`, `bench` and the tests.

mod ecosystem;
mod gateway;
mod registration;
mod relay;
mod views;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use async_nats::Client;
use jiff::Timestamp;
use ryggrad_eventlog::clock::{Clock, wall};
use ryggrad_eventlog::relay as wake;
use ryggrad_eventlog::stream;
use ryggrad_issuer::Issuer;
use ryggrad_proto::admin::v1::admin_rest;
use ryggrad_proto::admin::v1::admin_server::AdminServer;
use ryggrad_service::Server;
use ryggrad_service::auth::{Settings, Verifier};
use ryggrad_service::server::Bounds;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::admin::Admin;
use crate::running;
use crate::servers::{Addresses, pool};

pub use self::gateway::Webhooks;
pub use self::registration::Register;

/// What a process can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Role {
    /// Takes commands, and decides.
    Registration,
    /// Folds views and answers from them.
    Views,
    /// Takes subscriptions and mandates.
    Ecosystem,
    /// Hands the stream to agencies and apps.
    Gateway,
    /// Publishes the log to the stream.
    Relay,
}

/// How roles are started.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which.
    pub roles: Vec<Role>,
    /// Where each finds its stores.
    pub addresses: Addresses,
    /// The simulated clock's start, when it is not the system's.
    pub simulated: Option<Timestamp>,
    /// How the simulated register authority behaves; none, and nobody answers what is submitted.
    pub register: Option<Register>,
    /// How webhooks behave.
    pub webhooks: Webhooks,
    /// Most connections that a role has to PostgreSQL.
    pub connections: u32,
    /// Copies of the stream in the cluster.
    pub replicas: usize,
    /// The broker's monitoring port, host:port, when there is one.
    pub monitor: Option<String>,
    /// A credentials file for NATS, when the address does not carry them.
    pub credentials: Option<std::path::PathBuf>,
    /// How much clients may ask of the process.
    pub bounds: Bounds,
    /// Time that open requests get to finish.
    pub drain: Duration,
    /// Whose tokens are accepted; none, and everybody is anybody.
    pub authentication: Option<Settings>,
    /// The development issuer that this process is as well.
    pub issuer: Option<Issuer>,
}

/// Roles at work.
#[derive(Debug)]
pub struct Stack {
    address: SocketAddr,
    clock: Clock,
    /// Ends taking requests, and subscriptions.
    accepting: CancellationToken,
    /// Ends the work behind them.
    working: CancellationToken,
    server: JoinSet<Ended>,
    tasks: JoinSet<Ended>,
}

/// A task that ended, and how.
type Ended = (&'static str, anyhow::Result<()>);

/// What the roles are built up with.
struct Setting<'a> {
    plan: &'a Plan,
    clock: Clock,
    accepting: CancellationToken,
    working: CancellationToken,
    server: Server,
    admin: Admin,
    tasks: JoinSet<Ended>,
    /// What this process's writers have committed, to wake its relay.
    committed: Vec<watch::Receiver<u64>>,
}

// === impl Setting ===

impl Setting<'_> {
    /// Adds what a role serves.
    fn serve(&mut self, add: impl FnOnce(Server) -> Server) {
        let server = std::mem::replace(&mut self.server, Server::new(""));
        self.server = add(server);
    }

    /// Lets the relay know of what a writer commits, in this process or another.
    fn wake(&mut self, committed: watch::Receiver<u64>, nats: Client) {
        if self.plan.roles.contains(&Role::Relay) {
            self.committed.push(committed);
            return;
        }
        let token = self.working.clone();
        self.tasks.spawn(async move {
            wake::announce(nats, committed, token.clone()).await;
            token.cancelled().await;
            ("announcements", Ok(()))
        });
    }
}

/// Whether PostgreSQL answers, for `/readyz`.
async fn answers(pool: PgPool) -> Result<(), String> {
    let asked = sqlx::query("select 1").execute(&pool).await;
    asked.map(drop).map_err(|error| format!("PostgreSQL: {error}"))
}

// === impl Role ===

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Registration,
        Self::Ecosystem,
        Self::Views,
        Self::Gateway,
        Self::Relay,
    ];

    /// Its name: of its schema, its NATS user and its telemetry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Ecosystem => "ecosystem",
            Self::Views => "views",
            Self::Gateway => "gateway",
            Self::Relay => "relay",
        }
    }
}

// === impl Plan ===

impl Plan {
    /// Every role on these stores, with the system's clock.
    pub fn new(addresses: Addresses) -> Self {
        Self {
            roles: Role::ALL.to_vec(),
            addresses,
            simulated: None,
            register: None,
            webhooks: Webhooks::default(),
            connections: 16,
            replicas: 1,
            monitor: None,
            credentials: None,
            bounds: Bounds::default(),
            drain: Duration::from_secs(10),
            authentication: None,
            issuer: None,
        }
    }

    /// The server of the roles, with who may ask it.
    fn server(&self, name: &str) -> anyhow::Result<Server> {
        let mut server = Server::new(name).bounds(self.bounds).drain(self.drain);
        if let Some(issuer) = &self.issuer {
            server = server.http(issuer.routes());
        }
        if let Some(settings) = &self.authentication {
            let verifier = Verifier::new(settings.clone()).context("tokens cannot be verified")?;
            if self.issuer.is_none() {
                verifier.prepare();
            }
            server = server.authentication(verifier.clone()).ready("issuer", move || {
                let verifier = verifier.clone();
                async move { verifier.ready().await }
            });
        }
        Ok(server)
    }

    async fn pool(&self, role: Role) -> anyhow::Result<PgPool> {
        let url = self
            .addresses
            .postgres(&ryggrad_eventlog::schema::role_name(role.name()));
        pool(url, role.name(), self.connections).await
    }

    async fn nats(&self, role: Role) -> anyhow::Result<Client> {
        let settings = running::nats(
            self.addresses.nats(role.name()),
            self.credentials.as_deref(),
            &format!("ryggrad-{}", role.name()),
        )?;
        stream::connect(&settings).await.context("cannot connect to NATS")
    }

    async fn clock(&self, pool: &PgPool) -> anyhow::Result<Clock> {
        match self.simulated {
            None => Ok(Clock::system()),
            Some(start) => Clock::stored(pool.clone(), start)
                .await
                .context("cannot start the simulated clock"),
        }
    }
}

// === impl Stack ===

impl Stack {
    /// Starts the roles; gRPC and REST of all of them on one listener.
    ///
    /// # Errors
    /// When a store cannot be reached, or a schema cannot be brought up to date.
    pub async fn start(plan: &Plan, listener: TcpListener) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let first = plan.roles.first().copied().context("no role was asked for")?;
        let clock = plan.clock(&plan.pool(first).await?).await?;
        let name = if plan.roles.len() == 1 { first.name() } else { "all" };
        let mut setting = Setting {
            plan,
            clock: clock.clone(),
            accepting: CancellationToken::new(),
            working: CancellationToken::new(),
            server: plan.server(name)?,
            admin: Admin::new(clock.clone()),
            tasks: JoinSet::new(),
            committed: Vec::new(),
        };
        // The relay last: it is woken by the writers of its own process.
        for role in Role::ALL.into_iter().filter(|role| plan.roles.contains(role)) {
            let started = match role {
                Role::Registration => registration::start(&mut setting).await,
                Role::Ecosystem => ecosystem::start(&mut setting).await,
                Role::Views => views::start(&mut setting).await,
                Role::Gateway => gateway::start(&mut setting).await,
                Role::Relay => relay::start(&mut setting).await,
            };
            started.with_context(|| format!("cannot start {}", role.name()))?;
        }
        let Setting {
            server,
            admin,
            accepting,
            working,
            mut tasks,
            ..
        } = setting;
        let (follower, token) = (clock.clone(), working.clone());
        tasks.spawn(async move {
            follower.follow(token.clone()).await;
            token.cancelled().await;
            ("clock", Ok(()))
        });
        let server = server
            .grpc(AdminServer::new(admin.clone()))
            .rest(admin_rest::routes(admin));
        let token = accepting.clone();
        let mut serving = JoinSet::new();
        serving.spawn(async move { ("server", server.run(listener, token).await) });
        Ok(Self {
            address,
            clock,
            accepting,
            working,
            server: serving,
            tasks,
        })
    }

    /// Where gRPC and REST are.
    pub fn http(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The business clock of this process.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Waits until something ends that should not, and tells what. Nothing is lost when the future is dropped.
    pub async fn broken(&mut self) -> anyhow::Error {
        let ended = tokio::select! {
            Some(ended) = self.server.join_next() => ended,
            Some(ended) = self.tasks.join_next() => ended,
            else => return anyhow::anyhow!("nothing is at work"),
        };
        match ended {
            Ok((name, Ok(()))) => anyhow::anyhow!("{name} has ended by itself"),
            Ok((name, Err(error))) => error.context(format!("{name} has stopped")),
            Err(panic) => anyhow::Error::from(panic).context("a role has panicked"),
        }
    }

    /// Drains: stops taking requests, lets the open ones finish, then ends the work behind them.
    pub async fn stop(mut self) {
        self.accepting.cancel();
        while self.server.join_next().await.is_some() {}
        self.working.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            match ended {
                Ok((_, Ok(()))) => {}
                Ok((name, Err(error))) => tracing::warn!(name, error = %format!("{error:#}"), "ended badly"),
                Err(error) => tracing::warn!(%error, "a role panicked"),
            }
        }
    }
}

/// The instant that a simulated clock starts at when none is given: now.
pub fn now() -> Timestamp {
    wall()
}
