//! The example "stop Grasrotandel payouts to dissolved clubs".

use std::path::Path;

use ryggrad::trigger::Scenario;
use ryggrad_testkit::eventually;
use serde_json::{Value, json};
use tokio::process::Command;

use super::{PATIENCE, bring, clients, kill, python, register, well};
use crate::harness::whole;

fn table(file: &Path) -> Value {
    let text = std::fs::read_to_string(file).unwrap_or_else(|_| "null".to_owned());
    serde_json::from_str(&text).expect("the table is replaced whole")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payouts_stop_when_they_must_and_once() {
    let clients = clients().await;
    let whole = whole().await;
    let register = register(&whole).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("payouts.json");
    let example = || -> Command {
        let mut command = python(clients, "stop_payouts.py");
        command.arg("--url").arg(whole.stack.http()).arg(&file);
        command
    };
    let following = example().spawn().expect("it starts");

    let mut expected = Vec::new();
    for (scenario, reason) in [
        (Scenario::GrasrotApproved, None),
        (Scenario::Dissolved, Some("dissolution")),
        (Scenario::DissolutionRevoked, None),
        (Scenario::GrasrotExcluded, Some("excluded")),
        (Scenario::Deleted, Some("deleted")),
    ] {
        expected.push((bring(&register, scenario).await, reason));
    }
    let known = |count: usize| {
        let found = table(&file)["payouts"].as_object().map_or(0, serde_json::Map::len);
        if found >= count {
            Ok(())
        } else {
            Err(format!("{found} of {count} clubs"))
        }
    };
    eventually(PATIENCE, || std::future::ready(known(expected.len()))).await;
    kill(following).await;

    // A club dissolves while nobody follows.
    expected.push((bring(&register, Scenario::Dissolved).await, Some("dissolution")));
    let said = well(&example().arg("--once").output().await.expect("it starts"));
    let late = &expected[5].0.orgnr;
    assert!(said.contains(&format!("{late} stopped: dissolution")), "{said}");
    assert!(said.contains("2 of 6 clubs receive payouts"), "{said}");
    let found = table(&file);
    for (club, reason) in &expected {
        let payout = &found["payouts"][club.orgnr.as_str()];
        assert_eq!(payout["approved"], json!(true), "{found}");
        let because = payout["reasons"]
            .as_object()
            .expect("reasons")
            .keys()
            .map(String::as_str);
        assert_eq!(because.collect::<Vec<_>>(), Vec::from_iter(*reason), "{found}");
    }

    let said = well(&example().arg("--once").output().await.expect("it starts"));
    assert!(!said.contains("stopped"), "nothing has its effect twice: {said}");
    assert_eq!(table(&file)["payouts"], found["payouts"]);
    whole.stack.stop().await;
}
