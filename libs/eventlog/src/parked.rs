//! Organisations that a consumer cannot go on with: parked with the cause, while everybody else flows on (I11).

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool, Row as _};
use uuid::Uuid;

use crate::consumer::Poison;
use crate::event::{COLUMNS, Recorded, signed, unsigned};

/// An organisation that waits, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// The view, reaction or schedule that cannot go on.
    pub consumer: String,
    /// The organisation.
    pub organisation_id: Uuid,
    /// The first event that was not taken in; it and the later ones wait in the log.
    pub position: u64,
    /// Id of that event.
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
    let sql = "select distinct on (consumer, organisation_id) consumer, organisation_id, position, event_id, event_name, cause, waits_for, parked_at, released
                 from parked order by consumer, organisation_id, position";
    let rows = sqlx::query(sql).fetch_all(pool).await?;
    let mut list = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    list.sort_by_key(|parked| parked.parked_at);
    Ok(list)
}

/// Asks the consumer to try an organisation again, and those that wait for it. The running consumer takes its events in
/// from where it stopped, in order and in one go, and then goes on. False when the organisation is not parked there.
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

    pub(crate) fn len(&self) -> usize {
        self.held.len()
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
                   values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (place, organisation_id) do nothing";
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

    /// Takes out those that are to be tried again, with those that wait for them; the events that they missed up to a
    /// position, in order.
    pub(crate) async fn let_out(
        &mut self,
        connection: &mut PgConnection,
        until: u64,
    ) -> Result<Vec<Recorded>, sqlx::Error> {
        let rows = sqlx::query("select organisation_id from parked where place = $1 and released")
            .bind(&self.place)
            .fetch_all(&mut *connection)
            .await?;
        let mut out = rows
            .iter()
            .map(|row| row.try_get(0))
            .collect::<Result<HashSet<Uuid>, _>>()?;
        out.retain(|id| self.held.contains_key(id));
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
        let out: HashMap<Uuid, Held> = out.into_iter().filter_map(|id| self.held.remove_entry(&id)).collect();
        let Some(from) = out.values().map(|held| held.since).min() else {
            return Ok(Vec::new());
        };
        let ids: Vec<Uuid> = out.keys().copied().collect();
        sqlx::query("delete from parked where place = $1 and organisation_id = any($2)")
            .bind(&self.place)
            .bind(&ids)
            .execute(&mut *connection)
            .await?;
        let sql = format!(
            "select {COLUMNS} from log.events where position between $1 and $2 and organisation_id = any($3) order by position"
        );
        let rows = sqlx::query(&sql)
            .bind(signed(from))
            .bind(signed(until))
            .bind(&ids)
            .fetch_all(&mut *connection)
            .await?;
        let mut events = rows.iter().map(Recorded::from_row).collect::<Result<Vec<_>, _>>()?;
        events.retain(|event| {
            out.get(&event.organisation_id)
                .is_some_and(|held| event.position >= held.since)
        });
        tracing::info!(
            consumer = self.consumer,
            organisations = out.len(),
            events = events.len(),
            "parked organisations are tried again"
        );
        Ok(events)
    }

    /// What was parked and not yet stored.
    pub(crate) fn freshly_parked(&self) -> impl Iterator<Item = (Uuid, &str)> {
        self.fresh
            .iter()
            .map(|fresh| (fresh.organisation_id, fresh.cause.as_str()))
    }

    /// Whether somebody asked for one of them to be tried again.
    pub(crate) async fn is_asked(&self, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
        if self.held.is_empty() {
            return Ok(false);
        }
        let row = sqlx::query("select exists (select from parked where place = $1 and released)")
            .bind(&self.place)
            .fetch_one(connection)
            .await?;
        row.try_get(0)
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
