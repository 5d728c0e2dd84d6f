//! The thread that reads the files: voluntary organisations first, then the units past them, in batches, and never far ahead.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ryggrad_norway::OrgNumber;
use ryggrad_proto::registration::v1::RegisterSnapshot;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::numbers::Numbers;
use super::{BATCH, Progress, batch};
use crate::register::brreg::{
    Fault, Join, Joined, Kind, Options, Place, Reader, Refused, Removed, Warning, check_whole,
};
use crate::register::snapshot;

/// What comes out of the files.
#[derive(Debug)]
pub(super) enum Item {
    Organisation(Box<Found>),
    Refused(Refused),
    Warning(Warning),
}

/// An organisation, its record found and read.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) orgnr: OrgNumber,
    pub(super) organisation_id: Uuid,
    pub(super) place: Place,
    /// In the words of the contract, without its origin.
    pub(super) snapshot: RegisterSnapshot,
}

/// How reading ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// Records read, voluntary records joined, and units skipped.
    pub(super) counts: (u64, u64, u64),
    pub(super) fault: Option<Fault>,
}

/// How far reading has come, for others to see.
#[derive(Debug, Default)]
pub(super) struct Meter {
    stopped: AtomicBool,
    bytes: AtomicU64,
    total_bytes: AtomicU64,
    read: AtomicU64,
}

/// The reading of some files.
pub(super) struct Reading {
    files: Vec<PathBuf>,
    options: Options,
    numbers: Arc<Numbers>,
    meter: Arc<Meter>,
    hand: mpsc::Sender<Vec<Item>>,
    items: Vec<Item>,
    /// Numbers of this run: 1.1 million are some 10 MB.
    seen: HashSet<u32>,
    joined: u64,
    skipped: u64,
}

/// Why reading stops.
enum Stop {
    Fault(Fault),
    /// Nobody takes what is read any more.
    Unheard,
}

// === impl Meter ===

impl Meter {
    /// From here on no file can be read any more.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn progress(&self, done: u64) -> Progress {
        Progress {
            bytes: self.bytes.load(Ordering::Relaxed),
            total_bytes: self.total_bytes.load(Ordering::Relaxed),
            read: self.read.load(Ordering::Relaxed),
            done,
        }
    }
}

// === impl Reading ===

impl Reading {
    pub(super) fn new(
        files: Vec<PathBuf>,
        options: Options,
        numbers: Arc<Numbers>,
        meter: Arc<Meter>,
        hand: mpsc::Sender<Vec<Item>>,
    ) -> Self {
        Self {
            files,
            options,
            numbers,
            meter,
            hand,
            items: Vec::with_capacity(BATCH),
            seen: HashSet::new(),
            joined: 0,
            skipped: 0,
        }
    }

    /// Reads all files to their end, or until one cannot be read on: what came before is handed over all the same. Where a file that
    /// is packed is not whole, nothing is.
    pub(super) fn run(mut self) -> Ended {
        let stopped = self.read().or_else(|stop| {
            self.flush()?;
            Err(stop)
        });
        Ended {
            counts: (self.meter.read.load(Ordering::Relaxed), self.joined, self.skipped),
            fault: match stopped {
                Err(Stop::Fault(fault)) => Some(fault),
                Ok(()) | Err(Stop::Unheard) => None,
            },
        }
    }

    fn read(&mut self) -> Result<(), Stop> {
        // Looked at before anything is handed over, so that a wrong file stops an import before it writes, and so does one that is
        // packed and not whole: the end of a gzip file tells whether it is what was packed.
        let (mut voluntary, mut units) = (Vec::new(), Vec::new());
        for path in std::mem::take(&mut self.files) {
            let (file, bytes) = open(&path, Arc::clone(&self.meter), false)?;
            self.meter.total_bytes.fetch_add(bytes, Ordering::Relaxed);
            match Reader::open(name(&path), file, self.options)?.kind() {
                Some(Kind::Voluntary) => voluntary.push(path),
                Some(Kind::Units) | None => units.push(path),
            }
        }
        for path in voluntary.iter().chain(&units) {
            let (file, _) = open(path, Arc::clone(&self.meter), false)?;
            check_whole(name(path), file)?;
        }
        let mut join = Join::default();
        let mut waiting = 0;
        for path in voluntary.into_iter().chain(units) {
            waiting += self.file(&path, &mut join)?;
        }
        for left in join.finish() {
            waiting -= 1;
            for warning in left.warnings {
                self.push(Item::Warning(warning))?;
            }
            let orgnr = left.record.orgnr.to_string();
            let why =
                "a voluntary organisation without its unit in Enhetsregisteret (R-2.13): import the file of units too";
            self.push(Item::Refused(refused(left.place, orgnr, None, why)))?;
        }
        self.joined = waiting;
        self.flush()
    }

