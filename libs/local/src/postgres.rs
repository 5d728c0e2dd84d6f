//! A private PostgreSQL: its data in the state folder, on 127.0.0.1, gone when this process goes.

mod cluster;
mod options;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};

pub use self::options::{DATABASE, Durability, OWNER, Options, ROLES};

use self::cluster::Cluster;
use crate::programs::PostgresPrograms;
use crate::watchdog::{Spec, Watched};
use crate::{Error, Result, StateFolder, orphans, port, programs};

const PROGRAM: &str = "PostgreSQL";
/// Fast shutdown: sessions are ended, everything is written.
const FAST: &str = "INT";
/// Immediate shutdown, as a crash, for data that nobody wants again.
const IMMEDIATE: &str = "QUIT";

/// A PostgreSQL server of this process.
///
/// Dropping it stops the server. Should the process die, even by SIGKILL, the server stops too (fast shutdown).
#[derive(Debug)]
pub struct Postgres {
    state: StateFolder,
    options: Options,
    programs: PostgresPrograms,
    cluster: Cluster,
    server: Watched,
    port: u16,
}

// === impl Postgres ===

impl Postgres {
    /// Finds or fetches the programs, makes the data folder the first time, starts the server and waits until it answers.
    ///
    /// The database `ryggrad`, its owner `ryggrad` (superuser) and the roles of [`Options::roles`] exist then. A server that a
    /// crashed run left on the same data is stopped first: the state folder is locked, so nobody else can want it.
    pub async fn start(state: &StateFolder, options: Options) -> Result<Self> {
        let cluster = Cluster::at(state)?;
        if options.shared.is_some() {
            cluster.give_up(state)?;
        }
        let wanted = cluster.version()?;
        let say = options.say.clone();
        let found = tokio::task::spawn_blocking(move || programs::postgres(wanted, &say)).await;
        let programs = found.map_err(|error| Error::io("look for PostgreSQL")(error.into()))??;
        cluster.recover(&options.say).await?;
        let fresh = cluster.ensure(state, &programs, &options).await?;
        let wanted = options.port;
        let mut port = port::choose(wanted, &cluster.port_file())?;
        let server = loop {
            match launch(state, &options, &programs, &cluster, port).await {
                Err(Error::Server { .. }) if wanted.is_none() && !port::is_free(port) => port = port::any()?,
                answer => break answer?,
            }
        };
        port::remember(&cluster.port_file(), port)?;
        let postgres = Self {
            state: state.clone(),
            options,
            programs,
            cluster,
            server,
            port,
        };
        postgres.prepare(fresh).await?;
        Ok(postgres)
    }

    /// The URL of the database `ryggrad` as its owner, who may do everything. It holds the password.
    pub fn url(&self) -> Result<String> {
        self.url_of(OWNER, DATABASE)
    }

    /// The URL of the database `ryggrad` as one of the roles.
    pub fn url_as(&self, role: &str) -> Result<String> {
        self.url_of(role, DATABASE)
    }

    /// The URL of any database of this server as any of the roles.
    pub fn url_of(&self, role: &str, database: &str) -> Result<String> {
        Ok(format!(
            "postgres://{role}:{}@127.0.0.1:{}/{database}",
            password(&self.state, role)?,
            self.port
        ))
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the unix socket.
    pub fn socket_folder(&self) -> &Path {
        self.cluster.sockets()
    }

    /// The server's log file.
    pub fn log(&self) -> PathBuf {
        self.cluster.log()
    }

    /// The version of the running programs.
    pub fn version(&self) -> programs::Version {
        self.programs.version
    }

    /// The postmaster's process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.server.exit().map_or(self.server.pid(), |_gone| None)
    }

    /// Waits until the server exits by itself, or because it was killed, and answers with its exit code.
    pub async fn exited(&self) -> i32 {
        self.server.exited().await
    }

    /// Stops the server: sessions are ended, everything is written.
    pub async fn stop(&mut self) -> Result<()> {
        self.options.say.say("stopping PostgreSQL");
        self.server.end(FAST, Duration::from_secs(30)).await
    }

    /// Kills the server with SIGKILL, as a crash would, and waits until none of its processes is left. For tests.
    pub async fn kill(&mut self) -> Result<()> {
        self.server.end("KILL", Duration::from_secs(10)).await?;
        self.cluster.wait_until_deserted().await
    }

