//! The views as a role: what it is made of, what it serves, and how long it runs.

use std::time::Duration;

use async_nats::Client;
use ryggrad_eventlog::Clock;
use ryggrad_eventlog::consumer::{self, Source};
use ryggrad_eventlog::projection::{Difference, Projection, Projector, verify};
use ryggrad_proto::rest::Routes;
use ryggrad_proto::views::v1::views_rest;
use ryggrad_proto::views::v1::views_server::ViewsServer;
use ryggrad_service::{Authority, Readings};
use sqlx::PgPool;
use sqlx::migrate::MigrateError;
use tokio_util::sync::CancellationToken;

use crate::api::{Api, Held, snapshot};
use crate::doors;
use crate::download::Places;
use crate::stats_cube::sample::Secret;
use crate::{
    AccessLog, MunicipalityDirectory, OrgTimeline, RegisterCase, RegisterChanges, RegisterUnits, StatsCube,
    Subscriptions,
};

/// How the role behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How long a query waits for the position that it asks for (`at_least`) before it answers with what there is.
    pub patience: Duration,
    /// How long a table that was replaced stays for those who are reading it.
    pub grace: Duration,
    /// How many snapshots and whole files of callers without a token may be under way at once, and how many of those with
    /// one. Each holds a connection of the pool.
    pub downloads: usize,
}

/// The views, kept up to date and queried. Cheap to clone; clones are the same views.
#[derive(Debug, Clone)]
pub struct Views {
    pool: PgPool,
    timeline: Projector<OrgTimeline>,
    register_case: Projector<RegisterCase>,
    directory: Projector<MunicipalityDirectory>,
    stats: Projector<StatsCube>,
    register_units: Projector<RegisterUnits>,
    register_changes: Projector<RegisterChanges>,
    access_log: Projector<AccessLog>,
    subscriptions: Projector<Subscriptions>,
    api: Api,
}

/// What the comparison of a view with the log gave.
#[derive(Debug, Clone)]
pub struct Verified {
    /// The view.
    pub view: &'static str,
    /// The position that both were compared at.
    pub as_of: u64,
    /// Where they first differ; none when they are equal, byte for byte (I10).
    pub difference: Option<Difference>,
}

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(2),
            grace: Duration::from_secs(30),
            downloads: 4,
        }
    }
}

// === impl Views ===

impl Views {
    /// The names of the views.
    pub const NAMES: [&'static str; 8] = [
        OrgTimeline::NAME,
        RegisterCase::NAME,
        MunicipalityDirectory::NAME,
        StatsCube::NAME,
        RegisterUnits::NAME,
        RegisterChanges::NAME,
        AccessLog::NAME,
        Subscriptions::NAME,
    ];

    /// The views in the first schema of the pool's search path, whose tables are brought up to date. The pool's role may
    /// read the log, and the broker's user the stream. Queries are answered from now on, and new events taken in once
    /// [`run`](Self::run) runs. By `clock` it is decided which subscriptions and mandates are in force.
    ///
    /// # Errors
    /// When the database fails or refuses.
    pub async fn open(pool: PgPool, nats: Client, clock: Clock, options: Options) -> Result<Self, MigrateError> {
        consumer::install(&pool).await?;
        Secret::install(&pool).await?;
        let source = Source::new(nats);
        let timeline = Projector::new(pool.clone(), source.clone(), OrgTimeline).with_grace(options.grace);
        let register_case = Projector::new(pool.clone(), source.clone(), RegisterCase).with_grace(options.grace);
        let directory = Projector::new(pool.clone(), source.clone(), MunicipalityDirectory).with_grace(options.grace);
        let stats = Projector::new(pool.clone(), source.clone(), StatsCube).with_grace(options.grace);
        let register_units = Projector::new(pool.clone(), source.clone(), RegisterUnits).with_grace(options.grace);
        let register_changes = Projector::new(pool.clone(), source.clone(), RegisterChanges).with_grace(options.grace);
        let access_log = Projector::new(pool.clone(), source.clone(), AccessLog).with_grace(options.grace);
        let subscriptions = Projector::new(pool.clone(), source, Subscriptions).with_grace(options.grace);
        let api = Api {
            timeline: timeline.view(),
            register_case: register_case.view(),
            directory: directory.view(),
            stats: Held::new(stats.view()),
            register_units: register_units.view(),
            register_changes: register_changes.view(),
            places: Places::new(options.downloads),
            access_log: access_log.view(),
            subscriptions: subscriptions.view(),
            authority: Authority::new(pool.clone(), clock.clone()),
            readings: Readings::new(&pool, clock),
            patience: options.patience,
        };
        Ok(Self {
            pool,
            timeline,
            register_case,
            directory,
            stats,
            register_units,
            register_changes,
            access_log,
            subscriptions,
            api,
        })
    }

