//! What a request asks for: the dimensions to count by, and the values wanted.

use ryggrad_proto::views::v1::GetStatsRequest;
use ryggrad_service::ApiError;

use super::super::field;
use crate::stats_cube::SIZES;
use crate::stats_cube::level::Level;

#[cfg(test)]
mod tests;

/// A table, and the part of it that is wanted.
#[derive(Debug)]
pub(super) struct Table {
    /// What is counted by, in the order asked for.
    pub(super) by: Vec<Level>,
    /// The values wanted, of at most one level of a dimension.
    pub(super) only: Vec<(Level, String)>,
}

// === impl Table ===

impl Table {
    /// Reads what a request asks for.
    pub(super) fn parse(request: &GetStatsRequest) -> Result<Self, ApiError> {
        let mut by: Vec<Level> = Vec::new();
        for (n, name) in request.by.iter().enumerate() {
            let field = format!("by[{n}]");
            field::one_of(&field, name, &Level::ALL.map(|(name, _)| name))?;
            let level = Level::ALL
                .into_iter()
                .find_map(|(known, level)| (known == name).then_some(level));
            let Some(level) = level else { continue };
            if by.iter().any(|other| other.dimension() == level.dimension()) {
                return Err(ApiError::invalid(
                    field,
                    format!("{name} is a dimension that was asked for already"),
                ));
            }
            by.push(level);
        }
        let only = filters(request)?;
        if only
            .iter()
            .filter(|(level, _)| matches!(level, Level::Kommune | Level::Fylke))
            .count()
            > 1
        {
            return Err(ApiError::invalid(
                "fylkesnummer",
                "cannot be given together with kommunenummer",
            ));
        }
        Ok(Self { by, only })
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
