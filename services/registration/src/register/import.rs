//! The import: what the registers publish becomes facts, exactly once however often it is run (handbook 9.2, 9.3).
//!
//! A blocking thread reads the files in constant memory (`reading`); organisations come from it in batches, and each batch
//! is read from the log in one query, decided, and written in one or two commits (`batch`). An organisation whose state is
//! what the register says gives no event, and then no command is written either. So a second run of the same files writes
//! no fact, a run that was killed is finished by running it again, and an organisation that changes and changes back is written
//! each time.
//!
//! Of two snapshots the one that was fetched first never undoes the other, in whichever order they are imported. The facts
//! keep when their snapshot was fetched, and `seen` keeps it of a snapshot that changed nothing: so one that is imported late is
//! known as older also when it was fetched between two that said the same. The files have no date of their own, neither of
//! the whole nor of a record; the age of a snapshot is what [`Options::fetched_at`] says, and nothing else can tell it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;

use jiff::Timestamp;
use ryggrad_eventlog::{ExecuteError, Executor};
use ryggrad_proto::registration::v1::FactOrigin;
use serde::Serialize;
use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::brreg::{self, Fault};
use crate::organisation::Organisation;

mod batch;
mod numbers;
mod reading;
mod report;
mod seen;

pub use batch::organisation_id;

use batch::{Batch, Outcome};
use numbers::Numbers;
use reading::{Item, Meter, Reading};
use report::{Kind, Report};

/// What the facts name as their source unless told otherwise.
pub const SOURCE: &str = "brreg-snapshot";

/// How many organisations are read, decided and queued together.
const BATCH: usize = 256;
/// How many batches are under way at once: while some wait for their commit, others are read and decided.
const BATCHES: usize = 4;
/// How many batches the thread that reads may be ahead.
const AHEAD: usize = 2;

/// How an import is done.
#[derive(Debug, Clone)]
pub struct Options {
    /// How the files are read, and which units are kept.
    pub reader: brreg::Options,
    /// What the facts name as their source: `brreg-snapshot`, `brreg` or `register-simulator`.
    pub source: &'static str,
    /// When the files were read from their source. Kept, and compared: an organisation of which something later is known, be it that
    /// nothing had changed, is left as it is.
    pub fetched_at: Timestamp,
    /// Where the refusals and warnings go, one JSON object a line. Written anew by each run; there is no such file when there are none.
    pub report: PathBuf,
}

/// An import of register files into the log.
#[derive(Debug, Clone)]
pub struct Import {
    pool: PgPool,
    organisations: Executor<Organisation>,
    options: Options,
}

/// An import under way.
struct Run<'a> {
    import: &'a Import,
    report: Report,
    summary: Summary,
    meter: Arc<Meter>,
    /// What the thread that reads hands over.
    read: mpsc::Receiver<Vec<Item>>,
}

/// How far an import has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Bytes of the files that have been read, packed as they are.
    pub bytes: u64,
    /// Bytes of all files.
    pub total_bytes: u64,
    /// Records that have been read.
    pub read: u64,
    /// Organisations that are done.
    pub done: u64,
}

/// What came of an import. When it went to its end, `read` is the sum of `joined`, `skipped`, `new`, `changed`, `unchanged` and
/// `refused`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Records of both registers that were read.
    pub read: u64,
    /// Voluntary records that were put together with their units.
    pub joined: u64,
    /// Units that do not concern voluntary activity.
    pub skipped: u64,
    /// Organisations that were not known.
    pub new: u64,
    /// Known organisations of which the registers now say something else.
    pub changed: u64,
    /// Known organisations of which they say the same.
    pub unchanged: u64,
    /// Records that could not be used; each has a line in the report.
    pub refused: u64,
    /// Values left out of records that were used; each has a line in the report.
    pub warnings: u64,
    /// Events that were written.
    pub events: u64,
    /// Lines of the report by kind, field and reason.
    pub reasons: BTreeMap<String, u64>,
}

