//! Long answers in constant memory: rows read from one snapshot, handed over in batches as fast as the client takes them.
//!
//! Whoever reads slowly holds a snapshot and a connection, so there are few places, those without a token cannot take the
//! places of those with one, and who takes nothing for half a minute, or
//! has not come to the end in a quarter of an hour, is cut off. An answer that was cut has no end, and is thereby noticed.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use ryggrad_access::Caller;
use ryggrad_eventlog::projection::Snapshot;
use ryggrad_norway::OrgNumber;
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

/// How many long answers may be under way: so many of callers without a token, and as many of those with one, of whom none
/// takes more than half. Cheap to clone; clones share the places.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    anybody: Arc<Semaphore>,
    proved: Arc<Semaphore>,
    /// Callers with a token that have places, and how many.
    by: Arc<Mutex<HashMap<OrgNumber, usize>>>,
    each: usize,
}

/// A place, until the answer has ended.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    _share: Option<Share>,
}

/// A caller's share in the places, by one place.
#[derive(Debug)]
struct Share {
    by: Arc<Mutex<HashMap<OrgNumber, usize>>>,
    caller: OrgNumber,
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
        Self {
            anybody: Arc::new(Semaphore::new(number)),
            proved: Arc::new(Semaphore::new(number)),
            by: Arc::default(),
            each: number.div_ceil(2),
        }
    }

    /// A place for a caller, if one is free.
    pub(crate) fn take(&self, caller: &Caller) -> Result<Place, ApiError> {
        let full = || ApiError::Unavailable {
            what: "as many downloads are under way as there may be".to_owned(),
            retry_after: Duration::from_secs(5),
        };
        let (places, share) = match caller.identity() {
            None => (&self.anybody, None),
            Some(identity) => {
                let share = Share::take(&self.by, identity.consumer, self.each);
                (&self.proved, Some(share.ok_or_else(full)?))
            }
        };
        let permit = Arc::clone(places).try_acquire_owned().map_err(|_| full())?;
        Ok(Place {
            _permit: permit,
            _share: share,
        })
    }
}

// === impl Share ===

impl Share {
    fn take(by: &Arc<Mutex<HashMap<OrgNumber, usize>>>, caller: OrgNumber, most: usize) -> Option<Self> {
        let mut shares = by.lock().unwrap_or_else(PoisonError::into_inner);
        let has = shares.get(&caller).copied().unwrap_or_default();
        if has >= most {
            return None;
        }
        shares.insert(caller, has + 1);
        Some(Self {
            by: Arc::clone(by),
            caller,
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut shares = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(has) = shares.get_mut(&self.caller) {
            *has -= 1;
            if *has == 0 {
                shares.remove(&self.caller);
            }
        }
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
    use jiff::Timestamp;
    use ryggrad_access::{Identity, Scopes};

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

    fn proved(number: &str) -> Caller {
        Caller::proved(Identity {
            consumer: OrgNumber::parse(number).expect("a number"),
            supplier: None,
            system_user: None,
            scopes: Scopes::default(),
            parties: Vec::new(),
            expires: Timestamp::MAX,
        })
    }

    #[test]
    fn places_are_given_back() {
        for caller in [Caller::ANYBODY, proved("399000106")] {
            let places = Places::new(1);
            let place = places.take(&caller).expect("a free place");
            assert!(places.take(&caller).is_err());
            drop(place);
            assert!(places.take(&caller).is_ok());
            assert!(places.by.lock().expect("sound").is_empty());
        }
    }

    #[test]
    fn who_has_no_token_takes_no_place_of_those_who_have_one_and_of_these_nobody_takes_all() {
        let places = Places::new(4);
        let all = |caller: &Caller| std::iter::from_fn(|| places.take(caller).ok()).collect::<Vec<_>>();
        let (nobody, first, second) = (
            all(&Caller::ANYBODY),
            all(&proved("399000106")),
            all(&proved("399000203")),
        );
        assert_eq!((nobody.len(), first.len(), second.len()), (4, 2, 2));
        assert!(places.take(&proved("399000300")).is_err());
        drop(first);
        assert!(places.take(&proved("399000300")).is_ok());
    }
}
