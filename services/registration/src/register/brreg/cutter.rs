//! Cuts a stream of bytes into JSON values by their brackets, so that a file of a million records is never in memory.

use std::io::{ErrorKind, Read};
use std::ops::Range;

use super::fault::Fault;
use super::input::Input;

/// The largest value that is cut out whole: a page of 10,000 units is about 17 MB.
const LIMIT: usize = 64 * 1024 * 1024;
const CHUNK: usize = 256 * 1024;

pub(super) struct Cutter<R: Read> {
    file: String,
    input: Input<R>,
    buffer: Vec<u8>,
    /// where in `buffer` the unread bytes begin
    start: usize,
    /// where in the unpacked stream `buffer` begins
    base: u64,
}

impl<R: Read> Cutter<R> {
    pub(super) fn open(file: String, input: R) -> Result<Self, Fault> {
        match Input::open(input) {
            Ok(input) => Ok(Self {
                file,
                input,
                buffer: Vec::new(),
                start: 0,
                base: 0,
            }),
            Err(source) => Err(Fault::Io { file, byte: 0, source }),
        }
    }

    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// Bytes read so far, still packed.
    pub(super) fn packed_bytes(&self) -> u64 {
        self.input.count()
    }

    /// Where in the unpacked stream the next byte stands.
    pub(super) fn offset(&self) -> u64 {
        self.base + self.start as u64
    }

    /// The next byte that is not white space (nor a byte order mark at the beginning); none at the end.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, Fault> {
        loop {
            while let Some(&byte) = self.buffer.get(self.start) {
                let mark = self.offset() < 3 && matches!(byte, 0xef | 0xbb | 0xbf);
                if !byte.is_ascii_whitespace() && !mark {
                    return Ok(Some(byte));
                }
                self.start += 1;
            }
            if self.fill()? == 0 {
                return Ok(None);
            }
        }
    }

    pub(super) fn skip(&mut self, bytes: usize) {
        self.start += bytes;
    }

    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.buffer[range]
    }

    /// The place in the buffer of the value that begins at the next byte, without reading past it. Only brackets and quotes are
    /// looked at: whether it is JSON is for the parser to say.
    pub(super) fn value(&mut self) -> Result<Range<usize>, Fault> {
        let (mut at, mut depth, mut in_text) = (0, 0_usize, false);
        loop {
            let unread = &self.buffer[self.start..];
            while let Some(&byte) = unread.get(at) {
                if in_text {
                    match byte {
                        b'\\' => at += 1,
                        b'"' => {
                            in_text = false;
                            if depth == 0 {
                                return Ok(self.range(at + 1));
                            }
                        }
                        _ => {}
                    }
                } else {
                    match byte {
                        b'"' => in_text = true,
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' if depth == 0 => return Ok(self.range(at)),
                        b'}' | b']' if depth == 1 => return Ok(self.range(at + 1)),
                        b'}' | b']' => depth -= 1,
                        b',' | b' ' | b'\n' | b'\r' | b'\t' if depth == 0 => {
                            return Ok(self.range(at));
                        }
                        _ => {}
                    }
                }
                at += 1;
            }
            if at > LIMIT {
                return Err(Fault::TooLarge {
                    file: self.file.clone(),
                    byte: self.offset(),
                    limit: LIMIT,
                });
            }
            if self.fill()? == 0 {
                if depth > 0 || in_text {
                    return Err(self.syntax(self.base + self.buffer.len() as u64, "the file ends inside a value"));
                }
                return Ok(self.range(at));
            }
        }
    }

    pub(super) fn syntax(&self, byte: u64, what: &str) -> Fault {
        Fault::Syntax {
            file: self.file.clone(),
            byte,
            field: None,
            what: what.to_owned(),
        }
    }

    fn range(&self, length: usize) -> Range<usize> {
        self.start..self.start + length
    }

    /// Reads more behind the unread bytes; 0 at the end.
    fn fill(&mut self) -> Result<usize, Fault> {
        self.buffer.drain(..self.start);
        self.base += self.start as u64;
        self.start = 0;
        let held = self.buffer.len();
        // Room doubles with a large value, so that cutting it stays linear.
        self.buffer.resize(held + CHUNK.max(held), 0);
        let read = loop {
            match self.input.read(&mut self.buffer[held..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                done => break done,
            }
        };
        self.buffer.truncate(held + read.as_ref().copied().unwrap_or_default());
        read.map_err(|source| self.unreadable(held as u64, source))
    }

    /// Reads a gzip stream to its end and forgets it: its checksum is right, or it is a fault. Of a stream that is not packed
    /// nothing can be said without reading it as what it is, and nothing is read.
    pub(super) fn check_whole(mut self) -> Result<(), Fault> {
        if !self.input.is_gzip() {
            return Ok(());
        }
        self.buffer.resize(CHUNK, 0);
        loop {
            match self.input.read(&mut self.buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => self.base += read as u64,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => return Err(self.unreadable(0, source)),
            }
        }
    }

    /// What is wrong with a stream that cannot be read on after so many bytes of the buffer.
    fn unreadable(&self, held: u64, source: std::io::Error) -> Fault {
        let (file, byte) = (self.file.clone(), self.base + held);
        match source.kind() {
            ErrorKind::UnexpectedEof if self.input.is_gzip() => Fault::Truncated { file, byte },
            ErrorKind::InvalidData | ErrorKind::InvalidInput if self.input.is_gzip() => {
                Fault::Corrupt { file, byte, source }
            }
            _ => Fault::Io { file, byte, source },
        }
    }
}
