//! The chassis of every service: configuration, telemetry, gRPC and REST on one port, errors, health and shutdown.
//!
//! A service is its tonic implementation and one line per protocol:
//!
//! ```ignore
//! Server::new("registration")
//!     .grpc(RegistrationServer::new(api.clone()))
//!     .rest(registration_rest::routes(api))
//!     .ready("postgres", move || check(pool.clone()))
//!     .run(listen::bind(args.listen).await?, shutdown)
//!     .await
//! ```
#![warn(missing_docs)]

pub mod args;
pub mod auth;
pub mod authority;
pub mod error;
pub mod json;
pub mod listen;
pub mod metrics;
pub mod readings;
pub mod request;
pub mod server;
pub mod telemetry;
pub mod trace;

mod openapi;
mod rest;

pub use args::{AuthArgs, Clock, LogFormat, ServiceArgs, TelemetryArgs};
pub use auth::caller;
pub use authority::Authority;
pub use error::ApiError;
pub use readings::Readings;
pub use request::accept;
pub use server::Server;
pub use trace::current_traceparent;
