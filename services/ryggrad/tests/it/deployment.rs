//! What `infra` says, checked against the program and carried out without containers: the very commands, settings, accounts
//! and health checks, as processes of this machine on ports of its own.

mod description;
mod machine;

use std::collections::{BTreeMap, BTreeSet};

use clap::CommandFactory as _;
use ryggrad::cli::Cli;
use ryggrad_client::with_token;
use ryggrad_proto::registration::v1::SketchInitiative;
use ryggrad_proto::registration::v1::registration_service_client::RegistrationServiceClient;
use ryggrad_testkit::{TestIssuer, eventually};
use tonic::transport::Endpoint;

use self::description::{Container, Deployment, infra, variables, yaml};
use self::machine::{Machine, PATIENCE};

/// Every role of the program, with the environment variables that it reads.
fn roles() -> BTreeMap<String, BTreeSet<String>> {
    let mut cli = Cli::command();
    cli.build();
    let serve = cli.find_subcommand("serve").expect("the command `serve`");
    let roles = serve.get_subcommands().filter(|role| role.get_name() != "help");
    roles
        .map(|role| {
            let read = role.get_arguments().filter_map(|argument| argument.get_env());
            let read = read.map(|name| name.to_string_lossy().into_owned());
            (role.get_name().to_owned(), read.collect())
        })
        .collect()
}

/// The user of an address.
fn user(url: &str) -> &str {
    let (_, rest) = url.split_once("://").expect("an address");
    rest.split_once(':').expect("a user with a password").0
}

/// The parties, settings, accounts and ports of a description fit the program and each other.
fn fits(deployment: &Deployment) {
    let roles = roles();
    let deployed: BTreeSet<_> = deployment.roles.iter().map(|role| role.name.as_str()).collect();
    let known: BTreeSet<_> = roles
        .keys()
        .map(String::as_str)
        .filter(|role| *role != "migrate")
        .collect();
    assert_eq!(deployed, known, "every role is there, and no other");
    for container in deployment.roles.iter().chain([&deployment.migrate]) {
        let Container {
            name,
            command,
            environment,
            ..
        } = container;
        assert_eq!(command[..2], ["serve", name.as_str()], "{name}");
        let asked =
            Cli::command().try_get_matches_from(["ryggrad"].into_iter().chain(command.iter().map(String::as_str)));
        // The migration's address comes from the environment, which is not this one's.
        assert!(asked.is_ok() || name == "migrate", "{name}: {asked:?}");
        let unread: Vec<_> = environment
            .keys()
            .filter(|setting| !roles[name].contains(*setting))
            .collect();
        assert!(unread.is_empty(), "{name} does not read {unread:?}");
        let database = user(&environment["RYGGRAD_DATABASE_URL"]);
        if name == "migrate" {
            assert_eq!(database, "ryggrad", "the owner migrates");
            continue;
        }
        assert_eq!(database, format!("ryggrad_{name}"));
        assert_eq!(user(&environment["RYGGRAD_NATS_URL"]), name);
        let port = container.port();
        for check in &container.checks {
            assert_eq!(
                check[..2],
                ["ready".to_owned(), port.clone()],
                "{name} is asked where it listens"
            );
        }
    }
    let ports: BTreeSet<_> = deployment.roles.iter().map(Container::port).collect();
    assert_eq!(ports.len(), roles.len() - 1, "each on a port of its own: {ports:?}");
    assert!(
        deployment
            .roles
            .iter()
            .any(|role| role.environment.contains_key("RYGGRAD_WEBHOOK_KEY"))
    );
}

#[test]
fn compose_has_every_role_with_its_own_accounts_and_settings_that_it_reads() {
    fits(&Deployment::compose());
}

#[test]
fn kubernetes_has_every_role_with_its_own_accounts_and_settings_that_it_reads() {
    fits(&Deployment::kubernetes());
}

