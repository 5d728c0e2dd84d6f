//! Organisations that a consumer cannot go on with: parked with the cause, while everybody else flows on (I11).

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool, Row as _};
use uuid::Uuid;

use crate::consumer::Poison;
use crate::event::{COLUMNS, Recorded, signed, unsigned};

/// How much of the log is read at a time for those that are tried again: what a consumer does for them at once is no more than a
/// batch.
const PAGE: u64 = 10_000;
/// How long a consumer works for them before it looks after the others again.
const SLICE: Duration = Duration::from_millis(50);
/// What operators see: of the generations of a view, the one that is furthest behind.
const LIST: &str = "select distinct on (consumer, organisation_id) consumer, organisation_id, position, event_id, event_name, cause, waits_for, parked_at, released
                      from parked";

/// An organisation that waits, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// The view, reaction or schedule that cannot go on.
    pub consumer: String,
    /// The organisation.
    pub organisation_id: Uuid,
    /// Where its events wait in the log from: at the first one that was not taken in, or, while it is tried again, at the next one
    /// to be looked at.
    pub position: u64,
    /// Id of the first event that was not taken in.
    pub event_id: Uuid,
    /// Name of that event.
    pub event_name: String,
    /// What is wrong with it.
    pub cause: String,
    /// The parked organisation that the event also concerns, when that is the cause.
    pub waits_for: Option<Uuid>,
    /// Since when, by the wall clock.
    pub parked_at: Timestamp,
    /// Whether it has been asked to be tried again.
    pub released: bool,
}

/// Everything that is parked in the schema of the pool, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list(pool: &PgPool) -> Result<Vec<Parked>, sqlx::Error> {
    let sql = format!("{LIST} order by consumer, organisation_id, position");
    let rows = sqlx::query(&sql).fetch_all(pool).await?;
    let mut list = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    list.sort_by_key(|parked| parked.parked_at);
    Ok(list)
}

/// One organisation that a consumer has parked in the schema of the pool.
///
/// # Errors
/// When the database fails.
pub async fn find(pool: &PgPool, consumer: &str, organisation_id: Uuid) -> Result<Option<Parked>, sqlx::Error> {
    // By the primary key: a view's generations are places of its own.
    let sql = format!(
        "{LIST} where place = any(array(select $1 union all select table_name from projections where name = $1))
           and organisation_id = $2 and consumer = $1 order by consumer, organisation_id, position"
    );
    let row = sqlx::query(&sql)
        .bind(consumer)
        .bind(organisation_id)
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(read).transpose()
}

/// How many organisations each consumer has parked in the schema of the pool.
///
/// # Errors
/// When the database fails.
pub async fn counts(pool: &PgPool) -> Result<HashMap<String, u64>, sqlx::Error> {
    let sql = "select consumer, count(distinct organisation_id) from parked group by consumer";
    let rows = sqlx::query(sql).fetch_all(pool).await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, unsigned(row.try_get(1)?))))
        .collect()
}

/// How many events wait in the log for each of these, the one that could not be taken in among them. Reads the log once, from the
/// earliest position on.
///
/// # Errors
/// When the database fails, or does not let the role read the log.
pub async fn waiting(pool: &PgPool, parked: &[&Parked]) -> Result<Vec<u64>, sqlx::Error> {
    let sql = "select count(e.position) from unnest($1::uuid[], $2::bigint[]) with ordinality as p(organisation_id, position, n)
                 left join log.events e on e.organisation_id = p.organisation_id and e.position >= p.position
                      and e.position >= (select min(position) from unnest($2::bigint[]) as position)
                group by p.n order by p.n";
    let counts: Vec<i64> = sqlx::query_scalar(sql)
        .bind(parked.iter().map(|parked| parked.organisation_id).collect::<Vec<_>>())
        .bind(parked.iter().map(|parked| signed(parked.position)).collect::<Vec<_>>())
        .fetch_all(pool)
        .await?;
    Ok(counts.into_iter().map(unsigned).collect())
}

/// Asks the consumer to try an organisation again, and those that wait for it. The running consumer takes its events in
/// from where it stopped, in order, beside those of the others, and then goes on. False when the organisation is not parked there.
///
/// # Errors
/// When the database fails.
pub async fn release(pool: &PgPool, consumer: &str, organisation_id: Uuid) -> Result<bool, sqlx::Error> {
    let sql = "update parked set released = true where consumer = $1 and organisation_id = $2";
    Ok(sqlx::query(sql)
        .bind(consumer)
        .bind(organisation_id)
        .execute(pool)
        .await?
        .rows_affected()
        > 0)
}

