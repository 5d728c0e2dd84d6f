//! The gateway against a real log, a real stream and real clients.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod access;
mod cursors;
mod doors;
mod durables;
mod feed;
mod filters;
mod followers;
mod following;
mod http;
mod matrix;
mod outages;
mod rest;
mod stack;
mod webhooks;
