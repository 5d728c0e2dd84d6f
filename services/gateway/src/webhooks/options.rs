//! How webhooks behave.

use std::sync::Arc;
use std::time::Duration;

use ryggrad_access::Parties;

use super::schedule::Schedule;
use super::seal::Seal;

/// How webhooks behave.
#[derive(Debug, Clone)]
pub struct Options {
    /// What keys are sealed with. Without it there are no webhooks.
    pub seal: Option<Arc<Seal>>,
    /// Which organisation is which stakeholder.
    pub parties: Parties,
    /// Whether loopback and private addresses may be called, and loopback over http.
    pub allow_private: bool,
    /// Who we are in the handshake (`WebHook-Request-Origin`): a DNS name.
    pub origin: String,
    /// Where the REST routes are for the outside, for granting permission afterwards: `https://events.example`. Without it
    /// permission is given in the answer to the handshake only.
    pub public_url: Option<String>,
    /// When failed deliveries are tried again.
    pub schedule: Schedule,
    /// Shortest and longest pause between tries at an endpoint that is down.
    pub probes: (Duration, Duration),
    /// Time for one request, its answer included.
    pub patience: Duration,
    /// Deliveries of one endpoint at once, at the most.
    pub window: usize,
    /// Deliveries of all endpoints at once, beside the first one of each. An organisation gets no more of them, with all the
    /// endpoints that it runs, than it leaves free.
    pub extras: usize,
    /// How long a process that says nothing keeps its endpoints.
    pub lease: Duration,
    /// How long an endpoint is delivered to on the word of one token. Then its deliveries wait for another one of its owner.
    pub proof: Duration,
    /// How long attempts and dead letters are kept.
    pub keep: Duration,
}

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self {
            seal: None,
            parties: Parties::default(),
            allow_private: false,
            origin: ryggrad_service::error::DOMAIN.to_owned(),
            public_url: None,
            schedule: Schedule::default(),
            probes: (Duration::from_secs(5), Duration::from_mins(5)),
            patience: Duration::from_secs(15),
            window: 16,
            extras: 512,
            lease: Duration::from_secs(6),
            proof: Duration::from_hours(90 * 24),
            keep: Duration::from_hours(30 * 24),
        }
    }
}
