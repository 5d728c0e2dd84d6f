//! Reads a file of either register, record by record, whichever of the published shapes it has.

use std::collections::VecDeque;
use std::io::Read;

use super::cutter::Cutter;
use super::entry::{Counts, Entry, Kind, Options, describe};
use super::fault::{Fault, Place, Refused, Warning};
use super::record::{self, Malformed, Outcome, Shape};

const EXPECTED: &str = "a JSON array of records, a page of them, or a record";

/// A file of either register. As an iterator it yields the records kept and those refused; after a [`Fault`] it ends.
///
/// Read are: the bulk file (one array), a page of the search or of Frivillighetsregisteret, one record, and any number of these
/// after each other, as in NDJSON; gzip or plain. Memory is bounded by the largest record, or page.
pub struct Reader<R: Read> {
    cut: Cutter<R>,
    options: Options,
    kind: Option<Kind>,
    state: State,
    counts: Counts,
    /// the records of a page that are not yielded yet, with their number and byte
    pending: VecDeque<(u64, u64, Entry)>,
    /// number and byte of the record yielded last
    last: (u64, u64),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// outside everything
    Top,
    /// after `[`: a record, or the end
    ArrayStart,
    /// after a record: a comma, or the end
    AfterRecord,
    /// after a comma: a record
    AfterComma,
    /// nothing more comes
    Ended,
}

/// Unpacks a gzip file to its end, so that one that was cut off or damaged is known before anything of it is used. Of a file that
/// is not packed nothing is read.
///
/// # Errors
/// [`Fault::Truncated`], [`Fault::Corrupt`], or [`Fault::Io`].
pub fn check_whole(file: impl Into<String>, input: impl Read) -> Result<(), Fault> {
    Cutter::open(file.into(), input)?.check_whole()
}

// === impl Reader ===

impl<R: Read> Reader<R> {
    /// Looks at the beginning of a stream, to tell gzip from plain and one register from the other; `file` names it in errors.
    pub fn open(file: impl Into<String>, input: R, options: Options) -> Result<Self, Fault> {
        let mut reader = Self {
            cut: Cutter::open(file.into(), input)?,
            options,
            kind: None,
            state: State::Top,
            counts: Counts::default(),
            pending: VecDeque::new(),
            last: (0, 0),
        };
        reader.look()?;
        Ok(reader)
    }

    /// Which register the file is from, by its first record; none when that does not tell.
    pub fn kind(&self) -> Option<Kind> {
        self.kind
    }

    /// What has been read so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Bytes of the file read so far, packed as it is: for showing progress.
    pub fn bytes(&self) -> u64 {
        self.cut.packed_bytes()
    }

    /// Where the record yielded last stands.
    pub fn place(&self) -> Place {
        let (record, byte) = self.last;
        Place {
            file: self.cut.file().to_owned(),
            record,
            byte,
        }
    }

    /// The next record that is kept or refused. Units are also kept when `also` knows their number, whatever they are.
    pub fn next_entry(&mut self, also: &dyn Fn(u32) -> bool) -> Option<Result<Entry, Fault>> {
        loop {
            if let Some((record, byte, entry)) = self.pending.pop_front() {
                self.last = (record, byte);
                return Some(Ok(entry));
            }
            if self.state == State::Ended {
                return None;
            }
            if let Err(fault) = self.step(also) {
                self.state = State::Ended;
                return Some(Err(fault));
            }
        }
    }

    /// Finds out the kind from the first record, and goes into the array if there is one.
    fn look(&mut self) -> Result<(), Fault> {
        match self.cut.peek()? {
            Some(b'[') => {
                self.cut.skip(1);
                self.state = State::ArrayStart;
                if self.cut.peek()? == Some(b'{')
                    && let Shape::Record(kind) = self.shape()?
                {
                    self.kind = Some(kind);
                }
            }
            Some(b'{') => match self.shape()? {
                Shape::Record(kind) => self.kind = Some(kind),
                Shape::Page(_, kind) => self.kind = kind,
                Shape::Unknown(found) => return Err(self.not_a_register(found)),
            },
            Some(byte) => return Err(self.not_a_register(describe(byte))),
            None => return Err(self.not_a_register("nothing")),
        }
        Ok(())
    }