    /// Reads a file to its end, and answers how many voluntary records it put aside.
    fn file(&mut self, path: &std::path::Path, join: &mut Join) -> Result<u64, Stop> {
        let (file, _) = open(path, Arc::clone(&self.meter), true)?;
        let mut reader = Reader::open(name(path), file, self.options)?;
        let numbers = Arc::clone(&self.numbers);
        let known = move |orgnr| numbers.organisation(orgnr).is_some();
        let (mut counted, mut yielded) = (reader.counts(), 0);
        loop {
            let next = join.next(&mut reader, &known);
            let counts = reader.counts();
            self.meter.read.fetch_add(counts.read - counted.read, Ordering::Relaxed);
            self.skipped += counts.skipped - counted.skipped;
            counted = counts;
            match next.transpose()? {
                Some(Joined::Refused(refused)) => self.push(Item::Refused(refused))?,
                Some(Joined::Replaced(refused)) => {
                    yielded += 1;
                    self.push(Item::Refused(refused))?;
                }
                Some(Joined::Removed(unit)) => {
                    yielded += 1;
                    if self.is_first(unit.orgnr, reader.place())? {
                        self.removed(&unit, reader.place())?;
                    }
                }
                Some(Joined::Snapshot(unit, warnings)) => {
                    yielded += 1;
                    let orgnr = unit.orgnr;
                    if !self.is_first(orgnr, reader.place())? {
                        continue;
                    }
                    for warning in warnings {
                        self.push(Item::Warning(warning))?;
                    }
                    let organisation_id = self
                        .numbers
                        .organisation(orgnr.to_u32())
                        .unwrap_or_else(|| batch::organisation_id(orgnr, unit.registered_on));
                    let snapshot = snapshot::message(&unit, None);
                    self.push(Item::Organisation(Box::new(Found {
                        orgnr,
                        organisation_id,
                        place: reader.place(),
                        snapshot,
                    })))?;
                }
                None => return Ok(counted.kept - yielded),
            }
        }
    }

    /// Whether the number comes for the first time; if not, that is told.
    fn is_first(&mut self, orgnr: OrgNumber, place: Place) -> Result<bool, Stop> {
        if self.seen.insert(orgnr.to_u32()) {
            return Ok(true);
        }
        let field = Some("organisasjonsnummer".to_owned());
        let why = "stands in the files more than once; the first record counts";
        self.push(Item::Refused(refused(place, orgnr.to_string(), field, why)))?;
        Ok(false)
    }

    /// Of a removed unit only the number is left: it is an organisation when it has been one here.
    fn removed(&mut self, unit: &Removed, place: Place) -> Result<(), Stop> {
        let Removed { orgnr, .. } = *unit;
        let Some(organisation_id) = self.numbers.organisation(orgnr.to_u32()) else {
            let field = Some("respons_klasse".to_owned());
            let why = "the unit has been removed from the open register, and was never known here";
            return self.push(Item::Refused(refused(place, orgnr.to_string(), field, why)));
        };
        self.push(Item::Organisation(Box::new(Found {
            orgnr,
            organisation_id,
            place,
            snapshot: snapshot::removed(unit),
        })))
    }

    fn push(&mut self, item: Item) -> Result<(), Stop> {
        self.items.push(item);
        if self.items.len() < BATCH { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), Stop> {
        let items = std::mem::replace(&mut self.items, Vec::with_capacity(BATCH));
        self.hand.blocking_send(items).map_err(|_| Stop::Unheard)
    }
}

// === impl Stop ===

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// A file that can be read until its meter is stopped, and that may count there how much of it was.
struct Metered {
    file: File,
    meter: Arc<Meter>,
    counts: bool,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.meter.stopped.load(Ordering::Relaxed) {
            return Err(io::Error::other("stopped"));
        }
        let read = self.file.read(buffer)?;
        if self.counts {
            self.meter.bytes.fetch_add(read as u64, Ordering::Relaxed);
        }
        Ok(read)
    }
}

/// A file and its size.
fn open(path: &std::path::Path, meter: Arc<Meter>, counts: bool) -> Result<(Metered, u64), Fault> {
    let opened = File::open(path).and_then(|file| {
        let bytes = file.metadata()?.len();
        Ok((Metered { file, meter, counts }, bytes))
    });
    opened.map_err(|source| Fault::Io {
        file: name(path),
        byte: 0,
        source,
    })
}

fn name(path: &std::path::Path) -> String {
    path.display().to_string()
}

fn refused(place: Place, orgnr: String, field: Option<String>, why: &str) -> Refused {
    let Place { file, record, byte } = place;
    Refused {
        file,
        record,
        byte,
        orgnr: Some(orgnr),
        field,
        why: why.to_owned(),
    }
}
