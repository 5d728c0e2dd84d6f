//! What could not be used: one line each in a file, and counted by reason, so that nothing is dropped in silence.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::batch::Outcome;
use super::{ImportError, Summary};
use crate::register::brreg::{Refused, Warning};

/// How many reasons are told apart in a summary; the file has them all.
const REASONS: usize = 200;

/// What happened to the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// It was not used.
    Refused,
    /// It was used without the field.
    Warning,
}

/// The report's file. One without a line is gone when it is dropped.
pub(super) struct Report {
    path: PathBuf,
    out: BufWriter<File>,
    is_empty: bool,
}

/// A line of the report.
#[derive(Serialize)]
struct Line<'a> {
    kind: Kind,
    #[serde(flatten)]
    what: &'a What,
}

/// What a line tells.
#[derive(Serialize)]
pub(super) struct What {
    file: String,
    record: u64,
    byte: u64,
    orgnr: Option<String>,
    field: Option<String>,
    reason: String,
}

// === impl Report ===

impl Report {
    pub(super) fn create(path: &Path) -> Result<Self, ImportError> {
        let file = File::create(path).map_err(|source| ImportError::Report {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            out: BufWriter::new(file),
            is_empty: true,
        })
    }

    /// Counts what came of a record.
    pub(super) fn count(&mut self, summary: &mut Summary, outcome: Outcome) -> Result<(), ImportError> {
        match outcome {
            Outcome::New { events } => {
                summary.new += 1;
                summary.events += events;
            }
            Outcome::Changed { events } => {
                summary.changed += 1;
                summary.events += events;
            }
            Outcome::Unchanged => summary.unchanged += 1,
            Outcome::Refused(refused) => self.line(summary, Kind::Refused, &refused.into())?,
        }
        Ok(())
    }

    /// Writes a line and counts it.
    pub(super) fn line(&mut self, summary: &mut Summary, kind: Kind, what: &What) -> Result<(), ImportError> {
        match kind {
            Kind::Refused => summary.refused += 1,
            Kind::Warning => summary.warnings += 1,
        }
        let reason = what.class(kind);
        if summary.reasons.len() < REASONS || summary.reasons.contains_key(&reason) {
            *summary.reasons.entry(reason).or_default() += 1;
        } else {
            *summary.reasons.entry("other".to_owned()).or_default() += 1;
        }
        self.is_empty = false;
        serde_json::to_writer(&mut self.out, &Line { kind, what })
            .map_err(io::Error::from)
            .map_err(|e| self.fails(e))?;
        self.out.write_all(b"\n").map_err(|e| self.fails(e))
    }

    /// Puts what is left of the lines into the file.
    pub(super) fn finish(&mut self) -> Result<(), ImportError> {
        self.out.flush().map_err(|e| self.fails(e))
    }

    fn fails(&self, source: io::Error) -> ImportError {
        ImportError::Report {
            path: self.path.clone(),
            source,
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if self.is_empty {
            // Where it cannot be removed, an empty file says the same.
            let _removed = std::fs::remove_file(&self.path);
        }
    }
}

// === impl What ===

impl What {
    /// The reason without the value that was found, so that like reasons are counted together.
    fn class(&self, kind: Kind) -> String {
        let kind = match kind {
            Kind::Refused => "refused",
            Kind::Warning => "warning",
        };
        let reason = match (self.reason.find('"'), self.reason.rfind('"')) {
            (Some(from), Some(to)) if from < to => {
                format!(
                    "{}{}",
                    &self.reason[..from],
                    self.reason[to + 1..].trim_start_matches([':', ' '])
                )
            }
            _ => self.reason.clone(),
        };
        match &self.field {
            Some(field) => format!("{kind}: {field}: {reason}"),
            None => format!("{kind}: {reason}"),
        }
    }
}

impl From<Refused> for What {
    fn from(refused: Refused) -> Self {
        let Refused {
            file,
            record,
            byte,
            orgnr,
            field,
            why,
        } = refused;
        Self {
            file,
            record,
            byte,
            orgnr,
            field,
            reason: why,
        }
    }
}

impl From<Warning> for What {
    fn from(warning: Warning) -> Self {
        let Warning {
            place,
            orgnr,
            field,
            why,
        } = warning;
        let (orgnr, field) = (Some(orgnr.to_string()), Some(field.to_owned()));
        Self {
            file: place.file,
            record: place.record,
            byte: place.byte,
            orgnr,
            field,
            reason: why,
        }
    }
}
