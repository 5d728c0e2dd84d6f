//! What a subscriber is sent: frames whose events were encoded once, for everybody.

use bytes::{BufMut, Bytes};
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};
use ryggrad_proto::cloudevents::v1::CloudEventBatch;
use ryggrad_proto::events::v1::subscribe_response::Frame as Published;
use ryggrad_proto::events::v1::{CaughtUp, EventBatch, Heartbeat, Started, SubscribeResponse};

/// Numbers of the fields `SubscribeResponse.batch` and `.cloud_events` in the contract.
const BATCH: u32 = 1;
const CLOUD_EVENTS: u32 = 5;

/// One frame of a subscription.
#[derive(Debug, Clone)]
pub(crate) enum Frame {
    /// Where it begins.
    Started(Started),
    /// Events, in the encoding of `EventBatch`.
    Batch(Batch),
    /// Events, in the encoding of `CloudEventBatch`.
    CloudEvents(Batch),
    /// Everything recorded until now has been sent.
    CaughtUp(CaughtUp),
    /// Nothing new.
    Heartbeat(Heartbeat),
}

/// Events in one format, in pieces shared with other subscribers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    pieces: Vec<Bytes>,
    len: usize,
    events: usize,
}

// === impl Frame ===

impl Frame {
    /// Bytes of the frame as a `SubscribeResponse`.
    pub(crate) fn encoded_len(&self) -> usize {
        match self {
            Self::Batch(batch) => batch.encoded_len(BATCH),
            Self::CloudEvents(batch) => batch.encoded_len(CLOUD_EVENTS),
            Self::Started(_) | Self::CaughtUp(_) | Self::Heartbeat(_) => self.small().encoded_len(),
        }
    }

    /// Writes the frame as a `SubscribeResponse`: events are copied as they are.
    pub(crate) fn encode(self, buffer: &mut impl BufMut) {
        match self {
            Self::Batch(batch) => batch.encode(BATCH, buffer),
            Self::CloudEvents(batch) => batch.encode(CLOUD_EVENTS, buffer),
            Self::Started(_) | Self::CaughtUp(_) | Self::Heartbeat(_) => self.small().encode_raw(buffer),
        }
    }

    /// The frame as a message, for those who are not sent protobuf.
    pub(crate) fn message(self) -> Result<SubscribeResponse, prost::DecodeError> {
        let frame = match self {
            Self::Batch(batch) => {
                let mut events = EventBatch::default();
                for piece in batch.pieces {
                    events.merge(piece)?;
                }
                Published::Batch(events)
            }
            Self::CloudEvents(batch) => {
                let mut events = CloudEventBatch::default();
                for piece in batch.pieces {
                    events.merge(piece)?;
                }
                Published::CloudEvents(events)
            }
            Self::Started(_) | Self::CaughtUp(_) | Self::Heartbeat(_) => return Ok(self.small()),
        };
        Ok(SubscribeResponse { frame: Some(frame) })
    }

    fn small(&self) -> SubscribeResponse {
        let frame = match self {
            Self::Batch(_) | Self::CloudEvents(_) => None,
            Self::Started(started) => Some(Published::Started(started.clone())),
            Self::CaughtUp(caught_up) => Some(Published::CaughtUp(caught_up.clone())),
            Self::Heartbeat(heartbeat) => Some(Published::Heartbeat(*heartbeat)),
        };
        SubscribeResponse { frame }
    }
}

// === impl Batch ===

impl Batch {
    /// Adds a number of encoded events.
    pub(crate) fn push(&mut self, piece: Bytes, events: usize) {
        if !piece.is_empty() {
            self.len += piece.len();
            self.events += events;
            self.pieces.push(piece);
        }
    }

    /// Adds what another one has.
    pub(crate) fn append(&mut self, more: Self) {
        self.len += more.len;
        self.events += more.events;
        self.pieces.extend(more.pieces);
    }

    /// Number of its events.
    pub(crate) fn events(&self) -> usize {
        self.events
    }

    /// Number of its bytes.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Its bytes, in their pieces.
    pub(crate) fn pieces(self) -> Vec<Bytes> {
        self.pieces
    }

    fn encoded_len(&self, field: u32) -> usize {
        key_len(field) + encoded_len_varint(self.len as u64) + self.len
    }

    fn encode(self, field: u32, buffer: &mut impl BufMut) {
        encode_key(field, WireType::LengthDelimited, buffer);
        encode_varint(self.len as u64, buffer);
        for piece in self.pieces {
            buffer.put_slice(&piece);
        }
    }

    /// Whether there is no event in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }
}
