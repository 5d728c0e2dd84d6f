//! A part of the product in a process of its own, to be killed with SIGKILL: this test binary again.

use std::process::{Child, Command, Stdio};

use async_nats::Client;
use ryggrad_eventlog::stream::{self, Credentials, Settings};

use crate::world::World;

/// Where the other process finds the servers, and as whom.
const DATABASE: &str = "RYGGRAD_TEST_DATABASE";
const NATS: &str = "RYGGRAD_TEST_NATS";
const USER: &str = "RYGGRAD_TEST_NATS_USER";
const PASSWORD: &str = "RYGGRAD_TEST_NATS_PASSWORD";

/// A process of its own. Killed with SIGKILL when dropped.
pub(crate) struct Process(Child);

// === impl Process ===

impl Process {
    /// Starts an ignored test of this binary, as a role of the database and a user of the broker.
    pub(crate) fn start(test: &str, world: &World, role: &str, user: &str) -> Self {
        let child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", test, "--ignored", "--nocapture"])
            .env(DATABASE, world.database.url_as(role))
            .env(NATS, world.nats.address())
            .env(USER, user)
            .env(PASSWORD, world.nats.password_of(user))
            .stdout(Stdio::null())
            .spawn()
            .expect("started");
        Self(child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().expect("killed");
        self.0.wait().expect("gone");
    }
}

/// In the other process: the database's URL and a connection to the broker.
pub(crate) async fn told() -> (String, Client) {
    let credentials = Credentials::User {
        user: variable(USER),
        password: variable(PASSWORD),
    };
    let settings = Settings {
        servers: vec![variable(NATS)],
        credentials,
        name: "test".to_owned(),
    };
    (variable(DATABASE), stream::connect(&settings).await.expect("connected"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "how a test tells its other process where the servers are"
)]
fn variable(name: &str) -> String {
    std::env::var(name).expect("started by another test")
}
