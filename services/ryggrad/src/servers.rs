//! PostgreSQL and NATS under `ryggrad up`: private ones in the state folder, or those that are configured.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use ryggrad_eventlog::schema::{self, Role};
use ryggrad_local::postgres::{OWNER, ROLES};
use ryggrad_local::{Nats, Postgres, Say, StateFolder, nats, postgres};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool};

use crate::running::{Stores, nats_key, postgres_key, without_password};

/// How long a request waits for a connection before it is answered with UNAVAILABLE: PostgreSQL may be away, or all are taken. Well
/// below the time that a request has (30 s), which has to do for a command's way into the log, too.
const PATIENCE: Duration = Duration::from_secs(8);

/// Who may do what with the log. The doors that answer write down who has looked at an organisation, before they answer.
pub const WRITERS: [Role<'static>; 6] = [
    Role::writer("ryggrad_registration", "registration"),
    Role::writer_of("ryggrad_registration", "ecosystem", "AccessLog"),
    Role::writer_of("ryggrad_views", "ecosystem", "AccessLog"),
    Role::writer_of("ryggrad_gateway", "ecosystem", "AccessLog"),
    Role::writer("ryggrad_ecosystem", "ecosystem"),
    Role::reader("ryggrad_relay"),
];

/// Where every role finds its stores, each as its own user.
#[derive(Clone, Default)]
pub struct Addresses {
    postgres: BTreeMap<String, String>,
    nats: BTreeMap<String, String>,
}

/// The two servers, as far as they are ours to stop.
#[derive(Debug)]
pub struct Servers {
    /// The private PostgreSQL.
    pub postgres: Option<Postgres>,
    /// The private nats-server.
    pub nats: Option<Nats>,
    /// Where everybody finds them.
    pub addresses: Addresses,
}

// === impl Addresses ===

impl Addresses {
    /// The stores of every role, by what tells the address of each.
    pub fn new(postgres: impl Fn(&str) -> String, nats: impl Fn(&str) -> String) -> Self {
        let roles = ROLES.into_iter().chain([OWNER]);
        let users = nats::SERVICES.into_iter().chain([nats::RELAY, nats::ADMIN]);
        Self {
            postgres: roles.map(|role| (role.to_owned(), postgres(role))).collect(),
            nats: users.map(|user| (user.to_owned(), nats(user))).collect(),
        }
    }

    /// The stores of one role.
    pub fn of(role: &str, postgres: &str, nats: &str) -> Self {
        Self {
            postgres: BTreeMap::from([(schema::role_name(role), postgres.to_owned())]),
            nats: BTreeMap::from([(role.to_owned(), nats.to_owned())]),
        }
    }

    /// The database as a role: `ryggrad` (the owner), `ryggrad_registration`.
    pub fn postgres(&self, role: &str) -> &str {
        self.postgres.get(role).map_or("", String::as_str)
    }

    /// The stream as a user: `admin`, `relay`, `views`.
    pub fn nats(&self, user: &str) -> &str {
        self.nats.get(user).map_or("", String::as_str)
    }

    /// Everything, under the names of `endpoints.json`.
    pub fn named(&self) -> BTreeMap<String, String> {
        let postgres = self
            .postgres
            .iter()
            .filter(|(role, _)| *role != OWNER)
            .map(|(role, url)| (postgres_key(role), url.clone()));
        let nats = self
            .nats
            .iter()
            .filter(|(user, _)| *user != nats::ADMIN)
            .map(|(user, url)| (nats_key(user), url.clone()));
        postgres.chain(nats).collect()
    }
}

impl std::fmt::Debug for Addresses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let told = |urls: &BTreeMap<String, String>| urls.values().map(|url| without_password(url)).collect::<Vec<_>>();
        f.debug_struct("Addresses")
            .field("postgres", &told(&self.postgres))
            .field("nats", &told(&self.nats))
            .finish()
    }
}

// === impl Servers ===

impl Servers {
    /// Starts what is not configured, makes the roles and brings the log's schema up to date.
    ///
    /// # Errors
    /// When a server cannot be had, started or reached.
    pub async fn start(state: &StateFolder, stores: &Stores, say: &Say) -> anyhow::Result<Self> {
        let (postgres, nats) =
            tokio::try_join!(private_postgres(state, stores, say), private_nats(state, stores, say))?;
        let mut addresses = Addresses::default();
        match (&stores.postgres_url, &postgres) {
            (None, Some(postgres)) => {
                addresses.postgres.insert(OWNER.to_owned(), postgres.url()?);
                for role in ROLES {
                    addresses.postgres.insert(role.to_owned(), postgres.url_as(role)?);
                }
            }
            (url, _) => addresses.postgres = configured_postgres(state, url.as_deref().unwrap_or_default()).await?,
        }
        let users = nats::SERVICES.into_iter().chain([nats::RELAY, nats::ADMIN]);
        for user in users {
            let url = match (&stores.nats_url, &nats) {
                (None, Some(nats)) => nats.url_as(user)?,
                (url, _) => url.clone().unwrap_or_default(),
            };
            addresses.nats.insert(user.to_owned(), url);
        }
        migrate(addresses.postgres(OWNER)).await?;
        Ok(Self {
            postgres,
            nats,
            addresses,
        })
    }