    /// Starts the server again, on the same port, after [`Postgres::stop`], [`Postgres::kill`] or a crash.
    pub async fn restart(&mut self) -> Result<()> {
        if self.server.exit().is_none() {
            self.stop().await?;
        }
        self.cluster.recover(&self.options.say).await?;
        self.server = launch(&self.state, &self.options, &self.programs, &self.cluster, self.port).await?;
        Ok(())
    }

    /// Makes the database and roles where they are missing.
    async fn prepare(&self, fresh: bool) -> Result<()> {
        let url = self.url_of(OWNER, "postgres")?;
        let mut connection = PgConnection::connect(&url)
            .await
            .map_err(Error::sql("connect to PostgreSQL"))?;
        for role in &self.options.roles {
            ensure_role(&mut connection, role, &password(&self.state, role)?).await?;
        }
        let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(DATABASE)
            .fetch_one(&mut connection)
            .await
            .map_err(Error::sql("look for the database"))?;
        if !known {
            statement(
                &mut connection,
                &format!("CREATE DATABASE {DATABASE} OWNER {OWNER}"),
                "make the database",
            )
            .await?;
        }
        if fresh {
            self.options.say.say(format!(
                "PostgreSQL {} has a new data folder, {}",
                self.programs.version.0,
                self.cluster.data().display()
            ));
        }
        connection.close().await.map_err(Error::sql("close a connection"))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.server.end_now(if self.options.durability == Durability::None {
            IMMEDIATE
        } else {
            FAST
        });
    }
}

/// The password of a role of this state folder's server.
fn password(state: &StateFolder, role: &str) -> Result<String> {
    state.secret(&secret_name(role))
}

/// The name that a role's password has among the secrets.
fn secret_name(role: &str) -> String {
    format!("postgres-{role}")
}

/// Starts the server and waits until it answers.
async fn launch(
    state: &StateFolder,
    options: &Options,
    programs: &PostgresPrograms,
    cluster: &Cluster,
    port: u16,
) -> Result<Watched> {
    const PATIENCE: Duration = Duration::from_mins(1);
    let begun = Instant::now();
    let mut command = vec![programs.bin.join("postgres").into(), "-D".into(), cluster.data().into()];
    for (name, value) in options.settings(port, cluster.sockets()) {
        command.extend(["-c".into(), format!("{name}={value}").into()]);
    }
    let server = Watched::spawn(Spec {
        program: PROGRAM,
        command,
        environment: vec![("LC_ALL", "C".into())],
        account: cluster.account(),
        log: cluster.log(),
        stop: if options.durability == Durability::None {
            IMMEDIATE
        } else {
            FAST
        },
        shared: options.shared.clone(),
        remove: options.shared.as_ref().map(|_| state.path().to_path_buf()),
    })?;
    let url = format!(
        "postgres://{OWNER}:{}@127.0.0.1:{port}/postgres",
        password(state, OWNER)?
    );
    loop {
        if let Some(code) = server.exit() {
            return Err(Error::server(
                PROGRAM,
                format!("stopped at its start with exit code {code}"),
                &cluster.log(),
            ));
        }
        // Somebody else on the same port would refuse the password or not answer: the loop goes on until ours has exited.
        let answer = tokio::time::timeout(Duration::from_secs(1), PgConnection::connect(&url)).await;
        if let Ok(Ok(connection)) = answer {
            let _closed = connection.close().await;
            return Ok(server);
        }
        if begun.elapsed() > PATIENCE {
            server.end_now(IMMEDIATE);
            return Err(Error::server(
                PROGRAM,
                format!("was not ready after {} s", PATIENCE.as_secs()),
                &cluster.log(),
            ));
        }
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}

/// Makes a login role, or gives it the password that is known here.
async fn ensure_role(connection: &mut PgConnection, role: &str, password: &str) -> Result<()> {
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(role)
        .fetch_one(&mut *connection)
        .await
        .map_err(Error::sql("look for a role"))?;
    let verb = if known { "ALTER" } else { "CREATE" };
    // Both words are our own (a constant and hexadecimal digits): nothing to escape.
    statement(
        connection,
        &format!("{verb} ROLE \"{role}\" LOGIN PASSWORD '{password}'"),
        "make a role",
    )
    .await
}

async fn statement(connection: &mut PgConnection, sql: &str, what: &str) -> Result<()> {
    sqlx::query(sql)
        .execute(connection)
        .await
        .map(drop)
        .map_err(Error::sql(what))
}

/// The processes of a server that works in `data`.
fn processes(data: &Path) -> Vec<u32> {
    orphans::working_in(data, "postgres")
}
