//! How a private PostgreSQL is set up.

use std::path::{Path, PathBuf};

use crate::Say;

/// The database.
pub const DATABASE: &str = "ryggrad";

/// Its owner, a superuser: migrations run as this role.
pub const OWNER: &str = "ryggrad";

/// The role of each service, in the order of the schemas.
pub const ROLES: [&str; 5] = [
    "ryggrad_registration",
    "ryggrad_views",
    "ryggrad_gateway",
    "ryggrad_ecosystem",
    "ryggrad_relay",
];

/// What a commit promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// A committed transaction survives a power cut.
    #[default]
    Full,
    /// As [`Durability::Full`], but a new data folder is not forced to the disk, which takes seconds on a busy one. For tests
    /// that kill the server.
    Server,
    /// Nothing survives. For tests that do not test this.
    None,
}

/// How a private PostgreSQL is set up; the default is what `ryggrad up` wants.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port; a free one, and the same again after a restart, when it is not given.
    pub port: Option<u16>,
    /// What a commit promises.
    pub durability: Durability,
    /// The login roles to make, with passwords from the state folder's secrets.
    pub roles: Vec<String>,
    /// Who is told what is being done.
    pub say: Say,
    /// More settings of `postgresql.conf`, which win.
    pub settings: Vec<(String, String)>,
    /// Makes a named pipe of this path, and lets the server live for as long as any process holds it open for writing, or
    /// any process lives whose id was written to it as `hold <pid>`. Then the server and the state folder go.
    pub shared: Option<PathBuf>,
}

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self {
            port: None,
            durability: Durability::Full,
            roles: ROLES.map(str::to_owned).to_vec(),
            say: Say::default(),
            settings: Vec::new(),
            shared: None,
        }
    }
}

impl Options {
    /// The settings of the server, as name and value.
    pub(super) fn settings(&self, port: u16, sockets: &Path) -> Vec<(String, String)> {
        let durable = match self.durability {
            Durability::Full | Durability::Server => "on",
            Durability::None => "off",
        };
        let fixed = [
            ("listen_addresses", "127.0.0.1".to_owned()),
            ("port", port.to_string()),
            ("unix_socket_directories", sockets.display().to_string()),
            ("max_connections", "200".to_owned()),
            ("shared_buffers", "128MB".to_owned()),
            ("fsync", durable.to_owned()),
            ("synchronous_commit", durable.to_owned()),
            ("full_page_writes", durable.to_owned()),
            ("wal_buffers", "16MB".to_owned()),
            ("min_wal_size", "256MB".to_owned()),
            ("max_wal_size", "2GB".to_owned()),
            ("checkpoint_timeout", "15min".to_owned()),
            ("random_page_cost", "1.1".to_owned()),
            // Compiling a query costs more than any of ours takes.
            ("jit", "off".to_owned()),
            ("timezone", "UTC".to_owned()),
            ("log_timezone", "UTC".to_owned()),
            ("log_line_prefix", "%m [%p] %q%u@%d ".to_owned()),
            ("log_destination", "stderr".to_owned()),
            ("logging_collector", "off".to_owned()),
        ];
        fixed
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .chain(self.settings.iter().cloned())
            .collect()
    }
}
