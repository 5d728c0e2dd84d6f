//! The gateway: the stream for those who follow, and for those who would rather be called.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use ryggrad_access::Parties;
use ryggrad_gateway::webhooks::{self, Seal};
use ryggrad_gateway::{Gateway, Options};

use super::{Role, Setting};

/// How webhooks behave.
#[derive(Clone, clap::Args)]
#[command(next_help_heading = "Webhooks")]
pub struct Webhooks {
    /// What the secrets of webhooks are sealed with: at least 32 characters that nobody can guess, the same for all gateways.
    #[arg(long, env = "RYGGRAD_WEBHOOK_KEY", hide_env_values = true, value_name = "KEY")]
    pub webhook_key: Option<String>,
    /// Also call loopback and private addresses, and loopback over http.
    #[arg(long, env = "RYGGRAD_WEBHOOK_ALLOW_PRIVATE")]
    pub webhook_allow_private: bool,
    /// Who asks, when an endpoint is asked whether it wants to be called: a DNS name.
    #[arg(
        long,
        env = "RYGGRAD_WEBHOOK_ORIGIN",
        default_value = ryggrad_service::error::DOMAIN,
        value_name = "NAME"
    )]
    pub webhook_origin: String,
    /// Where REST is for the outside, for permission that is given afterwards, such as `https://events.example`.
    #[arg(long, env = "RYGGRAD_WEBHOOK_PUBLIC_URL", value_name = "URL")]
    pub webhook_public_url: Option<String>,
    /// Days that attempts and dead letters are kept.
    #[arg(
        long,
        env = "RYGGRAD_WEBHOOK_KEEP_DAYS",
        default_value_t = 30,
        value_name = "DAYS",
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    pub webhook_keep_days: u16,
    /// Days that an endpoint is delivered to without a call of its owner with a token.
    #[arg(
        long,
        env = "RYGGRAD_WEBHOOK_PROOF_DAYS",
        default_value_t = 90,
        value_name = "DAYS",
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    pub webhook_proof_days: u16,
}

// === impl Webhooks ===

impl Default for Webhooks {
    fn default() -> Self {
        Self {
            webhook_key: None,
            webhook_allow_private: false,
            webhook_origin: ryggrad_service::error::DOMAIN.to_owned(),
            webhook_public_url: None,
            webhook_keep_days: 30,
            webhook_proof_days: 90,
        }
    }
}

impl Webhooks {
    fn options(&self, parties: Parties) -> anyhow::Result<webhooks::Options> {
        let seal = self.webhook_key.as_deref().map(Seal::new).transpose();
        Ok(webhooks::Options {
            seal: seal.context("cannot use RYGGRAD_WEBHOOK_KEY")?.map(Arc::new),
            parties,
            allow_private: self.webhook_allow_private,
            origin: self.webhook_origin.clone(),
            public_url: self.webhook_public_url.clone(),
            keep: Duration::from_hours(24 * u64::from(self.webhook_keep_days)),
            proof: Duration::from_hours(24 * u64::from(self.webhook_proof_days)),
            ..webhooks::Options::default()
        })
    }
}

impl std::fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhooks")
            .field("allow_private", &self.webhook_allow_private)
            .field("origin", &self.webhook_origin)
            .finish_non_exhaustive()
    }
}

pub(super) async fn start(setting: &mut Setting<'_>) -> anyhow::Result<()> {
    let pool = setting.plan.pool(Role::Gateway).await?;
    let nats = setting.plan.nats(Role::Gateway).await?;
    let gateway = Gateway::new(pool, nats, setting.clock.clone(), Options::default());
    gateway
        .prepare()
        .await
        .context("cannot bring the gateway's schema up to date")?;
    let known = setting.plan.authentication.as_ref();
    let parties = known.map(|settings| settings.parties.clone()).unwrap_or_default();
    let options = setting.plan.webhooks.options(parties)?;
    let webhooks = gateway.webhooks(setting.clock.clone(), options)?;
    let (checked, deliverer) = (gateway.clone(), webhooks.clone());
    setting.serve(|server| {
        server
            .grpc(gateway.grpc())
            .rest(gateway.rest())
            .http(gateway.http())
            .describe(Gateway::openapi())
            .grpc(webhooks.grpc())
            .rest(webhooks.rest())
            .ready("gateway", move || {
                let checked = checked.clone();
                async move { checked.ready() }
            })
    });
    // Subscriptions are requests: they end when requests do, and deliveries with them.
    let token = setting.accepting.clone();
    setting.tasks.spawn(async move {
        tokio::join!(gateway.run(token.clone()), deliverer.run(token));
        ("gateway", Ok(()))
    });
    Ok(())
}
