#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

// Into memory: the stream, read once.
mod block;
#[expect(dead_code, reason = "the doors that send CloudEvents follow")]
pub(crate) mod cloudevents;
mod envelope;
mod hub;
mod ring;

// To one subscriber: from the log or from memory, what passes.
mod frame;
mod history;
mod subscription;

// On the wire.
mod api;
mod gateway;
mod refusal;
mod wire;

pub use gateway::{Gateway, Options};
pub use wire::EventStream;
