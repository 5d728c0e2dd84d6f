//! Reads the files of an import, one after the other, in a thread of its own.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use sqlx::PgPool;
use tokio::sync::mpsc;

use super::{Import, Note, Summary};
use crate::register::brreg::{Counts, Join, Joined, Kind, Options, Reader, Refused};
use crate::service::Registration;

/// How many organisations are handed over together.
const BATCH: usize = 256;
/// How many batches may wait.
const WAITING: usize = 16;

/// The files of one import, voluntary organisations and units in any order.
#[derive(Debug, Clone)]
pub struct Files {
    /// Where they are.
    pub paths: Vec<PathBuf>,
    /// How they are read.
    pub options: Options,
}

/// How far an import has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read of all files, packed as they are.
    pub bytes: u64,
    /// Bytes of all files.
    pub of: u64,
    /// What has come of it so far.
    pub summary: Summary,
}

// === impl Files ===

impl Files {
    /// Imports them. `notes` gets one JSON line for each record that was refused and each value that was left out.
    ///
    /// # Errors
    /// When a file cannot be read to its end, or the log cannot be written. What was written stays.
    pub async fn import(
        self,
        service: &Registration,
        pool: &PgPool,
        mut notes: impl Write,
        mut progress: impl FnMut(Progress),
    ) -> anyhow::Result<Summary> {
        let mut of = 0;
        for path in &self.paths {
            of += std::fs::metadata(path).with_context(|| format!("{} cannot be read", path.display()))?.len();
        }
        let import = Import::open(service, pool).await?;
        let known = import.known();
        let bytes = Arc::new(AtomicU64::new(0));
        let (hand, joined) = mpsc::channel(WAITING);
        let reading = {
            let bytes = Arc::clone(&bytes);
            tokio::task::spawn_blocking(move || self.read(&known, &bytes, &hand))
        };
        let tell = |summary: &Summary, found: &mut Vec<Note>| {
            for note in found.drain(..) {
                serde_json::to_writer(&mut notes, &note)?;
                notes.write_all(b"\n")?;
            }
            progress(Progress { bytes: bytes.load(Ordering::Relaxed), of, summary: *summary });
            Ok(())
        };
        let outcome = import.run(joined, tell).await;
        let counts = reading.await.context("the reader was interrupted")?;
        let mut summary = outcome?;
        summary.count(counts?);
        notes.flush()?;
        Ok(summary)
    }

    /// Hands everything over that the files hold: first those of voluntary organisations, which wait for their units.
    fn read(&self, known: &HashSet<u32>, bytes: &AtomicU64, hand: &mpsc::Sender<Vec<Joined>>) -> anyhow::Result<Counts> {
        let mut out = Out { batch: Vec::new(), hand };
        let mut join = Join::default();
        let mut all = Counts::default();
        let mut before = 0;
        let mut units = Vec::new();
        for path in &self.paths {
            let mut reader = self.open(path)?;
            if reader.kind() == Some(Kind::Units) {
                units.push(path);
                continue;
            }
            let counts = join.read_voluntary(&mut reader, |joined| out.push(joined))?;
            before += reader.bytes();
            bytes.store(before, Ordering::Relaxed);
            add(&mut all, counts);
            out.check()?;
        }
        for path in units {
            let mut reader = self.open(path)?;
            while let Some(joined) = join.next(&mut reader, &|orgnr| known.contains(&orgnr)) {
                out.push(joined?);
                bytes.store(before + reader.bytes(), Ordering::Relaxed);
                out.check()?;
            }
            before += reader.bytes();
            add(&mut all, reader.counts());
        }
        for left in join.finish() {
            out.push(Joined::Refused(Refused {
                file: left.place.file,
                record: left.place.record,
                byte: left.place.byte,
                orgnr: Some(left.record.orgnr.to_string()),
                field: None,
                why: "a voluntary organisation without its unit in Enhetsregisteret (R-2.13): import the file of units too".to_owned(),
            }));
        }
        out.flush();
        Ok(all)
    }

    fn open(&self, path: &Path) -> anyhow::Result<Reader<File>> {
        let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
        Ok(Reader::open(path.display().to_string(), file, self.options)?)
    }
}

/// What is handed over next.
struct Out<'a> {
    batch: Vec<Joined>,
    hand: &'a mpsc::Sender<Vec<Joined>>,
}

// === impl Out ===

impl Out<'_> {
    fn push(&mut self, joined: Joined) {
        self.batch.push(joined);
        if self.batch.len() >= BATCH {
            self.flush();
        }
    }

    fn flush(&mut self) {
        // Nobody takes it any more: the next check says so.
        let _gone = self.hand.blocking_send(std::mem::take(&mut self.batch));
    }

    fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(!self.hand.is_closed(), "the import has stopped");
        Ok(())
    }
}

fn add(all: &mut Counts, counts: Counts) {
    all.read += counts.read;
    all.kept += counts.kept;
    all.skipped += counts.skipped;
    all.refused += counts.refused;
}
