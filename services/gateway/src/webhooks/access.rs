//! What an endpoint may be told: asked as its owner, anew whenever something may have changed.

use jiff::civil::Date;
use ryggrad_access::{Caller, Filter, Gate, Registry};
use ryggrad_eventlog::{Clock, Recorded};
use ryggrad_norway::time;
use ryggrad_service::{ApiError, Readings};
use uuid::Uuid;

use super::endpoint::Endpoint;
use super::recent::{Entry, Recent};
use crate::trace::Trace;

/// What one endpoint may be told, as of a position and a day.
#[derive(Debug)]
pub(crate) struct Access {
    caller: Caller,
    subscription: Option<Uuid>,
    filter: Filter,
    /// None when the subscription that it rests on is not in force.
    gate: Option<Gate>,
    /// Who is told of what beyond open data, to be written down before it is.
    trace: Trace,
    as_of: u64,
    day: Date,
}

// === impl Access ===

impl Access {
    /// What the endpoint may be told now.
    pub(crate) async fn open(
        endpoint: &Endpoint,
        caller: Caller,
        registry: &Registry,
        clock: &Clock,
        recent: &Recent,
    ) -> Result<Self, sqlx::Error> {
        // The values were checked when they came in; a type that a later build knows opens nothing here.
        let filter = Filter::parse(Some(&endpoint.filter)).map_err(|error| sqlx::Error::Decode(error.into()))?;
        let mut access = Self {
            caller,
            subscription: endpoint.subscription,
            filter,
            gate: None,
            trace: Trace::default(),
            as_of: 0,
            day: today(clock),
        };
        access.renew(registry, clock, recent).await?;
        Ok(access)
    }

    /// Whether nothing has happened since that could have changed it.
    pub(crate) fn is_current(&self, clock: &Clock, recent: &Recent) -> bool {
        self.as_of >= recent.access() && self.day == today(clock)
    }

    /// Asks the log again. Events after what is known to be in the log now were not seen by it.
    pub(crate) async fn renew(
        &mut self,
        registry: &Registry,
        clock: &Clock,
        recent: &Recent,
    ) -> Result<(), sqlx::Error> {
        let (as_of, day) = (recent.last(), today(clock));
        registry.complete(&mut self.filter).await?;
        let gate = registry.gate(&self.caller, day).await?;
        self.gate = match self.subscription {
            Some(subscription) => gate.resting_on(subscription),
            None => Some(gate),
        };
        if self.day != day {
            // Each day has a trace of its own.
            self.trace = Trace::default();
        }
        (self.as_of, self.day) = (as_of, day);
        Ok(())
    }

    /// Position up to which the log was known when it was asked.
    pub(crate) fn as_of(&self) -> u64 {
        self.as_of
    }

    /// Whether the subscription that it rests on has ended, or was never approved.
    pub(crate) fn has_ended(&self) -> bool {
        self.gate.is_none()
    }

    /// Whether the endpoint wants an event and may have it.
    pub(crate) fn passes(&self, entry: &Entry) -> bool {
        let Some(gate) = self.gate.as_ref().filter(|_| self.filter.passes(&entry.key)) else {
            return false;
        };
        let verdict = gate.verdict(entry.event.position, &entry.key);
        self.trace.leave(verdict, entry.key.organisation);
        verdict.allows()
    }

    /// Writes down whose facts beyond open data are about to be sent, before they are.
    pub(crate) async fn record(&self, readings: &Readings) -> Result<(), ApiError> {
        match &self.gate {
            Some(gate) => self.trace.record(gate, readings).await,
            None => Ok(()),
        }
    }

    /// Takes note of events that are read further back than what is known to be current.
    pub(crate) fn notice(&mut self, entry: &Entry) {
        if let Some(gate) = &mut self.gate {
            gate.notice(&entry.key);
        }
    }
}

/// The business day, in Norway.
pub(crate) fn today(clock: &Clock) -> Date {
    time::day(clock.now())
}

/// Whether an event may change what somebody may see: what the registry asks the log about.
pub(crate) fn changes_access(event: &Recorded) -> bool {
    ["Subscription", "Mandate", "Affiliation", "OrganisationRegistered"]
        .iter()
        .any(|begin| event.name.starts_with(begin))
}
