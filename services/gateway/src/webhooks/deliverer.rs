//! Who delivers to which endpoint: one process each, by a lease that it has to renew.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ryggrad_eventlog::clock::wall;
use sqlx::Row as _;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::history;
use super::store::fresh_id;
use super::worker::{Lease, Shared, Worker, WorkerError};

/// How often leases are renewed and taken, when nothing hurries it.
const TICK: Duration = Duration::from_secs(1);
/// How many free endpoints are taken at once: who starts beside others leaves some to them.
const TAKEN: i64 = 64;
/// How often the delivery log is cleared, and dead letters are counted.
const CLEAR: Duration = Duration::from_mins(1);

const RENEW: &str = "update webhook_endpoints set lease_until = now() + $2 * interval '1 second' \
    where lease_holder = $1 and state = 'active' and proved_at > now() - $3 * interval '1 second' returning endpoint_id, version";
const TAKE: &str = "update webhook_endpoints set lease_holder = $1, lease_until = now() + $2 * interval '1 second' where endpoint_id in ( \
    select endpoint_id from webhook_endpoints where state = 'active' and proved_at > now() - $3 * interval '1 second' \
    and (lease_until is null or lease_until < now()) and endpoint_id <> all($4) order by lease_until nulls first limit $5 for update skip locked) returning endpoint_id, version";
const RELEASE: &str =
    "update webhook_endpoints set lease_holder = null, lease_until = null where endpoint_id = $2 and lease_holder = $1";

/// The deliverers of a process.
#[derive(Debug)]
pub(crate) struct Deliverer {
    shared: Arc<Shared>,
    /// Who we are in leases.
    holder: Uuid,
    workers: HashMap<Uuid, Handle>,
    cleared: Option<Instant>,
}

#[derive(Debug)]
struct Handle {
    lease: watch::Sender<Lease>,
    lag: Arc<AtomicU64>,
    /// Ends with us, however we end.
    task: AbortOnDropHandle<()>,
}

// === impl Deliverer ===

