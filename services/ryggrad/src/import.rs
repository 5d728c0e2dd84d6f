//! `ryggrad import`: the registers' own files into the log.

use crate::exit::Exit;

pub(crate) const EXAMPLES: &str = "\
Examples:
  ryggrad import brreg enheter.json.gz frivillige-organisasjoner.ndjson.gz";

/// Read register files.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(crate) async fn run(_args: Args) -> anyhow::Result<Exit> {
    anyhow::bail!("not yet")
}
