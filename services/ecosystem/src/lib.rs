#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

// The edge: commands in, queries answered.
mod api;
mod service;

// The domain, pure: one aggregate per module.
pub mod mandate;
pub mod subscription;

pub use service::{CONTEXT, Ecosystem};
