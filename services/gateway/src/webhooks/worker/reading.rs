//! What comes next: of the log, of a span that is gone through again, of the queue; as the endpoint's owner may see it now.

use std::sync::Arc;

use jiff::Timestamp;
use ryggrad_eventlog::clock::wall;

use super::breaker::{Breaker, Pace};
use super::flight::{Item, Way};
use super::{Shared, Worker, WorkerError, target, with_lane};
use crate::webhooks::access::{Access, changes_access};
use crate::webhooks::recent::Entry;

/// Events that are looked at together.
const PAGE: u32 = 500;
/// Positions that are looked at before anything else gets a turn.
const SCAN: u64 = 5_000;
/// Due events that are read together.
const DUE: u32 = 64;

// === impl Worker ===

impl Worker {
    /// Reads what comes next: of the log, of the span, of the queue.
    pub(super) async fn fill(&mut self) -> Result<(), WorkerError> {
        if !self.access.is_current(&self.shared.clock, &self.shared.recent) {
            self.renew().await?;
        }
        let low = self.shared.options.window * 2;
        let began = self.log.scanned;
        while self.log.wants(low) && self.log.scanned < began + SCAN {
            let events = self.shared.recent.after(self.log.scanned, PAGE).await?;
            if events.is_empty() {
                break;
            }
            self.look_ahead(&events).await?;
            let (access, on_record) = (&self.access, &self.on_record);
            let is_new = |entry: &Entry| !on_record.contains(&entry.event.position);
            self.log.look_at(events, |entry| is_new(entry) && access.passes(entry));
        }
        if let Some((_, lane)) = &mut self.redrive
            && lane.wants(low)
        {
            let events = self.shared.recent.after(lane.scanned, PAGE).await?;
            let access = &self.access;
            lane.look_at(events, |entry| access.passes(entry));
        }
        let now = wall();
        if self.retries.is_empty() && self.records.is_empty() && self.next_due.is_some_and(|due| due <= now) {
            self.read_due(now).await?;
        }
        self.access.record(&self.shared.readings).await?;
        if self.access.has_ended() {
            self.disable("the subscription that it rests on is not in force".to_owned());
            self.keep(true).await?;
        }
        Ok(())
    }

    /// Events may be further than what access was asked at: then it is asked again before they are looked at.
    async fn look_ahead(&mut self, events: &[Arc<Entry>]) -> Result<(), WorkerError> {
        let as_of = self.access.as_of();
        let mut beyond = events.iter().filter(|entry| entry.event.position > as_of);
        if beyond.any(|entry| changes_access(&entry.event)) {
            self.renew().await?;
        }
        for entry in events {
            self.access.notice(entry);
        }
        Ok(())
    }

    async fn read_due(&mut self, now: Timestamp) -> Result<(), WorkerError> {
        let (ordered, busy) = (self.endpoint.is_ordered, self.flights.positions());
        let due = self.queue.due(ordered, now, &busy, DUE).await?;
        let all = due.len() < DUE as usize;
        for due in due {
            let item = Item {
                entry: Arc::new(due.event.into()),
                way: Way::Queue,
                attempts: due.attempts,
                first_failed_at: Some(due.first_failed_at),
            };
            if self.access.passes(&item.entry) {
                self.retries.push_back(item);
            } else {
                self.withhold(&item);
            }
        }
        if all {
            let taken: Vec<_> = self
                .retries
                .iter()
                .map(|item| item.entry.event.position)
                .chain(busy)
                .collect();
            self.next_due = self.queue.next_due(ordered, &taken).await?;
        }
        Ok(())
    }

    /// Asks the log again what the endpoint may be told, and looks again at what is ready.
    async fn renew(&mut self) -> Result<(), WorkerError> {
        let Shared {
            registry,
            clock,
            recent,
            ..
        } = &*self.shared;
        self.access.renew(registry, clock, recent).await?;
        self.look_again();
        Ok(())
    }

    fn look_again(&mut self) {
        let Self {
            access, log, redrive, ..
        } = self;
        log.retain(|entry| access.passes(entry));
        if let Some((_, lane)) = redrive {
            lane.retain(|entry| access.passes(entry));
        }
        let retries = std::mem::take(&mut self.retries);
        for item in retries {
            if self.access.passes(&item.entry) {
                self.retries.push_back(item);
            } else {
                self.withhold(&item);
            }
        }
    }

    /// Takes over what was changed.
    pub(super) async fn reload(&mut self) -> Result<(), WorkerError> {
        let Some(endpoint) = self.shared.store.load(self.endpoint.id).await? else {
            return Err(WorkerError::LeaseLost);
        };
        let shared = &self.shared;
        self.target = target(shared, &endpoint).await?;
        let caller = endpoint.owner.caller(&shared.options.parties);
        self.access = Access::open(&endpoint, caller, &shared.registry, &shared.clock, &shared.recent).await?;
        self.held = self.queue.held().await?;
        if self.redrive.is_none() {
            self.redrive = self.queue.redrive().await?.map(with_lane);
        }
        self.pace = Pace::new(endpoint.rate_per_second, endpoint.allowed_per_minute);
        if endpoint.url != self.endpoint.url {
            self.breaker = Breaker::new(shared.options.probes);
        }
        self.next_due = Some(wall());
        self.endpoint = endpoint;
        self.look_again();
        Ok(())
    }
}
