//! Long answers in constant memory: rows read from one snapshot, handed over in batches as fast as the client takes them.
//!
//! Whoever reads slowly holds a snapshot and a connection, so there are few places, and who takes nothing for half a minute, or
//! has not come to the end in a quarter of an hour, is cut off. An answer that was cut has no end, and is thereby noticed.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use ryggrad_eventlog::projection::Snapshot;
use ryggrad_service::ApiError;
use sqlx::postgres::PgRow;
use tokio::sync::mpsc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;

/// Rows that are handed over together.
const BATCH: usize = 256;
/// Batches that may wait for the client.
const AHEAD: usize = 4;
/// How long a client may take nothing.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long an answer may take in all.
const LONGEST: Duration = Duration::from_mins(15);

/// How many long answers may be under way. Cheap to clone; clones share the places.
#[derive(Debug, Clone)]
pub(crate) struct Places(Arc<Semaphore>);

/// A place, until the answer has ended.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

/// What arrives of a long answer.
#[derive(Debug)]
pub(crate) enum Piece<T> {
    /// Rows, at least one.
    Rows(Vec<T>),
    /// The end, and how many rows there were.
    End(u64),
}

/// A long answer: its rows, and its end.
pub(crate) type Pieces<T> = BoxStream<'static, Result<Piece<T>, Cut>>;

/// An answer that was cut: the database failed, or the client was too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer was cut off before its end")]
pub(crate) struct Cut;

/// Text as it leaves, compressed or not, in pieces.
pub(crate) enum Encoder {
    /// As it is.
    Plain(Vec<u8>),
    /// gzip.
    Gzip(GzEncoder<Vec<u8>>),
}

// === impl Places ===

impl Places {
    pub(crate) fn new(number: usize) -> Self {
        Self(Arc::new(Semaphore::new(number)))
    }

    /// A place, if one is free.
    pub(crate) fn take(&self) -> Result<Place, ApiError> {
        let permit = Arc::clone(&self.0)
            .try_acquire_owned()
            .map_err(|_| ApiError::Unavailable {
                what: "as many downloads are under way as there may be".to_owned(),
                retry_after: Duration::from_secs(5),
            })?;
        Ok(Place { _permit: permit })
    }
}

/// Reads rows and hands on what `take` makes of each; none of those that it leaves out.
///
/// # Errors
/// When the table cannot be read; then there is no answer, and not half of one.
pub(crate) async fn rows<T: Send + 'static>(
    place: Place,
    mut snapshot: Snapshot,
    sql: String,
    mut take: impl FnMut(&PgRow) -> Result<Option<T>, sqlx::Error> + Send + 'static,
) -> Result<Pieces<T>, sqlx::Error> {
    // From here on it is not dropped before it has been read.
    let touch = format!("select from {} limit 1", snapshot.table());
    sqlx::query(&touch).execute(snapshot.connection()).await?;
    let (send, receive) = mpsc::channel(AHEAD);
    let end = Instant::now() + LONGEST;
    tokio::spawn(async move {
        let mut batch = Vec::with_capacity(BATCH);
        let mut number = 0;
        let read = async {
            let mut rows = sqlx::query(&sql).fetch(snapshot.connection());
            while let Some(row) = rows.try_next().await? {
                batch.extend(take(&row)?);
                if batch.len() >= BATCH {
                    number += batch.len() as u64;
                    let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
                    if hand_over(&send, Ok(Piece::Rows(full)), end).await.is_err() {
                        return Ok(false);
                    }
                }
            }
            Ok::<_, sqlx::Error>(true)
        };
        match read.await {
            Ok(true) => {
                number += batch.len() as u64;
                if (batch.is_empty() || hand_over(&send, Ok(Piece::Rows(batch)), end).await.is_ok())
                    && hand_over(&send, Ok(Piece::End(number)), end).await.is_ok()
                {
                    tracing::debug!(rows = number, "a download was complete");
                }
            }
            Ok(false) => tracing::debug!(rows = number, "a download was left, or too slow"),
            Err(error) => {
                tracing::warn!(%error, "a download was cut");
                // Nobody may be listening any more.
                let _ = send.send_timeout(Err(Cut), PATIENCE).await;
            }
        }
        drop((snapshot, place));
    });
    Ok(ended(ReceiverStream::new(receive)).boxed())
}

