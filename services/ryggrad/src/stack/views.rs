//! Views: folds of the log, and their answers.

use super::Setting;

pub(super) async fn start(_setting: &mut Setting<'_>) -> anyhow::Result<()> {
    Ok(())
}