impl Deliverer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            holder: fresh_id(),
            workers: HashMap::new(),
            cleared: None,
        }
    }

    /// Delivers until the token ends, then lets what is on its way come back.
    pub(crate) async fn run(mut self, token: &CancellationToken) {
        while !token.is_cancelled() {
            if let Err(error) = self.tick().await {
                tracing::warn!(%error, "webhook leases cannot be renewed now");
            }
            tokio::select! {
                () = token.cancelled() => break,
                () = self.shared.hurry.notified() => {}
                () = tokio::time::sleep(TICK.min(self.shared.options.lease / 3)) => {}
            }
        }
        for handle in self.workers.values() {
            handle.stop();
        }
        for (_, handle) in self.workers.drain() {
            // One that panicked has been logged by its panic.
            let _ = handle.task.await;
        }
    }

    async fn tick(&mut self) -> Result<(), sqlx::Error> {
        self.workers.retain(|_, handle| !handle.task.is_finished());
        let until = Instant::now() + self.shared.options.lease;
        let renewed = self.leases(RENEW, None).await?;
        let stopped = self.workers.iter().filter(|(id, _)| !renewed.contains_key(id));
        stopped.for_each(|(_, handle)| handle.stop());
        for (id, version) in &renewed {
            if let Some(handle) = self.workers.get(id) {
                handle.renew(*version, until);
            }
        }
        // Ours by the database, but nobody delivers: the worker ended before its lease did.
        let idle = renewed.into_iter().filter(|(id, _)| !self.workers.contains_key(id));
        let idle: Vec<_> = idle.collect();
        let busy: Vec<_> = self.workers.keys().copied().collect();
        let until = Instant::now() + self.shared.options.lease;
        let taken = self.leases(TAKE, Some(busy)).await?;
        let free: Vec<_> = idle.into_iter().chain(taken).collect();
        self.shared.recent.want(!self.workers.is_empty() || !free.is_empty());
        for (id, version) in free {
            self.start(id, version, until);
        }
        self.measure().await
    }

    async fn leases(&self, sql: &str, busy: Option<Vec<Uuid>>) -> Result<HashMap<Uuid, i64>, sqlx::Error> {
        let query = sqlx::query(sql)
            .bind(self.holder)
            .bind(self.shared.options.lease.as_secs_f64())
            .bind(self.shared.options.proof.as_secs_f64());
        let query = match busy {
            Some(busy) => query.bind(busy).bind(TAKEN),
            None => query,
        };
        let rows = query.fetch_all(&self.shared.store.pool).await?;
        rows.iter()
            .map(|row| Ok((row.try_get("endpoint_id")?, row.try_get("version")?)))
            .collect()
    }

    fn start(&mut self, endpoint: Uuid, version: i64, until: Instant) {
        let (lease, told) = watch::channel(Lease {
            version,
            until,
            stop: false,
        });
        let lag = Arc::new(AtomicU64::new(0));
        let work = deliver(Arc::clone(&self.shared), endpoint, self.holder, told, Arc::clone(&lag));
        let task = AbortOnDropHandle::new(tokio::spawn(work));
        self.workers.insert(endpoint, Handle { lease, lag, task });
    }

    async fn measure(&mut self) -> Result<(), sqlx::Error> {
        let lags = self.workers.values().map(|handle| handle.lag.load(Ordering::Relaxed));
        let lag = lags.max().unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("ryggrad_webhook_lag_events").set(lag as f64);
        if self.cleared.is_some_and(|cleared| cleared.elapsed() < CLEAR) {
            return Ok(());
        }
        self.cleared = Some(Instant::now());
        let pool = &self.shared.store.pool;
        let keep = jiff::SignedDuration::try_from(self.shared.options.keep).unwrap_or(jiff::SignedDuration::MAX);
        if let Ok(before) = wall().checked_sub(keep) {
            history::forget(pool, before).await?;
        }
        let dead: i64 = sqlx::query_scalar("select count(*) from webhook_queue where state = 'dead'")
            .fetch_one(pool)
            .await?;
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("ryggrad_webhook_dead_letters").set(dead as f64);
        let unproved: i64 = sqlx::query_scalar(
            "select count(*) from webhook_endpoints where state = 'active' and proved_at <= now() - $1 * interval '1 second'",
        )
        .bind(self.shared.options.proof.as_secs_f64())
        .fetch_one(pool)
        .await?;
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("ryggrad_webhook_unproved").set(unproved as f64);
        Ok(())
    }
}

// === impl Handle ===

impl Handle {
    fn stop(&self) {
        self.lease.send_modify(|lease| lease.stop = true);
    }

    fn renew(&self, version: i64, until: Instant) {
        self.lease.send_if_modified(|lease| {
            let changed = lease.version != version;
            (lease.version, lease.until) = (version, until);
            changed
        });
    }
}

/// Delivers to one endpoint, and gives it back.
async fn deliver(
    shared: Arc<Shared>,
    endpoint: Uuid,
    holder: Uuid,
    lease: watch::Receiver<Lease>,
    lag: Arc<AtomicU64>,
) {
    let mut stopped = lease.clone();
    let work = async {
        let Some(kept) = shared.store.load(endpoint).await? else {
            return Err(WorkerError::LeaseLost);
        };
        let worker = Worker::open(Arc::clone(&shared), kept, holder, lease, lag).await?;
        worker.run().await
    };
    match work.await {
        Ok(()) | Err(WorkerError::LeaseLost) => {}
        Err(error) => {
            tracing::warn!(%error, %endpoint, "a webhook cannot be delivered to now");
            // What stands in the way, such as another key, is not gone at once.
            let _ = tokio::time::timeout(shared.options.lease, stopped.wait_for(|lease| lease.stop)).await;
        }
    }
    let released = sqlx::query(RELEASE)
        .bind(holder)
        .bind(endpoint)
        .execute(&shared.store.pool);
    if let Err(error) = released.await {
        tracing::debug!(%error, %endpoint, "the lease was not given back; it ends by itself");
    }
    shared.hurry.notify_one();
}
