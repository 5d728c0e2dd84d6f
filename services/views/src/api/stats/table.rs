//! The table that a request is a part of: its dimensions and how fine they are.

use ryggrad_proto::views::v1::GetStatsRequest;
use ryggrad_service::ApiError;

use super::super::field;
use crate::stats_cube::SIZES;
use crate::stats_cube::suppress::Cell;

#[cfg(test)]
mod tests;

/// How fine a dimension is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Kommune,
    Fylke,
    Icnpo,
    IcnpoGroup,
    Form,
    Size,
    Month,
    Year,
}

/// A dimension of a table.
#[derive(Debug, Clone)]
pub(super) struct Dimension {
    /// How fine the table is in it.
    level: Level,
    /// How fine the answer is in it; none when it is only filtered by.
    pub(super) asked: Option<Level>,
    /// The value wanted, and how fine it is.
    only: Option<(Level, String)>,
}

/// A table, and the part of it that is wanted.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) dimensions: Vec<Dimension>,
    /// The dimensions asked for, by their number, in the order in which they were.
    pub(super) order: Vec<usize>,
}

const LEVELS: [(&str, Level); 8] = [
    ("kommune", Level::Kommune),
    ("fylke", Level::Fylke),
    ("icnpo", Level::Icnpo),
    ("icnpo_group", Level::IcnpoGroup),
    ("form", Level::Form),
    ("size", Level::Size),
    ("month", Level::Month),
    ("year", Level::Year),
];

// === impl Level ===

impl Level {
    /// The column that it is in.
    const fn column(self) -> &'static str {
        match self {
            Self::Kommune | Self::Fylke => "kommunenummer",
            Self::Icnpo | Self::IcnpoGroup => "icnpo",
            Self::Form => "form",
            Self::Size => "size",
            Self::Month | Self::Year => "month",
        }
    }

    /// The level above it, when there is one.
    const fn coarser(self) -> Option<Self> {
        match self {
            Self::Kommune => Some(Self::Fylke),
            Self::Icnpo => Some(Self::IcnpoGroup),
            Self::Month => Some(Self::Year),
            Self::Fylke | Self::IcnpoGroup | Self::Form | Self::Size | Self::Year => None,
        }
    }

    const fn sql(self) -> &'static str {
        match self {
            Self::Kommune => "kommunenummer",
            Self::Fylke => "left(kommunenummer, 2)",
            Self::Icnpo => "icnpo",
            // A category is its group with three digits behind it.
            Self::IcnpoGroup => "left(icnpo, greatest(length(icnpo) - 3, 0))",
            Self::Form => "form",
            Self::Size => "size",
            Self::Month => "month",
            Self::Year => "left(month, 4)",
        }
    }

    /// A value, or a finer one, at this level.
    pub(super) fn of(self, value: &str) -> &str {
        match self {
            Self::Kommune | Self::Icnpo | Self::Form | Self::Size | Self::Month => value,
            Self::Fylke => value.get(..2).unwrap_or(value),
            Self::IcnpoGroup => match value.len() {
                4.. => &value[..value.len() - 3],
                _ => value,
            },
            Self::Year => value.get(..4).unwrap_or(value),
        }
    }
}

// === impl Dimension ===

impl Dimension {
    /// What a value of it lies in: the county, group or year that could be asked for by itself, else everything.
    pub(super) fn parent(&self) -> fn(&str) -> &str {
        match self.level.coarser() {
            Some(Level::Fylke) => |value| Level::Fylke.of(value),
            Some(Level::IcnpoGroup) => |value| Level::IcnpoGroup.of(value),
            Some(Level::Year) => |value| Level::Year.of(value),
            Some(Level::Kommune | Level::Icnpo | Level::Form | Level::Size | Level::Month) | None => |_| "",
        }
    }
}

// === impl Table ===

