//! The contracts of Ryggrad as Rust types: messages, services, REST routes, descriptors and the catalogue of events.
//!
//! Everything is generated from the `.proto` files beside this crate when it is built. A package is a module:
//! `ryggrad.common.v1` is [`common::v1`]. A service `Views` of a package has its gRPC side in `views_server` and
//! `views_client`, and its REST side in `views_rest` (`routes` and `OPENAPI`).
#![warn(missing_docs)]

use std::sync::OnceLock;

use prost_reflect::DescriptorPool;

pub mod catalogue;
pub mod codec;
pub mod command;
pub mod event;
pub mod example;
pub mod json_schema;
pub mod rest;
pub mod wkt;

pub use catalogue::{CommandType, EventType, catalogue, commands, event_type};
pub use command::CommandPayload;
pub use event::EventPayload;
pub use wkt::Timestamp;

include!(concat!(env!("OUT_DIR"), "/modules.rs"));

#[allow(clippy::all, clippy::pedantic, reason = "generated")]
mod payloads {
    //! What the build script wrote for every aggregate's oneofs.
    include!(concat!(env!("OUT_DIR"), "/payloads.rs"));
}

/// The `FileDescriptorSet` of all contracts with their imports and comments, encoded.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The descriptors, decoded once.
pub fn pool() -> &'static DescriptorPool {
    static POOL: OnceLock<DescriptorPool> = OnceLock::new();
    POOL.get_or_init(|| DescriptorPool::decode(DESCRIPTORS).expect("the descriptors were encoded by the build script"))
}
