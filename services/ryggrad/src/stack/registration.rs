//! Registration: takes commands, and hears from the (simulated) register authority.

use ryggrad_eventlog::relay;
use ryggrad_proto::registration::v1::registration_service_rest;
use ryggrad_proto::registration::v1::registration_service_server::RegistrationServiceServer;
use ryggrad_registration::Registration;

use super::{Role, Setting};

/// How the simulated register authority behaves.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Register {}

pub(super) async fn start(setting: &mut Setting<'_>) -> anyhow::Result<()> {
    let pool = setting.plan.pool(Role::Registration).await?;
    let nats = setting.plan.nats(Role::Registration).await?;
    let service = Registration::new(pool.clone(), setting.clock.clone());
    let committed = service.committed();
    if setting.plan.roles.contains(&Role::Relay) {
        setting.committed = Some(committed);
    } else {
        let token = setting.working.clone();
        setting.tasks.spawn(async move {
            relay::announce(nats, committed, token.clone()).await;
            token.cancelled().await;
            ("announcements", Ok(()))
        });
    }
    setting.serve(|server| {
        server
            .grpc(RegistrationServiceServer::new(service.clone()))
            .rest(registration_service_rest::routes(service))
            .ready("postgres", move || {
                let pool = pool.clone();
                async move {
                    sqlx::query("select 1")
                        .execute(&pool)
                        .await
                        .map(drop)
                        .map_err(|error| format!("PostgreSQL: {error}"))
                }
            })
    });
    Ok(())
}
