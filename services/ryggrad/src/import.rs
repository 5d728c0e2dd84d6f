//! `ryggrad import`: the registers' own files into the log, exactly once however often it is run.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use futures::FutureExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use ryggrad_eventlog::clock::Clock;
use ryggrad_proto::admin::v1::GetClockRequest;
use ryggrad_proto::admin::v1::admin_client::AdminClient;
use ryggrad_registration::Registration;
use ryggrad_registration::register::brreg::{self, Keep};
use ryggrad_registration::register::import::{Import, ImportError, Options, Progress, SOURCE, Summary};
use sqlx::PgPool;
use tokio::sync::oneshot;

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
        /// Where to write what was refused or left out, and why: one JSON object a line; nothing was, and there is no such file. A file of
        /// that name is written over; when this is not given, the first of import-refused.ndjson, import-refused-2.ndjson, … that is
        /// not there.
        #[arg(long, value_name = "FILE")]
        refused: Option<PathBuf>,
        /// When the files were fetched from the register; now, unless given. The files do not tell, and of what was fetched later
        /// nothing is undone: give it for files that have been lying.
        #[arg(long, value_name = "INSTANT")]
        fetched_at: Option<Timestamp>,
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
        fetched_at,
        tolerant,
        all,
        json,
    } = args.what;
    let refused = refused.unwrap_or_else(|| unused(Path::new("")));
    for file in &files {
        File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    }
    let url = args.running.reachable(&args.stores, "ryggrad_registration").await?;
    let pool = servers::pool(&url, "registration", 16).await?;
    let clock = clock(&args.running, &args.stores, &pool).await?;
    let keep = if all { Keep::All } else { Keep::Voluntary };
    let reader = brreg::Options { tolerant, keep };
    let options = Options {
        reader,
        source: SOURCE,
        fetched_at: fetched_at.unwrap_or_else(|| clock.now()),
        report: refused.clone(),
    };
    let mut signals = stop::Signals::listen()?;
    let (stop, stopped) = oneshot::channel();
    let outcome = tokio::select! {
        outcome = import_until(&pool, clock, &files, options, stopped.map(drop)) => outcome,
        () = async {
            signals.received().await;
            print::note("stopping; what is under way is written first");
            let _it_has_ended = stop.send(());
            signals.received().await;
        } => anyhow::bail!("stopped at once; what was written stays, and running it again goes on from there"),
    };
    // What came of it is told also when it did not come to its end.
    let failed = outcome
        .as_ref()
        .err()
        .and_then(|error| error.downcast_ref::<ImportError>());
    if let Some(summary) = outcome.as_ref().ok().or_else(|| failed.and_then(ImportError::summary)) {
        if json {
            print::json(summary)?;
        } else {
            tell(summary, &refused);
        }
    }
    outcome.map(|_| Exit::Done)
}

/// A name for the report in a folder that no earlier report has.
fn unused(folder: &Path) -> PathBuf {
    let name = |number: u32| match number {
        1 => folder.join("import-refused.ndjson"),
        number => folder.join(format!("import-refused-{number}.ndjson")),
    };
    let mut number = 1;
    while name(number).exists() {
        number += 1;
    }
    name(number)
}

/// Imports files through connections as the role of registration, with a bar on a terminal.
///
/// # Errors
/// When a file cannot be read to its end, or the log cannot be written; then what was written is told.
pub async fn import(pool: &PgPool, clock: Clock, files: &[PathBuf], options: Options) -> anyhow::Result<Summary> {
    import_until(pool, clock, files, options, std::future::pending()).await
}

/// The same until `stop` comes: what is under way then is written, and what came of it is in the error.
async fn import_until(
    pool: &PgPool,
    clock: Clock,
    files: &[PathBuf],
    options: Options,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<Summary> {
    ryggrad_registration::install(pool).await?;
    let service = Registration::new(pool.clone(), clock);
    let style = "{wide_bar} {bytes}/{total_bytes} {msg} {eta} left";
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(style)?);
    bar.set_message("checking the files");
    bar.tick();
    let began = std::time::Instant::now();
    let import = Import::new(pool.clone(), service.organisations.clone(), options);
    let outcome = import
        .run_until(files, stop, |progress: &Progress| {
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
pub(crate) async fn clock(running: &Running, stores: &Stores, pool: &PgPool) -> anyhow::Result<Clock> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_takes_the_first_name_that_is_free() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = unused(folder.path());
        assert_eq!(first, folder.path().join("import-refused.ndjson"));
        std::fs::write(&first, "earlier").expect("written");
        let second = unused(folder.path());
        assert_eq!(second, folder.path().join("import-refused-2.ndjson"));
        std::fs::write(&second, "earlier too").expect("written");
        assert_eq!(unused(folder.path()), folder.path().join("import-refused-3.ndjson"));
    }
}
