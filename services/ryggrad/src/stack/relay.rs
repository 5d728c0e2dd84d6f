//! The relay: log to stream.

use ryggrad_eventlog::relay::Relay;
use ryggrad_eventlog::stream;

use super::{Role, Setting};

pub(super) async fn start(setting: &mut Setting<'_>) -> anyhow::Result<()> {
    let pool = setting.plan.pool(Role::Relay).await?;
    let nats = setting.plan.nats(Role::Relay).await?;
    let (asked, broker) = (pool.clone(), nats.clone());
    setting.serve(|server| {
        server.ready("relay", move || {
            let (asked, broker) = (asked.clone(), broker.clone());
            async move {
                let answer = sqlx::query("select 1").execute(&asked).await;
                answer.map_err(|error| format!("PostgreSQL: {error}"))?;
                if stream::is_connected(&broker) {
                    Ok(())
                } else {
                    Err("the broker is away".to_owned())
                }
            }
        })
    });
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
