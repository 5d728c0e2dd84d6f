//! Views: rows folded from the log, rebuilt beside the live ones, and served meanwhile.

use jiff::Timestamp;
use uuid::Uuid;

use crate::consumer::Poison;
use crate::event::Recorded;

mod fold;
mod generations;
mod pace;
mod projector;
mod table;
mod turn;
mod verify;
mod view;

pub use generations::{Progress, State, ask_for_rebuild, progress};
pub use projector::Projector;
pub use verify::{Difference, verify};
pub use view::{Snapshot, View, decode};

/// How a view is folded: pure, and the whole of what the view is (I10).
///
/// The rows are the prost messages of [`Projection::Row`]. A message with a map field must be generated with ordered maps,
/// or two folds of the same log differ in their bytes.
pub trait Projection: Send + Sync + 'static {
    /// A row.
    type Row: prost::Message + Default + Clone;

    /// The view's name, and the beginning of its tables' names: `org_timeline`.
    const NAME: &'static str;
    /// Goes up with every change that gives other rows; the new version then fills its own table and takes over.
    const VERSION: i32;
    /// What queries filter and sort by, beside the key.
    const COLUMNS: &'static [Column] = &[];
    /// Indexes over several columns, as in `create index on … (…)`: `kommunenummer, name, key`.
    const INDEXES: &'static [&'static str] = &[];
    /// Every event gives rows under keys of its own, as in a timeline: rows are never read back.
    const APPEND_ONLY: bool = false;

    /// The keys of the rows that an event changes, each once; none when it does not matter to the view.
    ///
    /// A key that several organisations share must not depend on the order of their events among each other: an
    /// organisation that was parked is taken in later.
    ///
    /// # Errors
    /// When the event cannot be digested.
    fn keys(&self, event: &Recorded) -> Result<Vec<String>, Poison>;

    /// The row of a key after an event; none when there is to be no such row.
    ///
    /// # Errors
    /// When the event cannot be digested.
    fn fold(&self, key: &str, row: Option<Self::Row>, event: &Recorded) -> Result<Option<Self::Row>, Poison>;

    /// The rows of all keys of an event at once, in the order of [`Projection::keys`], each as [`Projection::fold`] has it. For a
    /// view in which a row follows from another one: a list of changes, whose entries need the state before the event. Not
    /// asked about events without keys.
    ///
    /// # Errors
    /// When the event cannot be digested; then none of the rows is changed.
    fn fold_all(&self, rows: &mut [(String, Option<Self::Row>)], event: &Recorded) -> Result<(), Poison> {
        for (key, row) in rows {
            *row = self.fold(key, row.take(), event)?;
        }
        Ok(())
    }

    /// The values of [`Projection::COLUMNS`], in their order and of their kinds.
    fn values(&self, key: &str, row: &Self::Row) -> Vec<Value> {
        let _ = (key, row);
        Vec::new()
    }
}

/// A column that queries filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it has an index of its own.
    pub indexed: bool,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text, compared byte by byte.
    Text,
    /// A number.
    Bigint,
    /// Yes or no.
    Boolean,
    /// A UUID.
    Uuid,
    /// An instant.
    Timestamp,
    /// Several texts; indexed for `@>` and `&&`.
    Texts,
}

/// A value of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Of [`Kind::Text`].
    Text(Option<String>),
    /// Of [`Kind::Bigint`].
    Bigint(Option<i64>),
    /// Of [`Kind::Boolean`].
    Boolean(Option<bool>),
    /// Of [`Kind::Uuid`].
    Uuid(Option<Uuid>),
    /// Of [`Kind::Timestamp`].
    Timestamp(Option<Timestamp>),
    /// Of [`Kind::Texts`].
    Texts(Vec<String>),
}

// === impl Column ===

impl Column {
    /// A column without an index of its own.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            indexed: false,
        }
    }

    /// The same with an index.
    #[must_use]
    pub const fn indexed(mut self) -> Self {
        self.indexed = true;
        self
    }
}

// === impl Kind ===

impl Kind {
    const fn sql(self) -> &'static str {
        match self {
            Self::Text => "text collate \"C\"",
            Self::Bigint => "bigint",
            Self::Boolean => "boolean",
            Self::Uuid => "uuid",
            Self::Timestamp => "timestamptz",
            Self::Texts => "text[]",
        }
    }
}
