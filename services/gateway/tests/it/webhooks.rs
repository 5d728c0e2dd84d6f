//! Webhooks against a real log, a real stream, and an endpoint that answers as the test wants.

mod access;
mod addresses;
mod delivery;
mod endpoints;
mod failures;
mod moving;
mod processes;
mod proofs;
pub(crate) mod receiver;
mod redrive;
mod signatures;
pub(crate) mod world;
