//! The files of `infra`, read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A process of the program in a container.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) name: String,
    /// The program's arguments.
    pub(super) command: Vec<String>,
    pub(super) environment: BTreeMap<String, String>,
    /// Settings that the environment of whoever starts it may have.
    pub(super) inherited: BTreeSet<String>,
    /// The commands that ask it how it is.
    pub(super) checks: Vec<Vec<String>>,
}

/// What is to run.
#[derive(Debug)]
pub(super) struct Deployment {
    pub(super) migrate: Container,
    pub(super) roles: Vec<Container>,
    /// The arguments of each nats-server.
    pub(super) nats: Vec<Vec<String>>,
    /// Settings of PostgreSQL, where it is part of the deployment.
    pub(super) postgres: Vec<(String, String)>,
    /// The passwords that somebody has written into the example.
    pub(super) passwords: BTreeMap<String, String>,
}

/// A file of the folder.
pub(super) fn infra(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra").join(name)
}

/// The documents of a file.
pub(super) fn yaml(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(infra(name)).expect("a readable file");
    serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The variables that a text asks for, as `$NAME` or `${NAME…}`.
pub(super) fn variables(text: &str) -> BTreeSet<String> {
    let after = text.split('$').skip(1).map(|rest| rest.trim_start_matches('{'));
    let names = after.map(|rest| {
        rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .next()
            .unwrap_or_default()
    });
    names
        .filter(|name| name.starts_with("RYGGRAD_"))
        .map(str::to_owned)
        .collect()
}

/// A text with its `${NAME}`, `${NAME:?}` and `${NAME:-default}` filled in.
fn filled(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut pieces = text.split("${");
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (asked, rest) = piece.split_once('}').expect("a closing brace");
        let (name, otherwise) = asked.split_once(":-").unwrap_or((asked.trim_end_matches(":?"), ""));
        let value = values.get(name).map_or(otherwise, String::as_str);
        assert!(!value.is_empty(), "{name} has no value in {text}");
        filled += value;
        filled += rest;
    }
    filled
}

/// The texts of a list.
fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().unwrap_or_else(|| panic!("{list} is no list"));
    list.iter()
        .map(|text| text.as_str().expect("a text").to_owned())
        .collect()
}

/// A password for every line of the example: letters and digits, long enough for every use.
fn passwords() -> BTreeMap<String, String> {
    let example = std::fs::read_to_string(infra("passwords.env.example")).expect("the example");
    let names = example.lines().filter_map(|line| line.strip_suffix('='));
    names
        .enumerate()
        .map(|(n, name)| (name.to_owned(), format!("p{n:02}{}", "0123456789abcdef".repeat(2))))
        .collect()
}

// === impl Container ===

impl Container {
    /// The port that it listens on.
    pub(super) fn port(&self) -> String {
        let listen = self.command.iter().skip_while(|word| *word != "--listen").nth(1);
        let listen = listen.unwrap_or_else(|| panic!("{} listens nowhere", self.name));
        listen.strip_prefix("127.0.0.1:").expect("on loopback").to_owned()
    }

    fn of_compose(name: &str, service: &Value, passwords: &BTreeMap<String, String>) -> Self {
        let (mut environment, mut inherited) = (BTreeMap::new(), BTreeSet::new());
        for (setting, value) in service["environment"].as_object().expect("an environment") {
            match value.as_str() {
                Some(value) => drop(environment.insert(setting.clone(), filled(value, passwords))),
                None => drop(inherited.insert(setting.clone())),
            }
        }
        let check = &service["healthcheck"]["test"];
        let checks = if check.is_null() {
            Vec::new()
        } else {
            vec![texts(check).split_off(1)]
        };
        Self {
            name: name.to_owned(),
            command: texts(&service["command"]),
            environment,
            inherited,
            checks,
        }
    }

