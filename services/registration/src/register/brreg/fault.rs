//! What goes wrong in reading: a file that cannot be read on, a record that is refused, a value that is left out.

use ryggrad_norway::OrgNumber;
use serde::Serialize;

/// A file cannot be read, or not be read on. Bytes are counted from 0 in the unpacked stream.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file could not be opened or read.
    #[error("{file}: cannot be read at byte {byte}")]
    Io {
        /// the file's name
        file: String,
        /// how far reading came
        byte: u64,
        /// what the system said
        source: std::io::Error,
    },
    /// The gzip stream ends before its end mark, as after a download that broke off.
    #[error("{file}: the gzip stream is cut off; only {byte} bytes could be unpacked")]
    Truncated {
        /// the file's name
        file: String,
        /// how many bytes could be unpacked
        byte: u64,
    },
    /// The gzip stream is damaged.
    #[error("{file}: the gzip stream is damaged after {byte} unpacked bytes")]
    Corrupt {
        /// the file's name
        file: String,
        /// how many bytes could be unpacked
        byte: u64,
        /// what the decoder said
        source: std::io::Error,
    },
    /// The JSON is malformed.
    #[error("{file}: malformed JSON at byte {byte}{}: {what}", at_field(field.as_deref()))]
    Syntax {
        /// the file's name
        file: String,
        /// where it stops making sense
        byte: u64,
        /// the field it happens in, where that can be told
        field: Option<String>,
        /// what is wrong
        what: String,
    },
    /// It is JSON perhaps, but nothing of these two registers.
    #[error("{file}: byte {byte}: expected {expected}, found {found}")]
    NotARegister {
        /// the file's name
        file: String,
        /// where
        byte: u64,
        /// what can be read
        expected: &'static str,
        /// what is there instead
        found: String,
    },
    /// One record or page is larger than any the registers publish.
    #[error("{file}: the value at byte {byte} is over {limit} bytes")]
    TooLarge {
        /// the file's name
        file: String,
        /// where it begins
        byte: u64,
        /// the most that is read
        limit: usize,
    },
}

fn at_field(field: Option<&str>) -> String {
    field.map(|field| format!(", in {field}")).unwrap_or_default()
}

/// Where a record stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// the file it is in
    pub file: String,
    /// which record of the file it is, counted from 1
    pub record: u64,
    /// where it begins, in bytes from 0 of the unpacked stream
    pub byte: u64,
}

/// A record that cannot be used, while the rest of its file can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// the file it is in
    pub file: String,
    /// which record of the file it is, counted from 1
    pub record: u64,
    /// where it begins, in bytes from 0 of the unpacked stream
    pub byte: u64,
    /// its organisation number, as it stands there, when it can be read
    pub orgnr: Option<String>,
    /// the field that is wrong, where that can be told
    pub field: Option<String>,
    /// what is wrong, naming the rule where there is one
    pub why: String,
}

/// A value that was left out of a record that is otherwise used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// where the record stands
    pub place: Place,
    /// whose record
    pub orgnr: OrgNumber,
    /// the register's name of the field
    pub field: &'static str,
    /// why, naming the rule where there is one
    pub why: String,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: record {} at byte {}", self.file, self.record, self.byte)?;
        if let Some(orgnr) = &self.orgnr {
            write!(f, " ({orgnr})")?;
        }
        if let Some(field) = &self.field {
            write!(f, ", {field}")?;
        }
        write!(f, ": {}", self.why)
    }
}
