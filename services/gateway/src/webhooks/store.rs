//! Endpoints in the database, as their owners see and change them.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

use super::endpoint::{COLUMNS, Endpoint, Owner, State};
use super::keys::Keys;
use super::seal::{Seal, SealError};

/// Why an endpoint is pending that has not been asked yet.
pub(crate) const UNASKED: &str = "the handshake has not been answered yet";

/// What permission changes: when it was given, and for how many deliveries a minute. A granting address is good once.
const PERMITTED: &str = "state = case when state = 'paused' then state else 'active' end, reason = '', validated_at = $1, \
    allowed_per_minute = $2, grant_hash = null, grant_until = null, version = version + 1";

/// Reads and writes endpoints. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pub(crate) pool: PgPool,
}

/// Keys as they are kept.
#[derive(Debug)]
pub(crate) struct Sealed {
    bytes: Vec<u8>,
    name: Vec<u8>,
    pub(crate) public: Vec<u8>,
    pub(crate) ends_at: Option<Timestamp>,
}

/// What waits for an endpoint.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) waiting: u64,
    pub(crate) dead: u64,
}

/// What permission was given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Permission {
    /// Deliveries a minute; none for no limit.
    pub(crate) per_minute: Option<u32>,
    pub(crate) at: Timestamp,
}

// === impl Store ===

