//! What a subscriber is sent: frames whose events were encoded once, for everybody.

use bytes::{BufMut, Bytes};
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};
use ryggrad_proto::events::v1::subscribe_response::Frame as Published;
use ryggrad_proto::events::v1::{CaughtUp, EventBatch, Heartbeat, SubscribeResponse};

/// Number of the field `SubscribeResponse.batch` in the contract.
const BATCH: u32 = 1;

/// One frame of a subscription.
#[derive(Debug, Clone)]
pub(crate) enum Frame {
    /// Events.
    Batch(Batch),
    /// Everything recorded until now has been sent.
    CaughtUp(CaughtUp),
    /// Nothing new.
    Heartbeat(Heartbeat),
}

/// Events in the encoding of `EventBatch`, in pieces shared with other subscribers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    pieces: Vec<Bytes>,
    len: usize,
}

// === impl Frame ===

impl Frame {
    /// Bytes of the frame as a `SubscribeResponse`.
    pub(crate) fn encoded_len(&self) -> usize {
        match self {
            Self::Batch(batch) => key_len(BATCH) + encoded_len_varint(batch.len as u64) + batch.len,
            Self::CaughtUp(_) | Self::Heartbeat(_) => self.small().encoded_len(),
        }
    }

    /// Writes the frame as a `SubscribeResponse`: events are copied as they are.
    pub(crate) fn encode(self, buffer: &mut impl BufMut) {
        match self {
            Self::Batch(batch) => {
                encode_key(BATCH, WireType::LengthDelimited, buffer);
                encode_varint(batch.len as u64, buffer);
                for piece in batch.pieces {
                    buffer.put_slice(&piece);
                }
            }
            Self::CaughtUp(_) | Self::Heartbeat(_) => self.small().encode_raw(buffer),
        }
    }

    /// The frame as a message, for those who are not sent protobuf.
    pub(crate) fn message(self) -> Result<SubscribeResponse, prost::DecodeError> {
        let Self::Batch(batch) = self else {
            return Ok(self.small());
        };
        let mut events = EventBatch::default();
        for piece in batch.pieces {
            events.merge(piece)?;
        }
        Ok(SubscribeResponse {
            frame: Some(Published::Batch(events)),
        })
    }

    fn small(&self) -> SubscribeResponse {
        let frame = match self {
            Self::Batch(_) => None,
            Self::CaughtUp(caught_up) => Some(Published::CaughtUp(caught_up.clone())),
            Self::Heartbeat(heartbeat) => Some(Published::Heartbeat(*heartbeat)),
        };
        SubscribeResponse { frame }
    }
}

// === impl Batch ===

impl Batch {
    /// Adds encoded events.
    pub(crate) fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.len += piece.len();
            self.pieces.push(piece);
        }
    }

    /// Whether there is no event in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }
}
