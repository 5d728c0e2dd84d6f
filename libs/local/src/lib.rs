//! PostgreSQL and nats-server found or fetched, started privately and stopped.
//!
//! `ryggrad up` and the test kit share this crate, so neither needs anything prepared:
//!
//! 1. [`StateFolder`] is the folder everything lives in: locked while in use, with generated [`secrets`](StateFolder::secret).
//! 2. [`programs`] finds the two servers on this machine or fetches them into a cache folder, asking nobody.
//! 3. [`Postgres`] and [`Nats`] start them on 127.0.0.1, and stop them when they are dropped, or when this process dies in
//!    whatever way: each server is the child of a small shell that waits at the other end of a pipe (`watchdog.sh`).
//! 4. [`Endpoints`] tells tools where everything is.

mod account;
mod endpoints;
mod error;
pub mod nats;
mod orphans;
mod port;
pub mod postgres;
pub mod programs;
mod say;
mod state;
mod watchdog;

pub use self::endpoints::Endpoints;
pub use self::error::Error;
pub use self::nats::Nats;
pub use self::postgres::Postgres;
pub use self::say::Say;
pub use self::state::StateFolder;

/// What the functions of this crate answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;
