//! Views: folds of the log, and their answers.

use ryggrad_views::{Options, Views};

use super::{Role, Setting};

pub(super) async fn start(setting: &mut Setting<'_>) -> anyhow::Result<()> {
    let pool = setting.plan.pool(Role::Views).await?;
    let nats = setting.plan.nats(Role::Views).await?;
    let usual = Options::default();
    // With and without a token: together they hold half of the connections at the most.
    let quarter = usize::try_from(setting.plan.connections / 4).unwrap_or(usize::MAX);
    let options = Options {
        downloads: usual.downloads.min(quarter.max(1)),
        ..usual
    };
    let views = Views::open(pool.clone(), nats, setting.clock.clone(), options).await?;
    setting.admin.watch(pool);
    let (checked, runner, token) = (views.clone(), views.clone(), setting.working.clone());
    setting.serve(|server| {
        server
            .grpc(views.grpc())
            .rest(views.rest())
            .http(views.http())
            .ready("views", move || {
                let checked = checked.clone();
                async move { checked.ready().await }
            })
    });
    setting.tasks.spawn(async move {
        runner.run(token).await;
        ("views", Ok(()))
    });
    Ok(())
}
