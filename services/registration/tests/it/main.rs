//! The service against real PostgreSQL and NATS, and what it has promised for ever.

mod golden;
mod import;
mod journey;
mod properties;
mod support;
