//! What one endpoint's deliverer keeps: its cursor, what failed, and every attempt, in one transaction.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use ryggrad_eventlog::Recorded;
use ryggrad_eventlog::clock::wall;
use sqlx::{PgConnection, PgPool, Row as _};
use uuid::Uuid;

use super::history::{self, Attempt};
use super::store::{signed, small};

/// An event that waits in the queue and is due.
#[derive(Debug, Clone)]
pub(crate) struct Due {
    pub(crate) event: Recorded,
    /// Attempts that were made.
    pub(crate) attempts: u32,
    pub(crate) first_failed_at: Timestamp,
}

/// An event on its way into the queue.
#[derive(Debug, Clone)]
pub(crate) struct Queued {
    pub(crate) position: u64,
    pub(crate) organisation: Uuid,
    pub(crate) event_id: Uuid,
    pub(crate) event_type: String,
    pub(crate) attempts: u32,
    pub(crate) first_failed_at: Option<Timestamp>,
    pub(crate) error: String,
    pub(crate) next: Next,
}

/// When an event in the queue has its next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    At(Timestamp),
    /// After those of its organisation that are before it.
    Behind,
    /// Never by itself.
    Never(Timestamp),
}

/// A span of the log that is gone through again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Redrive {
    pub(crate) id: Uuid,
    pub(crate) cursor: u64,
    pub(crate) through: u64,
}

/// What is to be kept with the next commit.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) queued: Vec<Queued>,
    /// Positions that leave the queue.
    pub(crate) settled: Vec<u64>,
    /// Organisations whose next event is due.
    pub(crate) released: Vec<Uuid>,
    pub(crate) success_at: Option<Timestamp>,
    /// Until when the endpoint wants nothing.
    pub(crate) not_before: Option<Timestamp>,
    /// Why the endpoint is not to be called any more.
    pub(crate) disabled: Option<String>,
    /// What waits is due now: the endpoint is back.
    pub(crate) hurry: Option<Timestamp>,
}

/// Somebody else delivers by now, or the endpoint is gone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommitError {
    #[error("the lease was lost")]
    LeaseLost,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// The queue of one endpoint, in the hands of one holder of its lease.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub(crate) pool: PgPool,
    pub(crate) endpoint: Uuid,
    pub(crate) holder: Uuid,
}

/// In an ordered endpoint an event goes only when none of its organisation is before it.
const FIRST: &str = "(not $2 or not exists (select from webhook_queue e where e.endpoint_id = q.endpoint_id \
    and e.organisation_id = q.organisation_id and e.state <> 'dead' and e.position < q.position))";

// === impl Queue ===

impl Queue {
    /// The positions in the queue, by organisation.
    pub(crate) async fn held(&self) -> Result<HashMap<Uuid, BTreeSet<u64>>, sqlx::Error> {
        let rows = sqlx::query(
            "select organisation_id, position from webhook_queue where endpoint_id = $1 and state <> 'dead'",
        )
        .bind(self.endpoint)
        .fetch_all(&self.pool)
        .await?;
        let mut held: HashMap<Uuid, BTreeSet<u64>> = HashMap::new();
        for row in rows {
            let position = u64::try_from(row.try_get::<i64, _>("position")?).unwrap_or_default();
            held.entry(row.try_get("organisation_id")?)
                .or_default()
                .insert(position);
        }
        Ok(held)
    }

    /// The positions after a cursor that need not be looked at again: deliveries overtake each other, and a process that died
    /// with one under way had others on record that came after it.
    pub(crate) async fn on_record(&self, cursor: u64) -> Result<BTreeSet<u64>, sqlx::Error> {
        let positions: Vec<i64> = sqlx::query_scalar(
            "select position from webhook_queue where endpoint_id = $1 and position > $2 \
             union select position from webhook_attempts where endpoint_id = $1 and position > $2 and outcome = 'delivered'",
        )
        .bind(self.endpoint)
        .bind(signed(cursor))
        .fetch_all(&self.pool)
        .await?;
        Ok(positions
            .into_iter()
            .filter_map(|position| u64::try_from(position).ok())
            .collect())
    }