#[test]
fn every_password_has_its_place_in_the_example() {
    let example = std::fs::read_to_string(infra("passwords.env.example")).expect("the example");
    let lines = example.lines().filter(|line| !line.starts_with('#'));
    let offered: BTreeSet<_> = lines
        .map(|line| line.strip_suffix('=').expect("a name without a value").to_owned())
        .collect();
    let read = |name: &str| std::fs::read_to_string(infra(name)).expect("a readable file");
    let is_secret = |name: &String| name.ends_with("_PASSWORD") || name.ends_with("_KEY");
    let wanted: BTreeSet<_> = ["compose.yaml", "nats/accounts.conf", "k8s/ryggrad.env.example"]
        .into_iter()
        .flat_map(|file| variables(&read(file)))
        .filter(is_secret)
        .collect();
    assert_eq!(wanted, offered);
    let roles = read("postgres/roles.sql");
    let asked = roles.lines().filter_map(|line| line.strip_prefix("\\getenv "));
    for variable in asked.map(|line| line.rsplit(' ').next().unwrap_or_default()) {
        assert!(offered.contains(variable), "{variable}");
    }
}

#[test]
fn every_role_is_scraped_where_it_listens() {
    let scraped = &yaml("otel/prometheus.yaml")[0]["scrape_configs"][0]["static_configs"];
    let scraped: BTreeMap<_, _> = scraped
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            (
                one["labels"]["role"].as_str().expect("a role").to_owned(),
                one["targets"][0].clone(),
            )
        })
        .collect();
    let compose = Deployment::compose();
    let listening = compose.roles.iter().map(|role| {
        (
            role.name.clone(),
            serde_json::Value::from(format!("127.0.0.1:{}", role.port())),
        )
    });
    assert_eq!(scraped, listening.collect());
}

#[test]
fn the_kustomization_names_files_that_are_there_and_all_of_them() {
    let kustomization = yaml("kustomization.yaml").remove(0);
    let listed = |list: &serde_json::Value| -> BTreeSet<String> {
        let list = list.as_array().expect("a list");
        list.iter()
            .map(|name| name.as_str().expect("a name").to_owned())
            .collect()
    };
    let there = |folder: &str, extension: &str| -> BTreeSet<String> {
        let files = std::fs::read_dir(infra(folder)).expect("a folder").flatten();
        let names = files.map(|file| format!("{folder}/{}", file.file_name().to_string_lossy()));
        names.filter(|name| name.ends_with(extension)).collect()
    };
    assert_eq!(listed(&kustomization["resources"]), there("k8s", ".yaml"));
    assert_eq!(
        listed(&kustomization["configMapGenerator"][0]["files"]),
        there("nats", ".conf")
    );
}

/// Carries a description out, and takes an idea from registration's door to the gateway's.
async fn works(deployment: &Deployment) {
    let issuer = TestIssuer::start().await;
    let machine = Machine::start(deployment, issuer.name()).await;
    let token = issuer.usual("platform");
    let registration = Endpoint::from_shared(machine.http("registration")).expect("an address");
    let channel = registration.connect().await.expect("registration answers");
    let command = SketchInitiative {
        title: "Nabohage".to_owned(),
        purpose_text: "Dyrke grønnsaker sammen".to_owned(),
        kommunenummer: "4203".to_owned(),
        language: "nb".to_owned(),
        ..SketchInitiative::default()
    };
    let receipt = RegistrationServiceClient::new(with_token(channel, token.clone()))
        .sketch_initiative(command)
        .await
        .expect("accepted")
        .into_inner();
    let followed = format!("{}/v1/events?types=InitiativeSketched&wait=1", machine.http("gateway"));
    eventually(PATIENCE, || async {
        let asked = reqwest::Client::new().get(&followed).bearer_auth(&token).send();
        let answer = asked.await?.error_for_status()?.text().await?;
        anyhow::ensure!(answer.contains(&receipt.aggregate_id), "{answer}");
        anyhow::Ok(())
    })
    .await;
    machine.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_compose_says_works() {
    works(&Deployment::compose()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_kubernetes_is_told_works() {
    works(&Deployment::kubernetes()).await;
}
