//! The business clock: the system's, or a simulated one that stands still until it is moved.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use jiff_sqlx::ToSqlx as _;
use sqlx::{PgPool, Row as _};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often a process looks whether another one moved the simulated clock.
const LOOK: Duration = Duration::from_millis(100);
/// How long somebody who waits for the system's clock sleeps at the most: it may be set.
const NAP: Duration = Duration::from_secs(30);
/// Where a span's days and months are counted.
const ZONE: &str = "Europe/Oslo";

/// Business time (the time that is law for deadlines and `occurred_at`). Cheap to clone; clones show the same.
#[derive(Debug, Clone)]
pub struct Clock {
    shown: Shown,
    store: Option<PgPool>,
}

#[derive(Debug, Clone)]
enum Shown {
    System,
    Simulated(Arc<watch::Sender<Timestamp>>),
}

/// Why a clock was not moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The system's clock is not ours to move.
    #[error("the business clock is the system's clock and cannot be moved")]
    System,
    /// Time does not go back.
    #[error("the clock cannot be moved back")]
    Back,
    /// The calendar ends before.
    #[error("the calendar ends before that")]
    Calendar(#[source] jiff::Error),
    /// The database that keeps the clock failed.
    #[error("the clock could not be stored")]
    Store(#[source] sqlx::Error),
}

/// The wall clock, to the microsecond: for `recorded_at` and for measuring delays, never for business.
pub fn wall() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the one place where the time is asked for")]
    let now = Timestamp::now();
    whole_microseconds(now)
}

// === impl Clock ===

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl Clock {
    /// The system's clock.
    pub const fn system() -> Self {
        Self {
            shown: Shown::System,
            store: None,
        }
    }

    /// A clock that shows `start` until it is moved, known to this process only.
    pub fn simulated(start: Timestamp) -> Self {
        Self {
            shown: Shown::Simulated(Arc::new(watch::Sender::new(whole_microseconds(start)))),
            store: None,
        }
    }

    /// The simulated clock of a log: goes on where it was left, or starts at `start`. [`Clock::follow`] keeps it in step
    /// with the other processes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stored(pool: PgPool, start: Timestamp) -> Result<Self, sqlx::Error> {
        let row = sqlx::query("select log.start_clock($1) as now")
            .bind(whole_microseconds(start).to_sqlx())
            .fetch_one(&pool)
            .await?;
        let mut clock = Self::simulated(row.try_get::<jiff_sqlx::Timestamp, _>("now")?.to_jiff());
        clock.store = Some(pool);
        Ok(clock)
    }

    /// Whether it is a simulated one.
    pub const fn is_simulated(&self) -> bool {
        matches!(self.shown, Shown::Simulated(_))
    }

    /// What it shows, to the microsecond, as the log stores it.
    pub fn now(&self) -> Timestamp {
        match &self.shown {
            Shown::System => wall(),
            Shown::Simulated(now) => *now.borrow(),
        }
    }

    /// Moves a simulated clock forward by a span, whose days and months are counted in Norway, and answers what it shows then.
    ///
    /// # Errors
    /// See [`MoveError`].
    pub async fn advance(&self, span: Span) -> Result<Timestamp, MoveError> {
        let zone = TimeZone::get(ZONE).map_err(MoveError::Calendar)?;
        let then = self
            .now()
            .to_zoned(zone)
            .checked_add(span)
            .map_err(MoveError::Calendar)?
            .timestamp();
        self.move_to(then).await
    }

    /// Moves a simulated clock forward to an instant and answers what it shows then: later, when somebody else moved it further.
    ///
    /// # Errors
    /// See [`MoveError`].
    pub async fn move_to(&self, then: Timestamp) -> Result<Timestamp, MoveError> {
        let Shown::Simulated(now) = &self.shown else {
            return Err(MoveError::System);
        };
        let mut then = whole_microseconds(then);
        if then < *now.borrow() {
            return Err(MoveError::Back);
        }
        if let Some(pool) = &self.store {
            let row = sqlx::query("select log.move_clock($1) as now")
                .bind(then.to_sqlx())
                .fetch_one(pool)
                .await
                .map_err(MoveError::Store)?;
            then = row
                .try_get::<jiff_sqlx::Timestamp, _>("now")
                .map_err(MoveError::Store)?
                .to_jiff();
        }
        show(now, then);
        Ok(self.now())
    }

    /// Follows the moves that other processes make, until the token ends. Returns at once when there is nothing to follow.
    pub async fn follow(&self, token: CancellationToken) {
        let (Shown::Simulated(now), Some(pool)) = (&self.shown, &self.store) else {
            return;
        };
        while token.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
            match sqlx::query("select now from log.clock")
                .fetch_one(pool)
                .await
                .and_then(|row| row.try_get::<jiff_sqlx::Timestamp, _>("now"))
            {
                Ok(then) => show(now, then.to_jiff()),
                Err(error) => tracing::debug!(%error, "the stored clock could not be read"),
            }
        }
    }

    /// A view of the clock for somebody who waits for moves; the system's clock moves by itself and never tells.
    pub fn changes(&self) -> Changes {
        match &self.shown {
            Shown::System => Changes(None),
            Shown::Simulated(now) => Changes(Some(now.subscribe())),
        }
    }

    /// Waits until a simulated clock is moved; for ever with the system's.
    pub async fn changed(&self) {
        self.changes().changed().await;
    }

    /// Waits until the clock shows an instant.
    pub async fn until(&self, instant: Timestamp) {
        let mut changes = self.changes();
        loop {
            let now = self.now();
            if now >= instant {
                return;
            }
            if self.is_simulated() {
                changes.changed().await;
            } else {
                let left = Duration::try_from(instant.duration_since(now)).unwrap_or(NAP);
                tokio::time::sleep(left.min(NAP)).await;
            }
        }
    }
}

