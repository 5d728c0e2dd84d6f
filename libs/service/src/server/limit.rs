//! Refuses a gRPC message that is too large before any of it is parsed.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tonic::Status;

use super::BODY_LIMIT;
use crate::ApiError;

/// Bytes before each message of a gRPC body: a flag and the length.
const PREFIX: usize = 5;

/// A body that fails with RESOURCE_EXHAUSTED as soon as its message announces, or is, more than is allowed.
pub(crate) struct LimitedBody {
    body: Body,
    seen: usize,
}

// === impl LimitedBody ===

impl LimitedBody {
    pub(crate) fn new(body: Body) -> Self {
        Self { body, seen: 0 }
    }

    /// Takes note of the next piece; false when it is too much.
    fn allows(&mut self, data: &Bytes) -> bool {
        let announced = match (self.seen, data.get(1..PREFIX)) {
            (0, Some(&[a, b, c, d])) => u32::from_be_bytes([a, b, c, d]) as usize,
            _ => 0,
        };
        self.seen += data.len();
        announced <= BODY_LIMIT && self.seen <= BODY_LIMIT + PREFIX
    }
}

impl http_body::Body for LimitedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)) else {
            return Poll::Ready(None);
        };
        let frame = frame.map_err(|error| Status::cancelled(error.to_string()))?;
        match frame.data_ref() {
            Some(data) if !self.allows(data) => Poll::Ready(Some(Err(ApiError::TooLarge { limit: BODY_LIMIT }.into()))),
            _ => Poll::Ready(Some(Ok(frame))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
