//! `ryggrad simulate`: files as the registers would write them, of a population that does not exist.

use std::path::PathBuf;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use ryggrad_registration::register::population::Population;
use serde_json::json;

use crate::exit::Exit;
use crate::print;

pub(crate) const EXAMPLES: &str = "\
Examples:
  ryggrad simulate register --out population
  ryggrad simulate register --organisations 72837 --seed 1 --out national
  ryggrad simulate register --organisations 72837 --others 1101261 --out everything
  ryggrad import brreg population/*.gz
  ryggrad simulate deletions --out later && ryggrad import brreg later/*.gz   a year has passed";

/// Write made-up register files.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// A population in the formats of Enhetsregisteret and Frivillighetsregisteret: the same seed gives the same bytes.
    Register(Which),
    /// What Enhetsregisteret answers a year later about those of a population that it has deleted, or removed on legal grounds.
    /// Asked with the size and the seed of the population.
    Deletions(Which),
}

/// A population, and where to write it.
#[derive(Debug, clap::Args)]
struct Which {
    /// Voluntary organisations; the country has 72,837.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    organisations: u32,
    /// Units beside them that are not in Frivillighetsregisteret, of every legal form; the country has 1.1 million.
    #[arg(long, default_value_t = 0)]
    others: u32,
    /// Which population.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder for the files; made if it is not there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

// === impl Which ===

impl Which {
    fn population(&self) -> anyhow::Result<Population> {
        Ok(Population::try_new(self.organisations, self.others, self.seed)?)
    }
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    match args.what {
        What::Register(which) => register(which).await,
        What::Deletions(which) => deletions(which).await,
    }
}

async fn deletions(which: Which) -> anyhow::Result<Exit> {
    let population = which.population()?;
    let folder = which.out.clone();
    let written = tokio::task::spawn_blocking(move || population.write_gone_file(&folder)).await?;
    let (file, gone) = written.with_context(|| format!("cannot write to {}", which.out.display()))?;
    if which.json {
        print::json(&json!({ "units": file, "deleted": gone.deleted, "removed": gone.removed, "seed": which.seed }))?;
    } else {
        print::line(format!(
            "{}\n{} deleted, {} removed",
            file.display(),
            gone.deleted,
            gone.removed
        ));
    }
    Ok(Exit::Done)
}

async fn register(which: Which) -> anyhow::Result<Exit> {
    let population = which.population()?;
    let bar = ProgressBar::new(u64::from(population.units()) + u64::from(population.organisations())).with_style(
        ProgressStyle::with_template("{wide_bar} {human_pos}/{human_len} records {per_sec} {eta} left")?,
    );
    let told = bar.clone();
    let folder = which.out.clone();
    let written =
        tokio::task::spawn_blocking(move || population.write_files(&folder, &mut |done| told.set_position(done)))
            .await?;
    let files = written.with_context(|| format!("cannot write to {}", which.out.display()))?;
    bar.finish_and_clear();
    if which.json {
        print::json(
            &json!({ "units": files.units, "voluntary": files.voluntary, "organisations": which.organisations, "others": which.others, "seed": which.seed }),
        )?;
    } else {
        print::line(format!("{}\n{}", files.units.display(), files.voluntary.display()));
    }
    Ok(Exit::Done)
}
