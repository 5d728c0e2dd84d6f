//! Bytes from a file, unpacked when they are gzip, and counted as they come in.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const CHUNK: usize = 64 * 1024;

/// A stream that has been looked at: its first bytes tell whether it is gzip.
pub(super) enum Input<R: Read> {
    Plain(BufReader<Counted<R>>),
    Gzip(Box<MultiGzDecoder<BufReader<Counted<R>>>>),
}

/// Counts what has been read, before unpacking, for showing progress against the file's size.
pub(super) struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Input<R> {
    pub(super) fn open(inner: R) -> io::Result<Self> {
        let mut stream = BufReader::with_capacity(CHUNK, Counted { inner, count: 0 });
        // One read may bring a single byte; then a gzip file is taken for plain, and is refused for its first byte. The
        // streams of files and memory that come here never do that.
        let is_gzip = stream.fill_buf()?.starts_with(&GZIP);
        Ok(if is_gzip {
            Self::Gzip(Box::new(MultiGzDecoder::new(stream)))
        } else {
            Self::Plain(stream)
        })
    }

    pub(super) fn is_gzip(&self) -> bool {
        matches!(self, Self::Gzip(_))
    }

    /// Bytes read so far, still packed.
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Plain(stream) => stream.get_ref().count,
            Self::Gzip(stream) => stream.get_ref().get_ref().count,
        }
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Gzip(stream) => stream.read(buffer),
        }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count += read as u64;
        Ok(read)
    }
}
