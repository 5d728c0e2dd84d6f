//! The log, the stream and their consumers against real PostgreSQL and NATS.
#![expect(clippy::disallowed_methods, reason = "tests make ids where they need them")]

mod changes;
mod deadline;
mod following;
mod hold;
mod parked;
mod process;
mod projection;
mod reaction;
mod relay;
mod support;
mod world;
mod write;