    fn of_kubernetes(container: &Value, secrets: &BTreeMap<String, String>) -> Self {
        let name = container["name"].as_str().expect("a name").to_owned();
        let mut environment = BTreeMap::new();
        for setting in container["env"].as_array().expect("an environment") {
            let from = &setting["valueFrom"]["secretKeyRef"];
            let value = setting["value"].as_str().unwrap_or_else(|| {
                assert_eq!(from["name"], "ryggrad", "{name}");
                let key = from["key"].as_str().expect("a key of the secret");
                secrets
                    .get(key)
                    .unwrap_or_else(|| panic!("{key} is not in ryggrad.env.example"))
            });
            environment.insert(setting["name"].as_str().expect("a name").to_owned(), value.to_owned());
        }
        let inherits = container["envFrom"][0]["configMapRef"]["name"] == "ryggrad-tokens";
        let inherited = ["RYGGRAD_ISSUER", "RYGGRAD_AUDIENCE_OPTIONAL", "RYGGRAD_PARTIES"].map(str::to_owned);
        let probes =
            ["startupProbe", "livenessProbe", "readinessProbe"].map(|probe| &container[probe]["exec"]["command"]);
        Self {
            name,
            command: texts(&container["args"]),
            environment,
            inherited: inherited.into_iter().filter(|_| inherits).collect(),
            checks: probes.into_iter().filter(|probe| !probe.is_null()).map(texts).collect(),
        }
    }
}

// === impl Deployment ===

impl Deployment {
    pub(super) fn compose() -> Self {
        let passwords = passwords();
        let compose = yaml("compose.yaml").remove(0);
        let services = compose["services"].as_object().expect("services");
        let ours = services.iter().filter(|(_, service)| service["command"][0] == "serve");
        let (migrate, roles) = ours
            .map(|(name, service)| Container::of_compose(name, service, &passwords))
            .partition::<Vec<_>, _>(|container| container.name == "migrate");
        for (server, folder) in [
            ("postgres", "/docker-entrypoint-initdb.d/roles.sql"),
            ("nats", "/etc/nats"),
        ] {
            let mounted = texts(&services[server]["volumes"]);
            assert!(
                mounted.iter().any(|volume| volume.ends_with(&format!("{folder}:ro"))),
                "{mounted:?}"
            );
        }
        let postgres = texts(&services["postgres"]["command"]);
        let postgres = postgres.iter().filter_map(|word| word.split_once('='));
        Self {
            migrate: migrate.into_iter().next().expect("the migration"),
            roles,
            nats: vec![texts(&services["nats"]["command"])],
            postgres: postgres
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            passwords,
        }
    }

    pub(super) fn kubernetes() -> Self {
        let mut passwords = passwords();
        passwords.insert("RYGGRAD_POSTGRES".to_owned(), "127.0.0.1:5432".to_owned());
        let example = std::fs::read_to_string(infra("k8s/ryggrad.env.example")).expect("the example");
        let secrets = example.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (name, value) = line.split_once('=').expect("a name and a value");
            (name.to_owned(), filled(value, &passwords))
        });
        let secrets: BTreeMap<_, _> = secrets.collect();
        let pod = &yaml("k8s/ryggrad.yaml")[0]["spec"]["template"]["spec"];
        let containers = |list: &Value| -> Vec<Container> {
            let list = list.as_array().expect("containers");
            list.iter().map(|one| Container::of_kubernetes(one, &secrets)).collect()
        };
        let nats = yaml("k8s/nats.yaml");
        let set = nats
            .iter()
            .find(|one| one["kind"] == "StatefulSet")
            .expect("the servers");
        let arguments = texts(&set["spec"]["template"]["spec"]["containers"][0]["args"]);
        let replicas = set["spec"]["replicas"].as_u64().expect("a number");
        let pods = (0..replicas).map(|n| format!("nats-{n}"));
        Self {
            migrate: containers(&pod["initContainers"]).remove(0),
            roles: containers(&pod["containers"]),
            nats: pods
                .map(|pod| arguments.iter().map(|word| word.replace("$(POD)", &pod)).collect())
                .collect(),
            postgres: Vec::new(),
            passwords,
        }
    }
}
