//! Taking a batch in: read its rows, fold, write them, move the checkpoint; all or nothing.

use std::time::Instant;

use sqlx::{Connection as _, PgConnection};

use crate::consumer::{self, Failure, Overtaken};
use crate::event::Recorded;
use crate::parked::Lot;
use crate::projection::Projection;
use crate::projection::fold::{self, Changes, Sheet};
use crate::projection::table::Table;

/// One generation at work.
pub(super) struct Turn<P: Projection> {
    table: Table<P>,
    sheet: Sheet<P::Row>,
    pub(super) lot: Lot,
    pub(super) position: u64,
}

// === impl Turn ===

impl<P: Projection> Turn<P> {
    /// Goes on where the generation's checkpoint is.
    pub(super) async fn open(connection: &mut PgConnection, table: String) -> Result<Self, sqlx::Error> {
        let position = consumer::checkpoint(connection, &table).await?;
        let lot = Lot::load(connection, P::NAME, &table).await?;
        let table = Table::new(table);
        table.create(connection, false).await?;
        Ok(Self {
            table,
            sheet: Sheet::default(),
            lot,
            position,
        })
    }

    /// Makes the indexes that queries need.
    pub(super) async fn index(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        self.table.index(connection).await
    }

    /// Lets go of the rows that are remembered: they are in the table.
    pub(super) fn forget(&mut self) {
        self.sheet = Sheet::default();
    }

    /// Takes the next events in.
    pub(super) async fn take_in(
        &mut self,
        connection: &mut PgConnection,
        projection: &P,
        events: &[Recorded],
    ) -> Result<(), Failure> {
        let Some(to) = events.last().map(|event| event.position) else {
            return Ok(());
        };
        let changes = fold(
            connection,
            projection,
            &self.table,
            &mut self.sheet,
            &mut self.lot,
            events,
        )
        .await?;
        let name = &self.table.name;
        let advanced = if changes.is_empty() && !self.lot.has_news() {
            // Most batches say nothing to most views. The checkpoint alone needs no transaction around it.
            consumer::advance(connection, name, self.position, to).await?
        } else {
            let mut tx = connection.begin().await?;
            self.table.write(&mut tx, projection, changes).await?;
            self.lot.store(&mut tx).await?;
            let advanced = consumer::advance(&mut tx, name, self.position, to).await?;
            if advanced {
                tx.commit().await?;
            }
            advanced
        };
        if !advanced {
            return Err(Overtaken.into());
        }
        self.position = to;
        Ok(())
    }

    /// Takes in what the organisations missed that are to be tried again, as far as it gets before it is somebody else's turn.
    pub(super) async fn let_out(&mut self, connection: &mut PgConnection, projection: &P) -> Result<(), Failure> {
        let began = Instant::now();
        while self.lot.is_asked(connection, began).await? {
            let mut tx = connection.begin().await?;
            let events = self.lot.let_out(&mut tx, self.position).await?;
            apply(
                &mut tx,
                projection,
                &self.table,
                &mut self.sheet,
                &mut self.lot,
                &events,
            )
            .await?;
            self.lot.store(&mut tx).await?;
            if !consumer::advance(&mut tx, &self.table.name, self.position, self.position).await? {
                return Err(Overtaken.into());
            }
            tx.commit().await?;
        }
        Ok(())
    }
}

/// Folds events into a table, in the transaction that the connection is in. When it fails, the sheet and the lot know
/// more than the table, and must not be used on.
pub(super) async fn apply<P: Projection>(
    connection: &mut PgConnection,
    projection: &P,
    table: &Table<P>,
    sheet: &mut Sheet<P::Row>,
    lot: &mut Lot,
    events: &[Recorded],
) -> Result<(), sqlx::Error> {
    let changes = fold(connection, projection, table, sheet, lot, events).await?;
    table.write(connection, projection, changes).await
}

/// Reads the rows that events change, and folds: what has to be written. It needs no transaction: whoever writes meanwhile
/// moves the checkpoint, which is noticed.
async fn fold<P: Projection>(
    connection: &mut PgConnection,
    projection: &P,
    table: &Table<P>,
    sheet: &mut Sheet<P::Row>,
    lot: &mut Lot,
    events: &[Recorded],
) -> Result<Changes<P::Row>, sqlx::Error> {
    let keys = fold::keys(projection, events);
    if !P::APPEND_ONLY {
        let unknown = sheet.unknown(&keys);
        if !unknown.is_empty() {
            let found = table.load(connection, &unknown).await?;
            sheet.learn(unknown, found);
        }
    }
    fold::fold(projection, sheet, lot, events, keys);
    let changes = sheet.changes();
    sheet.trim(P::APPEND_ONLY);
    Ok(changes)
}
