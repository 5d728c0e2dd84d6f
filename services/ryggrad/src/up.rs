//! `ryggrad up`: everything on this machine, in one process, from nothing.

mod greeting;
mod sample;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use jiff::Timestamp;
use ryggrad_local::{Say, StateFolder};
use ryggrad_service::{LogFormat, TelemetryArgs, listen, telemetry};

use crate::exit::Exit;
use crate::print;
use crate::running::Stores;
use crate::servers::Servers;
use crate::stack::{self, Plan, Register, Stack};
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
    /// Address of gRPC and REST; loopback only. Port 0 takes a free one. 127.0.0.1:8080 when not given, or a free port while
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
    stores: Stores,
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
    let listener = bind(args.listen).await?;
    let state = StateFolder::open(&args.state)?;
    let say = Say::new(|sentence| print::note(print::styled(print::FAINT, sentence)));
    let mut servers = tokio::select! {
        servers = Servers::start(&state, &args.stores, &say) => servers?,
        () = stop.received() => return Ok(Exit::Done),
    };
    let end = roles(&args, &state, &mut servers, listener, &mut stop).await;
    greeting::forget(&state);
    let stopped = servers.stop().await;
    // Why it ended comes before what went wrong after that.
    let end = end?;
    stopped?;
    Ok(end)
}

/// Where gRPC and REST are: at the address given, else at the usual one, or on a free port while that one is taken.
async fn bind(given: Option<SocketAddr>) -> anyhow::Result<tokio::net::TcpListener> {
    let usual: SocketAddr = ([127, 0, 0, 1], 8080).into();
    let bound = match (listen::bind(given.unwrap_or(usual)).await, given) {
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

/// Runs the roles on servers that are there, until somebody stops it.
async fn roles(
    args: &Args,
    state: &StateFolder,
    servers: &mut Servers,
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
        ..Plan::new(servers.addresses.clone())
    };
    let mut running = Stack::start(&plan, listener).await?;
    let endpoints = greeting::endpoints(&running.http(), &servers.addresses);
    endpoints.write(state)?;
    let clock = running.clock().clone();
    if !args.no_sample {
        tokio::select! {
            imported = sample::import_once(servers.addresses.postgres("ryggrad_registration"), &clock, state) => {
                if let Err(error) = imported {
                    running.stop().await;
                    return Err(error);
                }
            }
            () = stop.received() => {
                running.stop().await;
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
    running.stop().await;
    end
}
