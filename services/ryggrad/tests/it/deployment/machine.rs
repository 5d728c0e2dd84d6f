//! A description carried out on this machine: each container is a process, on free ports.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use ryggrad_local::postgres::{DATABASE, Durability, OWNER, Options};
use ryggrad_local::{Postgres, Say, StateFolder, programs};
use ryggrad_testkit::eventually;
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

use super::description::{Container, Deployment, infra};
use crate::program::{Process, command, folder, free_port};

/// How long anything may take that other tests run beside.
pub(super) const PATIENCE: Duration = Duration::from_mins(2);

/// What runs. It goes with the value.
pub(super) struct Machine {
    /// The addresses of the description, and those of this machine.
    addresses: Vec<(String, String)>,
    roles: Vec<(String, Process)>,
    ports: BTreeMap<String, u16>,
    _nats: Vec<Process>,
    _postgres: Postgres,
    _state: StateFolder,
    logs: TempDir,
}

// === impl Machine ===

impl Machine {
    /// Starts the servers, migrates, starts every role with a token issuer, and waits until each says that it is ready.
    pub(super) async fn start(deployment: &Deployment, issuer: &str) -> Self {
        let logs = folder();
        let (state, postgres) = database(deployment).await;
        let mut addresses = vec![("127.0.0.1:5432".to_owned(), format!("127.0.0.1:{}", postgres.port()))];
        let (nats, port) = brokers(deployment, logs.path()).await;
        for name in ["127.0.0.1:4222", "nats:4222"] {
            addresses.push((name.to_owned(), format!("127.0.0.1:{port}")));
        }
        let mut ports = BTreeMap::new();
        for role in &deployment.roles {
            let port = free_port();
            addresses.push((format!("127.0.0.1:{}", role.port()), format!("127.0.0.1:{port}")));
            ports.insert(role.name.clone(), port);
        }
        let mut machine = Self {
            addresses,
            roles: Vec::new(),
            ports,
            _nats: nats,
            _postgres: postgres,
            _state: state,
            logs,
        };
        machine.migrate(&deployment.migrate);
        let parties = infra("../libs/access/data/development_parties.csv");
        let settings = BTreeMap::from([
            ("RYGGRAD_ISSUER", issuer.to_owned()),
            ("RYGGRAD_AUDIENCE_OPTIONAL", "true".to_owned()),
            ("RYGGRAD_PARTIES", parties.display().to_string()),
        ]);
        for role in &deployment.roles {
            let mut command = machine.command(role);
            command.envs(settings.iter().filter(|(name, _)| role.inherited.contains(**name)));
            let process = Process::spawn(&mut command, Some(&machine.log(&role.name)));
            machine.roles.push((role.name.clone(), process));
        }
        for role in &deployment.roles {
            for check in &role.checks {
                machine.passes(role, check).await;
            }
        }
        machine
    }

    /// Where a role is.
    pub(super) fn http(&self, role: &str) -> String {
        format!("http://127.0.0.1:{}", self.ports[role])
    }

    /// Asks every role to end, as an orchestrator does; each ends well.
    pub(super) fn stop(mut self) {
        let roles = std::mem::take(&mut self.roles);
        for (_, process) in &roles {
            process.send("TERM");
        }
        for (name, process) in roles {
            assert_eq!(process.wait(), Some(0), "{name}\n{}", self.said(&name));
        }
    }

    /// A container's command, with its environment only.
    fn command(&self, container: &Container) -> Command {
        let arguments: Vec<_> = container.command.iter().map(|word| self.here(word)).collect();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let mut command = command(&arguments);
        command.env_clear();
        command.envs(
            container
                .environment
                .iter()
                .map(|(name, value)| (name, self.here(value))),
        );
        command
    }

    /// A text with the addresses of this machine.
    fn here(&self, text: &str) -> String {
        let changed = |text: String, (there, here): &(String, String)| text.replace(there, here);
        self.addresses.iter().fold(text.to_owned(), changed)
    }

    fn log(&self, name: &str) -> PathBuf {
        self.logs.path().join(name)
    }

    fn said(&self, name: &str) -> String {
        std::fs::read_to_string(self.log(name)).unwrap_or_default()
    }

    fn migrate(&self, container: &Container) {
        let process = Process::spawn(&mut self.command(container), Some(&self.log("migrate")));
        assert_eq!(process.wait(), Some(0), "{}", self.said("migrate"));
    }

    /// Waits until a role passes a check, which is the script of the image.
    async fn passes(&self, role: &Container, check: &[String]) {
        let port = self.ports[&role.name].to_string();
        eventually(PATIENCE, || {
            let mut script = Command::new(infra("ready"));
            script.arg(&port).args(&check[2..]);
            let status = script.stderr(Stdio::null()).status().expect("the script can be run");
            std::future::ready(if status.success() {
                Ok(())
            } else {
                Err(format!("{}: {check:?} says no\n{}", role.name, self.said(&role.name)))
            })
        })
        .await;
    }
}

