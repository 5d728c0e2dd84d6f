//! Every setting that the roles share: flags first, then the environment (`RYGGRAD_*`).

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

/// Where a role listens and what it connects to.
#[derive(Debug, Clone, Args)]
pub struct ServiceArgs {
    /// Address for gRPC and REST. Only loopback addresses are allowed until there is authentication.
    #[arg(long, env = "RYGGRAD_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// PostgreSQL, as this role: postgres://user:password@host:port/database.
    #[arg(long, env = "RYGGRAD_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// Most connections to PostgreSQL at once.
    #[arg(long, env = "RYGGRAD_DATABASE_CONNECTIONS", default_value_t = 16)]
    pub database_connections: u32,

    /// NATS servers, separated by commas: nats://user:password@host:port.
    #[arg(long, env = "RYGGRAD_NATS_URL", hide_env_values = true)]
    pub nats_url: Option<String>,

    /// NATS credentials file (.creds), when the address does not carry them.
    #[arg(long, env = "RYGGRAD_NATS_CREDENTIALS")]
    pub nats_credentials: Option<PathBuf>,

    /// Copies of the stream in the cluster.
    #[arg(long, env = "RYGGRAD_NATS_REPLICAS", default_value_t = 1)]
    pub nats_replicas: usize,

    /// Where business time comes from.
    #[arg(long, env = "RYGGRAD_CLOCK", value_enum, default_value_t = Clock::System)]
    pub clock: Clock,

    /// Seconds that open requests get to finish when the role stops.
    #[arg(long, env = "RYGGRAD_DRAIN_SECONDS", default_value_t = 10)]
    pub drain_seconds: u64,

    /// What is said about the role's own work.
    #[command(flatten)]
    pub telemetry: TelemetryArgs,
}

/// Logs and traces.
#[derive(Debug, Clone, Args)]
pub struct TelemetryArgs {
    /// What to log: error, warn, info, debug or trace, also per module (info,ryggrad_eventlog=debug).
    #[arg(long, env = "RYGGRAD_LOG", default_value = "info")]
    pub log: String,

    /// How to log.
    #[arg(long, env = "RYGGRAD_LOG_FORMAT", value_enum, default_value_t = LogFormat::Auto)]
    pub log_format: LogFormat,

    /// OTLP endpoint (gRPC) for traces, for example http://127.0.0.1:4317. Without it no traces are sent.
    #[arg(long, env = "RYGGRAD_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
}

/// Where business time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock in the database that an operator moves forward.
    Simulated,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// Pretty in a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

// === impl ServiceArgs ===

impl ServiceArgs {
    /// Time that open requests get to finish when the role stops.
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }
}

// === impl TelemetryArgs ===

impl Default for TelemetryArgs {
    fn default() -> Self {
        Self {
            log: "info".to_owned(),
            log_format: LogFormat::Auto,
            otlp_endpoint: None,
        }
    }
}
