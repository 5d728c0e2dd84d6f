//! The views against a real log, a real stream and real requests.

mod access;
mod case;
mod directory;
mod doors;
mod following;
mod http;
mod matrix;
mod rest;
mod snapshot;
mod stats;
mod timeline;
mod traces;
mod world;