impl Store {
    /// Keeps a new endpoint with its first keys.
    pub(crate) async fn insert(&self, endpoint: &Endpoint, keys: &Keys, seal: &Seal) -> Result<(), StoreError> {
        let Endpoint { id, owner, .. } = endpoint;
        let mut tx = self.pool.begin().await?;
        sqlx::query(
            "insert into webhook_endpoints (endpoint_id, owner, consumer, supplier, system_user_id, scopes, url, filter, subscription_id, \
             is_structured, is_ordered, rate_per_second, description, state, reason, cursor, created_at, proved_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        )
        .bind(id)
        .bind(owner.organisation.as_str())
        .bind(owner.consumer.as_str())
        .bind(owner.supplier.as_ref().map(|number| number.as_str().to_owned()))
        .bind(&owner.system_user)
        .bind(owner.scopes())
        .bind(&endpoint.url)
        .bind(filter(endpoint)?)
        .bind(endpoint.subscription)
        .bind(endpoint.is_structured)
        .bind(endpoint.is_ordered)
        .bind(small(endpoint.rate_per_second))
        .bind(&endpoint.description)
        .bind(endpoint.state.name())
        .bind(&endpoint.reason)
        .bind(signed(endpoint.cursor))
        .bind(endpoint.created_at.to_sqlx())
        .bind(endpoint.proved_at.to_sqlx())
        .execute(&mut *tx)
        .await?;
        insert_keys(&mut tx, *id, keys, seal, endpoint.created_at).await?;
        Ok(tx.commit().await?)
    }

    /// An owner's endpoint.
    pub(crate) async fn get(&self, owner: &Owner, id: Uuid) -> Result<Option<Endpoint>, sqlx::Error> {
        let sql =
            format!("select {COLUMNS} from webhook_endpoints where endpoint_id = $1 and owner = $2 and consumer = $3");
        let row = sqlx::query(&sql)
            .bind(id)
            .bind(owner.organisation.as_str())
            .bind(owner.consumer.as_str())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(Endpoint::from_row).transpose()
    }

    /// Anybody's endpoint, for those who deliver.
    pub(crate) async fn load(&self, id: Uuid) -> Result<Option<Endpoint>, sqlx::Error> {
        let sql = format!("select {COLUMNS} from webhook_endpoints where endpoint_id = $1");
        let row = sqlx::query(&sql).bind(id).fetch_optional(&self.pool).await?;
        row.as_ref().map(Endpoint::from_row).transpose()
    }

    /// An owner's endpoints, the oldest first.
    pub(crate) async fn list(&self, owner: &Owner) -> Result<Vec<Endpoint>, sqlx::Error> {
        let sql = format!(
            "select {COLUMNS} from webhook_endpoints where owner = $1 and consumer = $2 order by created_at, endpoint_id"
        );
        let rows = sqlx::query(&sql)
            .bind(owner.organisation.as_str())
            .bind(owner.consumer.as_str())
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(Endpoint::from_row).collect()
    }

    /// Keeps what its owner changed. At another address it has to be asked first: it is pending then, and nothing that was
    /// agreed with the old one counts, neither a permission on its way nor a pause.
    pub(crate) async fn update(&self, endpoint: &Endpoint) -> Result<(), StoreError> {
        sqlx::query(
            "update webhook_endpoints set url = $2, filter = $3::jsonb, subscription_id = $4, is_structured = $5, is_ordered = $6, \
             rate_per_second = $7, description = $8, version = version + 1, \
             state = case when url = $2 then state else 'pending' end, reason = case when url = $2 then reason else $9 end, \
             allowed_per_minute = case when url = $2 then allowed_per_minute end, \
             grant_hash = case when url = $2 then grant_hash end, grant_until = case when url = $2 then grant_until end, \
             not_before = case when url = $2 then not_before end where endpoint_id = $1",
        )
        .bind(endpoint.id)
        .bind(&endpoint.url)
        .bind(filter(endpoint)?)
        .bind(endpoint.subscription)
        .bind(endpoint.is_structured)
        .bind(endpoint.is_ordered)
        .bind(small(endpoint.rate_per_second))
        .bind(&endpoint.description)
        .bind(UNASKED)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// A token proves what its owner is. That counts for those of its endpoints that rest on no scope that the token lacks; for
    /// the others, nothing changes. Whether anything did.
    pub(crate) async fn prove(&self, owner: &Owner, at: Timestamp) -> Result<bool, sqlx::Error> {
        let proved = sqlx::query(
            "update webhook_endpoints set proved_at = $6, supplier = $3, system_user_id = $4, version = version + 1 \
             where owner = $1 and consumer = $2 and string_to_array(scopes, ' ') <@ string_to_array($5, ' ') \
             and (proved_at < $6 - interval '1 hour' or (supplier, system_user_id) is distinct from ($3, $4))",
        )
        .bind(owner.organisation.as_str())
        .bind(owner.consumer.as_str())
        .bind(owner.supplier.as_ref().map(|number| number.as_str().to_owned()))
        .bind(&owner.system_user)
        .bind(owner.scopes())
        .bind(at.to_sqlx())
        .execute(&self.pool)
        .await?;
        Ok(proved.rows_affected() > 0)
    }

    /// From now on an endpoint rests on what this token of its owner proves, more or less than before.
    pub(crate) async fn rest_on(&self, id: Uuid, owner: &Owner, at: Timestamp) -> Result<(), sqlx::Error> {
        sqlx::query(
            "update webhook_endpoints set proved_at = $5, supplier = $2, system_user_id = $3, scopes = $4, version = version + 1 \
             where endpoint_id = $1",
        )
        .bind(id)
        .bind(owner.supplier.as_ref().map(|number| number.as_str().to_owned()))
        .bind(&owner.system_user)
        .bind(owner.scopes())
        .bind(at.to_sqlx())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Removes an endpoint with everything that hangs on it.
    pub(crate) async fn delete(&self, id: Uuid) -> Result<(), sqlx::Error> {
        sqlx::query("delete from webhook_endpoints where endpoint_id = $1")
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Brings an endpoint from one state to another; false when it is in a third one.
    pub(crate) async fn turn(&self, id: Uuid, from: State, to: State) -> Result<bool, sqlx::Error> {
        let turned = sqlx::query(
            "update webhook_endpoints set state = $3, reason = '', version = version + 1, \
             not_before = case when $3 = 'active' then null else not_before end \
             where endpoint_id = $1 and state = $2",
        )
        .bind(id)
        .bind(from.name())
        .bind(to.name())
        .execute(&self.pool)
        .await?;
        Ok(turned.rows_affected() > 0)
    }

    /// Makes everything that waits for its next attempt due now.
    pub(crate) async fn hurry(&self, id: Uuid, now: Timestamp) -> Result<(), sqlx::Error> {
        sqlx::query("update webhook_queue set next_attempt_at = $2 where endpoint_id = $1 and state = 'due'")
            .bind(id)
            .bind(now.to_sqlx())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The endpoint allows being called. A paused one stays paused. False when it has another address by now.
    pub(crate) async fn permitted(&self, id: Uuid, url: &str, permission: Permission) -> Result<bool, sqlx::Error> {
        let sql = format!("update webhook_endpoints set {PERMITTED} where endpoint_id = $3 and url = $4");
        let done = sqlx::query(&sql)
            .bind(permission.at.to_sqlx())
            .bind(permission.per_minute.map(small))
            .bind(id)
            .bind(url)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// The endpoint does not allow it, or did not answer. It stays what it is, with the reason.
    pub(crate) async fn not_permitted(&self, id: Uuid, url: &str, reason: &str) -> Result<(), sqlx::Error> {
        sqlx::query("update webhook_endpoints set reason = $3 where endpoint_id = $1 and url = $2")
            .bind(id)
            .bind(url)
            .bind(reason)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Remembers what the address for granting permission afterwards has in it. False when the endpoint has another address
    /// by now than the one that is about to be asked.
    pub(crate) async fn expect_grant(
        &self,
        endpoint: &Endpoint,
        hash: &[u8],
        until: Timestamp,
    ) -> Result<bool, sqlx::Error> {
        let expected = sqlx::query(
            "update webhook_endpoints set grant_hash = $3, grant_until = $4 where endpoint_id = $1 and url = $2",
        )
        .bind(endpoint.id)
        .bind(&endpoint.url)
        .bind(hash)
        .bind(until.to_sqlx())
        .execute(&self.pool)
        .await?;
        Ok(expected.rows_affected() > 0)
    }

    /// Whoever was asked gives permission afterwards, by what it was sent; the endpoint that it is for, while that is good. In
    /// one statement, so that it is never for an address that came between.
    pub(crate) async fn granted(&self, hash: &[u8], permission: Permission) -> Result<Option<Uuid>, sqlx::Error> {
        let sql = format!(
            "update webhook_endpoints set {PERMITTED} where grant_hash = $3 and grant_until > $1 returning endpoint_id"
        );
        sqlx::query_scalar(&sql)
            .bind(permission.at.to_sqlx())
            .bind(permission.per_minute.map(small))
            .bind(hash)
            .fetch_optional(&self.pool)
            .await
    }

    /// The keys that sign at a time, the newest first.
    pub(crate) async fn keys(&self, id: Uuid, now: Timestamp) -> Result<Vec<Sealed>, sqlx::Error> {
        let rows = sqlx::query(
            "select sealed, sealed_with, public_key, ends_at from webhook_keys \
             where endpoint_id = $1 and (ends_at is null or ends_at > $2) order by created_at desc, key_id desc limit 2",
        )
        .bind(id)
        .bind(now.to_sqlx())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(Sealed::from_row).collect()
    }

    /// Adds keys; those until now end at a time, and older ones at once.
    pub(crate) async fn rotate(
        &self,
        id: Uuid,
        keys: &Keys,
        seal: &Seal,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await?;
        // One at a time: the row is held until the commit.
        sqlx::query("update webhook_endpoints set version = version + 1 where endpoint_id = $1")
            .bind(id)
            .execute(&mut *tx)
            .await?;
        sqlx::query("delete from webhook_keys where endpoint_id = $1 and ends_at is not null")
            .bind(id)
            .execute(&mut *tx)
            .await?;
        sqlx::query("update webhook_keys set ends_at = $2 where endpoint_id = $1")
            .bind(id)
            .bind(until.to_sqlx())
            .execute(&mut *tx)
            .await?;
        insert_keys(&mut tx, id, keys, seal, now).await?;
        Ok(tx.commit().await?)
    }

    /// What waits for an endpoint.
    pub(crate) async fn counts(&self, id: Uuid) -> Result<Counts, sqlx::Error> {
        let row = sqlx::query(
            "select count(*) filter (where state <> 'dead') as waiting, count(*) filter (where state = 'dead') as dead \
             from webhook_queue where endpoint_id = $1",
        )
        .bind(id)
        .fetch_one(&self.pool)
        .await?;
        let count = |column| Ok::<_, sqlx::Error>(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or_default());
        Ok(Counts {
            waiting: count("waiting")?,
            dead: count("dead")?,
        })
    }
}

// === impl Sealed ===

impl Sealed {
    /// The keys themselves.
    pub(crate) fn open(&self, endpoint: Uuid, seal: &Seal) -> Result<Keys, SealError> {
        let bytes = seal.open(endpoint, &self.name, &self.bytes)?;
        Keys::read(&bytes).map_err(|_| SealError::Damaged)
    }

    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let ends_at = row.try_get::<Option<jiff_sqlx::Timestamp>, _>("ends_at")?;
        Ok(Self {
            bytes: row.try_get("sealed")?,
            name: row.try_get("sealed_with")?,
            public: row.try_get("public_key")?,
            ends_at: ends_at.map(jiff_sqlx::Timestamp::to_jiff),
        })
    }
}

/// Why something was not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error("the filter cannot be written")]
    Filter(#[from] serde_json::Error),
}

async fn insert_keys(
    tx: &mut sqlx::PgTransaction<'_>,
    endpoint: Uuid,
    keys: &Keys,
    seal: &Seal,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into webhook_keys (key_id, endpoint_id, sealed, sealed_with, public_key, created_at) values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(fresh_id())
    .bind(endpoint)
    .bind(seal.close(endpoint, &keys.bytes())?)
    .bind(seal.name())
    .bind(keys.public())
    .bind(now.to_sqlx())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn filter(endpoint: &Endpoint) -> Result<String, serde_json::Error> {
    serde_json::to_string(&endpoint.filter)
}

/// An id for something of ours.
#[expect(clippy::disallowed_methods, reason = "ids are made here, at the edge")]
pub(crate) fn fresh_id() -> Uuid {
    Uuid::now_v7()
}

/// A position as PostgreSQL keeps it.
pub(crate) fn signed(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// A count as PostgreSQL keeps it.
pub(crate) fn small(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
