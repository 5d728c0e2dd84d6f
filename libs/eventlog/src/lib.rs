//! The log: the one ordered truth, the way into it, the stream that carries it, and those who live off it.
//!
//! In data-flow order: a command is carried out by an [`Executor`], which decides and queues; the [`Writer`] appends what
//! queued in one commit ([`append`]) through the only way in, the function `log.append` of the [`schema`]; the [`relay`]
//! publishes the [`log`] to the [`stream`] at the same numbers; a [`consumer`] reads the stream in order, for a
//! [`projection`] (rows of a view), a [`reaction`] (commands of other services' facts) or a [`deadline`]; what cannot be
//! digested is [`parked`]. All business time comes from the [`clock`]; a
//! [`trace`] goes with each command all the way.
#![warn(missing_docs)]

pub mod append;
pub mod clock;
pub mod consumer;
pub mod deadline;
pub mod event;
pub mod executor;
pub mod log;
pub mod order;
pub mod parked;
pub mod projection;
pub mod reaction;
pub mod relay;
pub mod schema;
pub mod stream;
pub mod trace;
pub mod writer;

pub use append::{Append, Appended, NewEvent, Outcome};
pub use clock::Clock;
pub use event::Recorded;
pub use executor::{ExecuteError, Executor, Held, Request};
pub use log::{Head, Log};
pub use writer::{WriteError, Writer};
