//! Reading a view: its rows and the position up to which they are true, in one snapshot.

use std::time::Duration;

use prost::Message;
use sqlx::{PgConnection, PgPool, Postgres, Row as _, Transaction};
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::event::unsigned;

/// How often the database is asked by those who wait for a position in a process that does not keep the view up to date.
const LOOK: Duration = Duration::from_millis(10);
/// The same in one that does, and knows: another process may be the one that is at work.
const LOOK_ELSEWHERE: Duration = Duration::from_millis(250);

/// A view for reading. Cheap to clone.
#[derive(Debug, Clone)]
pub struct View {
    pool: PgPool,
    name: &'static str,
    live: Option<watch::Receiver<u64>>,
}

/// The live table at one moment, and the position that it is true for. Read only. A table that was replaced is dropped half a
/// minute later, but not while a statement's rows are still being read from it.
#[derive(Debug)]
pub struct Snapshot {
    tx: Transaction<'static, Postgres>,
    table: String,
    version: u32,
    as_of: u64,
}

// === impl View ===

impl View {
    /// A view in the first schema of the pool's search path.
    pub fn new(pool: PgPool, name: &'static str) -> Self {
        Self { pool, name, live: None }
    }

    pub(super) fn followed(mut self, live: watch::Receiver<u64>) -> Self {
        self.live = Some(live);
        self
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Everything up to this position is in the view; 0 when there is no such view yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn as_of(&self) -> Result<u64, sqlx::Error> {
        let sql = "select c.position from projections p join checkpoints c on c.consumer = p.table_name where p.name = $1 and p.state = 'live'";
        let row = sqlx::query(sql).bind(self.name).fetch_optional(&self.pool).await?;
        row.map_or(Ok(0), |row| Ok(unsigned(row.try_get(0)?)))
    }

    /// Waits until the view has come to a position, but no longer than `patience`, and answers where it is. A position that the log
    /// does not have yet is not waited for: no receipt names it.
    ///
    /// # Errors
    /// When the database fails, or does not let the role read the log.
    pub async fn wait_for(&self, at_least: u64, patience: Duration) -> Result<u64, sqlx::Error> {
        let deadline = Instant::now() + patience;
        let mut live = self.live.clone();
        loop {
            // Known to be committed by this process.
            let known = live.as_ref().map_or(0, |live| *live.borrow());
            if known >= at_least {
                return Ok(known);
            }
            let (as_of, head) = self.as_of_and_head().await?;
            if as_of >= at_least || head < at_least || Instant::now() >= deadline {
                return Ok(as_of);
            }
            live = wait(live, at_least, deadline).await;
        }
    }

    async fn as_of_and_head(&self) -> Result<(u64, u64), sqlx::Error> {
        let sql =
            "select coalesce((select c.position from projections p join checkpoints c on c.consumer = p.table_name
                                     where p.name = $1 and p.state = 'live'), 0), position from log.head";
        let row = sqlx::query(sql).bind(self.name).fetch_one(&self.pool).await?;
        Ok((unsigned(row.try_get(0)?), unsigned(row.try_get(1)?)))
    }

    /// The live table as it is now.
    ///
    /// # Errors
    /// When the database fails, or has no such view yet ([`sqlx::Error::RowNotFound`]).
    pub async fn snapshot(&self) -> Result<Snapshot, sqlx::Error> {
        let mut tx = self
            .pool
            .begin_with("begin isolation level repeatable read, read only")
            .await?;
        let sql = "select p.table_name, coalesce(c.position, 0), p.version from projections p left join checkpoints c on c.consumer = p.table_name
                    where p.name = $1 and p.state = 'live'";
        let row = sqlx::query(sql).bind(self.name).fetch_one(&mut *tx).await?;
        Ok(Snapshot {
            table: row.try_get(0)?,
            as_of: unsigned(row.try_get(1)?),
            version: row.try_get::<i32, _>(2)?.unsigned_abs(),
            tx,
        })
    }
}

// === impl Snapshot ===

impl Snapshot {
    /// The table to read, with the columns `key`, `row` and those that the projection declares.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Everything up to this position is in the rows.
    pub const fn as_of(&self) -> u64 {
        self.as_of
    }

    /// Version of the fold that the rows are of.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// Epoch of the log that the position is of.
    ///
    /// # Errors
    /// When the database fails, or does not let the role read the log.
    pub async fn epoch(&mut self) -> Result<Uuid, sqlx::Error> {
        let row = sqlx::query("select epoch from log.head")
            .fetch_one(&mut *self.tx)
            .await?;
        row.try_get(0)
    }

    /// The connection that sees the snapshot, for queries on [`Snapshot::table`].
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// The row of a key.
    ///
    /// # Errors
    /// When the database fails, or the row is not of that type.
    pub async fn get<R: Message + Default>(&mut self, key: &str) -> Result<Option<R>, sqlx::Error> {
        let sql = format!("select row from {} where key = $1", self.table);
        let row = sqlx::query(&sql).bind(key).fetch_optional(&mut *self.tx).await?;
        row.as_ref().map(decode).transpose()
    }
}

/// Waits until this process has come to a position, or it is time to look whether another has.
async fn wait(live: Option<watch::Receiver<u64>>, at_least: u64, deadline: Instant) -> Option<watch::Receiver<u64>> {
    let Some(mut live) = live else {
        tokio::time::sleep_until((Instant::now() + LOOK).min(deadline)).await;
        return None;
    };
    let look = (Instant::now() + LOOK_ELSEWHERE).min(deadline);
    let has_ended = tokio::time::timeout_at(look, live.wait_for(|position| *position >= at_least))
        .await
        .is_ok_and(|reached| reached.is_err());
    (!has_ended).then_some(live)
}

/// The message in the column `row` of a row.
///
/// # Errors
/// When there is no such column, or it is of another type.
pub fn decode<R: Message + Default>(row: &sqlx::postgres::PgRow) -> Result<R, sqlx::Error> {
    R::decode(row.try_get::<&[u8], _>("row")?).map_err(|e| sqlx::Error::ColumnDecode {
        index: "row".into(),
        source: e.into(),
    })
}
