//! The configuration file of a private nats-server, and who may do what in it.

use crate::{Result, StateFolder};

/// The relay: the only user that may publish to `ryggrad.>` and change the stream.
pub const RELAY: &str = "relay";

/// The services: they follow the stream, and publish wake-ups only.
pub const SERVICES: [&str; 3] = ["registration", "views", "gateway"];

/// The operator, who may do everything.
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

/// What a service may publish to: requests for reading the stream `RYGGRAD`, and wake-ups.
const SERVICE_MAY_PUBLISH: [&str; 11] = [
    "wake.>",
    "$JS.API.INFO",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.INFO.RYGGRAD",
    "$JS.API.STREAM.MSG.GET.RYGGRAD",
    "$JS.API.DIRECT.GET.RYGGRAD",
    "$JS.API.DIRECT.GET.RYGGRAD.>",
    "$JS.API.CONSUMER.>",
    "$JS.ACK.RYGGRAD.>",
    "$JS.FC.RYGGRAD.>",
    "_INBOX.>",
];

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
    let store = state
        .path()
        .join("nats/store")
        .display()
        .to_string()
        .replace('\\', "\\\\")
        .replace('"', "\\\"");
    let sync = match sync {
        Sync::Always => "always",
        Sync::Seldom => "2m",
    };
    let mut users = user(state, ADMIN, "publish: \">\", subscribe: \">\"")?;
    users += &user(
        state,
        RELAY,
        "publish: [\"ryggrad.>\", \"wake.>\", \"$JS.API.>\", \"$JS.ACK.>\", \"_INBOX.>\"], subscribe: \">\"",
    )?;
    let allowed = SERVICE_MAY_PUBLISH.map(|subject| format!("\"{subject}\"")).join(", ");
    let service = format!("publish: [{allowed}], subscribe: [\"ryggrad.>\", \"wake.>\", \"_INBOX.>\"]");
    for name in SERVICES {
        users += &user(state, name, &service)?;
    }
    let name = server_name(port);
    let system = password(state, "system")?;
    Ok(format!(
        r#"# Written by ryggrad at every start.
server_name: "{name}"
listen: "127.0.0.1:{port}"
max_payload: 8MB
max_pending: 256MB
write_deadline: "10s"
jetstream {{
  store_dir: "{store}"
  sync_interval: {sync}
  max_mem: 256MB
  max_file: 1TB
}}
accounts {{
  RYGGRAD {{
    jetstream: enabled
    users: [
{users}    ]
  }}
  SYS {{ users: [ {{ user: "system", password: "{system}" }} ] }}
}}
system_account: SYS
"#
    ))
}

fn user(state: &StateFolder, name: &str, permissions: &str) -> Result<String> {
    let password = password(state, name)?;
    Ok(format!(
        "      {{ user: \"{name}\", password: \"{password}\", permissions: {{ {permissions} }} }}\n"
    ))
}
