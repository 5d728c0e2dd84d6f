//! The service at work: four executors over one writer.

use ryggrad_eventlog::{Clock, Executor, Log, Writer};
use sqlx::PgPool;
use tokio::sync::watch;

use crate::founding::Founding;
use crate::initiative::Initiative;
use crate::organisation::Organisation;
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
    pub(crate) log: Log,
    pub(crate) clock: Clock,
    writer: Writer,
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
            log: Log::new(pool),
            clock,
            writer,
        }
    }

    /// The last position that the service has committed: wakes a relay in the same process.
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.writer.committed()
    }
}
