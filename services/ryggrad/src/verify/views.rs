//! Every view against the fold of the log, byte for byte (invariant I10).

use std::time::{Duration, Instant};

use anyhow::Context as _;
use ryggrad_eventlog::projection::{Progress, State, progress};
use ryggrad_views::{Verified, Views};
use sqlx::PgPool;

use super::{Checked, Difference};

/// How long a view may stand still before the end of the log.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn check(pool: &PgPool, head: u64) -> anyhow::Result<Checked> {
    if let Err(behind) = come_to(pool, head).await? {
        return Ok(Err(behind));
    }
    let verified = Views::verify(pool).await.context("cannot fold the views again")?;
    for Verified {
        view,
        as_of,
        difference,
    } in &verified
    {
        if let Some(difference) = difference {
            return Ok(Err(Difference::in_all(format!("{view} at {as_of}: {difference}"))));
        }
    }
    let told: Vec<_> = verified
        .iter()
        .map(|verified| format!("{} at {}", verified.view, verified.as_of))
        .collect();
    Ok(Ok(format!("{}, each equal to its fold", told.join(", "))))
}

/// Waits until every view that serves has come to a position, as long as they come nearer.
async fn come_to(pool: &PgPool, head: u64) -> anyhow::Result<Result<(), Difference>> {
    let (mut sum, mut moved) = (0, Instant::now());
    loop {
        let mut live = progress(pool).await.context("cannot see how far the views are")?;
        live.retain(|view| view.state == State::Live);
        let begun = |view: &&str| live.iter().any(|live| live.name == **view);
        let what = match (
            Views::NAMES.iter().find(|view| !begun(view)),
            live.iter().find(|view| view.position < head),
        ) {
            (None, None) => return Ok(Ok(())),
            (Some(name), _) => format!("{name} has not been begun"),
            (None, Some(Progress { name, position, .. })) => {
                format!("{name} stands still at {position}, and the log ends at {head}")
            }
        };
        let now = live.iter().map(|view| view.position).sum();
        if now != sum {
            (sum, moved) = (now, Instant::now());
        } else if moved.elapsed() > PATIENCE {
            return Ok(Err(Difference::in_all(what)));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