/// Tells when a clock was moved, and forgets no move made since it was made.
#[derive(Debug, Clone)]
pub struct Changes(Option<watch::Receiver<Timestamp>>);

// === impl Changes ===

impl Changes {
    /// Waits for the next move.
    pub async fn changed(&mut self) {
        let moved = match &mut self.0 {
            Some(moves) => moves.changed().await.is_ok(),
            None => false,
        };
        if !moved {
            std::future::pending::<()>().await;
        }
    }
}

fn show(shown: &watch::Sender<Timestamp>, then: Timestamp) {
    shown.send_if_modified(|now| {
        let moved = then > *now;
        *now = then.max(*now);
        moved
    });
}

/// The database keeps microseconds; what is decided on must be what is stored.
fn whole_microseconds(instant: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(instant.as_microsecond()).expect("an instant without its nanoseconds is an instant")
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    fn start() -> Timestamp {
        "2026-03-20T12:00:00Z".parse().expect("an instant")
    }

    #[tokio::test]
    async fn a_simulated_clock_stands_still_until_it_is_moved() {
        let clock = Clock::simulated(start());
        let twin = clock.clone();
        assert_eq!(clock.now(), clock.now());
        // Six weeks later the hour is the same in Norway, although summer time began.
        let then = clock.advance(6.weeks()).await.expect("a simulated clock moves");
        assert_eq!(then.to_string(), "2026-05-01T11:00:00Z");
        assert_eq!(twin.now(), then);
        assert!(matches!(clock.advance((-1).hours()).await, Err(MoveError::Back)));
    }

    #[tokio::test]
    async fn those_who_wait_for_an_instant_are_woken_by_the_move() {
        let clock = Clock::simulated(start());
        let waiting = tokio::spawn({
            let clock = clock.clone();
            async move { clock.until("2026-03-21T00:00:00Z".parse().expect("an instant")).await }
        });
        clock.advance(1.day()).await.expect("a simulated clock moves");
        waiting.await.expect("woken");
    }

    #[tokio::test]
    async fn the_systems_clock_is_not_moved() {
        assert!(matches!(Clock::system().advance(1.day()).await, Err(MoveError::System)));
    }
}
