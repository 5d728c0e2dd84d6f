//! The service at work: four executors over one writer.

use std::future::Future;

use async_nats::Client;
use ryggrad_eventlog::consumer::{self, Source};
use ryggrad_eventlog::deadline::{self, Due, Schedule};
use ryggrad_eventlog::order::{Again, Carried, Order};
use ryggrad_eventlog::schema::{self, Step};
use ryggrad_eventlog::{Clock, Executor, Log, Writer, reaction};
use ryggrad_proto::common::v1::Actor;
use ryggrad_service::{Authority, Readings};
use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::command::Command;
use crate::deadlines::{self, Deadlines};
use crate::founding::Founding;
use crate::initiative::Initiative;
use crate::organisation::Organisation;
use crate::reactions::{self, Reactions};
use crate::register::simulator::Simulator;
use crate::registration_case::RegistrationCase;

/// The context that the service's events belong to.
pub const CONTEXT: &str = "registration";

/// The service. Cheap to clone; clones share the writer and the memory of aggregates.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Carries out the commands of initiatives.
    pub initiatives: Executor<Initiative>,
    /// Carries out the commands of foundings.
    pub foundings: Executor<Founding>,
    /// Carries out the commands of registration cases.
    pub cases: Executor<RegistrationCase>,
    /// Carries out the commands of organisations.
    pub organisations: Executor<Organisation>,
    pub(crate) authority: Authority,
    pub(crate) readings: Readings,
    pub(crate) log: Log,
    pub(crate) clock: Clock,
    pool: PgPool,
    writer: Writer,
}

/// The steps of the service's own tables, kept for ever.
const STEPS: &[Step] = &[Step {
    version: 10,
    description: "register seen",
    sql: include_str!("../sql/0010_register_seen.sql"),
}];

/// Makes the tables of the service in its schema. The pool's search path begins with that schema. Harmless when they are there.
///
/// # Errors
/// When the database fails or refuses.
pub async fn install(pool: &PgPool) -> anyhow::Result<()> {
    schema::apply(pool, &[consumer::STEPS, STEPS].concat()).await?;
    Ok(())
}

// === impl Registration ===

impl Registration {
    /// The service on a pool of its role, with a writer of its own. Runs on the tokio runtime that it is called on.
    pub fn new(pool: PgPool, clock: Clock) -> Self {
        let writer = Writer::spawn(&pool, CONTEXT);
        Self {
            initiatives: Executor::new(pool.clone(), writer.clone(), clock.clone()),
            foundings: Executor::new(pool.clone(), writer.clone(), clock.clone()),
            cases: Executor::new(pool.clone(), writer.clone(), clock.clone()),
            organisations: Executor::new(pool.clone(), writer.clone(), clock.clone()),
            authority: Authority::new(pool.clone(), clock.clone()),
            readings: Readings::new(&pool, clock.clone()),
            log: Log::new(pool.clone()),
            clock,
            pool,
            writer,
        }
    }

    /// The last position that the service has committed: wakes a relay in the same process.
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.writer.committed()
    }

    /// Follows the stream until the token ends: reactions, timers and, when there is one, the simulated register authority.
    pub async fn run(&self, client: Client, simulator: Option<Simulator>, token: CancellationToken) {
        // One reader of the stream for all that follow it.
        let source = Source::new(client);
        let reacting = reaction::run(
            self.pool.clone(),
            source.clone(),
            Reactions,
            |order: Order<Command>| async move { self.carry_out(order, &reactions::actor()).await },
            token.clone(),
        );
        let fall_due = |order| self.fall_due(order, deadlines::actor);
        let timing = self.keep(source.clone(), Deadlines, fall_due, token.clone());
        let playing = async {
            if let Some(simulator) = simulator {
                self.keep(source, simulator, |order| self.decide(order), token).await;
            }
        };
        tokio::join!(reacting, timing, playing);
    }

    /// Keeps the deadlines of a schedule; `execute` carries out what falls due.
    async fn keep<F, Fut>(&self, source: Source, schedule: impl Schedule, execute: F, token: CancellationToken)
    where
        F: Fn(Order<Due>) -> Fut + Send + Sync,
        Fut: Future<Output = Result<Carried, Again>> + Send,
    {
        deadline::run(self.pool.clone(), source, self.clock.clone(), schedule, execute, token).await;
    }

    /// Carries out the command of a timer; `actor` says who stands behind it.
    pub(crate) fn fall_due(
        &self,
        order: Order<Due>,
        actor: impl Fn(&str) -> Actor,
    ) -> impl Future<Output = Result<Carried, Again>> + Send {
        let actor = actor(&order.command.timer);
        async move {
            match Command::decode(&order.command.aggregate_type, &order.command.command) {
                Ok(command) => self.carry_out(order.with(command), &actor).await,
                Err(error) => Ok(Carried::Failed(error.to_string())),
            }
        }
    }
}
