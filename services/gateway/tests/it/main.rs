//! The gateway against a real log, a real stream and real clients.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod cursors;
mod filters;
mod following;
mod outages;
mod rest;
mod stack;
