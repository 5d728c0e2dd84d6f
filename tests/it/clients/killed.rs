//! Clients that are killed in the middle, again and again, and go on.

use std::path::Path;

use ryggrad::trigger::Scenario;
use serde_json::Value;
use tokio::process::Command;

use super::{PATIENCE, bring, clients, grow, has_lines, kill, node, python, register, registration, well};
use crate::harness::{Whole, whole};

/// How many organisations come while the clients follow; each has about three facts.
const ORGANISATIONS: u32 = 500;
/// At how many lines a client is killed.
const KILLS: [usize; 3] = [1, 150, 600];

/// An event as a client has it, and as the log has it.
type Seen = (i64, String, Value);

/// Open data of the log, in order.
async fn log(whole: &Whole) -> Vec<Seen> {
    sqlx::query_as("select position, event_id::text, payload from log.events where class = 1 order by position")
        .fetch_all(&whole.owner())
        .await
        .expect("the log")
}

/// Open data in a client's file, in the order of its lines.
fn copied(file: &Path) -> Vec<Seen> {
    let text = std::fs::read_to_string(file).expect("the client's file");
    let events = text.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).expect("JSON");
        line["event"].take()
    });
    events
        .filter(|event| event["class"] == "PRIVACY_CLASS_PUBLIC")
        .map(|mut event| {
            let position = event["position"].as_str().and_then(|position| position.parse().ok());
            let id = event["eventId"].as_str().expect("an id").to_owned();
            (position.expect("a position"), id, event["payload"].take())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_has_after_being_killed_is_the_log() {
    let clients = clients().await;
    let whole = whole().await;
    let folder = tempfile::tempdir().expect("a folder");
    let growing = tokio::spawn(grow(
        registration(&whole).await,
        whole.stack.clock().clone(),
        ORGANISATIONS,
    ));
    let url = whole.stack.http();
    let mirrors: [(&str, &dyn Fn() -> Command); 2] = [
        ("python", &|| python(clients, "mirror.py")),
        ("node", &|| node(clients, "mirror.js")),
    ];
    let run = |mirror: &dyn Fn() -> Command, file: &Path| {
        let mut command = mirror();
        command.arg("--url").arg(&url).arg(file);
        command
    };
    for (name, mirror) in mirrors {
        let file = folder.path().join(name);
        for lines in KILLS {
            let child = run(mirror, &file).spawn().expect("it starts");
            has_lines(&file, lines).await;
            kill(child).await;
        }
    }
    growing.await.expect("imported");
    // Something happens while nobody follows.
    bring(&register(&whole).await, Scenario::Deleted).await;
    let expected = log(&whole).await;
    assert!(expected.len() > 1_000, "{} events", expected.len());
    for (name, mirror) in mirrors {
        let file = folder.path().join(name);
        let end = tokio::time::timeout(PATIENCE, run(mirror, &file).arg("--once").output()).await;
        well(&end.expect("it ends").expect("it starts"));
        let found = copied(&file);
        let differs = found.iter().zip(&expected).find(|(found, expected)| found != expected);
        assert_eq!(differs, None, "{name}");
        assert_eq!(found.len(), expected.len(), "{name}");
    }
    whole.stack.stop().await;
}
