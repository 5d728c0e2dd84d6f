//! The delivery log and the dead letters, as their owner reads them, and what is sent again.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use ryggrad_proto::webhooks::v1 as pb;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row as _};
use uuid::Uuid;

use super::store::{Store, fresh_id, signed, small};

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Delivered,
    /// Another attempt follows.
    Failed,
    /// None does.
    Dead,
    /// The endpoint answered 410.
    Gone,
}

/// One attempt.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) position: u64,
    pub(crate) event_id: Uuid,
    pub(crate) event_type: String,
    pub(crate) number: u32,
    pub(crate) at: Timestamp,
    pub(crate) duration_ms: u32,
    pub(crate) outcome: Outcome,
    /// 0 when there was no answer.
    pub(crate) status: u16,
    pub(crate) error: String,
    pub(crate) answer: String,
    pub(crate) next_attempt_at: Option<Timestamp>,
}

/// Positions from one to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: u64,
    pub(crate) to: u64,
}

/// Keeps attempts, and tells their numbers.
pub(crate) async fn record(
    connection: &mut PgConnection,
    endpoint: Uuid,
    attempts: &[Attempt],
) -> Result<Vec<i64>, sqlx::Error> {
    let of = |read: fn(&Attempt) -> i64| attempts.iter().map(read).collect::<Vec<_>>();
    let texts = |read: fn(&Attempt) -> &str| attempts.iter().map(read).collect::<Vec<_>>();
    sqlx::query_scalar(
        "insert into webhook_attempts (endpoint_id, position, event_id, event_type, number, at, duration_ms, outcome, status, error, \
         answer, next_attempt_at) \
         select $1, a.position, a.event_id, a.event_type, a.number, 'epoch'::timestamptz + a.at * interval '1 microsecond', a.duration, \
                a.outcome, a.status, a.error, a.answer, 'epoch'::timestamptz + a.next * interval '1 microsecond' \
           from unnest($2::bigint[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[], $9::bigint[], \
                       $10::text[], $11::text[], $12::bigint[]) with ordinality \
                as a(position, event_id, event_type, number, at, duration, outcome, status, error, answer, next, ord) \
          order by a.ord returning attempt_id",
    )
    .bind(endpoint)
    .bind(of(|attempt| signed(attempt.position)))
    .bind(attempts.iter().map(|attempt| attempt.event_id).collect::<Vec<_>>())
    .bind(texts(|attempt| &attempt.event_type))
    .bind(of(|attempt| small(attempt.number).into()))
    .bind(of(|attempt| attempt.at.as_microsecond()))
    .bind(of(|attempt| small(attempt.duration_ms).into()))
    .bind(texts(|attempt| attempt.outcome.name()))
    .bind(of(|attempt| attempt.status.into()))
    .bind(texts(|attempt| &attempt.error))
    .bind(texts(|attempt| &attempt.answer))
    .bind(
        attempts
            .iter()
            .map(|attempt| attempt.next_attempt_at.map(Timestamp::as_microsecond))
            .collect::<Vec<_>>(),
    )
    .fetch_all(connection)
    .await
}

/// Forgets attempts and dead letters from before a time.
pub(crate) async fn forget(pool: &PgPool, before: Timestamp) -> Result<u64, sqlx::Error> {
    let attempts = sqlx::query("delete from webhook_attempts where at < $1")
        .bind(before.to_sqlx())
        .execute(pool)
        .await?;
    let dead = sqlx::query("delete from webhook_queue where state = 'dead' and dead_at < $1")
        .bind(before.to_sqlx())
        .execute(pool)
        .await?;
    Ok(attempts.rows_affected() + dead.rows_affected())
}

// === impl Store ===

impl Store {
    /// Attempts before a number, the latest first; position 0 for those of all events.
    pub(crate) async fn attempts(
        &self,
        endpoint: Uuid,
        position: u64,
        failed_only: bool,
        before: i64,
        limit: u32,
    ) -> Result<Vec<pb::Attempt>, sqlx::Error> {
        let rows = sqlx::query(
            "select attempt_id, position, event_id, event_type, number, at, duration_ms, outcome, status, error, answer, next_attempt_at \
             from webhook_attempts where endpoint_id = $1 and attempt_id < $2 and ($3 = 0 or position = $3) \
             and (not $4 or outcome <> 'delivered') order by attempt_id desc limit $5",
        )
        .bind(endpoint)
        .bind(before)
        .bind(signed(position))
        .bind(failed_only)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(attempt).collect()
    }

    /// Dead letters after a position.
    pub(crate) async fn dead_letters(
        &self,
        endpoint: Uuid,
        after: u64,
        limit: u32,
    ) -> Result<Vec<pb::DeadLetter>, sqlx::Error> {
        let rows = sqlx::query(
            "select position, event_id, event_type, organisation_id, attempts, first_failed_at, dead_at, error from webhook_queue \
             where endpoint_id = $1 and state = 'dead' and position > $2 order by position limit $3",
        )
        .bind(endpoint)
        .bind(signed(after))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(dead_letter).collect()
    }

