//! Who may see what, for as long as a subscription lives: its gate is made anew when a fact about the caller comes, and when a
//! day ends.

use jiff::{Timestamp, ToSpan as _};
use prost::Message as _;
use ryggrad_access::{Caller, Gate, Registry};
use ryggrad_eventlog::{Clock, Recorded};
use ryggrad_norway::{OrgNumber, time};
use ryggrad_proto::ecosystem::v1::{MandateGranted, MandateRevoked, SubscriptionApproved, SubscriptionEnded};
use ryggrad_proto::registration::v1::AffiliationEstablished;
use ryggrad_service::{ApiError, Readings};
use sqlx::PgPool;
use uuid::Uuid;

use crate::hub::Hub;
use crate::refusal;
use crate::sieve::Sieve;
use crate::trace::Trace;

/// Makes gates.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    registry: Registry,
    clock: Clock,
    readings: Readings,
}

/// Who a gate is for, and how long it is right.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    access: Access,
    caller: Caller,
    /// The approved subscription that it rests on, when it rests on one.
    subscription: Option<Uuid>,
    /// Number of facts about the caller that had come when the gate was made.
    seen: u64,
    /// Position up to which the log was looked at for it, at least.
    as_of: u64,
    /// When the day ends on which it was made.
    until: Timestamp,
}

// === impl Access ===

impl Access {
    /// On a pool whose role may read the log and append who has looked.
    pub(crate) fn new(pool: &PgPool, clock: Clock) -> Self {
        Self {
            registry: Registry::new(pool.clone()),
            readings: Readings::new(pool, clock.clone()),
            clock,
        }
    }

    /// Writes down whose facts beyond open data are about to be sent, before they are.
    pub(crate) async fn record(&self, sieve: &Sieve) -> Result<(), ApiError> {
        match sieve.known() {
            Some((gate, trace)) => self.record_through(gate, trace).await,
            None => Ok(()),
        }
    }

    /// The same for what was looked at through a gate without a filter.
    pub(crate) async fn record_through(&self, gate: &Gate, trace: &Trace) -> Result<(), ApiError> {
        trace.record(gate, &self.readings).await
    }

    /// Lets filters by organisation number find what was before there was one.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The gate of a caller at this moment, and the pass that keeps it right; no pass for who has no token.
    pub(crate) async fn gate(
        &self,
        hub: &Hub,
        caller: &Caller,
        subscription: Option<Uuid>,
        head: u64,
    ) -> Result<(Gate, Option<Pass>), ApiError> {
        if caller.identity().is_none() {
            return match subscription {
                Some(_) => Err(ApiError::token_missing()),
                None => Ok((Gate::open(), None)),
            };
        }
        let mut pass = Pass {
            access: self.clone(),
            caller: caller.clone(),
            subscription,
            seen: 0,
            as_of: head,
            until: Timestamp::MIN,
        };
        let gate = pass.renew(hub, head).await?;
        Ok((gate, Some(pass)))
    }
}

// === impl Pass ===

impl Pass {
    /// Whether the gate may be wrong by now.
    pub(crate) fn is_stale(&self, hub: &Hub) -> bool {
        self.seen != hub.facts_about(self.number()) || self.access.clock.now() >= self.until
    }

    /// Position from which on facts about callers were not looked at when the gate was made.
    pub(crate) fn as_of(&self) -> u64 {
        self.as_of
    }

    /// The gate at this moment. `head` is a position that the log has.
    pub(crate) async fn renew(&mut self, hub: &Hub, head: u64) -> Result<Gate, ApiError> {
        // What comes while the log is read is counted after this, and makes the gate stale.
        self.seen = hub.facts_about(self.number());
        self.as_of = self.as_of.max(head);
        let today = time::day(self.access.clock.now());
        let tomorrow = today.checked_add(1.day()).map_err(ApiError::internal)?;
        self.until = tomorrow
            .to_zoned(time::oslo().clone())
            .map_err(ApiError::internal)?
            .timestamp();
        let gate = self.access.registry.gate(&self.caller, today).await;
        let gate = gate.map_err(|error| refusal::unreadable(&error))?;
        match self.subscription {
            None => Ok(gate),
            Some(id) => gate.resting_on(id).ok_or_else(|| refusal::not_in_force(id)),
        }
    }

    /// Writes down whose facts are about to be sent.
    pub(crate) async fn record(&self, sieve: &Sieve) -> Result<(), ApiError> {
        self.access.record(sieve).await
    }

    fn number(&self) -> u32 {
        self.caller.identity().map_or(0, |identity| identity.consumer.to_u32())
    }
}

/// Whether an event may change what somebody may see.
pub(crate) fn is_about_access(context: &str, name: &str) -> bool {
    match context {
        "ecosystem" => matches!(
            name,
            "SubscriptionApproved" | "SubscriptionEnded" | "MandateGranted" | "MandateRevoked"
        ),
        "registration" => name == "AffiliationEstablished",
        _ => false,
    }
}

/// The organisation whose access an event changes.
pub(crate) fn concerned(event: &Recorded) -> Option<u32> {
    if !is_about_access(&event.context, &event.name) {
        return None;
    }
    let data = event.data.clone();
    let number = match &*event.name {
        "SubscriptionApproved" => SubscriptionApproved::decode(data).map(|fact| fact.subscriber),
        "SubscriptionEnded" => SubscriptionEnded::decode(data).map(|fact| fact.subscriber),
        "MandateGranted" => MandateGranted::decode(data).map(|fact| fact.to_orgnr),
        "MandateRevoked" => MandateRevoked::decode(data).map(|fact| fact.to_orgnr),
        "AffiliationEstablished" => AffiliationEstablished::decode(data).map(|fact| fact.parent_orgnr),
        _ => return None,
    };
    match number {
        Ok(number) => OrgNumber::parse_tolerant(&number).ok().map(OrgNumber::to_u32),
        Err(error) => {
            tracing::error!(%error, position = event.position, "a fact about access cannot be read");
            None
        }
    }
}