    /// Events that are due, at most `limit`, those that are due longest first. `busy` ones are on their way.
    pub(crate) async fn due(
        &self,
        ordered: bool,
        now: Timestamp,
        busy: &[u64],
        limit: u32,
    ) -> Result<Vec<Due>, sqlx::Error> {
        let columns = ryggrad_eventlog::event::COLUMNS;
        let sql = format!(
            "select e.*, d.attempts as made, d.first_failed_at as failed from ( \
             select q.position, q.attempts, q.first_failed_at, q.next_attempt_at from webhook_queue q where q.endpoint_id = $1 and q.state = 'due' \
             and q.next_attempt_at <= $3 and q.position <> all($4) and {FIRST} order by q.next_attempt_at, q.position limit $5) d \
             join lateral (select {columns} from log.events where position = d.position) e on true \
             order by d.next_attempt_at, d.position"
        );
        let rows = sqlx::query(&sql)
            .bind(self.endpoint)
            .bind(ordered)
            .bind(now.to_sqlx())
            .bind(busy.iter().copied().map(signed).collect::<Vec<_>>())
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                let failed = row.try_get::<Option<jiff_sqlx::Timestamp>, _>("failed")?;
                Ok(Due {
                    event: Recorded::from_row(row)?,
                    attempts: u32::try_from(row.try_get::<i32, _>("made")?).unwrap_or_default(),
                    first_failed_at: failed.map_or(now, jiff_sqlx::Timestamp::to_jiff),
                })
            })
            .collect()
    }

    /// When the next event is due that is not on its way.
    pub(crate) async fn next_due(&self, ordered: bool, busy: &[u64]) -> Result<Option<Timestamp>, sqlx::Error> {
        let sql = format!(
            "select min(q.next_attempt_at) from webhook_queue q where q.endpoint_id = $1 and q.state = 'due' \
             and q.position <> all($3) and {FIRST}"
        );
        let next: Option<jiff_sqlx::Timestamp> = sqlx::query_scalar(&sql)
            .bind(self.endpoint)
            .bind(ordered)
            .bind(busy.iter().copied().map(signed).collect::<Vec<_>>())
            .fetch_one(&self.pool)
            .await?;
        Ok(next.map(jiff_sqlx::Timestamp::to_jiff))
    }

    /// The oldest span that is to be gone through again.
    pub(crate) async fn redrive(&self) -> Result<Option<Redrive>, sqlx::Error> {
        let row = sqlx::query(
            "select redrive_id, cursor, through from webhook_redrives where endpoint_id = $1 order by asked_at, redrive_id limit 1",
        )
        .bind(self.endpoint)
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| {
            Ok(Redrive {
                id: row.try_get("redrive_id")?,
                cursor: u64::try_from(row.try_get::<i64, _>("cursor")?).unwrap_or_default(),
                through: u64::try_from(row.try_get::<i64, _>("through")?).unwrap_or_default(),
            })
        })
        .transpose()
    }

    /// Keeps what happened, if the lease is still ours; all of it or nothing. What `url` answered says nothing about another
    /// address that the endpoint has by now: it is not disabled for it, and neither it nor what failed waits for it.
    pub(crate) async fn commit(
        &self,
        url: &str,
        cursor: u64,
        redrive: Option<Redrive>,
        records: &Records,
    ) -> Result<(), CommitError> {
        let mut tx = self.pool.begin().await?;
        let is_there: Option<bool> = sqlx::query_scalar(
            "update webhook_endpoints set cursor = $3, last_success_at = coalesce($4, last_success_at), \
             not_before = case when url = $7 then coalesce($5, not_before) else not_before end, \
             state = case when url = $7 and $6::text is not null then 'disabled' else state end, \
             reason = case when url = $7 then coalesce($6, reason) else reason end \
             where endpoint_id = $1 and lease_holder = $2 returning url = $7",
        )
        .bind(self.endpoint)
        .bind(self.holder)
        .bind(signed(cursor))
        .bind(records.success_at.map(Timestamp::to_sqlx))
        .bind(records.not_before.map(Timestamp::to_sqlx))
        .bind(&records.disabled)
        .bind(url)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(is_there) = is_there else {
            return Err(CommitError::LeaseLost);
        };
        if !records.attempts.is_empty() {
            history::record(&mut tx, self.endpoint, &records.attempts).await?;
        }
        // What leaves goes before what comes: a redriven event can do both.
        if !records.settled.is_empty() {
            sqlx::query("delete from webhook_queue where endpoint_id = $1 and position = any($2)")
                .bind(self.endpoint)
                .bind(records.settled.iter().copied().map(signed).collect::<Vec<_>>())
                .execute(&mut *tx)
                .await?;
        }
        if !records.queued.is_empty() {
            self.enqueue(&mut tx, &records.queued).await?;
        }
        if !records.released.is_empty() {
            self.release(&mut tx, &records.released).await?;
        }
        let hurry = records.hurry.or_else(|| (!is_there).then(wall));
        if let Some(now) = hurry {
            sqlx::query("update webhook_queue set next_attempt_at = $2 where endpoint_id = $1 and state = 'due' and next_attempt_at > $2")
                .bind(self.endpoint)
                .bind(now.to_sqlx())
                .execute(&mut *tx)
                .await?;
        }
        if let Some(redrive) = redrive {
            self.progress(&mut tx, redrive).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn enqueue(&self, connection: &mut PgConnection, queued: &[Queued]) -> Result<(), sqlx::Error> {
        let at = |read: fn(&Queued) -> Option<Timestamp>| {
            let read = queued.iter().map(|queued| read(queued).map(Timestamp::as_microsecond));
            read.collect::<Vec<_>>()
        };
        sqlx::query(
            "insert into webhook_queue (endpoint_id, position, organisation_id, event_id, event_type, state, attempts, next_attempt_at, \
             first_failed_at, dead_at, error) \
             select $1, q.position, q.organisation, q.event_id, q.event_type, q.state, q.attempts, \
                    'epoch'::timestamptz + q.next * interval '1 microsecond', 'epoch'::timestamptz + q.failed * interval '1 microsecond', \
                    'epoch'::timestamptz + q.dead * interval '1 microsecond', q.error \
               from unnest($2::bigint[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], \
                           $10::bigint[], $11::text[]) \
                    as q(position, organisation, event_id, event_type, state, attempts, next, failed, dead, error) \
             on conflict (endpoint_id, position) do update set state = excluded.state, attempts = excluded.attempts, \
             next_attempt_at = excluded.next_attempt_at, first_failed_at = excluded.first_failed_at, dead_at = excluded.dead_at, \
             error = excluded.error",
        )
        .bind(self.endpoint)
        .bind(queued.iter().map(|queued| signed(queued.position)).collect::<Vec<_>>())
        .bind(queued.iter().map(|queued| queued.organisation).collect::<Vec<_>>())
        .bind(queued.iter().map(|queued| queued.event_id).collect::<Vec<_>>())
        .bind(queued.iter().map(|queued| queued.event_type.as_str()).collect::<Vec<_>>())
        .bind(queued.iter().map(|queued| queued.next.state()).collect::<Vec<_>>())
        .bind(queued.iter().map(|queued| i64::from(small(queued.attempts))).collect::<Vec<_>>())
        .bind(at(|queued| match queued.next {
            Next::At(at) => Some(at),
            Next::Behind | Next::Never(_) => None,
        }))
        .bind(at(|queued| queued.first_failed_at))
        .bind(at(|queued| match queued.next {
            Next::Never(at) => Some(at),
            Next::Behind | Next::At(_) => None,
        }))
        .bind(queued.iter().map(|queued| queued.error.as_str()).collect::<Vec<_>>())
        .execute(connection)
        .await?;
        Ok(())
    }

    /// Makes the first event of each of these organisations due.
    async fn release(&self, connection: &mut PgConnection, organisations: &[Uuid]) -> Result<(), sqlx::Error> {
        sqlx::query(
            "update webhook_queue q set state = 'due', next_attempt_at = now() from ( \
             select distinct on (organisation_id) position from webhook_queue \
             where endpoint_id = $1 and organisation_id = any($2) and state <> 'dead' order by organisation_id, position) f \
             where q.endpoint_id = $1 and q.position = f.position and q.state = 'waiting'",
        )
        .bind(self.endpoint)
        .bind(organisations)
        .execute(connection)
        .await?;
        Ok(())
    }

    async fn progress(&self, connection: &mut PgConnection, redrive: Redrive) -> Result<(), sqlx::Error> {
        let done = redrive.cursor >= redrive.through;
        let sql = if done {
            "delete from webhook_redrives where redrive_id = $1 and $2 is not null"
        } else {
            "update webhook_redrives set cursor = $2 where redrive_id = $1"
        };
        sqlx::query(sql)
            .bind(redrive.id)
            .bind(signed(redrive.cursor))
            .execute(connection)
            .await?;
        Ok(())
    }
}

// === impl Records ===

impl Records {
    /// Whether there is nothing to keep.
    pub(crate) fn is_empty(&self) -> bool {
        self.attempts.is_empty()
            && self.queued.is_empty()
            && self.settled.is_empty()
            && self.released.is_empty()
            && self.disabled.is_none()
    }
}

// === impl Next ===

impl Next {
    const fn state(self) -> &'static str {
        match self {
            Self::At(_) => "due",
            Self::Behind => "waiting",
            Self::Never(_) => "dead",
        }
    }
}
