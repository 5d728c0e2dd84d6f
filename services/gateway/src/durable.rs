//! Named durable subscriptions: how far the consumer of each has come, and who follows it now.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ryggrad_access::{Caller, Scope};
use ryggrad_eventlog::Head;
use ryggrad_norway::OrgNumber;
use ryggrad_proto::events::v1::EventFilter;
use ryggrad_service::ApiError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::refusal;

mod store;

pub(crate) use store::Stored;
use store::{Opening, Store};

/// How often it is written down what was delivered.
const FLUSH: Duration = Duration::from_secs(1);
/// How long an acknowledgement waits for what another process delivered to be written down, and how often it looks.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(3), Duration::from_millis(100));
/// Characters of a name at the most.
const NAME: usize = 100;

/// Durable subscriptions. Cheap to clone; clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Durables {
    store: Store,
    live: Arc<Mutex<HashMap<Name, Arc<Live>>>>,
}

/// Whose it is, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) owner: Owner,
    pub(crate) name: String,
}

/// Whose durable subscriptions are. A platform has its own for each customer whose system user it is, and each customer its
/// own with each platform: the same name is another subscription, which sees other events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Owner {
    /// The organisation: the customer, when its system user asks.
    pub(crate) organisation: OrgNumber,
    /// Who was authorised.
    pub(crate) consumer: OrgNumber,
}

/// What somebody wants who subscribes by a name.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// None takes the filter that it was made with.
    pub(crate) filter: Option<EventFilter>,
    /// The approved subscription that it rests on.
    pub(crate) subscription: Option<Uuid>,
    /// Where to start when it is new.
    pub(crate) after: u64,
    /// Makes it anew.
    pub(crate) replace: bool,
}

/// A durable subscription that is followed.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Position to go on after.
    pub(crate) after: u64,
    /// The filter that it was made with.
    pub(crate) filter: EventFilter,
    /// Whether it was there before.
    pub(crate) resumed: bool,
    /// Held by the one who follows.
    pub(crate) lease: Lease,
}

/// Where a subscription of this process stands.
#[derive(Debug)]
struct Live {
    session: Uuid,
    delivered: AtomicU64,
    lost: CancellationToken,
}

/// The right to follow a durable subscription, until another one takes over.
#[derive(Debug)]
pub(crate) struct Lease {
    store: Store,
    name: Name,
    live: Arc<Live>,
    flushed: (u64, Instant),
}

// === impl Name ===

impl Name {
    /// The name of a caller's durable subscription.
    pub(crate) fn of(caller: &Caller, name: &str) -> Result<Self, ApiError> {
        let owner = owner(caller)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if name.is_empty() || name.len() > NAME || !name.bytes().all(plain) {
            let problem = format!("a name has 1 to {NAME} letters, digits, dots, hyphens and underscores");
            return Err(ApiError::invalid("durable", problem));
        }
        Ok(Self {
            owner,
            name: name.to_owned(),
        })
    }

    fn unknown(&self) -> ApiError {
        ApiError::NotFound {
            what: "durable subscription",
            id: self.name.clone(),
        }
    }
}

/// Whose durable subscriptions a caller may handle.
pub(crate) fn owner(caller: &Caller) -> Result<Owner, ApiError> {
    let identity = caller.identity().ok_or_else(ApiError::token_missing)?;
    if !caller.has(Scope::SubscriptionsWrite) {
        return Err(ApiError::scope_missing(Scope::SubscriptionsWrite));
    }
    Ok(Owner {
        organisation: identity.acts_as(),
        consumer: identity.consumer,
    })
}

// === impl Durables ===

impl Durables {
    pub(crate) fn new(pool: sqlx::PgPool) -> Self {
        Self {
            store: Store::new(pool),
            live: Arc::default(),
        }
    }

