//! The issuer's keys, kept: asked for again at the most once in 30 s, by one at a time, and never given up for nothing.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};

use super::fetch::Source;
use super::jwk::KeySet;
use crate::error::chain;
use crate::metrics;

/// The shortest time between two looks at the issuer, whatever comes in.
const PAUSE: Duration = Duration::from_secs(30);
/// Keys that are older than this are looked at again, while they go on being used.
const FRESH: Duration = Duration::from_mins(5);
/// Keys that are older than this are looked at again before they are used, if the issuer answers.
const STALE: Duration = Duration::from_hours(1);

/// The keys of an issuer.
#[derive(Debug)]
pub(super) struct Keys {
    source: Source,
    known: RwLock<Known>,
    flight: Mutex<Flight>,
}

/// The keys that were seen last. None as long as the issuer has not answered.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) set: Option<Arc<KeySet>>,
    at: Option<Instant>,
}

/// The last look at the issuer.
#[derive(Debug, Default)]
struct Flight {
    began: Option<Instant>,
    under_way: Option<Shared<BoxFuture<'static, ()>>>,
}

// === impl Keys ===

impl Keys {
    pub(super) fn new(source: Source) -> Arc<Self> {
        Arc::new(Self {
            source,
            known: RwLock::default(),
            flight: Mutex::default(),
        })
    }

    /// The keys, with that one among them if the issuer has it.
    pub(super) async fn with(self: &Arc<Self>, kid: &str) -> Option<Arc<KeySet>> {
        let known = self.known();
        let has = |known: &Known| known.set.as_ref().is_some_and(|set| set.has(kid));
        if !has(&known) || known.is_older_than(STALE) {
            if let Some(looking) = self.look() {
                looking.await;
            }
            return self.known().set;
        }
        self.freshen(&known);
        known.set
    }

    /// The keys as they are known; asks for them again when it is time, without waiting.
    pub(super) fn current(self: &Arc<Self>) -> Option<Arc<KeySet>> {
        let known = self.known();
        if known.is_older_than(STALE) {
            return None;
        }
        self.freshen(&known);
        known.set
    }

    /// Whether the issuer has answered once.
    pub(super) fn are_known(&self) -> bool {
        self.known().set.is_some()
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn freshen(self: &Arc<Self>, known: &Known) {
        if known.is_older_than(FRESH) {
            // It goes on by itself.
            drop(self.look());
        }
    }

    /// The look at the issuer that is under way, or a new one; none when the last was a moment ago.
    ///
    /// It is a task of its own, so that a client that goes away does not take it along.
    pub(super) fn look(self: &Arc<Self>) -> Option<Shared<BoxFuture<'static, ()>>> {
        let mut flight = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(looking) = flight.under_way.as_ref().filter(|looking| looking.peek().is_none()) {
            return Some(looking.clone());
        }
        if flight.began.is_some_and(|began| began.elapsed() < PAUSE) {
            return None;
        }
        flight.began = Some(Instant::now());
        let keys = Arc::clone(self);
        let task = tokio::spawn(async move { keys.fetch().await });
        let looking = task.map(drop).boxed().shared();
        flight.under_way = Some(looking.clone());
        Some(looking)
    }

    async fn fetch(&self) {
        let fetched = self.source.keys().await;
        let outcome = if fetched.is_ok() { "ok" } else { "failed" };
        ::metrics::counter!(metrics::KEY_FETCHES, "outcome" => outcome).increment(1);
        match fetched {
            Ok(set) => {
                let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                // The same keys stay the same value: what was verified with them is still good.
                let same = known.set.take().filter(|old| old.is_same(&set));
                known.set = Some(same.unwrap_or_else(|| Arc::new(set)));
                known.at = Some(Instant::now());
            }
            Err(error) => tracing::warn!(error = %chain(&error), "the issuer's keys cannot be fetched"),
        }
    }
}

// === impl Known ===

impl Known {
    fn is_older_than(&self, age: Duration) -> bool {
        self.at.is_none_or(|at| at.elapsed() > age)
    }
}
