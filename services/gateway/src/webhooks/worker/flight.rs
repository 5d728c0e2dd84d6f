//! Deliveries on their way, and what came of each.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use ryggrad_eventlog::clock::wall;
use ryggrad_norway::OrgNumber;
use tokio::task::{JoinError, JoinSet};
use uuid::Uuid;

use crate::webhooks::client::{Answer, Client, NoAnswer, text};
use crate::webhooks::extras::{Extra, Extras};
use crate::webhooks::message::Target;
use crate::webhooks::recent::Entry;
use crate::webhooks::schedule::retry_after;

/// An event to be delivered.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) entry: Arc<Entry>,
    pub(super) way: Way,
    /// Attempts that were made before.
    pub(super) attempts: u32,
    pub(super) first_failed_at: Option<Timestamp>,
}

/// How an event got here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Log,
    Redrive,
    Queue,
}

/// A delivery that came back.
#[derive(Debug)]
pub(super) struct Landed {
    pub(super) item: Item,
    pub(super) at: Timestamp,
    pub(super) report: Report,
    /// Where and how it was sent.
    pub(super) target: Arc<Target>,
    /// It held the one place that every endpoint has for itself.
    is_first: bool,
}

/// What came of a request.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) result: Verdict,
    /// 0 when there was no answer.
    pub(crate) status: u16,
    /// What went wrong, in words.
    pub(crate) error: String,
    pub(crate) answer: String,
    pub(crate) took: Duration,
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Delivered,
    /// It may go better later, and not before so much time has passed.
    Failed {
        wait: Option<Duration>,
    },
    /// It will never go: 410.
    Gone,
}

/// The deliveries of one endpoint that are on their way.
#[derive(Debug, Default)]
pub(super) struct Flights {
    tasks: JoinSet<Landed>,
    /// Organisations of what is on its way.
    organisations: HashSet<Uuid>,
    positions: HashSet<u64>,
    /// Whether the endpoint's own place is taken.
    first: bool,
}

/// A place for one more delivery: the endpoint's own, or one that all share.
pub(super) struct Place(Option<Extra>);

// === impl Flights ===

impl Flights {
    pub(super) fn len(&self) -> usize {
        self.positions.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// Positions of what is on its way.
    pub(super) fn positions(&self) -> Vec<u64> {
        self.positions.iter().copied().collect()
    }

    /// Whether a delivery of an organisation is on its way.
    pub(super) fn has_organisation(&self, organisation: Uuid) -> bool {
        self.organisations.contains(&organisation)
    }

    /// Whether a delivery of this event is on its way.
    pub(super) fn has(&self, position: u64) -> bool {
        self.positions.contains(&position)
    }

    /// A place for one more. The first one of an endpoint never has to wait for other endpoints.
    pub(super) fn place(&self, extras: &Extras, consumer: OrgNumber) -> Option<Place> {
        if self.first {
            extras.take(consumer).map(|extra| Place(Some(extra)))
        } else {
            Some(Place(None))
        }
    }

    /// Sends an event.
    pub(super) fn send(&mut self, item: Item, place: Place, target: Arc<Target>, client: Client) {
        let is_first = place.0.is_none();
        self.first |= is_first;
        self.organisations.insert(item.entry.event.organisation_id);
        self.positions.insert(item.entry.event.position);
        self.tasks.spawn(async move {
            let _place = place;
            let at = wall();
            let message = target.message(&item.entry.event, at);
            let sent = client.send(Method::POST, &target.url, message.headers, message.body);
            let report = Report::of(sent.await, wall());
            Landed {
                item,
                at,
                report,
                target,
                is_first,
            }
        });
    }

    /// The next delivery that comes back; never when none is on its way.
    pub(super) async fn landed(&mut self) -> Landed {
        match self.tasks.join_next().await {
            Some(Ok(landed)) => self.forget(landed),
            Some(Err(error)) => fall(error),
            None => std::future::pending().await,
        }
    }

    /// A delivery that has come back already.
    pub(super) fn try_landed(&mut self) -> Option<Landed> {
        match self.tasks.try_join_next()? {
            Ok(landed) => Some(self.forget(landed)),
            Err(error) => fall(error),
        }
    }

    fn forget(&mut self, landed: Landed) -> Landed {
        let event = &landed.item.entry.event;
        self.positions.remove(&event.position);
        // Where order does not matter, others of it may still be on their way; where it does, none is.
        self.organisations.remove(&event.organisation_id);
        self.first &= !landed.is_first;
        landed
    }
}

/// A delivery that panics takes its endpoint's deliverer with it: whoever has the lease next begins at what was kept.
fn fall(error: JoinError) -> ! {
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(error) => panic!("nobody ends a delivery but its deliverer: {error}"),
    }
}

// === impl Report ===

impl Report {
    /// What an answer means at a time.
    pub(crate) fn of(answer: Result<Answer, NoAnswer>, now: Timestamp) -> Self {
        let Answer {
            status,
            headers,
            beginning,
            took,
        } = match answer {
            Ok(answer) => answer,
            Err(NoAnswer { why, took }) => {
                return Self {
                    result: Verdict::Failed { wait: None },
                    status: 0,
                    error: why,
                    answer: String::new(),
                    took,
                };
            }
        };
        let (result, error) = match status {
            200..=299 => (Verdict::Delivered, String::new()),
            300..=399 => {
                let to = headers.get(http::header::LOCATION).map(|to| text(to.as_bytes()));
                let to = to.unwrap_or_default();
                let wait = retry_after(&headers, now);
                (Verdict::Failed { wait }, format!("redirects are not followed: {to}"))
            }
            410 => (Verdict::Gone, "the endpoint is gone".to_owned()),
            _ => {
                let wait = retry_after(&headers, now);
                (Verdict::Failed { wait }, format!("answered {status}"))
            }
        };
        Self {
            result,
            status,
            error,
            answer: beginning,
            took,
        }
    }
}
