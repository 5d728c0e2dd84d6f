//! Requests as usual, and frames that are counted and not made into events: what is measured is the gateway.

use prost::Message as _;
use prost::bytes::{Buf as _, Bytes};
use prost::encoding::{WireType, decode_key, decode_varint};
use ryggrad_proto::events::v1::SubscribeRequest;
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// How many events a frame has, and where the last one is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) events: u64,
    pub(super) last: u64,
}

/// Requests out, tallies in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counting;

// === impl Counting ===

impl Codec for Counting {
    type Encode = SubscribeRequest;
    type Decode = Tally;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Counting {
    type Item = SubscribeRequest;
    type Error = Status;

    fn encode(&mut self, request: SubscribeRequest, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        request
            .encode(buffer)
            .map_err(|error| Status::internal(error.to_string()))
    }
}

impl Decoder for Counting {
    type Item = Tally;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Tally>, Status> {
        let mut frame = buffer.copy_to_bytes(buffer.remaining());
        let tally = count(&mut frame).map_err(|error| Status::internal(error.to_string()))?;
        Ok(Some(tally))
    }
}

/// `SubscribeResponse { batch = 1 { events = 1 { position = 1 … } … } }`; nothing of the other frames.
fn count(frame: &mut Bytes) -> Result<Tally, prost::DecodeError> {
    let mut tally = Tally::default();
    let (field, wire) = decode_key(frame)?;
    if field != 1 || wire != WireType::LengthDelimited {
        return Ok(tally);
    }
    decode_varint(frame)?;
    while frame.has_remaining() {
        decode_key(frame)?;
        let length = usize::try_from(decode_varint(frame)?).unwrap_or(usize::MAX);
        let mut event = frame.split_to(length.min(frame.len()));
        decode_key(&mut event)?;
        tally.last = decode_varint(&mut event)?;
        tally.events += 1;
    }
    Ok(tally)
}
