//! What those run who build a receiver: something is made to happen, told, and forwarded as a webhook.

use ryggrad_testkit::eventually;
use serde_json::Value;
use standardwebhooks::Webhook;

use crate::program::{Process, Up, command, complained, folder, ryggrad, said};
use crate::receiver::Receiver;

/// A secret of tests.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Runs the program to its end, which is a good one; the JSON that it printed.
#[track_caller]
fn told(arguments: &[&str]) -> Vec<Value> {
    let output = ryggrad(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", complained(&output));
    let lines = said(&output);
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {line}"));
    lines.lines().map(parse).collect()
}

/// The name in a CloudEvents type.
fn name(event: &Value) -> &str {
    let kind = event["type"].as_str().expect("a type");
    kind.split('.').nth(3).expect("a name")
}

/// The facts have come, in this order, others among them.
#[track_caller]
fn tells(scenario: &str, events: &[Value], facts: &[&str]) {
    let names: Vec<_> = events.iter().map(name).collect();
    let mut left = names.iter();
    for fact in facts {
        assert!(
            left.any(|name| name == fact),
            "{scenario} did not bring {fact}: {names:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_brings_its_facts_and_listen_forwards_what_is_open() {
    let folder = folder();
    let state = folder.path().to_str().expect("a plain path");
    let up = Up::start(folder.path(), &["--clock", "simulated", "--no-sample"]).await;
    let receiver = Receiver::start().await;
    let log = folder.path().join("listen.log");
    let forward = ["listen", "--forward-to", &receiver.url(), "--json", "--state", state];
    let listening = Process::spawn(command(&forward).env("RYGGRAD_WEBHOOK_SECRET", SECRET), Some(&log));
    eventually(std::time::Duration::from_mins(1), || {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        std::future::ready(if said.contains("forwarding") { Ok(()) } else { Err(said) })
    })
    .await;

    let scenarios = told(&["trigger", "list", "--json"]);
    assert!(scenarios.len() > 10, "{scenarios:?}");
    for scenario in &scenarios {
        let (what, facts) = (scenario["scenario"].as_str().expect("a name"), &scenario["facts"]);
        let facts: Vec<_> = facts
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        tells(what, &told(&["trigger", what, "--json", "--state", state]), &facts);
        if what == "whole-life" {
            tells("demo", &told(&["demo", "--json", "--state", state]), &facts);
        }
    }

    assert_eq!(
        told(&["deadlines", "--json", "--state", state]),
        [] as [Value; 0],
        "none fails"
    );
    let life = told(&["trigger", "whole-life", "--json", "--state", state]);
    let idea = life.iter().find(|event| event["aggregateType"] == "Initiative");
    let aggregate = idea
        .and_then(|idea| idea["aggregateId"].as_str())
        .unwrap_or_else(|| panic!("{life:?}"));
    eventually(std::time::Duration::from_mins(1), || {
        let set = told(&["deadlines", "--aggregate", aggregate, "--json", "--state", state]);
        let is_there = set.iter().any(|deadline| deadline["timer"] == "T-1.1");
        std::future::ready(if is_there { Ok(()) } else { Err(format!("{set:?}")) })
    })
    .await;

    // What is open data has been sent, each once, in order, and signed.
    let open = reqwest::get(format!("{}/v1/events?after=0&limit=1000", up.endpoints.http)).await;
    let open: Value = serde_json::from_str(&open.expect("answered").text().await.expect("text")).expect("JSON");
    let open = open.as_array().expect("a page").clone();
    assert!(open.len() > 30 && open.len() < 1_000, "{}", open.len());
    let deliveries = receiver.until(|all| all.len() >= open.len()).await;
    let ids: Vec<_> = deliveries.iter().map(|delivery| delivery.header("ce-id")).collect();
    let expected: Vec<_> = open.iter().map(|event| event["id"].as_str().expect("an id")).collect();
    assert_eq!(ids, expected);
    let webhook = Webhook::new(SECRET).expect("a secret");
    for delivery in &deliveries {
        webhook.verify(&delivery.body, &delivery.headers).expect("signed");
    }
    assert_eq!(listening.end("TERM"), Some(0));
    assert_eq!(up.end("TERM"), Some(0));
}
