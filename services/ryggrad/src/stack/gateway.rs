//! The gateway: the stream for those who follow.

use anyhow::Context as _;
use ryggrad_gateway::{Gateway, Options};

use super::{Role, Setting};

pub(super) async fn start(setting: &mut Setting<'_>) -> anyhow::Result<()> {
    let pool = setting.plan.pool(Role::Gateway).await?;
    let nats = setting.plan.nats(Role::Gateway).await?;
    let gateway = Gateway::new(pool, nats, setting.clock.clone(), Options::default());
    gateway
        .prepare()
        .await
        .context("cannot bring the gateway's schema up to date")?;
    let checked = gateway.clone();
    setting.serve(|server| {
        server
            .grpc(gateway.grpc())
            .rest(gateway.rest())
            .http(gateway.http())
            .describe(Gateway::openapi())
            .ready("gateway", move || {
                let checked = checked.clone();
                async move { checked.ready() }
            })
    });
    // Subscriptions are requests: they end when requests do.
    let token = setting.accepting.clone();
    setting.tasks.spawn(async move {
        gateway.run(token).await;
        ("gateway", Ok(()))
    });
    Ok(())
}
