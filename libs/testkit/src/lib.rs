//! What every test stands on: real servers, databases of its own, and a way to wait without sleeping.
//!
//! - [`postgres()`] is one PostgreSQL for the whole of `cargo test`, shared by all test binaries. The first that needs it
//!   starts it; it goes by itself when the run is over (see [`shared`]).
//! - [`Database`] is a database of one test, copied from a template that is migrated once.
//! - [`nats()`] starts a nats-server for one test (about 50 ms): the stream's name is fixed, so a server cannot be shared.
//! - [`private_postgres()`] starts a PostgreSQL for one test that kills it.
//! - [`TestIssuer`] issues tokens and answers with its keys; [`TestIssuer::usual`] is a token for whoever is named.
//! - [`Role`] is a row of the matrix as somebody who asks, with what it lets them see.
//! - [`clients()`] are the clients in other languages, installed and built once.
//! - [`eventually()`] waits for a condition.
//!
//! Nothing has to be prepared, and nothing is left behind, however a test ends.
#![warn(missing_docs)]

mod clients;
mod database;
mod eventually;
mod issuer;
mod private;
mod roles;
pub mod shared;

pub use self::clients::{Clients, clients, copy_clients};
pub use self::database::Database;
pub use self::eventually::eventually;
pub use self::issuer::{TestIssuer, now};
pub use self::private::{TestNats, TestPostgres, nats, private_postgres};
pub use self::roles::{Role, Whose};
pub use self::shared::{PgServer, postgres};

/// Shows what is traced, at the level that `RUST_LOG` names (else nothing), beside the test's own output.
///
/// Harmless when called more than once.
pub fn init_tracing() {
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer();
    // Another test of this binary has done it already.
    let _done_already = subscriber.try_init();
}
