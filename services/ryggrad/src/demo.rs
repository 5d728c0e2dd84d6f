//! `ryggrad demo`: a club from the first idea to Frivillighetsregisteret, in seconds, through the public API.
//!
//! Every command goes over gRPC, every fact is printed when it reaches a subscriber, and the simulated clock makes months pass.

mod narrator;
mod people;
mod story;

use anyhow::{Context as _, bail};
use ryggrad_local::{Say, StateFolder};
use ryggrad_proto::admin::v1::GetClockRequest;
use ryggrad_proto::admin::v1::admin_client::AdminClient;
use ryggrad_service::listen;
use tonic::transport::Channel;

use crate::exit::Exit;
use crate::print;
use crate::running::{Running, Stores};
use crate::servers::Servers;
use crate::stack::{self, Plan, Stack};
use crate::status::spoken;

pub use self::narrator::Voice;
use self::story::Story;

pub(crate) const EXAMPLES: &str = "\
Examples:
  ryggrad demo                     on the running backbone (up --clock simulated), else on a private one
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
    if !args.private
        && let Some(channel) = simulated(&args.running).await?
    {
        let organisation = story(channel, voice).await?;
        if voice == Voice::People {
            let url = args.running.http()?;
            print::line(print::styled(
                print::FAINT,
                format!("Its timeline: {url}/v1/timeline/{organisation}"),
            ));
        }
        return Ok(Exit::Done);
    }
    if args.running.url.is_some() && !args.private {
        bail!(
            "the backbone there has the system's clock, and the story takes months: use `up --clock simulated`, or --private"
        );
    }
    print::note(print::styled(
        print::FAINT,
        "starting a private backbone with a simulated clock",
    ));
    let state = StateFolder::temporary()?;
    let quiet = Say::new(|sentence| tracing::debug!(sentence));
    let mut servers = Servers::start(&state, &Stores::default(), &quiet).await?;
    let listener = listen::bind(([127, 0, 0, 1], 0).into()).await?;
    let plan = Plan {
        simulated: Some(stack::now()),
        ..Plan::new(servers.addresses.clone())
    };
    let stack = Stack::start(&plan, listener).await?;
    let channel = Running {
        url: Some(stack.http()),
        state: state.path().to_path_buf(),
    }
    .connect()
    .await?;
    let end = story(channel, voice).await;
    stack.stop().await;
    servers.stop().await?;
    end.map(|_organisation| Exit::Done)
}

/// The running backbone, when there is one and its clock can be moved.
async fn simulated(running: &Running) -> anyhow::Result<Option<Channel>> {
    let Ok(channel) = running.connect().await else {
        return Ok(None);
    };
    let clock = AdminClient::new(channel.clone())
        .get_clock(GetClockRequest {})
        .await
        .map_err(spoken)
        .context("cannot read the clock")?;
    Ok(clock.into_inner().simulated.then_some(channel))
}

/// Tells the story through a connection to a backbone with a simulated clock, and answers with the organisation's id.
///
/// # Errors
/// When a command is refused that should not be, or the other way round, or a fact does not arrive.
pub async fn story(channel: Channel, voice: Voice) -> anyhow::Result<String> {
    Story::begin(channel, voice).await?.tell().await
}
