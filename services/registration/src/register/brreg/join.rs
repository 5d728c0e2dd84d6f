//! Puts the two registers together by organisation number, holding only the smaller one in memory.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

use super::entry::{Counts, Entry};
use super::fault::{Fault, Place, Refused, Warning};
use super::reader::Reader;
use super::snapshot::{RegisterSnapshot, Removed, VoluntaryRecord};

/// The records of Frivillighetsregisteret (some 73,000), waiting for their units (some 1.1 million, streamed past them).
///
/// First [`Join::read_voluntary`] every file of voluntary organisations, then [`Join::next`] through every file of units, then
/// [`Join::finish`] for those that had no unit.
#[derive(Debug, Default)]
pub struct Join {
    waiting: HashMap<u32, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    record: VoluntaryRecord,
    warnings: Vec<Warning>,
    file: Arc<str>,
    at: (u64, u64),
    met: bool,
}

/// A voluntary organisation for which no unit was read.
#[derive(Debug)]
pub struct Left {
    /// its record
    pub record: VoluntaryRecord,
    /// what was left out of it
    pub warnings: Vec<Warning>,
    /// where it stands
    pub place: Place,
}

/// What comes out of the join.
#[derive(Debug)]
pub enum Joined {
    /// an organisation, with its voluntary record if there is one
    Snapshot(Box<RegisterSnapshot>, Vec<Warning>),
    /// a unit that was removed on legal grounds
    Removed(Removed),
    /// a record that cannot be used
    Refused(Refused),
    /// a voluntary record that was taken, until another of the same number came: the last one counts
    Replaced(Refused),
}

// === impl Waiting ===

impl Waiting {
    fn replaced(self) -> Refused {
        Refused {
            file: self.file.to_string(),
            record: self.at.0,
            byte: self.at.1,
            orgnr: Some(self.record.orgnr.to_string()),
            field: Some("organisasjonsnummer".to_owned()),
            why: "stands in the files of voluntary organisations more than once; the last record counts".to_owned(),
        }
    }
}

// === impl Join ===

impl Join {
    /// Takes in a whole file of voluntary organisations, and answers what was read. The last record of a number counts. Units met on
    /// the way go to `other`, joined with what is known so far, and so do refused records.
    pub fn read_voluntary<R: Read>(
        &mut self,
        reader: &mut Reader<R>,
        mut other: impl FnMut(Joined),
    ) -> Result<Counts, Fault> {
        let mut file = Arc::from("");
        while let Some(entry) = reader.next() {
            if let Some(joined) = self.accept(entry?, reader.place(), &mut file) {
                other(joined);
            }
        }
        Ok(reader.counts())
    }

    /// The next organisation of a file of units, or the next refused record. Units are kept as the reader's options say, and also
    /// when they have a voluntary record or when `known` knows their number (cooperatives and companies already in the backbone).
    pub fn next<R: Read>(
        &mut self,
        reader: &mut Reader<R>,
        known: &dyn Fn(u32) -> bool,
    ) -> Option<Result<Joined, Fault>> {
        let mut file = Arc::from("");
        loop {
            let entry = reader.next_entry(&|orgnr| self.waiting.contains_key(&orgnr) || known(orgnr))?;
            match entry {
                Ok(entry) => {
                    if let Some(joined) = self.accept(entry, reader.place(), &mut file) {
                        return Some(Ok(joined));
                    }
                }
                Err(fault) => return Some(Err(fault)),
            }
        }
    }

    /// The voluntary organisations for which no unit was read, by number.
    pub fn finish(self) -> Vec<Left> {
        let mut left: Vec<_> = self.waiting.into_values().filter(|waiting| !waiting.met).collect();
        left.sort_unstable_by_key(|waiting| waiting.record.orgnr);
        left.into_iter()
            .map(|waiting| Left {
                record: waiting.record,
                warnings: waiting.warnings,
                place: Place {
                    file: waiting.file.to_string(),
                    record: waiting.at.0,
                    byte: waiting.at.1,
                },
            })
            .collect()
    }

    /// Keeps a voluntary record for its unit, and lets everything else through. `file` is the last file's name, kept once for all of
    /// its records.
    fn accept(&mut self, entry: Entry, place: Place, file: &mut Arc<str>) -> Option<Joined> {
        match entry {
            Entry::Refused(refused) => Some(Joined::Refused(refused)),
            Entry::Removed(removed) => {
                if let Some(waiting) = self.waiting.get_mut(&removed.orgnr.to_u32()) {
                    waiting.met = true;
                }
                Some(Joined::Removed(removed))
            }
            Entry::Voluntary(record, warnings) => {
                if **file != *place.file {
                    *file = place.file.into();
                }
                let waiting = Waiting {
                    record: *record,
                    warnings,
                    file: Arc::clone(file),
                    at: (place.record, place.byte),
                    met: false,
                };
                let earlier = self.waiting.insert(waiting.record.orgnr.to_u32(), waiting)?;
                Some(Joined::Replaced(earlier.replaced()))
            }
            Entry::Unit(mut snapshot, mut warnings) => {
                if let Some(waiting) = self.waiting.get_mut(&snapshot.orgnr.to_u32()) {
                    waiting.met = true;
                    snapshot.voluntary = Some(waiting.record.clone());
                    warnings.extend(waiting.warnings.iter().cloned());
                }
                Some(Joined::Snapshot(snapshot, warnings))
            }
        }
    }
}