    /// Begins to follow one, or makes it when it is not there. Whoever followed it before is cut off.
    pub(crate) async fn open(&self, name: Name, wanted: Wanted, head: Head) -> Result<Opened, ApiError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "a session is nothing but different from every other one"
        )]
        let session = Uuid::new_v4();
        let (stored, resumed) = match self
            .store
            .open(&name, &wanted, session, head)
            .await
            .map_err(|error| unwritten(&error))?
        {
            Opening::Made(stored) => (stored, false),
            Opening::There(stored) => (stored, true),
            Opening::Differs(what) => {
                let error = ApiError::Precondition {
                    reason: "DURABLE_DIFFERS",
                    message: format!(
                        "durable: {} was made with another {what}; replace makes it anew",
                        name.name
                    ),
                };
                return Err(error.with("durable", &name.name));
            }
            Opening::OtherLog(epoch) => return Err(refusal::other_epoch(&epoch.to_string(), head.epoch)),
            Opening::TooMany(most) => {
                return Err(ApiError::Precondition {
                    reason: "TOO_MANY_DURABLES",
                    message: format!("durable: there are {most} already; delete one that is not needed"),
                });
            }
        };
        let live = Arc::new(Live {
            session,
            delivered: AtomicU64::new(stored.delivered),
            lost: CancellationToken::new(),
        });
        if let Some(before) = self.lock().insert(name.clone(), Arc::clone(&live)) {
            before.lost.cancel();
        }
        Ok(Opened {
            after: stored.acknowledged,
            filter: stored.filter,
            resumed,
            lease: Lease {
                store: self.store.clone(),
                name,
                live,
                flushed: (stored.delivered, Instant::now()),
            },
        })
    }

    /// Remembers how far a consumer has come; answers where it stands.
    pub(crate) async fn acknowledge(
        &self,
        name: &Name,
        position: u64,
        rewind: bool,
        head: Head,
    ) -> Result<u64, ApiError> {
        let begun = Instant::now();
        loop {
            let stored = self.store.get(name).await.map_err(|error| unwritten(&error))?;
            let (stored, session) = stored.ok_or_else(|| name.unknown())?;
            if stored.epoch != head.epoch {
                return Err(refusal::other_epoch(&stored.epoch.to_string(), head.epoch));
            }
            if position <= stored.acknowledged && !rewind {
                return Ok(stored.acknowledged);
            }
            let live = self.lock().get(name).filter(|live| live.session == session).cloned();
            let here = live.as_ref().map_or(0, |live| live.delivered.load(Ordering::Acquire));
            let delivered = stored.delivered.max(here);
            if position <= delivered {
                let stands = self
                    .store
                    .acknowledge(name, position, rewind)
                    .await
                    .map_err(|error| unwritten(&error))?;
                return stands.ok_or_else(|| name.unknown());
            }
            // It may be followed by another process, which writes down in a moment what it delivered.
            if live.is_some() || begun.elapsed() > PATIENCE.0 {
                let error = ApiError::OutOfRange {
                    reason: "NOT_DELIVERED",
                    message: format!("position: {position} was not delivered yet; {delivered} was"),
                };
                return Err(error.with("delivered", &delivered));
            }
            tokio::time::sleep(PATIENCE.1).await;
        }
    }

    /// Those of one owner, by name.
    pub(crate) async fn list(&self, owner: Owner) -> Result<Vec<(String, Stored)>, ApiError> {
        let mut all = self.store.list(owner).await.map_err(|error| unwritten(&error))?;
        let live = self.lock();
        for (name, stored) in &mut all {
            let name = Name {
                owner,
                name: name.clone(),
            };
            if let Some(live) = live.get(&name) {
                stored.delivered = stored.delivered.max(live.delivered.load(Ordering::Acquire));
            }
        }
        Ok(all)
    }

    /// Forgets one; whoever follows it is cut off.
    pub(crate) async fn delete(&self, name: &Name) -> Result<(), ApiError> {
        let there = self.store.delete(name).await.map_err(|error| unwritten(&error))?;
        if let Some(live) = self.lock().remove(name) {
            live.lost.cancel();
        }
        if there { Ok(()) } else { Err(name.unknown()) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Name, Arc<Live>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Lease ===

impl Lease {
    /// Something is about to be sent.
    pub(crate) fn delivered(&self, position: u64) {
        self.live.delivered.fetch_max(position, Ordering::AcqRel);
    }

    /// Waits until another one takes over.
    pub(crate) fn lost(&self) -> CancellationToken {
        self.live.lost.clone()
    }

    /// Writes down what was delivered, now and then.
    ///
    /// # Errors
    /// ABORTED when another one has taken over, or it was deleted.
    pub(crate) async fn keep(&mut self) -> Result<(), ApiError> {
        let delivered = self.live.delivered.load(Ordering::Acquire);
        if self.live.lost.is_cancelled() {
            return Err(self.taken());
        }
        if self.flushed.1.elapsed() < FLUSH {
            return Ok(());
        }
        let kept = self.store.deliver(&self.name, self.live.session, delivered).await;
        self.flushed = (delivered, Instant::now());
        if kept.map_err(|error| unwritten(&error))? {
            Ok(())
        } else {
            Err(self.taken())
        }
    }

    fn taken(&self) -> ApiError {
        let error = ApiError::Aborted {
            reason: "DURABLE_TAKEN_OVER",
            message: format!(
                "durable: {} is followed by another one now, or was deleted",
                self.name.name
            ),
        };
        error.with("durable", &self.name.name)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let delivered = self.live.delivered.load(Ordering::Acquire);
        if delivered <= self.flushed.0 || self.live.lost.is_cancelled() {
            return;
        }
        let (store, name, session) = (self.store.clone(), self.name.clone(), self.live.session);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = store.deliver(&name, session, delivered).await {
                    tracing::debug!(%error, "what was delivered could not be written down");
                }
            });
        }
    }
}

fn unwritten(error: &sqlx::Error) -> ApiError {
    tracing::warn!(%error, "durable subscriptions cannot be read or written");
    refusal::unavailable("durable subscriptions cannot be reached now")
}
