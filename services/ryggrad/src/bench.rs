//! `ryggrad bench`: how fast the spine is here, side by side with stock cqrs-es + postgres-es on the same server.
//!
//! What is acknowledged is durable: `fsync` and `synchronous_commit` are on for the log. Only the views, which are folded
//! again from it, commit without waiting for the disk (ADR 30). Writing is measured on private servers; reading on a
//! `ryggrad up` in a process of its own, with the national population in it.

mod backbone;
mod baseline;
mod counter;
mod fanout;
mod follow;
mod load;
mod report;
mod snapshot;
mod stack;
mod webhooks;
mod write;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use crate::exit::Exit;
use crate::print;
use crate::stop::{Signals, removed};

use self::backbone::Backbone;
use self::report::Report;
use self::stack::Stack;

pub(crate) const EXAMPLES: &str = "\
Examples:
  ryggrad bench
  ryggrad bench --seconds 2 --only write
  ryggrad bench --json";

/// Measure.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How long each measurement of writing, and that of latency, runs, in seconds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Measure only one half.
    #[arg(long, value_enum)]
    only: Option<Half>,
    /// Where the figures go, as one JSON object.
    #[arg(long, value_name = "FILE", default_value = "target/bench/latest.json")]
    out: PathBuf,
    /// Print the figures as JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// What can be measured alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Half {
    /// Appends, commands and the relay.
    Write,
    /// Import, views, subscribers, latency and webhooks.
    Read,
}

/// Measures, prints the table and writes the figures to a file. Told to end, it takes everything down that it started.
pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    let mut signals = Signals::listen()?;
    let folder = tempfile::Builder::new()
        .prefix("ryggrad-bench-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempdir()
        .context("cannot make a temporary folder")?;
    let end = tokio::select! {
        measured = measure(&args, folder.path()) => measured,
        () = signals.received() => Err(anyhow::anyhow!("told to end before everything was measured")),
    };
    removed(folder.path()).await;
    end
}

async fn measure(args: &Args, folder: &Path) -> anyhow::Result<Exit> {
    print::note("the log is durable: fsync and synchronous_commit are on; views commit without waiting for the disk");
    let length = Duration::from_secs(args.seconds);
    let mut report = Report::default();
    if args.only != Some(Half::Read) {
        let stack = Stack::start(&folder.join("write")).await?;
        write::append(&stack, length, &mut report).await.context("append")?;
        write::execute(&stack, length, &mut report).await.context("execute")?;
        write::hot(&stack, length, &mut report)
            .await
            .context("hot aggregates")?;
        stack.relay(&mut report).await.context("relay")?;
        stack.stop().await?;
        removed(&folder.join("write")).await;
    }
    if args.only != Some(Half::Write) {
        let backbone = Backbone::start(&folder.join("read")).await?;
        backbone.import(&mut report).await.context("import")?;
        follow::catch_up(&backbone, &mut report).await.context("subscribe")?;
        backbone.rebuild(&mut report).await.context("rebuild")?;
        snapshot::fetch(&backbone, &mut report).await.context("snapshot")?;
        backbone.settle().await.context("settle")?;
        follow::latency(&backbone, length, &mut report)
            .await
            .context("latency")?;
        fanout::feed(&backbone, &mut report).await.context("feed")?;
        fanout::throughput(&backbone, length, &mut report)
            .await
            .context("fan-out")?;
        fanout::latency(&backbone, length, &mut report)
            .await
            .context("latency of the fan-out")?;
        webhooks::deliver(&backbone, &mut report).await.context("webhooks")?;
        backbone.stop().await?;
        // Of a process that has done nothing else.
        let quiet = Backbone::start(&folder.join("idle")).await?;
        fanout::idle(&quiet, &mut report).await.context("idle subscribers")?;
        quiet.stop().await?;
    }
    report.write(&args.out, args.only.is_some())?;
    report.print(args.json)?;
    Ok(Exit::Done)
}
