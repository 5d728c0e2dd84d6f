//! How fast a view advances, for those who watch a rebuild, and how far it is behind.

use std::time::{Duration, Instant};

use sqlx::PgConnection;

use crate::projection::Projection;
use crate::projection::generations::{self, Generation, State};
use crate::projection::turn::Turn;

/// How fast a generation advances.
pub(super) struct Pace {
    position: u64,
    since: Instant,
}

// === impl Pace ===

impl Pace {
    pub(super) fn new(position: u64) -> Self {
        Self {
            position,
            since: Instant::now(),
        }
    }

    /// Notes the pace about once a second.
    pub(super) async fn note<P: Projection>(
        &mut self,
        connection: &mut PgConnection,
        generation: &Generation,
        turn: &Turn<P>,
    ) -> Result<(), sqlx::Error> {
        let elapsed = self.since.elapsed();
        if elapsed < Duration::from_secs(1) {
            return Ok(());
        }
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let rate = (turn.position - self.position) as f64 / elapsed.as_secs_f64();
        generations::seen(connection, P::NAME, generation.number, rate).await?;
        *self = Self::new(turn.position);
        if generation.state == State::Live {
            let head = sqlx::query_scalar::<_, i64>("select position from log.head")
                .fetch_one(connection)
                .await?;
            #[expect(clippy::cast_precision_loss, reason = "a gauge")]
            metrics::gauge!("ryggrad_projection_lag_events", "view" => P::NAME)
                .set(crate::event::unsigned(head).saturating_sub(turn.position) as f64);
            turn.lot.measure();
        }
        Ok(())
    }
}
