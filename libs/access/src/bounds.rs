//! Whose rows of a view somebody may see, for a query that lists them.

use uuid::Uuid;

/// Whose rows of a view a caller may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bounds {
    /// Everybody's.
    Everything,
    /// Those that are in every set of at least one of these lists. Without a list there are none.
    AnyOf(Vec<Vec<Within>>),
}

/// A set of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Within {
    /// Those about any of these organisations.
    Organisations {
        /// By number.
        orgnr: Vec<String>,
        /// By id, also from before they had a number.
        ids: Vec<Uuid>,
    },
    /// Those in any of these places.
    Places {
        /// Municipality numbers, of four digits.
        kommuner: Vec<String>,
        /// Numbers of counties all of whose municipalities are meant, of two digits.
        counties: Vec<String>,
    },
}
