//! `ryggrad verify`: proves that the log is whole, that the stream equals it and that the views are its folds.
//!
//! Each part looks at everything up to where the log ended when it began, and stops at the first difference. The stream and the
//! views are waited for as long as they come nearer; one that stands still before that is different.

mod log;
mod stream;
mod views;

use indicatif::{ProgressBar, ProgressStyle};
use ryggrad_eventlog::Log;
use serde::Serialize;

use crate::exit::Exit;
use crate::print;
use crate::running::{Running, Stores};
use crate::servers;

pub(crate) const EXAMPLES: &str = "\
Examples:
  ryggrad verify                       log, stream and views of the running backbone
  ryggrad verify --only log,stream
  ryggrad verify --json | jq .difference";

/// Prove that everything agrees.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only these parts.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "log,stream,views")]
    only: Vec<Part>,
    #[command(flatten)]
    running: Running,
    #[command(flatten)]
    stores: Stores,
    /// Print one JSON object a part.
    #[arg(long)]
    json: bool,
}

/// What can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
enum Part {
    /// The log is dense, contiguous per aggregate, and its bytes, its JSON and its receipts agree.
    Log,
    /// The stream has every event of the log at the same number, with the same id, envelope and bytes.
    Stream,
    /// Every view equals the fold of the log.
    Views,
}

/// What a part found.
#[derive(Debug, Serialize)]
struct Finding {
    part: Part,
    /// Events looked at.
    events: u64,
    /// What was found to be so.
    found: String,
    difference: Option<Difference>,
}

/// The first thing that is not as it must be.
#[derive(Debug, Serialize)]
struct Difference {
    /// Where in the log, when it is at one place.
    position: Option<u64>,
    /// What is not as it must be.
    what: String,
}

/// What a part answers: what it found to be so, or the first difference.
type Checked = Result<String, Difference>;

pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    let pool = args.running.postgres(&args.stores, "ryggrad_views", 4).await?;
    let log = Log::new(pool.clone());
    let head = log.head().await?.position;
    let mut exit = Exit::Done;
    for part in &args.only {
        let bar = bar(head)?;
        let checked = match part {
            Part::Log => log::check(&pool, head, &bar).await?,
            Part::Stream => stream::check(&log, &args.running.nats_url(&args.stores, "views")?, head, &bar).await?,
            Part::Views => {
                let url = args.running.postgres_url(&args.stores, "ryggrad_views")?;
                views::check(&servers::pool(&url, "views", 4).await?, head).await?
            }
        };
        bar.finish_and_clear();
        let (found, difference) = match checked {
            Ok(found) => (found, None),
            Err(difference) => (String::new(), Some(difference)),
        };
        if difference.is_some() {
            exit = Exit::Different;
        }
        tell(
            &Finding {
                part: *part,
                events: head,
                found,
                difference,
            },
            args.json,
        )?;
    }
    Ok(exit)
}

fn bar(head: u64) -> anyhow::Result<ProgressBar> {
    Ok(ProgressBar::new(head).with_style(ProgressStyle::with_template(
        "{wide_bar} {human_pos}/{human_len} {per_sec} {eta} left",
    )?))
}

fn tell(finding: &Finding, json: bool) -> anyhow::Result<()> {
    if json {
        return print::json(finding);
    }
    let name = format!("{:?}", finding.part).to_lowercase();
    match &finding.difference {
        None => print::line(format!(
            "{:<7} {} {}",
            name,
            print::styled(print::GOOD, "ok"),
            finding.found
        )),
        Some(difference) => {
            let place = difference
                .position
                .map(|position| format!("at {position}: "))
                .unwrap_or_default();
            print::line(format!(
                "{:<7} {} {place}{}",
                name,
                print::styled(print::BAD, "different"),
                difference.what
            ));
        }
    }
    Ok(())
}

// === impl Difference ===

impl Difference {
    fn at(position: u64, what: impl Into<String>) -> Self {
        Self {
            position: Some(position),
            what: what.into(),
        }
    }

    fn in_all(what: impl Into<String>) -> Self {
        Self {
            position: None,
            what: what.into(),
        }
    }
}
