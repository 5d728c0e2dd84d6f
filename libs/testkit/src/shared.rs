//! The one PostgreSQL of a whole test run, shared by processes that know nothing of each other.
//!
//! `target/ryggrad-testkit/server.json` tells where it is. Whoever needs it takes the lock beside it and holds on to the
//! server through its named pipe; if nobody is there to read the pipe, the server is gone, and a new one is started. The
//! server's watchdog (of `ryggrad-local`) reads the other end: while any process holds the pipe, or the `cargo` that runs
//! the test binaries one after another lives, the server stays. Then it stops, at once and by itself, and its folder goes.
//! No process has to be the last one, and none can leave it running by dying.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use ryggrad_local::postgres::{DATABASE, Durability, OWNER, Options, ROLES};
use ryggrad_local::{Postgres, StateFolder};
use serde::{Deserialize, Serialize};
use sqlx::{Connection, PgConnection};
use tokio::sync::OnceCell;

/// `O_NONBLOCK`: opening a pipe that nobody reads fails instead of waiting for somebody.
const NONBLOCK: i32 = 0o4000;

/// The shared PostgreSQL, as this process holds it.
#[derive(Debug)]
pub struct PgServer {
    address: Address,
    /// While it is open, the server stays.
    _held: File,
}

/// What `server.json` tells.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Address {
    port: u16,
    pipe: PathBuf,
    /// Name and password of each role.
    passwords: Vec<(String, String)>,
}

/// The shared PostgreSQL, started if need be. Nothing on it is durable; see [`crate::private_postgres()`].
///
/// # Panics
/// When it cannot be found, fetched or started.
pub async fn postgres() -> &'static PgServer {
    static SERVER: OnceCell<PgServer> = OnceCell::const_new();
    SERVER
        .get_or_init(|| async {
            attach()
                .await
                .unwrap_or_else(|error| panic!("the test kit's PostgreSQL: {error:#}"))
        })
        .await
}

// === impl PgServer ===

impl PgServer {
    /// The URL of a database as a role: the owner `ryggrad`, or one of the services' roles.
    ///
    /// # Panics
    /// When there is no such role.
    pub fn url_of(&self, role: &str, database: &str) -> String {
        let password = self.address.passwords.iter().find(|(name, _)| name == role);
        let (_, password) = password.unwrap_or_else(|| panic!("no role {role}"));
        format!(
            "postgres://{role}:{password}@127.0.0.1:{}/{database}",
            self.address.port
        )
    }

    /// The URL of the database `ryggrad`, which holds nothing, as the owner: for making databases.
    pub fn admin_url(&self) -> String {
        self.url_of(OWNER, DATABASE)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port
    }
}

async fn attach() -> anyhow::Result<PgServer> {
    let folder = folder()?;
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let lock = File::create(folder.join("lock"))?;
    let _locked = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await??;
    let note = folder.join("server.json");
    if let Some(server) = join(&note).await {
        return Ok(server);
    }
    start(&note).await
}

/// Holds on to the server that `note` tells of; nothing when it is gone.
async fn join(note: &Path) -> Option<PgServer> {
    let address: Address = serde_json::from_slice(&std::fs::read(note).ok()?).ok()?;
    let server = hold(address).ok()?;
    PgConnection::connect(&server.admin_url())
        .await
        .ok()?
        .close()
        .await
        .ok()?;
    Some(server)
}

fn hold(address: Address) -> anyhow::Result<PgServer> {
    let mut held = OpenOptions::new()
        .write(true)
        .custom_flags(NONBLOCK)
        .open(&address.pipe)?;
    if let Some(cargo) = runner() {
        writeln!(held, "hold {cargo}")?;
    }
    Ok(PgServer { address, _held: held })
}

async fn start(note: &Path) -> anyhow::Result<PgServer> {
    let root = tempfile::Builder::new().prefix("ryggrad-tests-").tempdir()?;
    let state = StateFolder::open(root.path())?;
    let pipe = root.path().join("holders");
    let options = Options {
        durability: Durability::None,
        shared: Some(pipe.clone()),
        // Many small databases are made by copying: through the log that is faster than with a checkpoint for each.
        settings: vec![
            ("max_wal_senders".into(), "0".into()),
            ("wal_level".into(), "minimal".into()),
        ],
        ..Options::default()
    };
    let postgres = Postgres::start(&state, options).await?;
    let mut passwords = Vec::new();
    for role in ROLES.into_iter().chain([OWNER]) {
        passwords.push((role.to_owned(), state.secret(&format!("postgres-{role}"))?));
    }
    // They are told in the note; the watchdog may not be root, and could not remove what root's folder holds.
    std::fs::remove_dir_all(root.path().join("secrets"))?;
    let address = Address {
        port: postgres.port(),
        pipe,
        passwords,
    };
    let server = hold(address.clone())?;
    let new = note.with_extension("new");
    std::fs::write(&new, serde_json::to_vec(&address)?)?;
    std::fs::rename(&new, note)?;
    // From here on the watchdog alone decides when the server and its folder go.
    drop(postgres);
    let _folder = root.keep();
    Ok(server)
}

/// The test kit's folder in the target folder that this program was built in.
fn folder() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    Ok(target
        .map_or_else(std::env::temp_dir, Path::to_path_buf)
        .join("ryggrad-testkit"))
}

/// The process that runs the test binaries, if that is what started this one: `cargo test` or `cargo nextest`.
fn runner() -> Option<u32> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let parent = status
        .lines()
        .find_map(|line| line.strip_prefix("PPid:"))?
        .trim()
        .parse()
        .ok()?;
    let name = std::fs::read_to_string(format!("/proc/{parent}/comm")).ok()?;
    name.starts_with("cargo").then_some(parent)
}
