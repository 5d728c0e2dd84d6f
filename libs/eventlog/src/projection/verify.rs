//! Proof that a view is what the log says: folded again beside it, and compared byte for byte (I10).

use sqlx::{PgConnection, PgPool, Row as _};

use crate::event::{COLUMNS, Recorded, signed, unsigned};
use crate::parked::Lot;
use crate::projection::fold::Sheet;
use crate::projection::table::Table;
use crate::projection::{Projection, turn};

/// How many events are folded together.
const PAGE: u32 = 5_000;

/// Where a view is not what the log says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// A row is another one, too many or missing.
    #[error("the row {key} is not what the log gives")]
    Row {
        /// Its key, the first one that differs.
        key: String,
        /// What the view has.
        live: Option<Vec<u8>>,
        /// What the log gives.
        folded: Option<Vec<u8>>,
    },
    /// An organisation is parked now that was not parked then.
    #[error("organisation {organisation_id} cannot be folded: {cause}")]
    Parked {
        /// The organisation.
        organisation_id: uuid::Uuid,
        /// What is wrong.
        cause: String,
    },
}

/// Folds a view again up to where the live one is, and answers that position and the first difference. The live one is
/// not disturbed, and goes on meanwhile.
///
/// # Errors
/// When the database fails, or has no such view ([`sqlx::Error::RowNotFound`]).
pub async fn verify<P: Projection>(pool: &PgPool, projection: &P) -> Result<(u64, Option<Difference>), sqlx::Error> {
    // One snapshot sees the live rows, their position and the log; the temporary table is gone with it.
    let mut tx = pool.begin_with("begin isolation level repeatable read").await?;
    let sql = "select p.table_name, coalesce(c.position, 0) from projections p left join checkpoints c on c.consumer = p.table_name
                where p.name = $1 and p.state = 'live'";
    let row = sqlx::query(sql).bind(P::NAME).fetch_one(&mut *tx).await?;
    let (live, as_of) = (row.try_get::<String, _>(0)?, unsigned(row.try_get(1)?));
    let again = Table::<P>::new(format!("{}_again", P::NAME));
    again.create(&mut tx, true).await?;
    let mut lot = Lot::load(&mut tx, P::NAME, &live).await?;
    fold(&mut tx, projection, &again, &mut lot, as_of).await?;
    let parked = lot
        .freshly_parked()
        .next()
        .map(|(organisation_id, cause)| Difference::Parked {
            organisation_id,
            cause: cause.to_owned(),
        });
    let difference = match parked {
        Some(parked) => Some(parked),
        None => compare(&mut tx, &live, &again.name).await?,
    };
    tx.rollback().await?;
    Ok((as_of, difference))
}

async fn fold<P: Projection>(
    connection: &mut PgConnection,
    projection: &P,
    table: &Table<P>,
    lot: &mut Lot,
    until: u64,
) -> Result<(), sqlx::Error> {
    let mut sheet = Sheet::default();
    let mut position = 0;
    let sql =
        format!("select {COLUMNS} from log.events where position > $1 and position <= $2 order by position limit $3");
    while position < until {
        let rows = sqlx::query(&sql)
            .bind(signed(position))
            .bind(signed(until))
            .bind(i64::from(PAGE))
            .fetch_all(&mut *connection)
            .await?;
        let events = rows.iter().map(Recorded::from_row).collect::<Result<Vec<_>, _>>()?;
        let Some(last) = events.last() else { break };
        position = last.position;
        turn::apply(connection, projection, table, &mut sheet, lot, &events).await?;
    }
    Ok(())
}

async fn compare(connection: &mut PgConnection, live: &str, again: &str) -> Result<Option<Difference>, sqlx::Error> {
    let sql = format!(
        "select coalesce(l.key, a.key), l.row, a.row from {live} l full join {again} a on a.key = l.key where (l.*) is distinct from (a.*) order by 1 limit 1"
    );
    let row = sqlx::query(&sql).fetch_optional(connection).await?;
    row.map(|row| {
        Ok(Difference::Row {
            key: row.try_get(0)?,
            live: row.try_get(1)?,
            folded: row.try_get(2)?,
        })
    })
    .transpose()
}
