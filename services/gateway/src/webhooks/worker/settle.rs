//! What came back, as it is remembered: delivered, tried again later, given up, or the end of the endpoint.

use jiff::Timestamp;
use ryggrad_eventlog::clock::wall;
use tokio::time::Instant;
use uuid::Uuid;

use super::Worker;
use super::flight::{Item, Landed, Verdict, Way};
use crate::webhooks::history::{Attempt, Outcome};
use crate::webhooks::queue::{Next, Queued};
use crate::webhooks::schedule::fraction;

// === impl Worker ===

impl Worker {
    /// Takes in a delivery that came back.
    pub(super) fn settle(&mut self, landed: Landed) {
        let Landed {
            item,
            at,
            report,
            target,
            ..
        } = landed;
        let now = wall();
        let number = item.attempts + 1;
        let has_moved = target.url != self.endpoint.url;
        let (outcome, next_attempt_at) = match report.result {
            Verdict::Delivered if has_moved => {
                self.leave(&item);
                (Outcome::Delivered, None)
            }
            // It says nothing about the address that the endpoint has now, which is to get the event at once.
            Verdict::Failed { .. } | Verdict::Gone if has_moved => {
                self.enqueue(&item, item.attempts, at, &report.error, Next::At(now));
                (Outcome::Failed, Some(now))
            }
            Verdict::Delivered => {
                self.succeeded(&item, now);
                (Outcome::Delivered, None)
            }
            Verdict::Failed { wait } => {
                self.breaker.failed(item.entry.event.position, Instant::now());
                if let Some(wait) = wait {
                    let until = now + wait;
                    self.endpoint.not_before = self.endpoint.not_before.max(Some(until));
                    self.records.not_before = self.endpoint.not_before;
                }
                if let Some(pause) = self.shared.options.schedule.pause(number, fraction()) {
                    let next = now + pause.max(wait.unwrap_or_default());
                    self.enqueue(&item, number, at, &report.error, Next::At(next));
                    (Outcome::Failed, Some(next))
                } else {
                    self.give_up(&item, number, at, &report.error, now);
                    (Outcome::Dead, None)
                }
            }
            Verdict::Gone => {
                // Kept, for when the endpoint comes back.
                self.enqueue(&item, number, at, &report.error, Next::At(now));
                self.disable("the endpoint answered 410: it is gone".to_owned());
                (Outcome::Gone, None)
            }
        };
        metrics::counter!("ryggrad_webhook_attempts_total", "outcome" => outcome.name()).increment(1);
        let event = &item.entry.event;
        self.records.attempts.push(Attempt {
            position: event.position,
            event_id: event.event_id,
            event_type: event.ce_type(),
            number,
            at,
            duration_ms: u32::try_from(report.took.as_millis()).unwrap_or(u32::MAX),
            outcome,
            status: report.status,
            error: report.error,
            answer: report.answer,
            next_attempt_at,
        });
    }

    /// An event waits behind those of its organisation that are in the queue.
    pub(super) fn hold_back(&mut self, item: &Item) {
        let queued = queued(item, 0, None, "", Next::Behind);
        self.put(item, queued);
    }

    /// An event in the queue is not for this endpoint any more.
    pub(super) fn withhold(&mut self, item: &Item) {
        tracing::debug!(endpoint = %self.endpoint.id, position = item.entry.event.position, "not for this endpoint any more");
        self.leave(item);
    }

    /// Does not call the endpoint any more.
    pub(super) fn disable(&mut self, reason: String) {
        tracing::warn!(endpoint = %self.endpoint.id, reason, "a webhook is disabled");
        self.records.disabled.get_or_insert(reason);
    }

    fn succeeded(&mut self, item: &Item, now: Timestamp) {
        if self.breaker.succeeded() {
            self.records.hurry = Some(now);
            self.next_due = Some(now);
        }
        self.endpoint.last_success_at = Some(now);
        self.records.success_at = Some(now);
        self.leave(item);
    }

    fn enqueue(&mut self, item: &Item, attempts: u32, at: Timestamp, error: &str, next: Next) {
        let first = item.first_failed_at.unwrap_or(at);
        let queued = queued(item, attempts, Some(first), error, next);
        self.put(item, queued);
        if let Next::At(at) = next {
            self.next_due = Some(self.next_due.map_or(at, |due| due.min(at)));
        }
    }

    fn give_up(&mut self, item: &Item, attempts: u32, at: Timestamp, error: &str, now: Timestamp) {
        let first = item.first_failed_at.unwrap_or(at);
        let queued = queued(item, attempts, Some(first), error, Next::Never(now));
        self.records.queued.retain(|other| other.position != queued.position);
        self.records.queued.push(queued);
        self.done(item);
        self.unblock(item);
        // One event that it cannot digest is no reason to give it up.
        let nothing = self.endpoint.last_success_at.is_none_or(|success| success < first);
        if nothing && self.breaker.failing() > 1 {
            self.disable(format!(
                "nothing was delivered since {first}, all attempts of an event failed"
            ));
        }
    }

    /// An event goes into the queue, or stays there.
    fn put(&mut self, item: &Item, queued: Queued) {
        let (organisation, position) = place(item);
        self.held.entry(organisation).or_default().insert(position);
        self.records.settled.retain(|settled| *settled != position);
        self.records.queued.retain(|other| other.position != position);
        self.records.queued.push(queued);
        self.done(item);
    }

    /// An event leaves the queue, if it was there.
    fn leave(&mut self, item: &Item) {
        let (organisation, position) = place(item);
        let was_held = self
            .held
            .get(&organisation)
            .is_some_and(|held| held.contains(&position));
        if was_held || item.way == Way::Queue {
            self.records.queued.retain(|other| other.position != position);
            self.records.settled.push(position);
        }
        self.done(item);
        self.unblock(item);
    }

    /// The next event of an organisation may go.
    fn unblock(&mut self, item: &Item) {
        let (organisation, position) = place(item);
        let Some(held) = self.held.get_mut(&organisation) else {
            return;
        };
        held.remove(&position);
        if held.is_empty() {
            self.held.remove(&organisation);
        } else {
            self.records.released.push(organisation);
            self.next_due = Some(wall());
        }
    }

    /// The log, or the span that is gone through again, is done with an event.
    pub(super) fn done(&mut self, item: &Item) {
        let position = item.entry.event.position;
        match (item.way, &mut self.redrive) {
            (Way::Log, _) => self.log.settle(position),
            (Way::Redrive, Some((_, lane))) => lane.settle(position),
            (Way::Redrive, None) | (Way::Queue, _) => {}
        }
    }
}

fn place(item: &Item) -> (Uuid, u64) {
    (item.entry.event.organisation_id, item.entry.event.position)
}

fn queued(item: &Item, attempts: u32, first_failed_at: Option<Timestamp>, error: &str, next: Next) -> Queued {
    let event = &item.entry.event;
    Queued {
        position: event.position,
        organisation: event.organisation_id,
        event_id: event.event_id,
        event_type: event.ce_type(),
        attempts,
        first_failed_at,
        error: error.to_owned(),
        next,
    }
}