/// Fails when nobody listens any more, or too slowly.
async fn hand_over<T>(send: &mpsc::Sender<T>, piece: T, end: Instant) -> Result<(), ()> {
    let by = (Instant::now() + PATIENCE).min(end);
    match tokio::time::timeout_at(by, send.send(piece)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(()),
    }
}

/// What is at hand already, as a long answer.
pub(crate) fn ready<T: Send + 'static>(rows: Vec<T>) -> Pieces<T> {
    let number = rows.len() as u64;
    let rows = (!rows.is_empty()).then_some(Ok(Piece::Rows(rows)));
    futures::stream::iter(rows.into_iter().chain([Ok(Piece::End(number))])).boxed()
}

/// A stream that ends without its end was cut.
fn ended<T: Send + 'static>(
    pieces: impl Stream<Item = Result<Piece<T>, Cut>> + Send + 'static,
) -> impl Stream<Item = Result<Piece<T>, Cut>> + Send + 'static {
    let mut has_ended = false;
    pieces
        .map(Some)
        .chain(futures::stream::iter([None]))
        .filter_map(move |piece| {
            has_ended |= matches!(piece, Some(Ok(Piece::End(_)) | Err(_)));
            std::future::ready(match piece {
                Some(piece) => Some(piece),
                None if has_ended => None,
                None => Some(Err(Cut)),
            })
        })
}

/// A body that `write` writes piece by piece.
pub(crate) fn body<T: Send + 'static>(
    mut encoder: Encoder,
    pieces: Pieces<T>,
    mut write: impl FnMut(&mut dyn Write, Piece<T>) -> std::io::Result<()> + Send + 'static,
) -> Body {
    let chunks = pieces.map(move |piece| {
        let piece = piece.map_err(std::io::Error::other)?;
        let is_end = matches!(piece, Piece::End(_));
        write(&mut encoder, piece)?;
        encoder.taken(is_end)
    });
    Body::from_stream(chunks)
}

// === impl Encoder ===

impl Encoder {
    /// gzip when it is wanted.
    pub(crate) fn new(gzip: bool) -> Self {
        if gzip {
            Self::Gzip(GzEncoder::new(Vec::new(), Compression::fast()))
        } else {
            Self::Plain(Vec::new())
        }
    }

    /// What has been written since the last time.
    fn taken(&mut self, is_end: bool) -> std::io::Result<Bytes> {
        let bytes = match self {
            Self::Plain(bytes) => bytes,
            Self::Gzip(encoder) => {
                if is_end {
                    encoder.try_finish()?;
                }
                encoder.get_mut()
            }
        };
        Ok(std::mem::take(bytes).into())
    }
}

impl Write for Encoder {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(plain) => plain.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_ends_without_its_end_was_cut() {
        let whole: Vec<_> = ended(ready(vec![1, 2])).collect().await;
        assert!(matches!(whole.as_slice(), [Ok(Piece::Rows(rows)), Ok(Piece::End(2))] if rows == &[1, 2]));
        let cut: Vec<Result<Piece<u8>, Cut>> = ended(futures::stream::iter([Ok(Piece::Rows(vec![1]))])).collect().await;
        assert!(matches!(cut.as_slice(), [Ok(Piece::Rows(_)), Err(Cut)]));
    }

    #[tokio::test]
    async fn who_takes_too_long_is_waited_for_no_more() {
        let (send, mut receive) = mpsc::channel(1);
        let (over, later) = (Instant::now(), Instant::now() + LONGEST);
        assert_eq!(hand_over(&send, 1, later).await, Ok(()));
        assert_eq!(hand_over(&send, 2, over).await, Err(()), "the first is still there");
        assert_eq!(receive.recv().await, Some(1));
        drop(receive);
        assert_eq!(hand_over(&send, 3, later).await, Err(()), "nobody is there");
    }

    #[test]
    fn places_are_given_back() {
        let places = Places::new(1);
        let place = places.take().expect("a free place");
        assert!(places.take().is_err());
        drop(place);
        assert!(places.take().is_ok());
    }
}
