//! Every setting that the roles share: flags first, then the environment (`RYGGRAD_*`).

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use ryggrad_access::Parties;

use crate::auth::Settings;
use crate::server::Bounds;

/// Where a role listens and what it connects to.
#[derive(Debug, Clone, Args)]
pub struct ServiceArgs {
    /// Address for gRPC and REST. Without an issuer of tokens only loopback addresses are allowed.
    #[arg(long, env = "RYGGRAD_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// PostgreSQL, as this role: postgres://user:password@host:port/database.
    #[arg(long, env = "RYGGRAD_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// Most connections to PostgreSQL at once.
    #[arg(long, env = "RYGGRAD_DATABASE_CONNECTIONS", default_value_t = 16)]
    pub database_connections: u32,

    /// NATS servers, separated by commas: nats://user:password@host:port. User and password are the same for all; it is
    /// enough that the first has them.
    #[arg(long, env = "RYGGRAD_NATS_URL", hide_env_values = true)]
    pub nats_url: Option<String>,

    /// NATS credentials file (.creds), when the address does not carry them.
    #[arg(long, env = "RYGGRAD_NATS_CREDENTIALS")]
    pub nats_credentials: Option<PathBuf>,

    /// Copies of the stream in the cluster.
    #[arg(long, env = "RYGGRAD_NATS_REPLICAS", default_value_t = 1)]
    pub nats_replicas: usize,

    /// NATS's monitoring port (host:port), where the relay asks at its start whether every message is written through to disk.
    #[arg(long, env = "RYGGRAD_NATS_MONITOR")]
    pub nats_monitor: Option<String>,

    /// Most connections of clients at once.
    #[arg(long, env = "RYGGRAD_CONNECTIONS", default_value_t = 4_096, value_parser = at_least_one)]
    pub connections: usize,

    /// Most connections from one address (of IPv6, from one /64). Behind a proxy all clients have the proxy's.
    #[arg(long, env = "RYGGRAD_CONNECTIONS_PER_PEER", default_value_t = 512, value_parser = at_least_one)]
    pub connections_per_peer: usize,

    /// Where business time comes from.
    #[arg(long, env = "RYGGRAD_CLOCK", value_enum, default_value_t = Clock::System)]
    pub clock: Clock,

    /// Seconds that open requests get to finish when the role stops.
    #[arg(long, env = "RYGGRAD_DRAIN_SECONDS", default_value_t = 10)]
    pub drain_seconds: u64,

    /// Whose tokens are accepted.
    #[command(flatten)]
    pub auth: AuthArgs,

    /// What is said about the role's own work.
    #[command(flatten)]
    pub telemetry: TelemetryArgs,
}

/// Whose tokens are accepted. Without an issuer nobody's: everybody is anybody, and sees open data.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Tokens")]
pub struct AuthArgs {
    /// Issuer of tokens, exactly as it stands in their iss: <https://maskinporten.no/>.
    #[arg(long, env = "RYGGRAD_ISSUER", value_name = "URL")]
    pub issuer: Option<String>,

    /// Where the issuer's keys are, instead of where its metadata say.
    #[arg(long, env = "RYGGRAD_JWKS_URL", value_name = "URL", requires = "issuer")]
    pub jwks_url: Option<String>,

    /// For whom tokens have to be (aud): one or several names of this backbone, separated by commas.
    #[arg(
        long,
        env = "RYGGRAD_AUDIENCE",
        value_name = "NAME",
        value_delimiter = ',',
        requires = "issuer"
    )]
    pub audience: Vec<String>,

    /// Also accept tokens that are for nobody in particular: without aud, or with aud "unspecified".
    #[arg(long, env = "RYGGRAD_AUDIENCE_OPTIONAL", requires = "issuer")]
    pub audience_optional: bool,

    /// Where delegations to suppliers may be kept (delegation_source), separated by commas. Without it suppliers are refused.
    #[arg(
        long,
        env = "RYGGRAD_DELEGATION_SOURCES",
        value_name = "URL",
        value_delimiter = ',',
        requires = "issuer"
    )]
    pub delegation_source: Vec<String>,

    /// Who is which stakeholder: a file of orgnr,stakeholder,kommunenummer,name.
    #[arg(long, env = "RYGGRAD_PARTIES", value_name = "FILE")]
    pub parties: Option<PathBuf>,
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

    /// How much clients may ask of the role.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            connections: self.connections,
            per_peer: self.connections_per_peer,
            ..Bounds::default()
        }
    }
}

/// A number that is not 0.
fn at_least_one(text: &str) -> Result<usize, String> {
    let number: NonZeroUsize = text.parse().map_err(|error| format!("{error}"))?;
    Ok(number.get())
}

// === impl AuthArgs ===

impl AuthArgs {
    /// Which tokens are accepted; none without an issuer.
    ///
    /// # Errors
    /// When the list of parties cannot be read.
    pub fn settings(&self) -> anyhow::Result<Option<Settings>> {
        let Some(issuer) = &self.issuer else {
            return Ok(None);
        };
        Ok(Some(Settings {
            jwks_url: self.jwks_url.clone(),
            audiences: self.audience.clone(),
            audience_optional: self.audience_optional,
            delegation_sources: self.delegation_source.clone(),
            parties: self.parties()?.unwrap_or_default(),
            ..Settings::new(issuer)
        }))
    }

    /// Who is which stakeholder, when a file says it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn parties(&self) -> anyhow::Result<Option<Parties>> {
        let Some(file) = &self.parties else {
            return Ok(None);
        };
        let read = || anyhow::Ok(Parties::parse(&std::fs::read_to_string(file)?)?);
        read()
            .with_context(|| format!("cannot read the list of parties {}", file.display()))
            .map(Some)
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
