//! Which organisation has which organisation number, learned from the log when somebody asks.

use std::collections::BTreeSet;

use sqlx::{PgPool, Row as _};
use tokio::sync::Mutex;
use uuid::Uuid;

/// Organisation numbers and their organisations. Empty until the first one is asked for; then it grows with the log.
#[derive(Debug)]
pub(crate) struct Directory {
    pool: PgPool,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    pairs: BTreeSet<(u32, Uuid)>,
    /// Position up to which the log has been looked through.
    through: i64,
}

const NEW: &str = "select distinct orgnr, organisation_id from log.events where orgnr is not null and position > $1 and position <= $2";

// === impl Directory ===

impl Directory {
    /// A directory of the log in this database.
    pub(crate) fn new(pool: PgPool) -> Self {
        Self {
            pool,
            known: Mutex::default(),
        }
    }

    /// The organisations that have these numbers, as far as the log says.
    pub(crate) async fn look_up(&self, numbers: &[u32]) -> Result<Vec<Uuid>, sqlx::Error> {
        let mut known = self.known.lock().await;
        let head: i64 = sqlx::query("select position from log.head")
            .fetch_one(&self.pool)
            .await?
            .try_get(0)?;
        if head > known.through {
            let rows = sqlx::query(NEW)
                .bind(known.through)
                .bind(head)
                .fetch_all(&self.pool)
                .await?;
            for row in rows {
                if let Ok(number) = row.try_get::<&str, _>(0)?.parse() {
                    known.pairs.insert((number, row.try_get(1)?));
                }
            }
            known.through = head;
        }
        let of = |number: &u32| known.pairs.range((*number, Uuid::nil())..=(*number, Uuid::max()));
        Ok(numbers.iter().flat_map(of).map(|(_, id)| *id).collect())
    }
}
