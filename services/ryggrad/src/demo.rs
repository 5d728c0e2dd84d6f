//! `ryggrad demo`: a club from the first idea to Frivillighetsregisteret, in seconds, through the public API.
//!
//! Every command goes over gRPC, every fact is printed when it reaches a subscriber, and the simulated clock makes months pass.

mod narrator;
mod people;
mod story;

use anyhow::{Context as _, bail};
use ryggrad_client::{Bearer, Connection};
use ryggrad_local::{Say, StateFolder};
use ryggrad_proto::admin::v1::GetClockRequest;
use ryggrad_proto::admin::v1::admin_client::AdminClient;
use ryggrad_service::auth::Settings;
use ryggrad_service::listen;
use tonic::transport::Channel;

use crate::exit::{Exit, NotRunning};
use crate::issuer;
use crate::print;
use crate::running::{Running, Stores};
use crate::servers::Servers;
use crate::stack::{self, Plan, Register, Stack};
use crate::status::spoken;
use crate::stop::{Signals, removed};

pub use self::narrator::Voice;
use self::story::Story;

pub(crate) const EXAMPLES: &str = "\
Examples:
  ryggrad demo                     on the running backbone, where `tail` shows it too, if it was started with
                                   `up --clock simulated`; else on a private one
  ryggrad demo --private           always on a private one, gone afterwards
  ryggrad demo --json              the facts as they reach a subscriber, one JSON object a line";

/// Show a club on its way.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    running: Running,
    /// Start a private backbone for the demonstration even when one is running.
    #[arg(long)]
    private: bool,
    /// Print the facts only, one JSON object a line.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    let voice = if args.json { Voice::Json } else { Voice::People };
    if args.private {
        note("starting a private backbone with a simulated clock");
        return privately(voice).await;
    }
    match simulated(&args.running).await {
        Ok(Some(channel)) => {
            let organisation = story(channel, |party| args.running.bearer(party), voice).await?;
            if voice == Voice::People {
                let url = args.running.http()?;
                print::line(print::styled(
                    print::FAINT,
                    format!("Its timeline: {url}/v1/timeline/{organisation}"),
                ));
            }
            Ok(Exit::Done)
        }
        Ok(None) if args.running.url.is_some() => bail!(
            "the backbone there has the system's clock, and the story takes months: use `up --clock simulated`, or --private"
        ),
        Ok(None) => {
            note(format!(
                "the backbone at {} has the system's clock, and the story takes months: it is told on a private one, and \
                 `ryggrad tail` does not see it (it does beside `ryggrad up --clock simulated`)",
                args.running.http()?
            ));
            privately(voice).await
        }
        Err(error) if error.is::<NotRunning>() && args.running.url.is_none() => {
            note("no backbone is running: starting a private one with a simulated clock");
            privately(voice).await
        }
        Err(error) => Err(error),
    }
}

/// Says what is being done.
fn note(text: impl std::fmt::Display) {
    print::note(print::styled(print::FAINT, text));
}

/// Tells the story on a backbone of its own, of which nothing is left afterwards, also when it is interrupted.
async fn privately(voice: Voice) -> anyhow::Result<Exit> {
    let mut signals = Signals::listen()?;
    let state = StateFolder::temporary()?;
    let end = tokio::select! {
        end = on_servers(&state, voice) => end,
        () = signals.received() => Err(anyhow::anyhow!("interrupted")),
    };
    let folder = state.path().to_path_buf();
    drop(state);
    removed(&folder).await;
    end
}

async fn on_servers(state: &StateFolder, voice: Voice) -> anyhow::Result<Exit> {
    let mut servers = Servers::start(state, &Stores::default(), &Say::new(|sentence| note(sentence))).await?;
    let end = on_roles(state, &servers, voice).await;
    let stopped = servers.stop().await;
    let end = end?;
    stopped?;
    Ok(end)
}

async fn on_roles(state: &StateFolder, servers: &Servers, voice: Voice) -> anyhow::Result<Exit> {
    let listener = listen::bind(([127, 0, 0, 1], 0).into()).await?;
    let issuer = issuer::serve(state, &format!("http://{}", listener.local_addr()?))?;
    let plan = Plan {
        authentication: Some(Settings::development(issuer.name())),
        issuer: Some(issuer.clone()),
        simulated: Some(stack::now()),
        register: Some(Register::friendly()),
        ..Plan::new(servers.addresses.clone())
    };
    let stack = Stack::start(&plan, listener).await?;
    let running = Running {
        url: Some(stack.http()),
        state: state.path().to_path_buf(),
        token: None,
    };
    let end = match running.channel().await {
        Ok(channel) => story(channel, |party| issuer::bearer(issuer.clone(), party), voice).await,
        Err(error) => Err(error),
    };
    stack.stop().await;
    end.map(|_organisation| Exit::Done)
}

/// The running backbone, when its clock can be moved.
///
/// # Errors
/// [`NotRunning`] when there is none.
pub(crate) async fn simulated(running: &Running) -> anyhow::Result<Option<Channel>> {
    let channel = running.channel().await?;
    let clock = AdminClient::new(channel.clone())
        .get_clock(GetClockRequest {})
        .await
        .map_err(spoken)
        .context("cannot read the clock")?;
    Ok(clock.into_inner().simulated.then_some(channel))
}

/// Tells the story through a connection to a backbone with a simulated clock, and answers with the organisation's id. The
/// tokens are asked for by the names of parties: `platform`, whose app the founders use, and `orch`, who moves the clock.
///
/// # Errors
/// When a command is refused that should not be, or the other way round, a fact does not arrive, or the register authority
/// refuses the club.
pub async fn story(
    channel: Channel,
    tokens: impl Fn(&str) -> anyhow::Result<Bearer>,
    voice: Voice,
) -> anyhow::Result<String> {
    let app = Connection::new(channel.clone(), tokens("platform")?);
    let operator = Connection::new(channel, tokens("orch")?);
    Story::begin(app, operator, voice).await?.tell().await
}

/// Lets three neighbours found an association, today, and answers with the organisation's id. Any clock will do. The tokens
/// are as for [`story`].
///
/// # Errors
/// When a command is refused, or a fact does not arrive.
pub async fn founding(
    channel: Channel,
    tokens: impl Fn(&str) -> anyhow::Result<Bearer>,
    voice: Voice,
) -> anyhow::Result<String> {
    let app = Connection::new(channel.clone(), tokens("platform")?);
    let operator = Connection::new(channel, tokens("orch")?);
    Story::begin(app, operator, voice).await?.found_today().await
}
