//! `ryggrad serve`: one role, for production, on stores that are there.

use anyhow::Context as _;
use ryggrad_service::{ServiceArgs, listen, telemetry};

use crate::exit::Exit;
use crate::servers::{self, Addresses};
use crate::stack::{self, Plan, Register, Role, Stack, Webhooks};
use crate::stop;

pub(crate) const EXAMPLES: &str = "\
Examples:
  ryggrad serve migrate --database-url postgres://ryggrad@db/ryggrad     as the owner, before the roles
  ryggrad serve relay --database-url postgres://ryggrad_relay@db/ryggrad --nats-url nats://relay@nats:4222
  RYGGRAD_DATABASE_URL=… RYGGRAD_NATS_URL=… ryggrad serve registration --listen 127.0.0.1:8081
  ryggrad serve gateway --listen 0.0.0.0:8080 --issuer https://maskinporten.no/ --audience https://ryggrad.example --parties parties.csv …";

/// Run one role.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Take commands, and decide.
    Registration {
        #[command(flatten)]
        service: Box<ServiceArgs>,
        /// Let a made-up register authority answer what is submitted. Not where people found real associations.
        #[arg(long, env = "RYGGRAD_SIMULATED_REGISTER")]
        simulated_register: bool,
        #[command(flatten)]
        register: Register,
    },
    /// Fold views and answer from them.
    Views {
        #[command(flatten)]
        service: Box<ServiceArgs>,
    },
    /// Take subscriptions and mandates.
    Ecosystem {
        #[command(flatten)]
        service: Box<ServiceArgs>,
    },
    /// Hand the stream to agencies and apps.
    Gateway {
        #[command(flatten)]
        service: Box<ServiceArgs>,
        #[command(flatten)]
        webhooks: Box<Webhooks>,
    },
    /// Publish the log to the stream.
    Relay {
        #[command(flatten)]
        service: Box<ServiceArgs>,
    },
    /// Bring the log's schema up to date as the owner of the database, and end. The roles must exist.
    Migrate {
        /// PostgreSQL, as the owner: postgres://user:password@host:port/database.
        #[arg(long, env = "RYGGRAD_DATABASE_URL", hide_env_values = true, value_name = "URL")]
        database_url: String,
    },
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    match args.what {
        What::Registration {
            service,
            simulated_register,
            register,
        } => {
            let behaviour = Behaviour {
                register: simulated_register.then_some(register),
                ..Behaviour::default()
            };
            role(Role::Registration, *service, behaviour).await
        }
        What::Views { service } => role(Role::Views, *service, Behaviour::default()).await,
        What::Ecosystem { service } => role(Role::Ecosystem, *service, Behaviour::default()).await,
        What::Gateway { service, webhooks } => {
            let behaviour = Behaviour {
                webhooks: *webhooks,
                ..Behaviour::default()
            };
            role(Role::Gateway, *service, behaviour).await
        }
        What::Relay { service } => role(Role::Relay, *service, Behaviour::default()).await,
        What::Migrate { database_url } => {
            servers::migrate(&database_url).await?;
            Ok(Exit::Done)
        }
    }
}

/// How single roles behave.
#[derive(Debug, Default)]
struct Behaviour {
    register: Option<Register>,
    webhooks: Webhooks,
}

async fn role(role: Role, args: ServiceArgs, behaviour: Behaviour) -> anyhow::Result<Exit> {
    let telemetry = telemetry::start(&args.telemetry, role.name())?;
    let end = serve(role, args, behaviour).await;
    telemetry.shutdown().await;
    end
}

async fn serve(role: Role, args: ServiceArgs, behaviour: Behaviour) -> anyhow::Result<Exit> {
    let mut stop = stop::Signals::listen()?;
    let authentication = args.auth.settings()?;
    let listener = if authentication.is_some() {
        listen::bind_anywhere(args.listen).await
    } else {
        listen::bind(args.listen).await
    };
    let listener = listener.context("choose another address with --listen")?;
    let database = args
        .database_url
        .as_deref()
        .context("no database: set --database-url or RYGGRAD_DATABASE_URL")?;
    let nats = args
        .nats_url
        .as_deref()
        .context("no NATS: set --nats-url or RYGGRAD_NATS_URL")?;
    let simulated = match args.clock {
        ryggrad_service::Clock::System => None,
        ryggrad_service::Clock::Simulated => Some(stack::now()),
    };
    let plan = Plan {
        roles: vec![role],
        simulated,
        register: behaviour.register,
        webhooks: behaviour.webhooks,
        connections: args.database_connections,
        replicas: args.nats_replicas,
        monitor: args.nats_monitor.clone(),
        credentials: args.nats_credentials.clone(),
        bounds: args.bounds(),
        drain: args.drain(),
        authentication,
        ..Plan::new(Addresses::of(role.name(), database, nats))
    };
    let mut running = Stack::start(&plan, listener).await?;
    let end = tokio::select! {
        () = stop.received() => Ok(Exit::Done),
        error = running.broken() => Err(error),
    };
    stop.or_at_once(running.stop()).await;
    end
}