/// What a consumer knows of its parked organisations.
#[derive(Debug, Clone)]
pub(crate) struct Lot {
    consumer: &'static str,
    place: String,
    held: HashMap<Uuid, Held>,
    fresh: Vec<Fresh>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    since: u64,
    waits_for: Option<Uuid>,
}

#[derive(Debug, Clone)]
struct Fresh {
    organisation_id: Uuid,
    position: u64,
    event_id: Uuid,
    event_name: String,
    cause: String,
    waits_for: Option<Uuid>,
}

/// Runs a pure function of a consumer; a panic is as good as a refusal.
pub(crate) fn digest<T>(function: impl FnOnce() -> Result<T, Poison>) -> Result<T, Poison> {
    catch_unwind(AssertUnwindSafe(function)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Poison::new(format_args!("panicked: {}", text.unwrap_or_default())))
    })
}

// === impl Lot ===

impl Lot {
    /// Reads what is parked in a place.
    pub(crate) async fn load(
        connection: &mut PgConnection,
        consumer: &'static str,
        place: &str,
    ) -> Result<Self, sqlx::Error> {
        let rows = sqlx::query("select organisation_id, position, waits_for from parked where place = $1")
            .bind(place)
            .fetch_all(connection)
            .await?;
        let held = rows
            .iter()
            .map(|row| {
                Ok((
                    row.try_get(0)?,
                    Held {
                        since: unsigned(row.try_get(1)?),
                        waits_for: row.try_get(2)?,
                    },
                ))
            })
            .collect::<Result<_, sqlx::Error>>()?;
        Ok(Self {
            consumer,
            place: place.to_owned(),
            held,
            fresh: Vec::new(),
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether an event has to wait. An event that also concerns a parked organisation parks its own, so that nobody's
    /// events are taken in out of order.
    pub(crate) fn holds(&mut self, event: &Recorded) -> bool {
        if self.held.is_empty() {
            return false;
        }
        let is_held = |id: &Uuid| self.held.get(id).is_some_and(|held| event.position >= held.since);
        if is_held(&event.organisation_id) {
            return true;
        }
        let Some(other) = event.related.iter().copied().find(is_held) else {
            return false;
        };
        self.park_with(event, &format!("waits for {other}, which is parked"), Some(other));
        true
    }

    /// Parks the organisation of an event.
    pub(crate) fn park(&mut self, event: &Recorded, poison: &Poison) {
        tracing::error!(consumer = self.consumer, organisation = %event.organisation_id, position = event.position, %poison, "an organisation was parked");
        self.park_with(event, &poison.to_string(), None);
    }

    fn park_with(&mut self, event: &Recorded, cause: &str, waits_for: Option<Uuid>) {
        self.held.insert(
            event.organisation_id,
            Held {
                since: event.position,
                waits_for,
            },
        );
        self.fresh.push(Fresh {
            organisation_id: event.organisation_id,
            position: event.position,
            event_id: event.event_id,
            event_name: event.name.to_string(),
            cause: cause.replace('\0', "\u{fffd}"),
            waits_for,
        });
    }

    /// Whether somebody was parked since the last time it was stored.
    pub(crate) fn has_news(&self) -> bool {
        !self.fresh.is_empty()
    }

    /// Writes what was parked since the last time, in the transaction of the effect.
    pub(crate) async fn store(&mut self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let sql =
            "insert into parked (consumer, organisation_id, place, position, event_id, event_name, cause, waits_for)
                   values ($1, $2, $3, $4, $5, $6, $7, $8)
                   on conflict (place, organisation_id) do update
                      set (position, event_id, event_name, cause, waits_for, parked_at, released)
                        = (excluded.position, excluded.event_id, excluded.event_name, excluded.cause, excluded.waits_for, excluded.parked_at, false)";
        for fresh in self.fresh.drain(..) {
            sqlx::query(sql)
                .bind(self.consumer)
                .bind(fresh.organisation_id)
                .bind(&self.place)
                .bind(signed(fresh.position))
                .bind(fresh.event_id)
                .bind(fresh.event_name)
                .bind(fresh.cause)
                .bind(fresh.waits_for)
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }

    /// The events of the next page of the log that those missed that are to be tried again, and those that wait for them, in order,
    /// up to a position. After the last page they are parked no more; until then they are, from the end of the page on.
    pub(crate) async fn let_out(
        &mut self,
        connection: &mut PgConnection,
        until: u64,
    ) -> Result<Vec<Recorded>, sqlx::Error> {
        let out = self.released(connection).await?;
        let Some(from) = out.values().map(|held| held.since).min() else {
            return Ok(Vec::new());
        };
        let ids: Vec<Uuid> = out.keys().copied().collect();
        let to = until.min(from + PAGE - 1);
        let sql = format!(
            "select {COLUMNS} from log.events where position between $1 and $2 and organisation_id = any($3) order by position"
        );
        let rows = sqlx::query(&sql)
            .bind(signed(from))
            .bind(signed(to))
            .bind(&ids)
            .fetch_all(&mut *connection)
            .await?;
        let mut events = rows.iter().map(Recorded::from_row).collect::<Result<Vec<_>, _>>()?;
        events.retain(|event| out[&event.organisation_id].since <= event.position);
        if to < until {
            self.move_on(connection, &ids, to + 1).await?;
        } else {
            self.take_out(connection, &ids).await?;
        }
        Ok(events)
    }

    /// Those that somebody asked to be tried again, and those that wait for one of them.
    async fn released(&self, connection: &mut PgConnection) -> Result<HashMap<Uuid, Held>, sqlx::Error> {
        let asked: Vec<Uuid> = sqlx::query_scalar("select organisation_id from parked where place = $1 and released")
            .bind(&self.place)
            .fetch_all(connection)
            .await?;
        let mut out: HashSet<Uuid> = asked.into_iter().filter(|id| self.held.contains_key(id)).collect();
        loop {
            let waiting = self
                .held
                .iter()
                .filter(|(id, held)| !out.contains(id) && held.waits_for.is_some_and(|other| out.contains(&other)));
            let waiting: Vec<_> = waiting.map(|(id, _)| *id).collect();
            if waiting.is_empty() {
                break;
            }
            out.extend(waiting);
        }
        Ok(out.into_iter().map(|id| (id, self.held[&id])).collect())
    }

    /// They wait from a later position on; also those that waited for another go on, whatever becomes of that one.
    async fn move_on(&mut self, connection: &mut PgConnection, ids: &[Uuid], position: u64) -> Result<(), sqlx::Error> {
        for id in ids {
            if let Some(held) = self.held.get_mut(id) {
                held.since = held.since.max(position);
            }
        }
        let sql = "update parked set position = greatest(position, $3), released = true where place = $1 and organisation_id = any($2)";
        sqlx::query(sql)
            .bind(&self.place)
            .bind(ids)
            .bind(signed(position))
            .execute(connection)
            .await?;
        Ok(())
    }

    async fn take_out(&mut self, connection: &mut PgConnection, ids: &[Uuid]) -> Result<(), sqlx::Error> {
        for id in ids {
            self.held.remove(id);
        }
        sqlx::query("delete from parked where place = $1 and organisation_id = any($2)")
            .bind(&self.place)
            .bind(ids)
            .execute(connection)
            .await?;
        tracing::info!(
            consumer = self.consumer,
            organisations = ids.len(),
            "parked organisations go on"
        );
        Ok(())
    }

    /// What was parked and not yet stored.
    pub(crate) fn freshly_parked(&self) -> impl Iterator<Item = (Uuid, &str)> {
        self.fresh
            .iter()
            .map(|fresh| (fresh.organisation_id, fresh.cause.as_str()))
    }

    /// Whether one of them is to be tried again, while the time for that, which began then, is not over.
    pub(crate) async fn is_asked(&self, connection: &mut PgConnection, began: Instant) -> Result<bool, sqlx::Error> {
        if self.held.is_empty() || began.elapsed() > SLICE {
            return Ok(false);
        }
        let row = sqlx::query("select exists (select from parked where place = $1 and released)")
            .bind(&self.place)
            .fetch_one(connection)
            .await?;
        row.try_get(0)
    }

    /// Tells how many are set aside.
    pub(crate) fn measure(&self) {
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("ryggrad_parked_organisations", "consumer" => self.consumer).set(self.held.len() as f64);
    }
}

fn read(row: &sqlx::postgres::PgRow) -> Result<Parked, sqlx::Error> {
    Ok(Parked {
        consumer: row.try_get("consumer")?,
        organisation_id: row.try_get("organisation_id")?,
        position: unsigned(row.try_get("position")?),
        event_id: row.try_get("event_id")?,
        event_name: row.try_get("event_name")?,
        cause: row.try_get("cause")?,
        waits_for: row.try_get("waits_for")?,
        parked_at: row.try_get::<jiff_sqlx::Timestamp, _>("parked_at")?.to_jiff(),
        released: row.try_get("released")?,
    })
}
