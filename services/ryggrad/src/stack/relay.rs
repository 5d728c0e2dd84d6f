//! The relay: log to stream.

use ryggrad_eventlog::relay::Relay;

use super::{Role, Setting};

pub(super) async fn start(setting: &mut Setting<'_>) -> anyhow::Result<()> {
    let pool = setting.plan.pool(Role::Relay).await?;
    let nats = setting.plan.nats(Role::Relay).await?;
    let mut relay = Relay::new(pool, nats).with_replicas(setting.plan.replicas);
    if let Some(committed) = setting.committed.take() {
        relay = relay.woken_by(committed);
    }
    let token = setting.working.clone();
    setting
        .tasks
        .spawn(async move { ("relay", relay.run(token).await.map_err(Into::into)) });
    Ok(())
}
