//! Every view against the fold of the log, byte for byte (invariant I10).

use anyhow::Context as _;
use ryggrad_views::{Verified, Views};
use sqlx::PgPool;

use super::{Checked, Difference};

pub(super) async fn check(pool: &PgPool) -> anyhow::Result<Checked> {
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
