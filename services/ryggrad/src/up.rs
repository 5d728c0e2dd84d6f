//! `ryggrad up`: everything on this machine, in one process, from nothing.

mod greeting;
mod sample;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use jiff::Timestamp;
use ryggrad_local::{Say, StateFolder};
use ryggrad_service::auth::Settings;
use ryggrad_service::{AuthArgs, LogFormat, TelemetryArgs, listen, telemetry};

use crate::exit::Exit;
use crate::issuer;
use crate::print;
use crate::running::Stores;
use crate::servers::Servers;
use crate::stack::{self, Plan, Register, Stack, Webhooks};
use crate::stop;

pub(crate) const EXAMPLES: &str = "\
Examples:
  ryggrad up                                  http://127.0.0.1:8080, everything in .ryggrad/
  ryggrad up --clock simulated                with a clock that `ryggrad clock advance 6w` moves
  ryggrad up --state /tmp/two                 a second one beside the first, on a free port
  ryggrad up --postgres-url postgres://postgres@127.0.0.1/ryggrad    on a server that is there";

/// Start everything.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder for everything that is kept; made if it is not there.
    #[arg(long, env = "RYGGRAD_STATE", default_value = ".ryggrad", value_name = "DIR")]
    state: PathBuf,
    /// Address of gRPC and REST; loopback only without --issuer. Port 0 takes a free one. 127.0.0.1:8080 when not given, or a free port while
    /// somebody else has that one.
    #[arg(long, env = "RYGGRAD_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where business time comes from.
    #[arg(long, env = "RYGGRAD_CLOCK", value_enum, default_value_t = ryggrad_service::Clock::System)]
    clock: ryggrad_service::Clock,
    /// What a simulated clock shows at its first start; now when it is not given.
    #[arg(long, value_name = "INSTANT")]
    clock_start: Option<Timestamp>,
    /// Do not import the sample population at the first start.
    #[arg(long)]
    no_sample: bool,
    /// No simulated register authority: nobody answers what is submitted.
    #[arg(long, env = "RYGGRAD_NO_REGISTER")]
    no_register: bool,
    #[command(flatten)]
    register: Register,
    #[command(flatten)]
    webhooks: Webhooks,
    #[command(flatten)]
    stores: Stores,
    #[command(flatten)]
    auth: AuthArgs,
    /// What to log: error, warn, info, debug or trace, also per module (warn,ryggrad_eventlog=debug).
    #[arg(long, env = "RYGGRAD_LOG", default_value = "warn")]
    log: String,
    /// How to log.
    #[arg(long, env = "RYGGRAD_LOG_FORMAT", value_enum, default_value_t = LogFormat::Auto)]
    log_format: LogFormat,
    /// OTLP endpoint (gRPC) for traces, for example http://127.0.0.1:4317.
    #[arg(long, env = "RYGGRAD_OTLP_ENDPOINT")]
    otlp_endpoint: Option<String>,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    let telemetry = TelemetryArgs {
        log: args.log.clone(),
        log_format: args.log_format,
        otlp_endpoint: args.otlp_endpoint.clone(),
    };
    let telemetry = telemetry::start(&telemetry, "all")?;
    let end = everything(args).await;
    telemetry.shutdown().await;
    end
}

