//! The gateway against a real log, a real stream and real clients.

mod cursors;
mod filters;
mod following;
mod outages;
mod rest;
mod speed;
mod stack;
