//! The code lists and identifiers against the shared test vectors, and the laws they obey.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod lists;
mod majorities;
mod numbers;
mod vectors;