async fn everything(args: Args) -> anyhow::Result<Exit> {
    let mut stop = stop::Signals::listen()?;
    // First what can be wrong with the arguments, before anything is started.
    let authentication = args.auth.settings()?;
    let listener = bind(args.listen, authentication.is_some()).await?;
    let state = StateFolder::open(&args.state)?;
    let say = Say::new(|sentence| print::note(print::styled(print::FAINT, sentence)));
    let mut servers = tokio::select! {
        servers = Servers::start(&state, &args.stores, &say) => servers?,
        () = stop.received() => return Ok(Exit::Done),
    };
    let (authentication, issuer) = if let Some(others) = authentication {
        (others, None)
    } else {
        let issuer = issuer::serve(&state, &format!("http://{}", listener.local_addr()?))?;
        let mut settings = Settings::development(issuer.name());
        settings.parties = args.auth.parties()?.unwrap_or(settings.parties);
        (settings, Some(issuer))
    };
    let plan = Plan {
        authentication: Some(authentication),
        issuer,
        ..Plan::new(servers.addresses.clone())
    };
    let end = roles(&args, &state, &mut servers, plan, listener, &mut stop).await;
    greeting::forget(&state);
    let stopped = stop.or_at_once(servers.stop()).await;
    // Why it ended comes before what went wrong after that.
    let end = end?;
    stopped?;
    Ok(end)
}

/// Where gRPC and REST are: at the address given, else at the usual one, or on a free port while that one is taken.
/// Beyond loopback only where an issuer of tokens is configured.
async fn bind(given: Option<SocketAddr>, anywhere: bool) -> anyhow::Result<tokio::net::TcpListener> {
    let usual: SocketAddr = ([127, 0, 0, 1], 8080).into();
    let address = given.unwrap_or(usual);
    let bound = if anywhere {
        listen::bind_anywhere(address).await
    } else {
        listen::bind(address).await
    };
    let bound = match (bound, given) {
        (Err(listen::Error::Bind { source, .. }), None) if source.kind() == std::io::ErrorKind::AddrInUse => {
            let free = listen::bind(([127, 0, 0, 1], 0).into()).await?;
            let port = free.local_addr()?.port();
            let told = format!(
                "port {} is taken by somebody else; taking {port} (choose one with --listen)",
                usual.port()
            );
            print::note(print::styled(print::FAINT, told));
            return Ok(free);
        }
        (bound, _) => bound,
    };
    bound.context("choose another address with --listen")
}

/// How webhooks behave: with a key that is made at the first start, when none is given.
fn webhooks(args: &Args, state: &StateFolder) -> anyhow::Result<Webhooks> {
    let mut webhooks = args.webhooks.clone();
    if webhooks.webhook_key.is_none() {
        webhooks.webhook_key = Some(state.secret("webhooks")?);
    }
    Ok(webhooks)
}

/// Runs the roles on servers that are there, until somebody stops it.
async fn roles(
    args: &Args,
    state: &StateFolder,
    servers: &mut Servers,
    plan: Plan,
    listener: tokio::net::TcpListener,
    stop: &mut stop::Signals,
) -> anyhow::Result<Exit> {
    let simulated = match args.clock {
        ryggrad_service::Clock::System => None,
        ryggrad_service::Clock::Simulated => Some(args.clock_start.unwrap_or_else(stack::now)),
    };
    let plan = Plan {
        simulated,
        register: (!args.no_register).then(|| args.register.clone()),
        webhooks: webhooks(args, state)?,
        ..plan
    };
    let mut running = Stack::start(&plan, listener).await?;
    let endpoints = greeting::endpoints(&running.http(), &servers.addresses, plan.issuer.as_ref());
    endpoints.write(state)?;
    let clock = running.clock().clone();
    if !args.no_sample {
        tokio::select! {
            imported = sample::import_once(servers.addresses.postgres("ryggrad_registration"), &clock, state) => {
                if let Err(error) = imported {
                    stop.or_at_once(running.stop()).await;
                    return Err(error);
                }
            }
            () = stop.received() => {
                stop.or_at_once(running.stop()).await;
                return Ok(Exit::Done);
            }
        }
    }
    greeting::print(&endpoints, args, state);
    let end = loop {
        tokio::select! {
            () = stop.received() => break Ok(Exit::Done),
            error = running.broken() => break Err(error),
            restarted = servers.guard() => if let Err(error) = restarted {
                break Err(error);
            },
        }
    };
    print::note(print::styled(print::FAINT, "stopping"));
    stop.or_at_once(running.stop()).await;
    end
}
