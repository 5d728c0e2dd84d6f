//! `ryggrad listen`: follows the feed and POSTs each event to a receiver under development, signed as webhooks are.
//!
//! A webhook needs an address that the internet can reach, and a handshake. This needs neither: what is sent is what a
//! webhook sends, from here.

mod delivery;
mod feed;
mod signature;

use anyhow::Context as _;
use serde_json::json;

use crate::exit::Exit;
use crate::print::{self, BAD, FAINT, GOOD, STRONG, styled};
use crate::running::Running;
use crate::stop::Signals;
use crate::tail::Begin;

use self::delivery::{Delivery, Receiver};
use self::feed::{Feed, Item};
use self::signature::Secret;

pub(crate) const EXAMPLES: &str = "\
Examples:
  ryggrad listen --forward-to http://127.0.0.1:9000/hook
  ryggrad listen --forward-to http://127.0.0.1:9000/hook --type OrganisationDeleted,DissolutionReported
  ryggrad listen --forward-to http://127.0.0.1:9000/hook --after beginning --limit 10 --json
  ryggrad trigger deleted                 in another terminal: something comes";

/// Forward events to a receiver.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the receiver is, for example http://127.0.0.1:9000/hook.
    #[arg(long, value_name = "URL", value_parser = address)]
    forward_to: reqwest::Url,

    /// Only events of this type: its name or CloudEvents type. May be given several times, as all of these.
    #[arg(long = "type", visible_alias = "types", value_name = "TYPE", value_delimiter = ',')]
    types: Vec<String>,

    /// Only events of this organisation: its UUID or organisation number.
    #[arg(long, value_name = "UUID|ORGNR", value_delimiter = ',')]
    organisation: Vec<String>,

    /// Only events of organisations in this municipality (four digits) or county (two digits).
    #[arg(long, value_name = "NUMBER", value_delimiter = ',')]
    kommune: Vec<String>,

    /// Where to start: after this position, at the `beginning`, or `now`.
    #[arg(long, default_value = "now", value_name = "POSITION")]
    after: Begin,

    /// Send each event whole, as application/cloudevents+json, instead of its attributes as headers (ce-id, ce-type, …).
    #[arg(long)]
    structured: bool,

    /// Secret to sign with, as whsec_ and base64; a new one is made and told when it is not given.
    #[arg(long, env = "RYGGRAD_WEBHOOK_SECRET", hide_env_values = true, value_name = "SECRET")]
    secret: Option<Secret>,

    /// How often an event is sent when the receiver does not take it, with growing pauses.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20))]
    attempts: u32,

    /// End after so many events.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,

    /// Print one JSON object for each attempt.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    running: Running,
}

/// Reads the address of a receiver.
fn address(text: &str) -> Result<reqwest::Url, String> {
    let url = reqwest::Url::parse(text).map_err(|error| error.to_string())?;
    if matches!(url.scheme(), "http" | "https") {
        Ok(url)
    } else {
        Err("an address begins with http:// or https://".to_owned())
    }
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    let mut signals = Signals::listen()?;
    let mut all_taken = true;
    let end = tokio::select! {
        end = forward(&args, &mut all_taken) => end,
        () = signals.received() => Ok(()),
    };
    end?;
    Ok(if all_taken { Exit::Done } else { Exit::Different })
}

/// Forwards until the limit, or until the receiver has gone for good.
async fn forward(args: &Args, all_taken: &mut bool) -> anyhow::Result<()> {
    let secret = match &args.secret {
        Some(secret) => secret.clone(),
        None => Secret::make().context("no secret could be made")?,
    };
    let receiver = Receiver::new(args.forward_to.clone(), args.structured, secret.clone())?;
    let mut feed = Feed::open(&args.running, &filter(args), args.after).await?;
    let (to, position) = (&args.forward_to, feed.position());
    print::note(format!(
        "{} to {to}, from position {} on, signed with {secret}",
        styled(STRONG, "forwarding"),
        position + 1
    ));
    let mut left = args.limit.unwrap_or(u64::MAX);
    while left > 0 {
        for item in feed.next().await? {
            let delivery = deliver(&receiver, &item, args).await?;
            *all_taken &= delivery.is_taken();
            if delivery.is_gone() {
                anyhow::bail!("the receiver answered 410: a webhook would be disabled now");
            }
            left -= 1;
            if left == 0 {
                break;
            }
        }
    }
    Ok(())
}

/// Sends an event until it is taken, or as often as was asked for; the last attempt.
async fn deliver(receiver: &Receiver, item: &Item, args: &Args) -> anyhow::Result<Delivery> {
    let mut attempt = 1;
    loop {
        let delivery = receiver.send(item).await?;
        tell(item, attempt, &delivery, args.json)?;
        if delivery.is_taken() || delivery.is_gone() || attempt == args.attempts {
            return Ok(delivery);
        }
        tokio::time::sleep(delivery::pause(attempt)).await;
        attempt += 1;
    }
}

/// One line for an attempt.
fn tell(item: &Item, attempt: u32, delivery: &Delivery, json: bool) -> anyhow::Result<()> {
    let milliseconds = delivery.took.as_millis();
    if json {
        return print::json(&json!({
            "position": item.position,
            "id": item.id,
            "type": item.kind,
            "orgnr": item.orgnr,
            "attempt": attempt,
            "status": delivery.status,
            "answer": delivery.said,
            "milliseconds": u64::try_from(milliseconds).unwrap_or(u64::MAX),
        }));
    }
    let name = item.kind.split('.').nth(3).unwrap_or(&item.kind);
    let status = delivery
        .status
        .map_or("no answer".to_owned(), |status| status.to_string());
    let style = if delivery.is_taken() { GOOD } else { BAD };
    print::line(format!(
        "{}  {name:<30}  {:<9}  → {} in {milliseconds} ms  {}",
        styled(FAINT, format!("{:>8}", item.position)),
        item.orgnr,
        styled(style, status),
        delivery.said.lines().next().unwrap_or_default(),
    ));
    Ok(())
}

/// Which events are wanted, as the feed reads it.
fn filter(args: &Args) -> Vec<(&'static str, String)> {
    [
        ("types", &args.types),
        ("organisations", &args.organisation),
        ("kommunenummer", &args.kommune),
    ]
    .into_iter()
    .filter(|(_, values)| !values.is_empty())
    .map(|(name, values)| (name, values.join(",")))
    .collect()
}
