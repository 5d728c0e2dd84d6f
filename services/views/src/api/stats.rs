//! Queries of `stats_cube`: counted from the sample in memory, and told as much of as may be told.

mod held;
mod table;

use ryggrad_eventlog::projection::Snapshot;
use ryggrad_proto::views::v1::{GetStatsRequest, GetStatsResponse, StatsCell};
use ryggrad_service::ApiError;

use super::page::{Cursor, Page};
use super::{Api, read};
use crate::stats_cube::cube::Cell;
use crate::stats_cube::level::Level;
use crate::stats_cube::sample::THRESHOLD;

pub(crate) use held::Held;
use table::Table;

/// Cells of a page when nothing is said, and at the most.
const PAGE: (u32, u32) = (1_000, 10_000);
/// What stands between the values in a cursor.
const BETWEEN: &str = "\u{1f}";

pub(super) async fn get(api: &Api, request: GetStatsRequest) -> Result<GetStatsResponse, ApiError> {
    let table = Table::parse(&request)?;
    let list = format!("stats {table:?}");
    let page = Page::parse_within(request.page_size, &request.page_token, &list, PAGE.0, PAGE.1)?;
    let (as_of, cube) = api.stats.at_least(request.at_least, api.patience).await?;
    // Five dimensions of the whole country are nearly as many cells as there are organisations.
    let counted = tokio::task::spawn_blocking(move || answer(&table, &page, cube.count(&table.by, &table.only)));
    let answer = counted.await.map_err(ApiError::internal)?;
    Ok(GetStatsResponse { as_of, ..answer })
}

/// The cells of a whole table, as `GetStats` would tell them page by page.
pub(super) async fn whole(by: Vec<String>, snapshot: &mut Snapshot) -> Result<Vec<StatsCell>, ApiError> {
    let request = GetStatsRequest {
        by,
        ..GetStatsRequest::default()
    };
    let table = Table::parse(&request)?;
    let cube = held::sample(snapshot).await.map_err(read::unreadable)?;
    let counted = tokio::task::spawn_blocking(move || {
        let cells = cube.count(&table.by, &table.only).into_iter();
        cells.map(|cell| told(&table.by, cell)).collect()
    });
    counted.await.map_err(ApiError::internal)
}

/// The cells of a page.
fn answer(table: &Table, page: &Page, mut cells: Vec<Cell>) -> GetStatsResponse {
    let suppressed_cells = cells.iter().filter(|cell| cell.count.is_none()).count();
    let place = |cell: &Cell| cell.values.join(BETWEEN);
    if let Some(after) = &page.after {
        let last: Vec<_> = after.text.split(BETWEEN).collect();
        cells.drain(..cells.partition_point(|cell| cell.values.iter().map(String::as_str).le(last.iter().copied())));
    }
    let next_page_token = page.cut(&mut cells, |last| Cursor {
        text: place(last),
        ..Cursor::default()
    });
    GetStatsResponse {
        cells: cells.into_iter().map(|cell| told(&table.by, cell)).collect(),
        next_page_token,
        as_of: 0,
        threshold: u32::try_from(THRESHOLD).unwrap_or(u32::MAX),
        suppressed_cells: u32::try_from(suppressed_cells).unwrap_or(u32::MAX),
    }
}

/// A cell as it is told.
fn told(by: &[Level], cell: Cell) -> StatsCell {
    let mut told = StatsCell {
        count: cell.count.unwrap_or_default(),
        suppressed: cell.count.is_none(),
        ..StatsCell::default()
    };
    for (level, value) in by.iter().zip(cell.values) {
        let value = if value.is_empty() { "unknown".to_owned() } else { value };
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
