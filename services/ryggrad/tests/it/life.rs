//! A backbone's life: begun, stopped, gone on with, killed, gone on with.

use std::time::Duration;

use crate::program::{Up, complained, folder, ryggrad, said};

/// How long a start on a state folder that is there may take, here where other tests run beside it.
const AGAIN: Duration = Duration::from_secs(20);

/// The events and the difference that `verify --json` tells of a part.
fn verified(state: &str) -> Vec<(u64, bool)> {
    let output = ryggrad(&["verify", "--json", "--state", state]);
    let lines = said(&output);
    assert_eq!(output.status.code(), Some(0), "{lines}{}", complained(&output));
    let parts = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    parts
        .map(|part| (part["events"].as_u64().expect("a number"), part["difference"].is_null()))
        .collect()
}

#[tokio::test]
async fn it_starts_from_nothing_stops_in_order_and_goes_on_also_after_a_crash() {
    let folder = folder();
    let state = folder.path().to_str().expect("a plain path");

    let first = Up::start(folder.path(), &["--clock", "simulated"]).await;
    let busy = ryggrad(&["up", "--state", state, "--listen", "127.0.0.1:0"]);
    assert_eq!(busy.status.code(), Some(1));
    assert!(complained(&busy).contains("is in use"), "{}", complained(&busy));
    let advanced = ryggrad(&["clock", "advance", "6w", "--json", "--state", state]);
    assert_eq!(advanced.status.code(), Some(0), "{}", complained(&advanced));
    let before = verified(state);
    assert!(
        before.len() == 3 && before.iter().all(|(events, same)| *events > 5_000 && *same),
        "{before:?}"
    );
    assert_eq!(first.end("TERM"), Some(0));
    assert!(!folder.path().join("endpoints.json").exists());

    let second = Up::start(folder.path(), &["--clock", "simulated"]).await;
    assert!(second.took < AGAIN, "the second start took {:?}", second.took);
    let shown = said(&ryggrad(&["clock", "--json", "--state", state]));
    assert_eq!(shown, said(&advanced), "the clock stands where it was left");
    assert_eq!(verified(state), before, "the sample is not imported again");
    assert_eq!(second.end("KILL"), None);

    let third = Up::start(folder.path(), &["--clock", "simulated"]).await;
    assert!(third.took < AGAIN, "the start after a crash took {:?}", third.took);
    assert_eq!(verified(state), before);
    assert_eq!(third.end("INT"), Some(0));
}