/// PostgreSQL as its image makes it: the owner's database, and whom `roles.sql` lets in.
async fn database(deployment: &Deployment) -> (StateFolder, Postgres) {
    let state = StateFolder::temporary().expect("a folder");
    let options = Options {
        durability: Durability::None,
        roles: Vec::new(),
        settings: deployment.postgres.clone(),
        ..Options::default()
    };
    let postgres = Postgres::start(&state, options).await.expect("PostgreSQL");
    let url = postgres.url_of(OWNER, DATABASE).expect("an address");
    let mut owner = PgConnection::connect(&url).await.expect("the owner may log in");
    let password = &deployment.passwords["RYGGRAD_OWNER_PASSWORD"];
    let statement = format!("alter role {OWNER} password '{password}'");
    sqlx::query(&statement)
        .execute(&mut owner)
        .await
        .expect("the owner may do everything");
    let url = format!("postgres://{OWNER}:{password}@127.0.0.1:{}/{DATABASE}", postgres.port());
    // The second time it is harmless.
    for _ in 0..2 {
        make_roles(&url, &deployment.passwords).await;
    }
    (state, postgres)
}

/// Runs `roles.sql`: by psql, or where there is none (a PostgreSQL that was fetched has none) as psql would.
async fn make_roles(url: &str, passwords: &BTreeMap<String, String>) {
    let file = infra("postgres/roles.sql");
    let psql = Command::new("psql")
        .arg(url)
        .arg("-f")
        .arg(&file)
        .envs(passwords)
        .output();
    match psql {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(_absent) => {
            let text = std::fs::read_to_string(file).expect("a readable file");
            let mut owner = PgConnection::connect(url).await.expect("the owner may log in");
            for statement in statements(&text, passwords) {
                let run = match statement.strip_suffix("\\gexec") {
                    None => vec![statement],
                    Some(query) => sqlx::query_scalar(query)
                        .fetch_all(&mut owner)
                        .await
                        .expect("statements"),
                };
                for statement in run {
                    sqlx::query(&statement)
                        .execute(&mut owner)
                        .await
                        .expect("the owner may do everything");
                }
            }
        }
    }
}

/// The statements of a file, its variables filled in from the environment as `\getenv` says.
fn statements(text: &str, environment: &BTreeMap<String, String>) -> Vec<String> {
    let (mut statements, mut statement, mut variables) = (Vec::new(), String::new(), Vec::new());
    for line in text.lines().filter(|line| !line.starts_with("--")) {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["\\set", ..] => {}
            ["\\getenv", name, from] => variables.push((format!(":'{name}'"), format!("'{}'", environment[from]))),
            _ => {
                let filled = |text: String, (name, value): &(String, String)| text.replace(name, value);
                statement += &variables.iter().fold(line.to_owned(), filled);
                statement.push('\n');
                if line.ends_with(';') || line.ends_with("\\gexec") {
                    statements.push(std::mem::take(&mut statement).trim().to_owned());
                }
            }
        }
    }
    statements
}

/// The nats-servers, of which one's port is answered: they are one cluster, where there are several.
async fn brokers(deployment: &Deployment, folder: &Path) -> (Vec<Process>, u16) {
    let found = tokio::task::spawn_blocking(|| programs::nats_server(&Say::default())).await;
    let program = found.expect("no panic").expect("nats-server").path;
    let ports: Vec<_> = deployment.nats.iter().map(|_| [(); 3].map(|()| free_port())).collect();
    let mut servers = Vec::new();
    for (n, arguments) in deployment.nats.iter().enumerate() {
        let [client, cluster, monitor] = ports[n];
        let home = folder.join(format!("nats-{n}"));
        mounted(&home);
        let mut command = Command::new(&program);
        for word in arguments {
            let mut word = word.replace("/etc/nats", home.to_str().expect("a plain path"));
            word = word.replace("0.0.0.0:6222", &format!("127.0.0.1:{cluster}"));
            for (other, [_, cluster, _]) in ports.iter().enumerate() {
                word = word.replace(&format!("nats-{other}.nats:6222"), &format!("127.0.0.1:{cluster}"));
            }
            command.arg(word);
        }
        command.args(["--addr", "127.0.0.1", "--port", &client.to_string()]);
        command.args(["--http_port", &monitor.to_string()]);
        command.env_clear().envs(&deployment.passwords);
        servers.push(Process::spawn(&mut command, Some(&home.join("log"))));
    }
    for (n, server) in servers.iter_mut().enumerate() {
        let health = format!("http://127.0.0.1:{}/healthz", ports[n][2]);
        let log = folder.join(format!("nats-{n}/log"));
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        eventually(PATIENCE, || {
            let ended = server.ended();
            assert!(ended.is_none(), "{}", said());
            async {
                let answer = reqwest::get(&health)
                    .await
                    .and_then(reqwest::Response::error_for_status);
                answer.map(drop).map_err(|error| format!("{error}\n{}", said()))
            }
        })
        .await;
    }
    (servers, ports[0][0])
}

/// The configuration as the image has it in `/etc/nats`, with a store in the same folder.
fn mounted(home: &Path) {
    std::fs::create_dir(home).expect("a folder");
    for file in ["nats.conf", "accounts.conf"] {
        let text = std::fs::read_to_string(infra("nats").join(file)).expect("a readable file");
        let text = text.replace("\"/data\"", &format!("\"{}\"", home.join("data").display()));
        std::fs::write(home.join(file), text).expect("written");
    }
}
