//! Whether a connection is used: how many of its requests have not been answered to the end.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::watch;

/// The requests of one connection that are open. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Activity(watch::Sender<usize>);

/// A request, open until it is dropped.
#[derive(Debug)]
pub(super) struct Open(watch::Sender<usize>);

/// An answer that keeps its request open until it is gone.
struct Answering {
    body: Body,
    _open: Open,
}

// === impl Activity ===

impl Activity {
    /// A request has begun.
    pub(super) fn begin(&self) -> Open {
        self.0.send_modify(|open| *open += 1);
        Open(self.0.clone())
    }

    /// Waits until nothing has been asked for so long, and nothing is being answered.
    pub(super) async fn idle(&self, limit: Duration) {
        let mut open = self.0.subscribe();
        loop {
            let busy = *open.borrow_and_update() > 0;
            let changed = open.changed();
            // The sender is ours, so that it does not end.
            if busy {
                let _ = changed.await;
            } else if tokio::time::timeout(limit, changed).await.is_err() {
                return;
            }
        }
    }
}

// === impl Open ===

impl Open {
    /// A body that keeps the request open until it is gone.
    pub(super) fn around(self, body: Body) -> Body {
        Body::new(Answering { body, _open: self })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

// === impl Answering ===

impl http_body::Body for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_once_its_last_answer_is_gone_for_long_enough() {
        let activity = Activity::default();
        let limit = Duration::from_mins(1);
        let body = activity.begin().around(Body::empty());
        let mut idle = Box::pin(activity.idle(limit));
        let early = tokio::time::timeout(limit * 10, &mut idle).await;
        assert!(early.is_err(), "an answer is under way, however long it takes");
        drop(body);
        assert!(tokio::time::timeout(limit / 2, &mut idle).await.is_err());
        // Over before anybody looks, and yet it counts.
        drop(activity.begin());
        assert!(
            tokio::time::timeout(limit * 3 / 4, &mut idle).await.is_err(),
            "counted anew"
        );
        tokio::time::sleep(limit / 2).await;
        assert!(idle.now_or_never().is_some());
    }
}
