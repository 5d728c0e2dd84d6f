//! Servers of one test, for tests that need the stream or kill what they run on.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use anyhow::Context;
use async_nats::{Client, ConnectOptions};
use ryggrad_local::postgres::{Durability, Options};
use ryggrad_local::{Nats, Postgres, StateFolder, nats};

/// A nats-server of one test; see [`nats()`]. Everything of [`Nats`] is there too.
#[derive(Debug)]
pub struct TestNats {
    server: Nats,
    state: StateFolder,
}

/// A PostgreSQL of one test; see [`private_postgres()`]. Everything of [`Postgres`] is there too.
#[derive(Debug)]
pub struct TestPostgres {
    server: Postgres,
    _state: StateFolder,
}

/// Starts a nats-server with JetStream for one test, empty, on a free port.
///
/// # Panics
/// When it cannot be started.
pub async fn nats() -> TestNats {
    let start = async {
        let state = StateFolder::temporary()?;
        let server = Nats::start(&state, nats::Options::default()).await?;
        anyhow::Ok(TestNats { server, state })
    };
    start
        .await
        .context("starting a nats-server for a test")
        .unwrap_or_else(|error| panic!("{error:#}"))
}

/// Starts a PostgreSQL for one test that kills it: commits are durable, with the roles, on a free port.
///
/// # Panics
/// When it cannot be started.
pub async fn private_postgres() -> TestPostgres {
    let start = async {
        let state = StateFolder::temporary()?;
        let options = Options {
            durability: Durability::Server,
            ..Options::default()
        };
        let server = Postgres::start(&state, options).await?;
        anyhow::Ok(TestPostgres { server, _state: state })
    };
    start
        .await
        .context("starting a PostgreSQL for a test")
        .unwrap_or_else(|error| panic!("{error:#}"))
}

// === impl TestNats ===

impl TestNats {
    /// Connects as one of the users of [`ryggrad_local::nats`].
    ///
    /// # Panics
    /// When the server does not let the user in.
    pub async fn client(&self, user: &str) -> Client {
        let password = self.password_of(user);
        let options = ConnectOptions::with_user_and_password(user.to_owned(), password)
            .connection_timeout(Duration::from_secs(10));
        options
            .connect(self.server.address())
            .await
            .unwrap_or_else(|error| panic!("connecting to nats-server as {user}: {error}"))
    }

    /// Takes its store from a server that was killed: it has nothing when it is started again.
    ///
    /// # Panics
    /// When there is no store.
    pub fn wipe(&self) {
        let store = self.state.path().join("nats/store");
        std::fs::remove_dir_all(&store).unwrap_or_else(|error| panic!("removing {}: {error}", store.display()));
    }

    /// The password of one of the users.
    ///
    /// # Panics
    /// When the state folder is gone.
    pub fn password_of(&self, user: &str) -> String {
        self.server
            .password(user)
            .unwrap_or_else(|error| panic!("the password of {user}: {error}"))
    }
}

impl Deref for TestNats {
    type Target = Nats;

    fn deref(&self) -> &Nats {
        &self.server
    }
}

impl DerefMut for TestNats {
    fn deref_mut(&mut self) -> &mut Nats {
        &mut self.server
    }
}

// === impl TestPostgres ===

impl Deref for TestPostgres {
    type Target = Postgres;

    fn deref(&self) -> &Postgres {
        &self.server
    }
}

impl DerefMut for TestPostgres {
    fn deref_mut(&mut self) -> &mut Postgres {
        &mut self.server
    }
}
