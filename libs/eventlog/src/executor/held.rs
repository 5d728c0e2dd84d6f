//! Aggregates read many at once, and held while commands are decided on them: for imports.

use std::collections::HashMap;
use std::sync::Arc;

use ryggrad_decider::Decider;
use ryggrad_proto::common::v1::Receipt;
use sqlx::Row as _;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{ExecuteError, Executor, Live, Request, Shared, Slot, fault, read_failed, take_in};

/// Reads each aggregate by its index, whatever the planner believes about a table that has just begun to grow.
const READ: &str = "select e.aggregate_id, e.aggregate_type, e.sequence, e.name, e.data
    from unnest($1::uuid[]) as asked(id)
    cross join lateral (
        select * from log.events e where e.aggregate_id = asked.id order by e.sequence
    ) e";

/// An aggregate in hand. It is forgotten when it is let go of: a hundred thousand that pass by must not push out of a
/// process's memory those that people work on.
pub struct Held<D: Decider> {
    shared: Arc<Shared<D>>,
    slot: Slot<D>,
    id: Uuid,
    version: u64,
}

// === impl Executor ===

impl<D: Decider> Executor<D> {
    /// Reads many aggregates in one query and answers with them in the order asked; each may be asked for once.
    ///
    /// # Errors
    /// When the log cannot be read, or one of them is an aggregate of another type.
    pub async fn hold(&self, ids: &[Uuid]) -> Result<Vec<Held<D>>, ExecuteError> {
        let mut held = Vec::with_capacity(ids.len());
        let mut unread = Vec::new();
        for id in ids {
            let slot = self.shared.cache.get(id).unwrap_or_else(|| {
                unread.push(*id);
                Arc::new(Mutex::new(Live::new()))
            });
            held.push(Held {
                shared: Arc::clone(&self.shared),
                slot,
                id: *id,
                version: 0,
            });
        }
        let mut read = self.shared.read_many(&unread).await?;
        for held in &mut held {
            let mut live = held.slot.lock().await;
            if let Some((state, version)) = read.remove(&held.id) {
                (live.base, live.state, live.version, live.stale) = ((state.clone(), version), state, version, false);
            } else {
                // It is remembered: others may have changed it since, and nothing tells us before we write.
                live.stale |= live.chain.is_idle();
                self.shared.freshen(&mut live, held.id).await?;
            }
            held.version = live.version;
        }
        Ok(held)
    }
}

// === impl Held ===

impl<D: Decider> std::fmt::Debug for Held<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held")
            .field("id", &self.id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl<D: Decider> Held<D> {
    /// The version at which it was read; 0 when nothing happened to it.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether a command would give any events now. Nothing is written, so nothing is promised either.
    ///
    /// # Errors
    /// The refusal of the domain; what it was decided on may still be on its way into the log.
    pub async fn would_change(&self, request: &Request<D::Command>) -> Result<bool, ExecuteError> {
        let mut live = self.slot.lock().await;
        self.shared.freshen(&mut live, self.id).await?;
        Ok(!self.shared.decide(&live.state, live.version, request)?.is_empty())
    }

    /// Carries out a command on it as [`Executor::execute`] does.
    ///
    /// # Errors
    /// As there.
    pub async fn execute(&self, request: &Request<D::Command>) -> Result<Receipt, ExecuteError> {
        debug_assert_eq!(self.id, request.aggregate_id, "a command goes to its own aggregate");
        self.shared.carry_out(&self.slot, request).await
    }
}

// === impl Shared ===

impl<D: Decider> Shared<D> {
    /// States and versions of aggregates, also of those that nothing has happened to.
    async fn read_many(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, (D::State, u64)>, ExecuteError> {
        let mut read: HashMap<_, _> = ids.iter().map(|id| (*id, (D::State::default(), 0))).collect();
        if ids.is_empty() {
            return Ok(read);
        }
        // Planned anew each time: a plan made while the log was empty would read all of it for ever.
        let rows = sqlx::query(READ)
            .bind(ids)
            .persistent(false)
            .fetch_all(&self.pool)
            .await
            .map_err(read_failed)?;
        for row in &rows {
            let id: Uuid = row.try_get("aggregate_id").map_err(fault)?;
            let (state, version) = read.entry(id).or_default();
            take_in::<D>(row, state, version)?;
        }
        Ok(read)
    }
}
