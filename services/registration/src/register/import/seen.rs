//! When an organisation was last read and nothing had changed. No fact remembers that, and what was read before it tells nothing new.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgPool;
use uuid::Uuid;

/// Which of these organisations were found unchanged in something that was fetched later.
pub(super) async fn later(pool: &PgPool, ids: &[Uuid], fetched_at: Timestamp) -> Result<HashSet<Uuid>, sqlx::Error> {
    let sql = "select organisation_id from register_seen where organisation_id = any($1) and fetched_at > $2";
    let later = sqlx::query_scalar(sql).bind(ids).bind(fetched_at.to_sqlx());
    Ok(later.fetch_all(pool).await?.into_iter().collect())
}

/// Remembers that these organisations were found unchanged. Written in one order, so that two imports do not wait for each other in
/// a circle.
pub(super) async fn remember(pool: &PgPool, mut ids: Vec<Uuid>, fetched_at: Timestamp) -> Result<(), sqlx::Error> {
    if ids.is_empty() {
        return Ok(());
    }
    ids.sort_unstable();
    let sql = "insert into register_seen select id, $2 from unnest($1) as ids(id) order by id
        on conflict (organisation_id) do update set fetched_at = excluded.fetched_at
            where register_seen.fetched_at < excluded.fetched_at";
    sqlx::query(sql)
        .bind(ids)
        .bind(fetched_at.to_sqlx())
        .execute(pool)
        .await?;
    Ok(())
}
