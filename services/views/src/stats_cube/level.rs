//! The dimensions of the statistics, and how fine each can be counted.

/// How fine a dimension is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Kommune,
    Fylke,
    Icnpo,
    IcnpoGroup,
    Form,
    Size,
    Month,
    Year,
}

// === impl Level ===

impl Level {
    /// Every level, under the name that requests use.
    pub(crate) const ALL: [(&'static str, Self); 8] = [
        ("kommune", Self::Kommune),
        ("fylke", Self::Fylke),
        ("icnpo", Self::Icnpo),
        ("icnpo_group", Self::IcnpoGroup),
        ("form", Self::Form),
        ("size", Self::Size),
        ("month", Self::Month),
        ("year", Self::Year),
    ];

    /// The number of its dimension: a column of the view.
    pub(crate) const fn dimension(self) -> usize {
        match self {
            Self::Kommune | Self::Fylke => 0,
            Self::Icnpo | Self::IcnpoGroup => 1,
            Self::Form => 2,
            Self::Size => 3,
            Self::Month | Self::Year => 4,
        }
    }

    /// A value of the dimension as it is at this level; empty stays empty.
    pub(crate) fn of(self, value: &str) -> &str {
        match self {
            Self::Kommune | Self::Icnpo | Self::Form | Self::Size | Self::Month => value,
            Self::Fylke => value.get(..2).unwrap_or(value),
            // A category is its group with three digits behind it.
            Self::IcnpoGroup => match value.len() {
                4.. => &value[..value.len() - 3],
                _ => value,
            },
            Self::Year => value.get(..4).unwrap_or(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_what_its_categories_begin_with() {
        for icnpo in ryggrad_norway::Icnpo::all() {
            assert_eq!(Level::IcnpoGroup.of(icnpo.code()), icnpo.group().code(), "{icnpo}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_known_at_any_level() {
        for (name, level) in Level::ALL {
            assert_eq!(level.of(""), "", "{name}");
        }
    }
}
