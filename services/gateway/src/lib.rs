#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

// Into memory: the stream, read once.
mod block;
pub(crate) mod cloudevents;
mod envelope;
mod format;
mod hub;
mod ring;

// To one subscriber: from the log or from memory, what it wants of what it may see.
mod access;
mod durable;
mod frame;
mod history;
mod page;
mod sieve;
mod start;
mod subscription;
mod trace;

// To those who would rather be called.
pub mod webhooks;

// On the wire.
mod api;
mod asyncapi;
mod catalogue;
mod explain;
mod gateway;
mod http;
mod refusal;
mod schema;
mod wire;

pub use gateway::{Gateway, Options};
pub use wire::EventStream;