impl Table {
    /// Reads what a request asks for.
    pub(super) fn parse(request: &GetStatsRequest) -> Result<Self, ApiError> {
        let mut table = Self {
            dimensions: Vec::new(),
            order: Vec::new(),
        };
        for (n, name) in request.by.iter().enumerate() {
            let field = format!("by[{n}]");
            let names = LEVELS.map(|(name, _)| name);
            field::one_of(&field, name, &names)?;
            let level = LEVELS
                .into_iter()
                .find_map(|(known, level)| (known == name).then_some(level));
            let Some(level) = level else { continue };
            if table
                .dimensions
                .iter()
                .any(|dimension| dimension.level.column() == level.column())
            {
                return Err(ApiError::invalid(
                    field,
                    format!("{name} is a dimension that was asked for already"),
                ));
            }
            table.order.push(n);
            table.dimensions.push(Dimension {
                level,
                asked: Some(level),
                only: None,
            });
        }
        for (level, value) in filters(request)? {
            table.only(level, value)?;
        }
        Ok(table)
    }

    fn only(&mut self, level: Level, value: String) -> Result<(), ApiError> {
        match self
            .dimensions
            .iter_mut()
            .find(|dimension| dimension.level.column() == level.column())
        {
            None => self.dimensions.push(Dimension {
                level,
                asked: None,
                only: Some((level, value)),
            }),
            Some(dimension) if dimension.only.is_some() => {
                return Err(ApiError::invalid(
                    "fylkesnummer",
                    "cannot be given together with kommunenummer",
                ));
            }
            Some(dimension) => {
                // The finer of the two: a coarse table has no cell for a fine value.
                if level.coarser() == Some(dimension.level) {
                    dimension.level = level;
                }
                dimension.only = Some((level, value));
            }
        }
        Ok(())
    }

    /// The statement that counts the whole table.
    pub(super) fn sql(&self, table: &str) -> String {
        let columns: Vec<_> = self.dimensions.iter().map(|dimension| dimension.level.sql()).collect();
        let numbers: Vec<_> = (1..=columns.len()).map(|n| n.to_string()).collect();
        let group = if columns.is_empty() {
            "having count(*) > 0".to_owned()
        } else {
            format!("group by {}", numbers.join(", "))
        };
        let comma = if columns.is_empty() { "" } else { ", " };
        format!("select {}{comma}count(*) from {table} {group}", columns.join(", "))
    }

    /// Whether a cell is of the part that is wanted.
    pub(super) fn has(&self, cell: &Cell) -> bool {
        let is_wanted = |(dimension, value): (&Dimension, &String)| {
            dimension
                .only
                .as_ref()
                .is_none_or(|(level, only)| level.of(value) == only)
        };
        self.dimensions.iter().zip(&cell.values).all(is_wanted)
    }
}

/// What the request wants only, checked.
fn filters(request: &GetStatsRequest) -> Result<Vec<(Level, String)>, ApiError> {
    let mut filters = Vec::new();
    if let Some(kommune) = field::optional("kommunenummer", &request.kommunenummer, field::kommune)? {
        filters.push((Level::Kommune, kommune));
    }
    if let Some(county) = field::optional("fylkesnummer", &request.fylkesnummer, field::county)? {
        filters.push((Level::Fylke, county));
    }
    if let Some(icnpo) = field::optional("icnpo", &request.icnpo, field::icnpo)? {
        let level = if icnpo.is_leaf() {
            Level::Icnpo
        } else {
            Level::IcnpoGroup
        };
        filters.push((level, icnpo.code().to_owned()));
    }
    if let Some(form) = field::optional("form", &request.form, field::form)? {
        filters.push((Level::Form, form));
    }
    match request.size.as_str() {
        "" => {}
        "unknown" => filters.push((Level::Size, String::new())),
        size => filters.push((Level::Size, field::one_of("size", size, &SIZES)?.to_owned())),
    }
    if let Some((level, month)) = field::optional("month", &request.month, month)? {
        filters.push((level, month));
    }
    Ok(filters)
}

fn month(field: &str, text: &str) -> Result<(Level, String), ApiError> {
    let level = if text.len() == 4 { Level::Year } else { Level::Month };
    let day = if level == Level::Year {
        format!("{text}-01-01")
    } else {
        format!("{text}-01")
    };
    let refused = |_| {
        ApiError::invalid(
            field,
            format!("{text:?} is neither a month (YYYY-MM) nor a year (YYYY)"),
        )
    };
    ryggrad_norway::parse_date(&day).map_err(refused)?;
    Ok((level, text.to_owned()))
}
