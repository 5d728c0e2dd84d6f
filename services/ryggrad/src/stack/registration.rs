//! Registration: takes commands, keeps its deadlines, and hears from the (simulated) register authority.

use ryggrad_proto::registration::v1::register_port_server::RegisterPortServer;
use ryggrad_proto::registration::v1::registration_service_server::RegistrationServiceServer;
use ryggrad_proto::registration::v1::{register_port_rest, registration_service_rest};
use ryggrad_registration::Registration;
use ryggrad_registration::register::simulator::Simulator;

use super::{Role, Setting, answers};

/// How the simulated register authority behaves, where there is one.
#[derive(Debug, Clone, clap::Args)]
pub struct Register {
    /// Which simulated authority: the same seed decides the same.
    #[arg(long, env = "RYGGRAD_REGISTER_SEED", default_value_t = 1, value_name = "N")]
    pub register_seed: u64,
    /// Median of the working days until it answers.
    #[arg(
        long,
        env = "RYGGRAD_REGISTER_DAYS",
        default_value_t = 5.0,
        value_name = "DAYS",
        value_parser = days,
        allow_negative_numbers = true
    )]
    pub register_days: f64,
    /// Share of notifications that get a letter on what is missing, 0 to 1.
    #[arg(
        long,
        env = "RYGGRAD_REGISTER_LETTERS",
        default_value_t = 0.15,
        value_name = "SHARE",
        value_parser = share,
        allow_negative_numbers = true
    )]
    pub register_letters: f64,
    /// Share of notifications that are refused, 0 to 1.
    #[arg(
        long,
        env = "RYGGRAD_REGISTER_REFUSALS",
        default_value_t = 0.0,
        value_name = "SHARE",
        value_parser = share,
        allow_negative_numbers = true
    )]
    pub register_refusals: f64,
}

// === impl Register ===

impl Default for Register {
    fn default() -> Self {
        let Simulator {
            seed,
            median_working_days,
            deficiency_rate,
            ..
        } = Simulator::default();
        Self {
            register_seed: seed,
            register_days: median_working_days,
            register_letters: deficiency_rate,
            // So that what the README shows ends well.
            register_refusals: 0.0,
        }
    }
}

impl Register {
    /// One that says yes to everything, at once.
    pub fn obliging() -> Self {
        Self {
            register_days: 0.0,
            register_letters: 0.0,
            ..Self::default()
        }
    }

    /// One that takes its time, and has nothing against anything.
    pub fn friendly() -> Self {
        Self {
            register_letters: 0.0,
            ..Self::default()
        }
    }

    fn simulator(&self) -> Simulator {
        Simulator {
            seed: self.register_seed,
            median_working_days: self.register_days,
            deficiency_rate: self.register_letters,
            rejection_rate: self.register_refusals,
            ..Simulator::default()
        }
    }
}

/// A share as it is written on the command line.
fn share(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    number.ok_or_else(|| "not a number from 0 to 1".to_owned())
}

/// A number of working days as it is written on the command line.
fn days(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|days| (0.0..=365.0).contains(days));
    number.ok_or_else(|| "not a number of days from 0 to 365".to_owned())
}

pub(super) async fn start(setting: &mut Setting<'_>) -> anyhow::Result<()> {
    let pool = setting.plan.pool(Role::Registration).await?;
    let nats = setting.plan.nats(Role::Registration).await?;
    ryggrad_registration::install(&pool).await?;
    setting.admin.watch(pool.clone());
    let service = Registration::new(pool.clone(), setting.clock.clone());
    setting.wake(service.committed(), nats.clone());
    let (follower, simulator, token) = (
        service.clone(),
        setting.plan.register.as_ref().map(Register::simulator),
        setting.working.clone(),
    );
    setting.tasks.spawn(async move {
        follower.run(nats, simulator, token).await;
        ("registration", Ok(()))
    });
    setting.serve(|server| {
        server
            .grpc(RegistrationServiceServer::new(service.clone()))
            .rest(registration_service_rest::routes(service.clone()))
            .grpc(RegisterPortServer::new(service.clone()))
            .rest(register_port_rest::routes(service))
            .ready("postgres", move || answers(pool.clone()))
    });
    Ok(())
}