    /// Goes on by one token, or one record.
    fn step(&mut self, also: &dyn Fn(u32) -> bool) -> Result<(), Fault> {
        let (state, next) = (self.state, self.cut.peek()?);
        let mut token = |state| {
            self.cut.skip(1);
            self.state = state;
            Ok(())
        };
        match (state, next) {
            (State::Top, Some(b'[')) => token(State::ArrayStart),
            (State::ArrayStart | State::AfterRecord, Some(b']')) => token(State::Top),
            (State::AfterRecord, Some(b',')) => token(State::AfterComma),
            (State::Top, Some(b'{')) => self.object(also),
            (State::ArrayStart | State::AfterComma, Some(byte)) if !b",:]}".contains(&byte) => self.element(also),
            (State::Ended, _) | (State::Top, None) => {
                self.state = State::Ended;
                Ok(())
            }
            (State::Top, Some(byte)) => Err(self.not_a_register(describe(byte))),
            (State::AfterRecord, Some(_)) => Err(self.syntax("expected , or ] after a record")),
            (State::ArrayStart | State::AfterComma, Some(_)) => Err(self.syntax("expected a record")),
            (State::ArrayStart | State::AfterComma | State::AfterRecord, None) => {
                Err(self.syntax("the file ends inside an array"))
            }
        }
    }

    /// An element of an array.
    fn element(&mut self, also: &dyn Fn(u32) -> bool) -> Result<(), Fault> {
        if self.kind.is_none()
            && self.cut.peek()? == Some(b'{')
            && let Shape::Record(kind) = self.shape()?
        {
            self.kind = Some(kind);
        }
        let value = self.cut.value()?;
        let byte = self.cut.offset();
        let outcome = match self.kind {
            Some(kind) => record::read(self.cut.bytes(value.clone()), kind, self.options, also),
            None => Ok(Outcome::Refused {
                orgnr: None,
                field: None,
                why: "is neither a unit nor a voluntary organisation".to_owned(),
            }),
        };
        self.count(byte, outcome)?;
        self.cut.skip(value.len());
        self.state = State::AfterRecord;
        Ok(())
    }

    /// An object that stands by itself: a record or a page.
    fn object(&mut self, also: &dyn Fn(u32) -> bool) -> Result<(), Fault> {
        let shape = self.shape()?;
        let value = self.cut.value()?;
        let byte = self.cut.offset();
        match shape {
            Shape::Record(kind) => {
                self.kind.get_or_insert(kind);
                let outcome = record::read(self.cut.bytes(value.clone()), kind, self.options, also);
                self.count(byte, outcome)?;
            }
            Shape::Page(records, kind) => {
                self.kind = self.kind.or(kind);
                for place in records {
                    let json = &self.cut.bytes(value.clone())[place.clone()];
                    let outcome = record::read(json, kind.unwrap_or(Kind::Units), self.options, also);
                    self.count(byte + place.start as u64, outcome)?;
                }
            }
            Shape::Unknown(found) => return Err(self.not_a_register(found)),
        }
        self.cut.skip(value.len());
        Ok(())
    }

    /// What the object at the next byte is.
    fn shape(&mut self) -> Result<Shape, Fault> {
        let value = self.cut.value()?;
        let byte = self.cut.offset();
        record::shape(self.cut.bytes(value)).map_err(|malformed| self.malformed(byte, malformed))
    }

    fn count(&mut self, byte: u64, outcome: Result<Outcome, Malformed>) -> Result<(), Fault> {
        let outcome = outcome.map_err(|malformed| self.malformed(byte, malformed))?;
        self.counts.read += 1;
        let record = self.counts.read;
        let entry = match outcome {
            Outcome::Skipped => {
                self.counts.skipped += 1;
                return Ok(());
            }
            Outcome::Unit(snapshot, warnings) => {
                self.counts.kept += 1;
                Entry::Unit(snapshot, self.placed(byte, warnings))
            }
            Outcome::Removed(removed) => {
                self.counts.kept += 1;
                Entry::Removed(removed)
            }
            Outcome::Voluntary(record, warnings) => {
                self.counts.kept += 1;
                Entry::Voluntary(record, self.placed(byte, warnings))
            }
            Outcome::Refused { orgnr, field, why } => {
                self.counts.refused += 1;
                let file = self.cut.file().to_owned();
                Entry::Refused(Refused {
                    file,
                    record,
                    byte,
                    orgnr,
                    field,
                    why,
                })
            }
        };
        self.pending.push_back((record, byte, entry));
        Ok(())
    }

    fn placed(&self, byte: u64, mut warnings: Vec<Warning>) -> Vec<Warning> {
        for warning in &mut warnings {
            warning.place = Place {
                file: self.cut.file().to_owned(),
                record: self.counts.read,
                byte,
            };
        }
        warnings
    }

    fn malformed(&self, byte: u64, malformed: Malformed) -> Fault {
        let Malformed { at, field, what } = malformed;
        Fault::Syntax {
            file: self.cut.file().to_owned(),
            byte: byte + at as u64,
            field,
            what,
        }
    }

    fn syntax(&self, what: &str) -> Fault {
        self.cut.syntax(self.cut.offset(), what)
    }

    fn not_a_register(&self, found: impl Into<String>) -> Fault {
        Fault::NotARegister {
            file: self.cut.file().to_owned(),
            byte: self.cut.offset(),
            expected: EXPECTED,
            found: found.into(),
        }
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Entry, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_entry(&|_| false)
    }
}
