//! The configuration file of a private nats-server, and who may do what in it.

use crate::{Result, StateFolder};

/// The relay: the only user that may publish to `ryggrad.>` and change the stream.
pub const RELAY: &str = "relay";

/// The services: they follow the stream, and publish wake-ups only.
pub const SERVICES: [&str; 4] = ["registration", "views", "gateway", "ecosystem"];

/// The operator, who may do everything but publish to `ryggrad.>`.
pub const ADMIN: &str = "admin";

/// When JetStream writes through to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sync {
    /// Every message, before it is acknowledged.
    Always,
    /// Now and then: the stream can always be filled again from the log, which is the truth (I2).
    #[default]
    Seldom,
}

/// Who may do what: the same file that a container uses.
const ACCOUNTS: &str = include_str!("../../../../infra/nats/accounts.conf");

/// The user of the system account, for the server's own figures.
const SYSTEM: &str = "system";

/// The server's name in its greeting, by which the right one is told from whoever else has the port.
pub(super) fn server_name(port: u16) -> String {
    format!("ryggrad-{}-{port}", std::process::id())
}

/// The password of a user of this state folder's server.
pub(super) fn password(state: &StateFolder, user: &str) -> Result<String> {
    state.secret(&format!("nats-{user}"))
}

/// The file's text.
pub(super) fn text(state: &StateFolder, port: u16, sync: Sync) -> Result<String> {
    let name = server_name(port);
    let store = quoted(&state.path().join("nats/store").display().to_string());
    let sync = match sync {
        Sync::Always => "always",
        Sync::Seldom => "2m",
    };
    let mut passwords = Vec::new();
    for user in SERVICES.into_iter().chain([RELAY, ADMIN, SYSTEM]) {
        let variable = format!("RYGGRAD_NATS_{}_PASSWORD", user.to_uppercase());
        passwords.push(format!("{variable}: \"{}\"", password(state, user)?));
    }
    let passwords = passwords.join("\n");
    Ok(format!(
        r#"# Written by ryggrad at every start.
server_name: "{name}"
listen: "127.0.0.1:{port}"
max_payload: 8MB
max_pending: 256MB
write_deadline: "10s"
jetstream {{
  store_dir: {store}
  sync_interval: {sync}
  max_mem: 256MB
  max_file: 1TB
}}
{passwords}
{ACCOUNTS}"#
    ))
}

/// A string as the configuration writes it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}
