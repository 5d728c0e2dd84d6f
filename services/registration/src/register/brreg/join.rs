//! Puts the two registers together by organisation number, holding only the smaller one in memory.

use std::collections::HashMap;
use std::io::Read;

use super::entry::{Counts, Entry};
use super::fault::{Fault, Refused, Warning};
use super::reader::Reader;
use super::snapshot::{RegisterSnapshot, VoluntaryRecord};

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
    met: bool,
}

/// What comes out of the join.
#[derive(Debug)]
pub enum Joined {
    /// an organisation, with its voluntary record if there is one
    Snapshot(Box<RegisterSnapshot>, Vec<Warning>),
    /// a record that cannot be used
    Refused(Refused),
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
        for entry in reader.by_ref() {
            if let Some(joined) = self.accept(entry?) {
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
        loop {
            let entry =
                reader.next_entry(&|orgnr| self.waiting.contains_key(&orgnr) || known(orgnr))?;
            match entry {
                Ok(entry) => {
                    if let Some(joined) = self.accept(entry) {
                        return Some(Ok(joined));
                    }
                }
                Err(fault) => return Some(Err(fault)),
            }
        }
    }

    /// The voluntary organisations for which no unit was read, by number.
    pub fn finish(self) -> Vec<(VoluntaryRecord, Vec<Warning>)> {
        let mut left: Vec<_> = self
            .waiting
            .into_values()
            .filter(|waiting| !waiting.met)
            .collect();
        left.sort_unstable_by_key(|waiting| waiting.record.orgnr);
        left.into_iter()
            .map(|waiting| (waiting.record, waiting.warnings))
            .collect()
    }

    fn accept(&mut self, entry: Entry) -> Option<Joined> {
        match entry {
            Entry::Refused(refused) => Some(Joined::Refused(refused)),
            Entry::Voluntary(record, warnings) => {
                let waiting = Waiting {
                    record: *record,
                    warnings,
                    met: false,
                };
                self.waiting.insert(waiting.record.orgnr.to_u32(), waiting);
                None
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
