#![doc = include_str!("../README.md")]

// The edge: commands in, queries answered.
mod api;
mod service;

// The domain, pure: one aggregate per module.
pub mod founding;
pub mod initiative;
pub mod organisation;
pub mod registration_case;

// What the aggregates share.
use ryggrad_decider::input;

mod address;
mod board;
pub mod form;
mod origin;
mod roles;
mod time;

// What follows from what: commands of our own, and timers.
mod command;
mod deadlines;
mod reactions;

// The registers outside.
pub mod register;

#[cfg(test)]
mod testing;

pub use command::{Command, NotACommand};
pub use deadlines::Deadlines;
pub use reactions::Reactions;
pub use service::{CONTEXT, Registration, install};
