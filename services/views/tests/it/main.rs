//! The views against a real log, a real stream and real requests.

mod case;
mod directory;
mod following;
mod rest;
mod stats;
mod timeline;
mod world;
