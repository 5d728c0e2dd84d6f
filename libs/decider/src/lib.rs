//! The pure core of a service: what a command does to an aggregate, and why not when it does nothing.
//!
//! A [`Decider`] is two synchronous functions over plain values. It asks nobody: clock, identifiers and randomness
//! arrive with the command in its [`Context`] (invariant I8). A [`Refusal`] names the [`Rule`] it rests on and says in
//! nb, nn and en what to do (invariant I12). [`scenario::given`] tests it in sentences, and [`cqrs::Hosted`] makes any
//! decider a `cqrs_es::Aggregate`.

mod decider;
mod refusal;

pub mod cqrs;
pub mod input;
pub mod rules;
pub mod scenario;
pub mod statuses;
pub mod timers;

pub use decider::{About, Context, Decider};
pub use refusal::{Refusal, Text};
pub use rules::{Nature, Rule};
pub use timers::Timer;
