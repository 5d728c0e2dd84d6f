//! How much the clients of a server may ask of it, together and each.

use std::time::Duration;

/// How much the clients of a server may ask of it. Who oversteps a bound is cut off; the others do not notice.
///
/// What is not here is fixed: the head of a request has 48 KiB and a body 1 MiB at the most, and a connection has a few
/// thousand frames that ask for nothing (resets, pings, settings, priorities, continuations).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Connections at once; further ones wait to be accepted.
    pub connections: usize,
    /// Connections at once from one address (from one /64 of IPv6); further ones are closed. Whoever comes through a proxy has
    /// the proxy's address.
    pub per_peer: usize,
    /// Requests at once on one HTTP/2 connection, subscriptions included.
    pub streams: u32,
    /// Answers at once on one connection that are no subscriptions; further requests wait for their turn.
    pub answers: usize,
    /// Time until a connection has said which protocol it speaks.
    pub first_bytes: Duration,
    /// Time for the head of an HTTP/1.1 request, also between two.
    pub head: Duration,
    /// How often a silent HTTP/2 connection is asked for a sign of life; it has half of that to give one.
    pub keep_alive: Duration,
    /// Time until a connection on which nothing is asked or answered, a subscription included, is told to go.
    pub idle: Duration,
    /// Time to take the next 16 KiB of an answer that is no subscription.
    pub taking: Duration,
}

// === impl Bounds ===

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 4_096,
            per_peer: 512,
            streams: 1_024,
            answers: 256,
            first_bytes: Duration::from_secs(10),
            head: Duration::from_secs(30),
            keep_alive: Duration::from_secs(20),
            idle: Duration::from_mins(5),
            taking: Duration::from_mins(1),
        }
    }
}