/// Why an import did not come to its end. What was written until then stays; run again, it goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be read, or not be read on.
    #[error("{fault}")]
    File {
        /// What is wrong, and at which byte.
        fault: Fault,
        /// What came of the records before it.
        summary: Box<Summary>,
    },
    /// It was asked to stop.
    #[error("it was asked to stop; run again, it goes on from there")]
    Stopped {
        /// What came of the records before it.
        summary: Box<Summary>,
    },
    /// The log cannot be read or written.
    #[error("the import stopped after {} organisations", .summary.new + .summary.changed + .summary.unchanged)]
    Log {
        /// What went wrong.
        source: ExecuteError,
        /// What came of the records before it.
        summary: Box<Summary>,
    },
    /// The organisation numbers that are known cannot be read.
    #[error("the organisation numbers that are known cannot be read")]
    Numbers(#[from] sqlx::Error),
    /// The report cannot be written.
    #[error("the report {} cannot be written", .path.display())]
    Report {
        /// Where it should be.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

// === impl Import ===

impl Import {
    /// An import through an executor, on a pool of its role whose schema [`crate::install`] has made.
    pub fn new(pool: PgPool, organisations: Executor<Organisation>, options: Options) -> Self {
        Self {
            pool,
            organisations,
            options,
        }
    }

    /// Imports files of units and of voluntary organisations, named in any order. `progress` is told some hundred times a
    /// second how far it is. Dropping the future stops it; what is under way is then written whole or not at all.
    ///
    /// # Errors
    /// See [`ImportError`]. Every file is looked at before anything is written, and gzip files are unpacked to their end: one that was
    /// cut off or damaged writes nothing.
    pub async fn run(&self, files: &[PathBuf], progress: impl FnMut(&Progress) + Send) -> Result<Summary, ImportError> {
        self.run_until(files, std::future::pending(), progress).await
    }

    /// The same until `stop` comes: then nothing more is read, what is under way is written, and what came of it is told.
    ///
    /// # Errors
    /// As there; [`ImportError::Stopped`] when `stop` came first.
    pub async fn run_until(
        &self,
        files: &[PathBuf],
        stop: impl Future<Output = ()>,
        mut progress: impl FnMut(&Progress) + Send,
    ) -> Result<Summary, ImportError> {
        let report = Report::create(&self.options.report)?;
        let numbers = Arc::new(Numbers::load(&self.pool).await?);
        let meter = Arc::new(Meter::default());
        let (hand, read) = mpsc::channel(AHEAD);
        let reading = Reading::new(
            files.to_vec(),
            self.options.reader,
            Arc::clone(&numbers),
            Arc::clone(&meter),
            hand,
        );
        let reading = tokio::task::spawn_blocking(move || reading.run());
        let mut run = Run {
            import: self,
            report,
            summary: Summary::default(),
            meter,
            read,
        };
        let stopped = run.write(stop, &mut progress).await?;
        let mut summary = run.end()?;
        let ended = reading.await.unwrap_or_else(resume);
        (summary.read, summary.joined, summary.skipped) = ended.counts;
        match ended.fault {
            _ if stopped => Err(ImportError::Stopped { summary }),
            Some(fault) => Err(ImportError::File { fault, summary }),
            None => Ok(*summary),
        }
    }

    fn origin(&self) -> FactOrigin {
        FactOrigin {
            source: self.options.source.to_owned(),
            fetched_at: Some(self.options.fetched_at.into()),
            // The bulk file does not tell when a unit was changed, and nobody has asserted anything to us.
            source_updated_at: None,
            asserted_at: None,
        }
    }
}

// === impl Run ===

impl Run<'_> {
    /// Writes what is read until there is no more, or until `stop` comes; whether it did.
    async fn write(
        &mut self,
        stop: impl Future<Output = ()>,
        progress: &mut (impl FnMut(&Progress) + Send),
    ) -> Result<bool, ImportError> {
        let mut flying: JoinSet<Result<Vec<Outcome>, ExecuteError>> = JoinSet::new();
        let mut stop = pin!(stop);
        let mut stopped = false;
        let mut open = true;
        while open || !flying.is_empty() {
            tokio::select! {
                biased;
                () = &mut stop, if !stopped => {
                    stopped = true;
                    open = false;
                    self.meter.stop();
                    self.read.close();
                }
                Some(done) = flying.join_next(), if !flying.is_empty() => self.count(done.unwrap_or_else(resume))?,
                items = self.read.recv(), if open && flying.len() < BATCHES => match items {
                    Some(items) => {
                        let organisations = take(items, &mut self.report, &mut self.summary)?;
                        flying.spawn(Batch::new(self.import.clone(), organisations).carry_out());
                    }
                    None => open = false,
                },
            }
            let done = self.summary.new + self.summary.changed + self.summary.unchanged;
            progress(&self.meter.progress(done));
        }
        Ok(stopped)
    }

    /// Counts what came of a batch.
    fn count(&mut self, outcomes: Result<Vec<Outcome>, ExecuteError>) -> Result<(), ImportError> {
        match outcomes {
            Ok(outcomes) => outcomes
                .into_iter()
                .try_for_each(|outcome| self.report.count(&mut self.summary, outcome)),
            Err(source) => {
                let mut summary = self.end()?;
                summary.read = self.meter.progress(0).read;
                Err(ImportError::Log { source, summary })
            }
        }
    }

    /// What came of it, when the report is written.
    fn end(&mut self) -> Result<Box<Summary>, ImportError> {
        self.report.finish()?;
        Ok(Box::new(std::mem::take(&mut self.summary)))
    }
}

// === impl ImportError ===

impl ImportError {
    /// What came of the records before it stopped, when it had begun.
    pub fn summary(&self) -> Option<&Summary> {
        match self {
            Self::File { summary, .. } | Self::Stopped { summary } | Self::Log { summary, .. } => Some(summary),
            Self::Numbers(_) | Self::Report { .. } => None,
        }
    }
}

/// Writes down what was found out in reading, and leaves the organisations.
fn take(items: Vec<Item>, report: &mut Report, summary: &mut Summary) -> Result<Vec<reading::Found>, ImportError> {
    let mut organisations = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Item::Organisation(found) => organisations.push(*found),
            Item::Refused(refused) => report.count(summary, Outcome::Refused(refused))?,
            Item::Warning(warning) => report.line(summary, Kind::Warning, &warning.into())?,
        }
    }
    Ok(organisations)
}

/// Passes on the panic of a task; nobody cancels one here.
fn resume<T>(error: tokio::task::JoinError) -> T {
    std::panic::resume_unwind(error.into_panic())
}
