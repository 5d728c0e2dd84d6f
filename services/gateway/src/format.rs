//! How events are written for those who asked for them so, one after another and each once.

use bytes::{BufMut as _, Bytes, BytesMut};
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};
use serde_json::to_writer;

use crate::cloudevents;
use crate::envelope::Fields;

/// Number of the field `EventBatch.events`, and of `CloudEventBatch.events`.
const EVENTS: u32 = 1;

/// A way to write events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// As elements of `ryggrad.events.v1.EventBatch`.
    Envelope,
    /// As elements of `io.cloudevents.v1.CloudEventBatch`.
    CloudEvents,
    /// As CloudEvents in JSON, each with a comma after it.
    Json,
    /// As server-sent events with the CloudEvent as data.
    ServerSent,
}

/// Writes events one after another.
#[derive(Debug)]
pub(crate) struct Writer {
    format: Format,
    events: BytesMut,
    /// The event being written, until its length is known.
    one: Vec<u8>,
}

// === impl Format ===

impl Format {
    /// Number of formats.
    pub(crate) const COUNT: usize = 4;

    /// Its number among them.
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

// === impl Writer ===

impl Writer {
    /// A writer that has written nothing yet.
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            events: BytesMut::new(),
            one: Vec::new(),
        }
    }

    /// Adds an event.
    pub(crate) fn push(&mut self, fields: &Fields<'_>) {
        self.one.clear();
        match self.format {
            Format::Envelope => {
                fields.write(&mut self.one);
                self.delimited();
            }
            Format::CloudEvents => {
                cloudevents::message(fields).encode_raw(&mut self.one);
                self.delimited();
            }
            Format::Json => {
                cloudevents::write(fields, &mut self.one);
                self.one.push(b',');
                self.events.put_slice(&self.one);
            }
            Format::ServerSent => {
                self.one.extend_from_slice(b"id: ");
                // A number and a text without line ends: both are written as they are.
                let _ = to_writer(&mut self.one, &fields.position);
                self.one.extend_from_slice(b"\nevent: ");
                for piece in ["no.ryggrad.", fields.context, ".", fields.name, ".v1\ndata: "] {
                    self.one.extend_from_slice(piece.as_bytes());
                }
                cloudevents::write(fields, &mut self.one);
                self.one.extend_from_slice(b"\n\n");
                self.events.put_slice(&self.one);
            }
        }
    }

    fn delimited(&mut self) {
        let len = self.one.len() as u64;
        self.events.reserve(1 + encoded_len_varint(len) + self.one.len());
        encode_key(EVENTS, WireType::LengthDelimited, &mut self.events);
        encode_varint(len, &mut self.events);
        self.events.put_slice(&self.one);
    }

    /// Bytes written and not taken.
    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    /// The events written so far.
    pub(crate) fn take(&mut self) -> Bytes {
        self.events.split().freeze()
    }
}
