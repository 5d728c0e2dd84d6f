//! Queries of `stats_cube`: count, suppress, and answer the part that was asked for.

use ryggrad_eventlog::projection::Snapshot;
use ryggrad_proto::views::v1::{GetStatsRequest, GetStatsResponse, StatsCell};
use ryggrad_service::ApiError;
use sqlx::Row as _;

use super::page::{Cursor, Page};
use super::{Api, read};
use crate::stats_cube::suppress::{Cell, THRESHOLD, suppress};

mod table;

use table::{Dimension, Level, Table};

/// Cells of a page when nothing is said, and at the most.
const PAGE: (u32, u32) = (1_000, 10_000);
/// What stands between the values in a cursor.
const BETWEEN: &str = "\u{1f}";

pub(super) async fn get(api: &Api, request: GetStatsRequest) -> Result<GetStatsResponse, ApiError> {
    let table = Table::parse(&request)?;
    let page = Page::parse_within(
        request.page_size,
        &request.page_token,
        &format!("stats {table:?}"),
        PAGE.0,
        PAGE.1,
    )?;
    let mut snapshot = read::open(&api.stats, request.at_least, api.patience).await?;
    let mut cells = cells(&table, &mut snapshot).await?;
    let suppressed_cells = cells.iter().filter(|cell| cell.suppressed).count();
    if let Some(after) = &page.after {
        cells.drain(..cells.partition_point(|cell| order(&table, cell) <= after.text));
    }
    let next_page_token = page.cut(&mut cells, |last| Cursor {
        text: order(&table, last),
        ..Cursor::default()
    });
    Ok(GetStatsResponse {
        cells: cells.into_iter().map(|cell| answer(&table, cell)).collect(),
        next_page_token,
        as_of: snapshot.as_of(),
        threshold: u32::try_from(THRESHOLD).unwrap_or(u32::MAX),
        suppressed_cells: u32::try_from(suppressed_cells).unwrap_or(u32::MAX),
    })
}

/// The cells of a whole table, as `GetStats` would tell them page by page.
pub(super) async fn whole(by: Vec<String>, snapshot: &mut Snapshot) -> Result<Vec<StatsCell>, ApiError> {
    let request = GetStatsRequest {
        by,
        ..GetStatsRequest::default()
    };
    let table = Table::parse(&request)?;
    let cells = cells(&table, snapshot).await?;
    Ok(cells.into_iter().map(|cell| answer(&table, cell)).collect())
}

/// The wanted cells of a table in their order, those that must not be told suppressed.
async fn cells(table: &Table, snapshot: &mut Snapshot) -> Result<Vec<Cell>, ApiError> {
    let sql = table.sql(snapshot.table());
    let rows = sqlx::query(&sql)
        .fetch_all(snapshot.connection())
        .await
        .map_err(read::unreadable)?;
    let cells = rows
        .iter()
        .map(|row| cell(row, table.dimensions.len()))
        .collect::<Result<Vec<_>, _>>();
    let mut cells = cells.map_err(read::unreadable)?;
    let parents: Vec<_> = table.dimensions.iter().map(Dimension::parent).collect();
    suppress(&mut cells, &parents);
    cells.retain(|cell| table.has(cell));
    cells.sort_by_cached_key(|cell| order(table, cell));
    Ok(cells)
}

/// What a cell is sorted by.
fn order(table: &Table, cell: &Cell) -> String {
    let values: Vec<_> = table.order.iter().map(|n| cell.values[*n].as_str()).collect();
    values.join(BETWEEN)
}

fn cell(row: &sqlx::postgres::PgRow, dimensions: usize) -> Result<Cell, sqlx::Error> {
    let values = (0..dimensions).map(|n| row.try_get(n)).collect::<Result<_, _>>()?;
    let count: i64 = row.try_get(dimensions)?;
    Ok(Cell {
        values,
        count: count.unsigned_abs(),
        suppressed: false,
    })
}

/// A cell as it is told: the dimensions that were asked for.
fn answer(table: &Table, cell: Cell) -> StatsCell {
    let Cell {
        values,
        count,
        suppressed,
    } = cell;
    let mut told = StatsCell {
        count: if suppressed { 0 } else { count },
        suppressed,
        ..StatsCell::default()
    };
    for (dimension, value) in table.dimensions.iter().zip(values) {
        let Some(level) = dimension.asked else { continue };
        let value = level.of(&value);
        let value = if value.is_empty() {
            "unknown".to_owned()
        } else {
            value.to_owned()
        };
        match level {
            Level::Kommune => told.kommunenummer = value,
            Level::Fylke => told.fylkesnummer = value,
            Level::Icnpo | Level::IcnpoGroup => told.icnpo = value,
            Level::Form => told.form = value,
            Level::Size => told.size = value,
            Level::Month | Level::Year => told.month = value,
        }
    }
    told
}
