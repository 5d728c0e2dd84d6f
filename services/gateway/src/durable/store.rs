//! Durable subscriptions in the gateway's own schema.

use jiff::Timestamp;
use prost::Message as _;
use ryggrad_eventlog::Head;
use ryggrad_proto::events::v1::EventFilter;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

use super::{Name, Owner, Wanted};

/// How many an owner may have.
const MOST: i64 = 1_000;

const COLUMNS: &str = "filter, subscription, epoch, acknowledged, delivered, session, created_at, acknowledged_at";

/// The table. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Store {
    pool: PgPool,
}

/// One as it is remembered.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) filter: EventFilter,
    pub(crate) subscription: Option<Uuid>,
    pub(crate) epoch: Uuid,
    pub(crate) acknowledged: u64,
    pub(crate) delivered: u64,
    pub(crate) created_at: Timestamp,
    pub(crate) acknowledged_at: Option<Timestamp>,
}

/// What became of opening one.
#[derive(Debug)]
pub(super) enum Opening {
    /// It was made.
    Made(Stored),
    /// It was there.
    There(Stored),
    /// It was made with another one of these.
    Differs(&'static str),
    /// It was made in another log.
    OtherLog(Uuid),
    /// There are as many as there may be.
    TooMany(i64),
}

// === impl Store ===

impl Store {
    pub(super) fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    pub(super) async fn open(
        &self,
        name: &Name,
        wanted: &Wanted,
        session: Uuid,
        head: Head,
    ) -> Result<Opening, sqlx::Error> {
        let mut tx = self.pool.begin().await?;
        // Two who open the same for the first time do it one after the other.
        sqlx::query("select pg_advisory_xact_lock(hashtext('gateway.durables ' || $1 || ' ' || $2))")
            .bind(name.owner.organisation.as_str())
            .bind(name.owner.consumer.as_str())
            .execute(&mut *tx)
            .await?;
        let there = sqlx::query(&format!(
            "select {COLUMNS} from gateway.durables where owner = $1 and orgnr = $2 and name = $3 for update"
        ))
        .bind(name.owner.organisation.as_str())
        .bind(name.owner.consumer.as_str())
        .bind(&name.name)
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(row) = &there
            && !wanted.replace
        {
            let (stored, _) = read(row)?;
            if let Some(refused) = stored.refuses(wanted, head) {
                return Ok(refused);
            }
            sqlx::query("update gateway.durables set session = $4 where owner = $1 and orgnr = $2 and name = $3")
                .bind(name.owner.organisation.as_str())
                .bind(name.owner.consumer.as_str())
                .bind(&name.name)
                .bind(session)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            return Ok(Opening::There(stored));
        }
        if there.is_none() {
            let count: i64 =
                sqlx::query_scalar("select count(*) from gateway.durables where owner = $1 and orgnr = $2")
                    .bind(name.owner.organisation.as_str())
                    .bind(name.owner.consumer.as_str())
                    .fetch_one(&mut *tx)
                    .await?;
            if count >= MOST {
                return Ok(Opening::TooMany(MOST));
            }
        }
        let filter = plain(wanted.filter.clone().unwrap_or_default());
        let row = sqlx::query(&format!(
            "insert into gateway.durables \
             (owner, orgnr, name, filter, subscription, epoch, acknowledged, delivered, session) \
             values ($1, $2, $3, $4, $5, $6, $7, $7, $8) \
             on conflict (owner, orgnr, name) do update set filter = excluded.filter, subscription = excluded.subscription, epoch = excluded.epoch, acknowledged = excluded.acknowledged, \
             delivered = excluded.delivered, session = excluded.session, acknowledged_at = null returning {COLUMNS}"
        ))
        .bind(name.owner.organisation.as_str())
        .bind(name.owner.consumer.as_str())
        .bind(&name.name)
        .bind(filter.encode_to_vec())
        .bind(wanted.subscription)
        .bind(head.epoch)
        .bind(signed(wanted.after))
        .bind(session)
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Opening::Made(read(&row)?.0))
    }

    /// One, and who follows it.
    pub(super) async fn get(&self, name: &Name) -> Result<Option<(Stored, Uuid)>, sqlx::Error> {
        let sql = format!("select {COLUMNS} from gateway.durables where owner = $1 and orgnr = $2 and name = $3");
        let row = sqlx::query(&sql)
            .bind(name.owner.organisation.as_str())
            .bind(name.owner.consumer.as_str())
            .bind(&name.name)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(read).transpose()
    }

