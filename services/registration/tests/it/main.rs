//! The service against real PostgreSQL and NATS, and what it has promised for ever.
#![expect(clippy::unwrap_used, reason = "what fails in the helpers of a test fails the test")]

mod answers;
mod import;
mod journey;
mod matrix;
mod properties;
mod support;