    /// Makes the dead letters of a span due again, with all their attempts before them.
    pub(crate) async fn revive(&self, endpoint: Uuid, span: Span, now: Timestamp) -> Result<u64, sqlx::Error> {
        let mut tx = self.pool.begin().await?;
        let revived = sqlx::query(
            "update webhook_queue set state = 'due', attempts = 0, next_attempt_at = $4, first_failed_at = $4, dead_at = null \
             where endpoint_id = $1 and state = 'dead' and position between $2 and $3",
        )
        .bind(endpoint)
        .bind(signed(span.from))
        .bind(signed(span.to))
        .bind(now.to_sqlx())
        .execute(&mut *tx)
        .await?;
        touch(&mut tx, endpoint).await?;
        tx.commit().await?;
        Ok(revived.rows_affected())
    }

    /// Goes through a span of the log again.
    pub(crate) async fn redrive(&self, endpoint: Uuid, span: Span, now: Timestamp) -> Result<(), sqlx::Error> {
        let mut tx = self.pool.begin().await?;
        sqlx::query("insert into webhook_redrives (redrive_id, endpoint_id, cursor, through, asked_at) values ($1, $2, $3, $4, $5)")
            .bind(fresh_id())
            .bind(endpoint)
            .bind(signed(span.from.saturating_sub(1)))
            .bind(signed(span.to))
            .bind(now.to_sqlx())
            .execute(&mut *tx)
            .await?;
        touch(&mut tx, endpoint).await?;
        tx.commit().await
    }

    /// Position of the first event that was recorded at a time or later; none when there is none.
    pub(crate) async fn since(&self, time: Timestamp) -> Result<Option<u64>, sqlx::Error> {
        let head: i64 = sqlx::query_scalar("select position from log.head")
            .fetch_one(&self.pool)
            .await?;
        // Positions are in commit order, and recorded_at is taken while the head is held: it never falls.
        let (mut low, mut high) = (1, head + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let later: Option<bool> =
                sqlx::query_scalar("select recorded_at >= $2 from log.events where position = $1")
                    .bind(middle)
                    .bind(time.to_sqlx())
                    .fetch_optional(&self.pool)
                    .await?;
            if later.unwrap_or(true) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok((low <= head).then(|| u64::try_from(low).unwrap_or_default()))
    }
}

// === impl Outcome ===

impl Outcome {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dead => "dead",
            Self::Gone => "gone",
        }
    }
}

// === impl Attempt ===

impl Attempt {
    /// The attempt as its owner sees it, under its number.
    pub(crate) fn told(self, attempt_id: i64) -> pb::Attempt {
        pb::Attempt {
            attempt_id: u64::try_from(attempt_id).unwrap_or_default(),
            position: self.position,
            event_id: self.event_id.to_string(),
            event_type: self.event_type,
            number: self.number,
            at: Some(self.at.into()),
            duration_ms: self.duration_ms,
            outcome: self.outcome.name().to_owned(),
            status: self.status.into(),
            error: self.error,
            answer: self.answer,
            next_attempt_at: self.next_attempt_at.map(Into::into),
        }
    }
}

/// Lets those who deliver know that there is something new.
async fn touch(connection: &mut PgConnection, endpoint: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query("update webhook_endpoints set version = version + 1 where endpoint_id = $1")
        .bind(endpoint)
        .execute(connection)
        .await?;
    Ok(())
}

fn attempt(row: &PgRow) -> Result<pb::Attempt, sqlx::Error> {
    Ok(pb::Attempt {
        attempt_id: count(row.try_get::<i64, _>("attempt_id")?),
        position: count(row.try_get::<i64, _>("position")?),
        event_id: row.try_get::<Uuid, _>("event_id")?.to_string(),
        event_type: row.try_get("event_type")?,
        number: number(row, "number")?,
        at: time(row, "at")?,
        duration_ms: number(row, "duration_ms")?,
        outcome: row.try_get("outcome")?,
        status: number(row, "status")?,
        error: row.try_get("error")?,
        answer: row.try_get("answer")?,
        next_attempt_at: time(row, "next_attempt_at")?,
    })
}

fn dead_letter(row: &PgRow) -> Result<pb::DeadLetter, sqlx::Error> {
    Ok(pb::DeadLetter {
        position: count(row.try_get::<i64, _>("position")?),
        event_id: row.try_get::<Uuid, _>("event_id")?.to_string(),
        event_type: row.try_get("event_type")?,
        organisation_id: row.try_get::<Uuid, _>("organisation_id")?.to_string(),
        attempts: number(row, "attempts")?,
        first_failed_at: time(row, "first_failed_at")?,
        dead_at: time(row, "dead_at")?,
        error: row.try_get("error")?,
    })
}

fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}

fn number(row: &PgRow, column: &str) -> Result<u32, sqlx::Error> {
    Ok(u32::try_from(row.try_get::<i32, _>(column)?).unwrap_or_default())
}

fn time(row: &PgRow, column: &str) -> Result<Option<ryggrad_proto::Timestamp>, sqlx::Error> {
    let found = row.try_get::<Option<jiff_sqlx::Timestamp>, _>(column)?;
    Ok(found.map(|time| time.to_jiff().into()))
}
