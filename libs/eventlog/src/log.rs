//! Reading the log by position. Positions have no holes, so plain paging misses nothing.

use sqlx::PgPool;
use sqlx::Row as _;
use uuid::Uuid;

use crate::event::{COLUMNS, Recorded, signed, unsigned};

/// Where the log ends, and which log it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Position of the last event; 0 when there is none.
    pub position: u64,
    /// Changes when the log was restored from a backup.
    pub epoch: Uuid,
}

/// Reads the log; needs a role that may.
#[derive(Debug, Clone)]
pub struct Log {
    pool: PgPool,
}

// === impl Log ===

impl Log {
    /// A reader on a pool whose role may read the log.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Where the log ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn head(&self) -> Result<Head, sqlx::Error> {
        let row = sqlx::query("select position, epoch from log.head")
            .fetch_one(&self.pool)
            .await?;
        Ok(Head {
            position: unsigned(row.try_get("position")?),
            epoch: row.try_get("epoch")?,
        })
    }

    /// The events after a position, in order, at most `limit` of them. Fewer than `limit` means that the end was reached.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn after(&self, position: u64, limit: u32) -> Result<Vec<Recorded>, sqlx::Error> {
        let sql = format!("select {COLUMNS} from log.events where position > $1 order by position limit $2");
        let rows = sqlx::query(&sql)
            .bind(signed(position))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(Recorded::from_row).collect()
    }

    /// The event at a position.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn at(&self, position: u64) -> Result<Option<Recorded>, sqlx::Error> {
        let sql = format!("select {COLUMNS} from log.events where position = $1");
        let row = sqlx::query(&sql)
            .bind(signed(position))
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(Recorded::from_row).transpose()
    }

    /// The events of an aggregate after a version, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn aggregate(&self, aggregate_id: Uuid, after: u64) -> Result<Vec<Recorded>, sqlx::Error> {
        let sql =
            format!("select {COLUMNS} from log.events where aggregate_id = $1 and sequence > $2 order by sequence");
        let rows = sqlx::query(&sql)
            .bind(aggregate_id)
            .bind(signed(after))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(Recorded::from_row).collect()
    }
}
