//! The bundled sample population, imported at the first start.

use ryggrad_local::StateFolder;

pub(super) async fn import_once(_postgres: &str, _state: &StateFolder) -> anyhow::Result<()> {
    Ok(())
}
