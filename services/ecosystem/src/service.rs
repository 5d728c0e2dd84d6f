//! The service at work: two executors over one writer.

use ryggrad_eventlog::{Clock, Executor, Log, Writer};
use ryggrad_service::Authority;
use sqlx::PgPool;
use tokio::sync::watch;

use crate::mandate::Mandate;
use crate::subscription::Subscription;

/// The context that the service's events belong to.
pub const CONTEXT: &str = "ecosystem";

/// The service. Cheap to clone; clones share the writer and the memory of aggregates.
#[derive(Debug, Clone)]
pub struct Ecosystem {
    pub(crate) subscriptions: Executor<Subscription>,
    pub(crate) mandates: Executor<Mandate>,
    pub(crate) authority: Authority,
    pub(crate) log: Log,
    writer: Writer,
}

// === impl Ecosystem ===

impl Ecosystem {
    /// The service on a pool of its role, with a writer of its own. Runs on the tokio runtime that it is called on.
    pub fn new(pool: PgPool, clock: Clock) -> Self {
        let writer = Writer::spawn(&pool, CONTEXT);
        Self {
            subscriptions: Executor::new(pool.clone(), writer.clone(), clock.clone()),
            mandates: Executor::new(pool.clone(), writer.clone(), clock.clone()),
            authority: Authority::new(pool.clone(), clock),
            log: Log::new(pool),
            writer,
        }
    }

    /// The last position that the service has committed: wakes a relay in the same process.
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.writer.committed()
    }
}
