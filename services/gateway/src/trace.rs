//! The trace that a reader leaves in access logs: whose facts beyond open data it is about to be sent.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ryggrad_access::{Gate, Verdict};
use ryggrad_service::readings::About;
use ryggrad_service::{ApiError, Readings};
use uuid::Uuid;

/// How many organisations are remembered before they are written down once more.
const SEEN: usize = 100_000;

/// What is written down already, and what is not. Clones are the same trace.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace(Arc<Mutex<Steps>>);

/// Organisations, each with the subscription that it is seen under; none for a mandate.
#[derive(Debug, Default)]
struct Steps {
    seen: HashSet<(Option<Uuid>, Uuid)>,
    fresh: Vec<(Option<Uuid>, Uuid)>,
}

// === impl Trace ===

impl Trace {
    /// A fact about an organisation passes, by this verdict. What is open or one's own leaves no trace.
    pub(crate) fn leave(&self, verdict: Verdict<'_>, organisation: Uuid) {
        let basis = match verdict {
            Verdict::Approved(approval) => Some(approval.id),
            Verdict::Mandated => None,
            Verdict::Open | Verdict::Own | Verdict::NoToken | Verdict::NoScope(_) | Verdict::NotCovered => return,
        };
        let mut steps = self.lock();
        if steps.seen.len() >= SEEN {
            steps.seen.clear();
        }
        if steps.seen.insert((basis, organisation)) {
            steps.fresh.push((basis, organisation));
        }
    }

    /// Writes down what has not been yet, as read in the stream through this gate.
    ///
    /// # Errors
    /// When it cannot be written; it is still to be then, and nothing may be sent.
    pub(crate) async fn record(&self, gate: &Gate, readings: &Readings) -> Result<(), ApiError> {
        let mut fresh = self.take();
        while let Some((basis, organisations)) = fresh.pop_first() {
            let approval = gate.approvals().iter().find(|approval| Some(approval.id) == basis);
            let verdict = approval.map_or(Verdict::Mandated, Verdict::Approved);
            let several = About::Several(organisations.clone());
            if let Err(error) = readings
                .record(gate.caller().identity(), "events", verdict, several)
                .await
            {
                fresh.insert(basis, organisations);
                let mut steps = self.lock();
                for (basis, organisations) in fresh {
                    steps
                        .fresh
                        .extend(organisations.into_iter().map(|organisation| (basis, organisation)));
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// What has not been written down yet, by what it rests on.
    fn take(&self) -> BTreeMap<Option<Uuid>, Vec<Uuid>> {
        let mut grouped: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (basis, organisation) in std::mem::take(&mut self.lock().fresh) {
            grouped.entry(basis).or_default().push(organisation);
        }
        grouped
    }

    fn lock(&self) -> MutexGuard<'_, Steps> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisation_is_written_down_once() {
        let trace = Trace::default();
        for organisation in [1, 2, 1] {
            trace.leave(Verdict::Mandated, Uuid::from_u128(organisation));
        }
        trace.leave(Verdict::Own, Uuid::from_u128(3));
        let fresh = trace.clone().take();
        assert_eq!(fresh[&None], [1, 2].map(Uuid::from_u128));
        trace.leave(Verdict::Mandated, Uuid::from_u128(2));
        assert!(trace.take().is_empty());
    }
}
