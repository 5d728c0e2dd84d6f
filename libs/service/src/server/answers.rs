//! The answers of one connection that are under way: bounded in number, and cut when the client does not take them.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that are handed to the connection at once. The rest stays here, where it is seen that nobody takes it.
const PIECE: usize = 16 * 1024;

/// The answers of one connection whose content is in memory. Subscriptions do not count: they hold no more than their client
/// has room for. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Answers {
    places: Arc<Semaphore>,
    offered: Arc<Mutex<Offered>>,
    /// Time that the client gets to take the next piece.
    patience: Duration,
}

/// Since when each answer waits for the client, by its number.
#[derive(Debug, Default)]
struct Offered {
    last: u64,
    since: BTreeMap<u64, Instant>,
}

/// A place among the answers, held until the client has the whole answer.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    number: u64,
    offered: Arc<Mutex<Offered>>,
}

/// A body that goes out in pieces, and knows whether the client takes them.
struct Delivered {
    body: Body,
    rest: Bytes,
    place: Place,
}

// === impl Answers ===

impl Answers {
    /// So many at once, whose pieces are to be taken within a time.
    pub(crate) fn new(at_once: usize, patience: Duration) -> Self {
        Self {
            places: Arc::new(Semaphore::new(at_once)),
            offered: Arc::default(),
            patience,
        }
    }

    /// Waits for a place; none when the connection ends.
    pub(crate) async fn place(&self) -> Option<Place> {
        let permit = Arc::clone(&self.places).acquire_owned().await.ok()?;
        let mut offered = lock(&self.offered);
        offered.last += 1;
        Some(Place {
            _permit: permit,
            number: offered.last,
            offered: Arc::clone(&self.offered),
        })
    }

    /// Waits until there is an answer that the client does not take.
    pub(super) async fn stall(&self) {
        loop {
            let oldest = lock(&self.offered).since.values().min().copied();
            let wait = match oldest.map(|since| since.elapsed()) {
                Some(age) if age >= self.patience => return,
                Some(age) => self.patience.saturating_sub(age),
                None => self.patience,
            };
            tokio::time::sleep(wait).await;
        }
    }
}

// === impl Place ===

impl Place {
    /// A body that holds the place until it is gone.
    pub(crate) fn around(self, body: Body) -> Body {
        Body::new(Delivered {
            body,
            rest: Bytes::new(),
            place: self,
        })
    }

    /// From now on the client has to take something.
    fn offer(&self) {
        lock(&self.offered).since.insert(self.number, Instant::now());
    }

    /// From now on it is for us to go on.
    fn taken(&self) {
        lock(&self.offered).since.remove(&self.number);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.taken();
    }
}

// === impl Delivered ===

impl Delivered {
    fn piece(&mut self) -> Option<Frame<Bytes>> {
        let length = self.rest.len().min(PIECE);
        (length > 0).then(|| Frame::data(self.rest.split_to(length)))
    }
}

impl http_body::Body for Delivered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.place.taken();
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                end => return Poll::Ready(end),
            }
        }
        let piece = self.piece().unwrap_or_else(|| Frame::data(Bytes::new()));
        self.place.offer();
        Poll::Ready(Some(Ok(piece)))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, below) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(below.lower() + rest);
        if let Some(upper) = below.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

fn lock(offered: &Mutex<Offered>) -> std::sync::MutexGuard<'_, Offered> {
    offered.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn an_answer_arrives_whole_in_pieces_and_gives_its_place_back() {
        let answers = Answers::new(2, Duration::from_mins(1));
        let whole: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        let mut body = answers.place().await.unwrap().around(Body::from(whole.clone()));
        assert_eq!(http_body::Body::size_hint(&body).exact(), Some(100_000));
        assert_eq!(answers.places.available_permits(), 1);
        let mut got = Vec::new();
        while let Some(frame) = body.frame().await {
            let data = frame.unwrap().into_data().unwrap();
            assert!(data.len() <= PIECE);
            got.extend_from_slice(&data);
        }
        assert!(got == whole && lock(&answers.offered).since.is_empty());
        drop(body);
        assert_eq!(answers.places.available_permits(), 2);
    }

    #[tokio::test]
    async fn an_answer_that_nobody_takes_is_noticed_and_one_that_is_made_is_not() {
        let answers = Answers::new(2, Duration::from_millis(20));
        let making = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
        let mut made = answers.place().await.unwrap().around(making);
        assert!(made.frame().now_or_never().is_none(), "we are not ready ourselves");
        assert!(lock(&answers.offered).since.is_empty());
        let mut left = answers.place().await.unwrap().around(Body::from(vec![0; 2 * PIECE]));
        assert!(left.frame().await.is_some());
        let noticed = tokio::time::timeout(Duration::from_secs(20), answers.stall()).await;
        assert!(noticed.is_ok());
        drop(left);
        assert!(lock(&answers.offered).since.is_empty(), "it went with the client");
    }
}
