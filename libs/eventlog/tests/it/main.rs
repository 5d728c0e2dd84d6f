//! The log, the stream and their consumers against real PostgreSQL and NATS.

mod parked;
mod projection;
mod relay;
mod support;
mod world;
mod write;
