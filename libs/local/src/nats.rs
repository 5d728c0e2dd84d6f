//! A private nats-server with JetStream: its store in the state folder, on 127.0.0.1, gone when this process goes.

mod config;

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

pub use self::config::{ADMIN, RELAY, SERVICES, Sync};

use crate::programs::NatsProgram;
use crate::watchdog::{Spec, Watched};
use crate::{Error, Result, Say, StateFolder, orphans, port, programs, state};

const PROGRAM: &str = "nats-server";
/// An orderly shutdown: the stores are closed.
const ORDERLY: &str = "TERM";

/// How a private nats-server is set up; the default is what `ryggrad up` wants.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The port; a free one, and the same again after a restart, when it is not given.
    pub port: Option<u16>,
    /// When JetStream writes through to the disk.
    pub sync: Sync,
    /// Who is told what is being done.
    pub say: Say,
}

/// A nats-server of this process.
///
/// Dropping it stops the server. Should the process die, even by SIGKILL, the server stops too.
#[derive(Debug)]
pub struct Nats {
    state: StateFolder,
    say: Say,
    program: NatsProgram,
    server: Watched,
    port: u16,
}

// === impl Nats ===

impl Nats {
    /// Finds or fetches the program, starts it and waits until it answers.
    ///
    /// Users: [`RELAY`], the only one that may publish to `ryggrad.>` and change the stream; one for each of [`SERVICES`];
    /// [`ADMIN`], who may do everything else. A server that a crashed run left on the same store is stopped first.
    pub async fn start(state: &StateFolder, options: Options) -> Result<Self> {
        let say = options.say.clone();
        let found = tokio::task::spawn_blocking(move || programs::nats_server(&say)).await;
        let program = found.map_err(|error| Error::io("look for nats-server")(error.into()))??;
        let memory = folder(state).join("port");
        std::fs::create_dir_all(folder(state)).map_err(Error::at("make the folder", &folder(state)))?;
        recover(state, &program, &options.say).await?;
        let mut port = port::choose(options.port, &memory)?;
        let server = loop {
            state::write_private(&config(state), &config::text(state, port, options.sync)?)?;
            match launch(state, &program, port).await {
                Err(Error::Server { .. }) if options.port.is_none() && !port::is_free(port) => port = port::any()?,
                answer => break answer?,
            }
        };
        port::remember(&memory, port)?;
        Ok(Self {
            state: state.clone(),
            say: options.say,
            program,
            server,
            port,
        })
    }

    /// The URL as the operator, [`ADMIN`]. It holds the password.
    pub fn url(&self) -> Result<String> {
        self.url_as(ADMIN)
    }

    /// The URL as one of the users, with the password in it.
    ///
    /// The crate async-nats does not read passwords from URLs: for it there are [`Nats::address`] and [`Nats::password`].
    pub fn url_as(&self, user: &str) -> Result<String> {
        Ok(format!(
            "nats://{user}:{}@127.0.0.1:{}",
            self.password(user)?,
            self.port
        ))
    }

    /// The address without user and password, `nats://127.0.0.1:4222`.
    pub fn address(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The password of one of the users.
    pub fn password(&self, user: &str) -> Result<String> {
        config::password(&self.state, user)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's log file.
    pub fn log(&self) -> PathBuf {
        log(&self.state)
    }

    /// The version of the running program.
    pub fn version(&self) -> programs::Version {
        self.program.version
    }

    /// The server's process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.server.exit().map_or(self.server.pid(), |_gone| None)
    }

    /// Waits until the server exits by itself, or because it was killed, and answers with its exit code.
    pub async fn exited(&self) -> i32 {
        self.server.exited().await
    }

    /// Stops the server; its store is closed.
    pub async fn stop(&mut self) -> Result<()> {
        self.say.say("stopping nats-server");
        self.server.end(ORDERLY, Duration::from_secs(20)).await
    }

    /// Kills the server with SIGKILL, as a crash would. For tests.
    pub async fn kill(&mut self) -> Result<()> {
        self.server.end("KILL", Duration::from_secs(10)).await
    }

    /// Starts the server again, on the same port and store, after [`Nats::stop`], [`Nats::kill`] or a crash.
    pub async fn restart(&mut self) -> Result<()> {
        if self.server.exit().is_none() {
            self.stop().await?;
        }
        self.server = launch(&self.state, &self.program, self.port).await?;
        Ok(())
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.server.end_now(ORDERLY);
    }
}

fn folder(state: &StateFolder) -> PathBuf {
    state.path().join("nats")
}

fn config(state: &StateFolder) -> PathBuf {
    folder(state).join("nats.conf")
}

fn log(state: &StateFolder) -> PathBuf {
    state.path().join("nats.log")
}

/// Stops a server that a crashed run left: it was started with this folder's configuration.
async fn recover(state: &StateFolder, program: &NatsProgram, say: &Say) -> Result<()> {
    let config = config(state);
    let name = program.path.file_name().and_then(OsStr::to_str).unwrap_or(PROGRAM);
    if orphans::dismiss(PROGRAM, ORDERLY, || orphans::started_with(&config, name)).await? {
        say.say("stopped a nats-server that an earlier run left behind");
    }
    Ok(())
}

/// Starts the server and waits until it greets a client, which it does after its stores are open.
async fn launch(state: &StateFolder, program: &NatsProgram, port: u16) -> Result<Watched> {
    const PATIENCE: Duration = Duration::from_mins(1);
    let begun = Instant::now();
    let server = Watched::spawn(Spec {
        program: PROGRAM,
        command: vec![program.path.clone().into(), "-c".into(), config(state).into()],
        environment: Vec::new(),
        account: None,
        log: log(state),
        stop: ORDERLY,
        shared: None,
        remove: None,
    })?;
    let name = config::server_name(port);
    loop {
        if let Some(code) = server.exit() {
            return Err(Error::server(
                PROGRAM,
                format!("stopped at its start with exit code {code}"),
                &log(state),
            ));
        }
        if greeting(port).await.is_some_and(|greeting| greeting.contains(&name)) {
            return Ok(server);
        }
        if begun.elapsed() > PATIENCE {
            server.end_now("KILL");
            return Err(Error::server(
                PROGRAM,
                format!("was not ready after {} s", PATIENCE.as_secs()),
                &log(state),
            ));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The first bytes that whoever listens on the port says.
async fn greeting(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let mut start = [0; 512];
    let read = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut start))
        .await
        .ok()?
        .ok()?;
    Some(String::from_utf8_lossy(start.get(..read)?).into_owned())
}