    /// Waits until a private server ends by itself, and starts it again. The roles recover by themselves.
    ///
    /// # Errors
    /// When it cannot be started again.
    pub async fn guard(&mut self) -> anyhow::Result<()> {
        async fn exited(postgres: Option<&Postgres>) -> i32 {
            match postgres {
                Some(postgres) => postgres.exited().await,
                None => std::future::pending().await,
            }
        }
        async fn nats_exited(nats: Option<&Nats>) -> i32 {
            match nats {
                Some(nats) => nats.exited().await,
                None => std::future::pending().await,
            }
        }
        let postgres_ended = tokio::select! {
            code = exited(self.postgres.as_ref()) => {
                tracing::error!(code, "PostgreSQL has ended by itself; starting it again");
                true
            }
            code = nats_exited(self.nats.as_ref()) => {
                tracing::error!(code, "nats-server has ended by itself; starting it again");
                false
            }
        };
        match (&mut self.postgres, &mut self.nats) {
            (Some(postgres), _) if postgres_ended => postgres.restart().await.context("cannot start PostgreSQL again"),
            (_, Some(nats)) => nats.restart().await.context("cannot start nats-server again"),
            _ => Ok(()),
        }
    }

    /// Stops what was started, the stream before the log.
    ///
    /// # Errors
    /// When a server does not stop.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let mut stopped = Ok(());
        if let Some(nats) = &mut self.nats {
            stopped = nats.stop().await.context("cannot stop nats-server");
        }
        if let Some(postgres) = &mut self.postgres {
            stopped = stopped.and(postgres.stop().await.context("cannot stop PostgreSQL"));
        }
        stopped
    }
}

async fn private_postgres(state: &StateFolder, stores: &Stores, say: &Say) -> anyhow::Result<Option<Postgres>> {
    if stores.postgres_url.is_some() {
        return Ok(None);
    }
    let options = postgres::Options {
        say: say.clone(),
        ..postgres::Options::default()
    };
    Postgres::start(state, options)
        .await
        .map(Some)
        .context("cannot start PostgreSQL")
}

async fn private_nats(state: &StateFolder, stores: &Stores, say: &Say) -> anyhow::Result<Option<Nats>> {
    if stores.nats_url.is_some() {
        return Ok(None);
    }
    let options = nats::Options {
        say: say.clone(),
        ..nats::Options::default()
    };
    Nats::start(state, options)
        .await
        .map(Some)
        .context("cannot start nats-server")
}

/// Makes the roles in a database that is not ours, with passwords from the state folder, and tells their addresses.
async fn configured_postgres(state: &StateFolder, url: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let told = without_password(url);
    let mut owner = PgConnection::connect(url)
        .await
        .with_context(|| format!("cannot reach PostgreSQL at {told}"))?;
    let mut addresses = BTreeMap::from([(OWNER.to_owned(), url.to_owned())]);
    let (_, place) = url
        .rsplit_once('@')
        .or_else(|| url.split_once("://"))
        .with_context(|| format!("{told:?} is not postgres://user:password@host:port/database"))?;
    for role in ROLES {
        let password = state.secret(&format!("postgres-{role}"))?;
        let address = format!("postgres://{role}:{password}@{place}");
        let known: bool = sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)")
            .bind(role)
            .fetch_one(&mut owner)
            .await?;
        if known {
            // Somebody else's password is not ours to change.
            let ours = PgConnection::connect(&address).await;
            ours.with_context(|| format!("the role {role} of {told} was not made from this state folder: start the roles with `ryggrad serve`"))?;
        } else {
            // Both words are our own (a constant and hexadecimal digits): nothing to escape.
            let statement = format!("create role {role} login password '{password}'");
            let made = sqlx::query(&statement).execute(&mut owner).await;
            made.with_context(|| format!("cannot make the role {role} in {told}"))?;
        }
        addresses.insert(role.to_owned(), address);
    }
    Ok(addresses)
}

/// Brings the log's schema up to date and opens it to the roles.
///
/// # Errors
/// When the database cannot be reached or refuses.
pub async fn migrate(url: &str) -> anyhow::Result<()> {
    let owner = PgPoolOptions::new()
        .max_connections(2)
        .connect(url)
        .await
        .context("cannot connect to PostgreSQL as its owner")?;
    migrate_in(&owner).await?;
    owner.close().await;
    Ok(())
}

/// The same over connections that are there.
///
/// # Errors
/// When the database refuses.
pub async fn migrate_in(owner: &PgPool) -> anyhow::Result<()> {
    schema::migrate(owner, &WRITERS)
        .await
        .context("cannot bring the log's schema up to date")
}

/// Connections as a role whose own schema is `schema`.
///
/// # Errors
/// When the address cannot be read, or nobody answers within eight seconds.
pub async fn pool(url: &str, schema: &str, connections: u32) -> anyhow::Result<PgPool> {
    let options: PgConnectOptions = url.parse().context("the address of PostgreSQL cannot be read")?;
    let options = options
        .options([("search_path", schema)])
        .application_name(&format!("ryggrad-{schema}"));
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        // They stay as wide as the largest page was otherwise.
        .after_release(|connection, _| {
            connection.shrink_buffers();
            Box::pin(std::future::ready(Ok(true)))
        })
        .connect_with(options)
        .await
        .with_context(|| format!("cannot connect to {}", without_password(url)))
}
