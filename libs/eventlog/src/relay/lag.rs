//! How far the stream is behind the log, measured beside the publishing: most of all while nothing can be published.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use sqlx::{PgPool, Row as _};

use crate::clock::wall;
use crate::event::{signed, unsigned};

/// How often it is measured.
const ROUND: Duration = Duration::from_millis(500);
/// How long the database may take to answer.
const ANSWER: Duration = Duration::from_secs(2);
/// The position of a stream that has not been reached yet.
const UNKNOWN: u64 = u64::MAX;

/// What the relay knows of its own progress.
#[derive(Debug)]
pub(super) struct Lag {
    published: AtomicU64,
    leads: AtomicBool,
}

/// How far the stream is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Behind {
    events: u64,
    /// When the oldest event was recorded that is not published.
    since: Option<Timestamp>,
}

// === impl Lag ===

impl Lag {
    pub(super) const fn new() -> Self {
        Self {
            published: AtomicU64::new(UNKNOWN),
            leads: AtomicBool::new(false),
        }
    }

    /// The broker has everything up to this position.
    pub(super) fn published(&self, position: u64) {
        self.published.store(position, Ordering::Relaxed);
    }

    /// Whether this relay leads; what one that stands by knows is old.
    pub(super) fn leads(&self, leads: bool) {
        self.leads.store(leads, Ordering::Relaxed);
        metrics::gauge!("ryggrad_relay_leader").set(u8::from(leads));
    }

    /// Measures for ever.
    pub(super) async fn measure(&self, pool: &PgPool) {
        let mut round = tokio::time::interval(ROUND);
        let mut began = wall();
        let mut behind = None;
        loop {
            round.tick().await;
            if !self.leads.load(Ordering::Relaxed) {
                (began, behind) = (wall(), None);
                show(0.0, 0.0);
                continue;
            }
            let published = self.published.load(Ordering::Relaxed);
            // A log that cannot be read is as far ahead as it was.
            let asked = tokio::time::timeout(ANSWER, look(pool, published)).await;
            if let Ok(Ok(found)) = asked {
                behind = Some(found);
            }
            let Some(Behind { events, since }) = behind else {
                continue;
            };
            // A stream that was never reached is behind for as long as we have tried.
            let since = if published == UNKNOWN { Some(began) } else { since };
            #[expect(clippy::cast_precision_loss, reason = "a gauge")]
            show(events as f64, since.map_or(0.0, seconds_since));
        }
    }
}

/// What the log has after a position.
async fn look(pool: &PgPool, published: u64) -> Result<Behind, sqlx::Error> {
    // Nobody knows what a stream has that was never reached: then the end of the log is taken for its end.
    let sql = "select h.position, e.recorded_at from log.head h left join log.events e on e.position = $1 + 1";
    let known = (published != UNKNOWN).then_some(published);
    let row = sqlx::query(sql).bind(known.map(signed)).fetch_one(pool).await?;
    let head = unsigned(row.try_get(0)?);
    let since: Option<jiff_sqlx::Timestamp> = row.try_get(1)?;
    Ok(Behind {
        events: head.saturating_sub(known.unwrap_or(head)),
        since: since.map(jiff_sqlx::Timestamp::to_jiff),
    })
}

fn show(events: f64, seconds: f64) {
    metrics::gauge!("ryggrad_relay_lag_events").set(events);
    metrics::gauge!("ryggrad_relay_lag_seconds").set(seconds);
}

/// How long ago an instant was, in seconds of the wall clock.
fn seconds_since(instant: Timestamp) -> f64 {
    wall().duration_since(instant).as_secs_f64().max(0.0)
}
