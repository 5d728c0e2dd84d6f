//! `ryggrad import`: the registers' own files into the log, exactly once however often it is run.

use std::fs::File;
use std::path::PathBuf;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use ryggrad_eventlog::clock::Clock;
use ryggrad_proto::admin::v1::GetClockRequest;
use ryggrad_proto::admin::v1::admin_client::AdminClient;
use ryggrad_registration::Registration;
use ryggrad_registration::register::brreg::{self, Keep};
use ryggrad_registration::register::import::{Import, Options, Progress, SOURCE, Summary};
use sqlx::PgPool;

use crate::exit::Exit;
use crate::print::{self, BAD, FAINT, STRONG, styled};
use crate::running::{Running, Stores};
use crate::{servers, stack, stop};

pub(crate) const EXAMPLES: &str = "\
Examples:
  ryggrad import brreg enheter.json.gz frivillige-organisasjoner.ndjson.gz
  ryggrad import brreg --refused reasons.ndjson enheter.json.gz
  ryggrad simulate register --out population && ryggrad import brreg population/*.gz";

/// Read register files.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    running: Running,
    #[command(flatten)]
    stores: Stores,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Files of Enhetsregisteret (the bulk file, pages, single units) and Frivillighetsregisteret, gzip or plain, in any order.
    Brreg {
        /// The files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Where to write what was refused or left out, and why: one JSON object a line.
        #[arg(long, value_name = "FILE", default_value = "import-refused.ndjson")]
        refused: PathBuf,
        /// Take any organisation number whose check digit is right, as in the register authority's own examples.
        #[arg(long)]
        tolerant: bool,
        /// Take every unit, not only those that concern voluntary activity.
        #[arg(long)]
        all: bool,
        /// Print the summary as one JSON object.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    let What::Brreg {
        files,
        refused,
        tolerant,
        all,
        json,
    } = args.what;
    for file in &files {
        File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    }
    let url = args.running.postgres_url(&args.stores, "ryggrad_registration")?;
    let pool = servers::pool(&url, "registration", 16).await?;
    let clock = clock(&args.running, &args.stores, &pool).await?;
    let keep = if all { Keep::All } else { Keep::Voluntary };
    let reader = brreg::Options { tolerant, keep };
    let options = Options {
        reader,
        source: SOURCE,
        fetched_at: clock.now(),
        report: refused.clone(),
    };
    let mut stop = stop::Signals::listen()?;
    let summary = tokio::select! {
        summary = import(&pool, clock, &files, options) => summary?,
        () = stop.received() => anyhow::bail!("stopped; what was written stays, and running it again goes on from there"),
    };
    if json {
        print::json(&summary)?;
    } else {
        tell(&summary, &refused);
    }
    Ok(Exit::Done)
}

/// Imports files through connections as the role of registration, with a bar on a terminal.
///
/// # Errors
/// When a file cannot be read to its end, or the log cannot be written; then what was written is told.
pub async fn import(pool: &PgPool, clock: Clock, files: &[PathBuf], options: Options) -> anyhow::Result<Summary> {
    ryggrad_registration::install(pool).await?;
    let service = Registration::new(pool.clone(), clock);
    let style = "{wide_bar} {bytes}/{total_bytes} {msg} {eta} left";
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(style)?);
    let began = std::time::Instant::now();
    let import = Import::new(pool.clone(), service.organisations.clone(), options);
    let outcome = import
        .run(files, |progress: &Progress| {
            bar.set_length(progress.total_bytes);
            bar.set_position(progress.bytes);
            #[expect(clippy::cast_precision_loss, reason = "shown to people")]
            let rate = progress.done as f64 / began.elapsed().as_secs_f64();
            bar.set_message(format!("{} organisations, {rate:.0}/s", progress.done));
        })
        .await;
    bar.finish_and_clear();
    outcome.map_err(|error| match error.summary() {
        Some(Summary { new, changed, .. }) if new + changed > 0 => {
            let written =
                format!("stopped half-way ({new} new and {changed} changed organisations are written and stay)");
            anyhow::Error::from(error).context(written)
        }
        Some(_) | None => error.into(),
    })
}

/// The clock of the running backbone: what is imported was read at that time.
async fn clock(running: &Running, stores: &Stores, pool: &PgPool) -> anyhow::Result<Clock> {
    if stores.postgres_url.is_some() {
        return Ok(Clock::system());
    }
    let Ok(channel) = running.connect().await else {
        return Ok(Clock::system());
    };
    let answer = AdminClient::new(channel).get_clock(GetClockRequest {}).await;
    if answer.is_ok_and(|answer| answer.get_ref().simulated) {
        return Ok(Clock::stored(pool.clone(), stack::now()).await?);
    }
    Ok(Clock::system())
}

fn tell(summary: &Summary, report: &std::path::Path) {
    let Summary {
        read,
        joined,
        skipped,
        new,
        changed,
        unchanged,
        refused,
        warnings,
        events,
        reasons,
    } = summary;
    let read_as = format!("{joined} joined to their units, {skipped} of no concern");
    print::line(format!("{} {read} records ({read_as})", styled(STRONG, "read")));
    print::line(format!(
        "  new        {new}\n  changed    {changed}\n  unchanged  {unchanged}"
    ));
    print::line(format!(
        "  refused    {}",
        styled(if *refused > 0 { BAD } else { FAINT }, refused)
    ));
    print::line(format!("{} {events} events", styled(STRONG, "wrote")));
    if refused + warnings > 0 {
        print::line(format!(
            "{refused} refused and {warnings} values left out, each with its reason in {}",
            report.display()
        ));
        for (reason, count) in reasons.iter().take(10) {
            print::line(styled(FAINT, format!("  {count:>7}  {reason}")));
        }
    }
}