    /// The gRPC service.
    pub fn grpc(&self) -> ViewsServer<impl ryggrad_proto::views::v1::views_server::Views> {
        ViewsServer::new(self.api.clone())
    }

    /// The REST routes of the same queries.
    pub fn rest(&self) -> Routes {
        views_rest::routes(self.api.clone())
    }

    /// The routes that no contract describes: the doors in the registers' shape, and the views as a whole.
    pub fn http(&self) -> axum::Router {
        doors::routes(self.api.clone()).merge(snapshot::http::routes(self.api.clone()))
    }

    /// Keeps the views up to date until the token ends, then finishes what is under way. Each view goes at its own pace:
    /// one that is slow, or rebuilt, or stopped by a poison event holds up none of the others.
    pub async fn run(&self, token: CancellationToken) {
        tokio::join!(
            self.timeline.run(token.clone()),
            self.register_case.run(token.clone()),
            self.directory.run(token.clone()),
            self.stats.run(token.clone()),
            self.register_units.run(token.clone()),
            self.register_changes.run(token.clone()),
            self.access_log.run(token.clone()),
            self.subscriptions.run(token),
        );
    }

    /// Whether the database answers and every view is there. A broker that is away makes views late, and not unready.
    ///
    /// # Errors
    /// Says what is missing.
    pub async fn ready(&self) -> Result<(), String> {
        let names: Vec<String> = Self::NAMES.map(str::to_owned).into();
        // On the first start a view is written down a moment before it has its table.
        let sql = "select count(*) from projections where state = 'live' and name = any($1) and to_regclass(table_name) is not null";
        let live: i64 = sqlx::query_scalar(sql)
            .bind(names)
            .fetch_one(&self.pool)
            .await
            .map_err(|error| format!("the database: {error}"))?;
        if usize::try_from(live) != Ok(Self::NAMES.len()) {
            return Err("a view has not been begun yet".to_owned());
        }
        Ok(())
    }

    /// Folds every view again from the log and compares it with the live one, byte for byte (I10). Needs no running role.
    ///
    /// # Errors
    /// When the database fails, or has no such view.
    pub async fn verify(pool: &PgPool) -> Result<Vec<Verified>, sqlx::Error> {
        Ok(vec![
            verify_one(pool, &OrgTimeline).await?,
            verify_one(pool, &RegisterCase).await?,
            verify_one(pool, &MunicipalityDirectory).await?,
            verify_one(pool, &StatsCube).await?,
            verify_one(pool, &RegisterUnits).await?,
            verify_one(pool, &RegisterChanges).await?,
            verify_one(pool, &AccessLog).await?,
            verify_one(pool, &Subscriptions).await?,
        ])
    }
}

async fn verify_one<P: Projection>(pool: &PgPool, projection: &P) -> Result<Verified, sqlx::Error> {
    let (as_of, difference) = verify(pool, projection).await?;
    Ok(Verified {
        view: P::NAME,
        as_of,
        difference,
    })
}
