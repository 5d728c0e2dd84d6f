//! A connection as it is read: its first bytes in time, and no more frames that only cost than a client of good will sends.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What every HTTP/2 connection begins with.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Frames that only cost which a connection may send at once, and in each second after that. A client that ends a thousand
/// calls at once is well below; a flood is through with it in the fraction of a second.
const BURST: u32 = 2_000;
const PER_SECOND: u32 = 200;

/// A connection whose inbound frames are counted.
#[derive(Debug)]
pub(super) struct Watched {
    stream: TcpStream,
    /// What was read to learn the protocol, not yet handed on.
    first: Vec<u8>,
    /// None for HTTP/1, which has no frames.
    frames: Option<Frames>,
}

/// Where in the frames the reading is, and how many more may come.
#[derive(Debug)]
struct Frames {
    header: [u8; 9],
    have: usize,
    /// Bytes of the payload that are still to come.
    payload: usize,
    left: u32,
    refilled: Instant,
}

// === impl Watched ===

impl Watched {
    /// Reads until it is clear which protocol the client speaks.
    ///
    /// # Errors
    /// When the client goes away first, or takes too long.
    pub(super) async fn open(mut stream: TcpStream, patience: Duration) -> io::Result<Self> {
        let mut first = [0; PREFACE.len()];
        let mut length = 0;
        let reading = async {
            while length < first.len() && PREFACE.starts_with(&first[..length]) {
                match stream.read(&mut first[length..]).await? {
                    0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
                    read => length += read,
                }
            }
            Ok(())
        };
        tokio::time::timeout(patience, reading)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        let frames = (&first == PREFACE).then(Frames::new);
        Ok(Self {
            stream,
            first: first[..length].to_vec(),
            frames,
        })
    }

    pub(super) fn is_http2(&self) -> bool {
        self.frames.is_some()
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.first.is_empty() {
            let length = self.first.len().min(buffer.remaining());
            buffer.put_slice(&self.first[..length]);
            self.first.drain(..length);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        std::task::ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let fits = self
            .frames
            .as_mut()
            .is_none_or(|frames| frames.take(&buffer.filled()[before..]));
        Poll::Ready(if fits {
            Ok(())
        } else {
            Err(io::Error::other(
                "more frames that only cost than a client of good will sends",
            ))
        })
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

// === impl Frames ===

impl Frames {
    fn new() -> Self {
        Self {
            header: [0; 9],
            have: 0,
            payload: 0,
            left: BURST,
            refilled: Instant::now(),
        }
    }

    /// Takes note of what was read after the preface; false when it is too much.
    fn take(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            if self.payload > 0 {
                let length = self.payload.min(bytes.len());
                self.payload -= length;
                bytes = &bytes[length..];
                continue;
            }
            let length = (self.header.len() - self.have).min(bytes.len());
            self.header[self.have..self.have + length].copy_from_slice(&bytes[..length]);
            self.have += length;
            bytes = &bytes[length..];
            if self.have == self.header.len() {
                self.have = 0;
                let [a, b, c, kind, flags, ..] = self.header;
                self.payload = u32::from_be_bytes([0, a, b, c]) as usize;
                if only_costs(kind, flags, self.payload) && !self.spend() {
                    return false;
                }
            }
        }
        true
    }

    fn spend(&mut self) -> bool {
        if self.left == 0 {
            let seconds = u32::try_from(self.refilled.elapsed().as_secs()).unwrap_or(u32::MAX);
            if seconds == 0 {
                return false;
            }
            self.left = seconds.saturating_mul(PER_SECOND).min(BURST);
            self.refilled = Instant::now();
        }
        self.left -= 1;
        true
    }
}

/// Whether a frame gives the server work without asking for anything (RFC 9113, 10.5).
fn only_costs(kind: u8, flags: u8, length: usize) -> bool {
    const END_STREAM: u8 = 1;
    match kind {
        // DATA, when there is nothing in it.
        0 => length == 0 && flags & END_STREAM == 0,
        // HEADERS asks for something, and WINDOW_UPDATE lets an answer go on.
        1 | 8 => false,
        // PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, CONTINUATION, and what does not exist.
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, length: u8) -> Vec<u8> {
        let mut frame = vec![0, 0, length, kind, flags, 0, 0, 0, 1];
        frame.resize(9 + usize::from(length), 0);
        frame
    }

    #[test]
    fn frames_are_found_however_they_are_cut() {
        let ping = frame(6, 0, 8);
        let stream: Vec<u8> = std::iter::repeat_n(ping, 10).flatten().collect();
        for piece in [1, 2, 7, 17, 1_000] {
            let mut frames = Frames::new();
            assert!(stream.chunks(piece).all(|bytes| frames.take(bytes)));
            assert_eq!(frames.left, BURST - 10, "in pieces of {piece}");
        }
    }

    #[test]
    fn a_flood_ends_and_requests_do_not() {
        for (kind, length) in [(2, 5), (3, 4), (4, 0), (6, 8), (9, 1), (0, 0), (99, 3)] {
            let mut frames = Frames::new();
            let flood = (0..=BURST).all(|_| frames.take(&frame(kind, 0, length)));
            assert!(!flood, "frames of kind {kind}");
        }
        let mut frames = Frames::new();
        let requests =
            (0..10 * BURST).all(|_| frames.take(&[frame(1, 5, 20), frame(0, 1, 0), frame(8, 0, 4)].concat()));
        assert!(requests);
    }
}
