//! What goes into reading and what comes out: the options, the records, and how many there were.

use serde::Serialize;

use super::fault::{Refused, Warning};
use super::snapshot::{RegisterSnapshot, Removed, VoluntaryRecord};

/// Which register a file is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Enhetsregisteret
    Units,
    /// Frivillighetsregisteret
    Voluntary,
}

/// Which units are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// those that concern voluntary activity (handbook 9.2, step 1)
    #[default]
    Voluntary,
    /// every one that can be used
    All,
}

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// take any organisation number whose check digit fits, as in the register authority's examples; otherwise only numbers that
    /// are given out
    pub tolerant: bool,
    /// which units are kept
    pub keep: Keep,
}

/// A record that was read.
#[derive(Debug)]
pub enum Entry {
    /// a unit that is kept
    Unit(Box<RegisterSnapshot>, Vec<Warning>),
    /// a unit that was removed on legal grounds
    Removed(Removed),
    /// a voluntary organisation
    Voluntary(Box<VoluntaryRecord>, Vec<Warning>),
    /// a record that cannot be used
    Refused(Refused),
}

/// How many records were read, and what became of them; `read` is the sum of the other three.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// records in the file so far
    pub read: u64,
    /// records that were yielded
    pub kept: u64,
    /// units that do not concern voluntary activity
    pub skipped: u64,
    /// records that cannot be used
    pub refused: u64,
}

/// What begins with this byte, in words.
pub(super) fn describe(byte: u8) -> String {
    match byte {
        b'"' => "a text".to_owned(),
        b'0'..=b'9' | b'-' => "a number".to_owned(),
        byte if byte.is_ascii_graphic() => format!("'{}'", char::from(byte)),
        byte => format!("the byte {byte:#04x}"),
    }
}
