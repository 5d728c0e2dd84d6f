//! A database of one test, copied from a template that is migrated once for the whole test run.

use std::hash::{DefaultHasher, Hash, Hasher};

use anyhow::Context;
use rand::{Rng, TryRngCore};
use ryggrad_local::postgres::OWNER;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};

use crate::shared::{PgServer, postgres};

/// A database of one test; dropped when the test run's server goes.
#[derive(Debug, Clone)]
pub struct Database {
    server: &'static PgServer,
    name: String,
}

// === impl Database ===

impl Database {
    /// Makes a database that is as `migrate` leaves an empty one.
    ///
    /// `key` stands for everything that `migrate` does: the first test of the run with this key migrates a template, all
    /// later ones copy it. Put the text of the migrations in (`include_str!`), then a change of them is a new key.
    ///
    /// # Panics
    /// When the server cannot be had, or `migrate` fails.
    pub async fn create<F, E>(key: &str, migrate: impl FnOnce(PgPool) -> F) -> Self
    where
        F: Future<Output = Result<(), E>>,
        E: Into<anyhow::Error>,
    {
        let server = postgres().await;
        let made = async {
            let template = template(server, key, migrate).await?;
            copy(server, &template).await
        };
        let name = made
            .await
            .unwrap_or_else(|error: anyhow::Error| panic!("a database for a test: {error:#}"));
        Self { server, name }
    }

    /// Makes an empty database.
    ///
    /// # Panics
    /// As [`Database::create`].
    pub async fn empty() -> Self {
        Self::create("", |_pool| async { anyhow::Ok(()) }).await
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL as the owner `ryggrad`, a superuser.
    pub fn url(&self) -> String {
        self.url_as(OWNER)
    }

    /// The URL as one of the roles of [`ryggrad_local::postgres::ROLES`].
    ///
    /// # Panics
    /// When there is no such role.
    pub fn url_as(&self, role: &str) -> String {
        self.server.url_of(role, &self.name)
    }

    /// A pool of few connections as the owner.
    pub fn pool(&self) -> PgPool {
        self.pool_as(OWNER)
    }

    /// A pool of few connections as one of the roles; it connects when it is used.
    ///
    /// # Panics
    /// When there is no such role.
    pub fn pool_as(&self, role: &str) -> PgPool {
        lazy_pool(&self.url_as(role), 8)
    }
}

fn lazy_pool(url: &str, connections: u32) -> PgPool {
    let options: PgConnectOptions = url
        .parse()
        .expect("the URL is made here of a name, hexadecimal digits and a port");
    PgPoolOptions::new()
        .max_connections(connections)
        .connect_lazy_with(options)
}

/// The name of the template for `key`, made by the first who asks.
async fn template<F, E>(server: &PgServer, key: &str, migrate: impl FnOnce(PgPool) -> F) -> anyhow::Result<String>
where
    F: Future<Output = Result<(), E>>,
    E: Into<anyhow::Error>,
{
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let number = hasher.finish();
    let name = format!("template_{number:016x}");
    let mut admin = PgConnection::connect(&server.admin_url()).await?;
    if exists(&mut admin, &name).await? {
        admin.close().await?;
        return Ok(name);
    }
    // One test of one binary migrates, the others wait. The lock goes with the connection.
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(number.cast_signed())
        .execute(&mut admin)
        .await?;
    if !exists(&mut admin, &name).await? {
        let making = format!("making_{number:016x}");
        statement(&mut admin, &format!("DROP DATABASE IF EXISTS {making} WITH (FORCE)")).await?;
        statement(&mut admin, &format!("CREATE DATABASE {making} TEMPLATE template0")).await?;
        let pool = lazy_pool(&server.url_of(OWNER, &making), 4);
        migrate(pool.clone())
            .await
            .map_err(Into::into)
            .context("migrating the template")?;
        pool.close().await;
        // sqlx's pool may keep a connection that was on its way back while it closed; a database in use is not renamed.
        statement(
            &mut admin,
            &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{making}'"),
        )
        .await?;
        statement(&mut admin, &format!("ALTER DATABASE {making} RENAME TO {name}")).await?;
    }
    admin.close().await?;
    Ok(name)
}

async fn copy(server: &PgServer, template: &str) -> anyhow::Result<String> {
    let name = format!("test_{:016x}", rand::rngs::OsRng.unwrap_err().random::<u64>());
    let mut admin = PgConnection::connect(&server.admin_url()).await?;
    statement(
        &mut admin,
        &format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log"),
    )
    .await?;
    admin.close().await?;
    Ok(name)
}

async fn exists(admin: &mut PgConnection, name: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(name)
        .fetch_one(admin)
        .await
}

async fn statement(admin: &mut PgConnection, sql: &str) -> anyhow::Result<()> {
    sqlx::query(sql)
        .execute(admin)
        .await
        .with_context(|| sql.to_owned())
        .map(drop)
}