    pub(super) async fn list(&self, owner: Owner) -> Result<Vec<(String, Stored)>, sqlx::Error> {
        let sql = format!("select name, {COLUMNS} from gateway.durables where owner = $1 and orgnr = $2 order by name");
        let rows = sqlx::query(&sql)
            .bind(owner.organisation.as_str())
            .bind(owner.consumer.as_str())
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| Ok((row.try_get("name")?, read(row)?.0)))
            .collect()
    }

    /// Moves what is acknowledged; answers where it stands. None when it is not there.
    pub(super) async fn acknowledge(
        &self,
        name: &Name,
        position: u64,
        rewind: bool,
    ) -> Result<Option<u64>, sqlx::Error> {
        let stands: Option<i64> = sqlx::query_scalar(
            "update gateway.durables set acknowledged = case when $5 then $4 else greatest(acknowledged, $4) end, \
             delivered = greatest(delivered, $4), acknowledged_at = clock_timestamp() \
             where owner = $1 and orgnr = $2 and name = $3 returning acknowledged",
        )
        .bind(name.owner.organisation.as_str())
        .bind(name.owner.consumer.as_str())
        .bind(&name.name)
        .bind(signed(position))
        .bind(rewind)
        .fetch_optional(&self.pool)
        .await?;
        Ok(stands.map(unsigned))
    }

    /// Writes down what was delivered; whether the session still follows it.
    pub(super) async fn deliver(&self, name: &Name, session: Uuid, delivered: u64) -> Result<bool, sqlx::Error> {
        let done = sqlx::query(
            "update gateway.durables set delivered = greatest(delivered, $5) \
             where owner = $1 and orgnr = $2 and name = $3 and session = $4",
        )
        .bind(name.owner.organisation.as_str())
        .bind(name.owner.consumer.as_str())
        .bind(&name.name)
        .bind(session)
        .bind(signed(delivered))
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Whether it was there.
    pub(super) async fn delete(&self, name: &Name) -> Result<bool, sqlx::Error> {
        let done = sqlx::query("delete from gateway.durables where owner = $1 and orgnr = $2 and name = $3")
            .bind(name.owner.organisation.as_str())
            .bind(name.owner.consumer.as_str())
            .bind(&name.name)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

// === impl Stored ===

impl Stored {
    fn refuses(&self, wanted: &Wanted, head: Head) -> Option<Opening> {
        if self.epoch != head.epoch {
            return Some(Opening::OtherLog(self.epoch));
        }
        let other = |filter: &EventFilter| plain(filter.clone()) != self.filter;
        if wanted.filter.as_ref().is_some_and(other) {
            return Some(Opening::Differs("filter"));
        }
        (wanted.subscription != self.subscription).then_some(Opening::Differs("subscription"))
    }
}

fn read(row: &PgRow) -> Result<(Stored, Uuid), sqlx::Error> {
    let instant = |name| {
        let value: Option<jiff_sqlx::Timestamp> = row.try_get(name)?;
        Ok::<_, sqlx::Error>(value.map(jiff_sqlx::Timestamp::to_jiff))
    };
    let filter: &[u8] = row.try_get("filter")?;
    let stored = Stored {
        filter: EventFilter::decode(filter).map_err(|error| sqlx::Error::Decode(error.into()))?,
        subscription: row.try_get("subscription")?,
        epoch: row.try_get("epoch")?,
        acknowledged: unsigned(row.try_get("acknowledged")?),
        delivered: unsigned(row.try_get("delivered")?),
        created_at: instant("created_at")?.unwrap_or_default(),
        acknowledged_at: instant("acknowledged_at")?,
    };
    Ok((stored, row.try_get("session")?))
}

/// A filter in the one way to write it: the order of its values says nothing.
fn plain(mut filter: EventFilter) -> EventFilter {
    for values in [
        &mut filter.types,
        &mut filter.contexts,
        &mut filter.organisations,
        &mut filter.kommunenummer,
        &mut filter.aggregate_types,
    ] {
        values.sort();
        values.dedup();
    }
    filter.classes.sort_unstable();
    filter.classes.dedup();
    filter
}

fn signed(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

fn unsigned(position: i64) -> u64 {
    u64::try_from(position).unwrap_or_default()
}
