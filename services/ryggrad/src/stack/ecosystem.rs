//! The ecosystem: subscriptions and mandates.

use ryggrad_ecosystem::Ecosystem;
use ryggrad_proto::ecosystem::v1::ecosystem_service_rest;
use ryggrad_proto::ecosystem::v1::ecosystem_service_server::EcosystemServiceServer;

use super::{Role, Setting, answers};

pub(super) async fn start(setting: &mut Setting<'_>) -> anyhow::Result<()> {
    let pool = setting.plan.pool(Role::Ecosystem).await?;
    let nats = setting.plan.nats(Role::Ecosystem).await?;
    let service = Ecosystem::new(pool.clone(), setting.clock.clone());
    setting.wake(service.committed(), nats);
    setting.serve(|server| {
        server
            .grpc(EcosystemServiceServer::new(service.clone()))
            .rest(ecosystem_service_rest::routes(service))
            .ready("ecosystem", move || answers(pool.clone()))
    });
    Ok(())
}
