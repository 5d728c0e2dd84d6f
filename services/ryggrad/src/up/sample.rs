//! The bundled sample population, imported at the first start.

use anyhow::Context as _;
use ryggrad_eventlog::clock::Clock;
use ryggrad_local::StateFolder;
use ryggrad_registration::register::brreg;
use ryggrad_registration::register::import::{Options, SOURCE};
use ryggrad_registration::register::population::Population;

use crate::{import, print, servers};

/// Imports the sample, unless that was done before. Stopped half-way, it is done again, and writes only what is missing.
pub(super) async fn import_once(postgres: &str, clock: &Clock, state: &StateFolder) -> anyhow::Result<()> {
    let done = state.path().join("sample-imported");
    if done.exists() {
        return Ok(());
    }
    let pool = servers::pool(postgres, "registration", 8).await?;
    let folder = state.path().join("sample");
    let target = folder.clone();
    let written = tokio::task::spawn_blocking(move || Population::sample().write_files(&target, &mut |_| {})).await?;
    let files = written.with_context(|| format!("cannot write the sample population to {}", folder.display()))?;
    let options = Options {
        reader: brreg::Options::default(),
        source: SOURCE,
        fetched_at: clock.now(),
        report: folder.join("refused.ndjson"),
    };
    print::note(print::styled(print::FAINT, "importing the sample population"));
    let summary = import::import(&pool, clock.clone(), &[files.units, files.voluntary], options)
        .await
        .context("cannot import the sample population")?;
    pool.close().await;
    std::fs::write(&done, "").with_context(|| format!("cannot write {}", done.display()))?;
    let text = format!("{} organisations imported, {} events", summary.new, summary.events);
    print::note(print::styled(print::FAINT, text));
    Ok(())
}
