//! `ryggrad tail` with a checkpoint: stopped in the middle, it goes on with the next event.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::program::{Up, command, complained, folder, ryggrad, said};

/// The positions of the events in these lines.
fn positions(lines: &str) -> Vec<u64> {
    let position = |line| {
        let event: serde_json::Value = serde_json::from_str(line).expect("a whole line of JSON");
        event["position"]
            .as_str()
            .and_then(|position| position.parse().ok())
            .expect("a position")
    };
    lines.lines().map(position).collect()
}

#[tokio::test]
async fn a_reader_that_is_interrupted_goes_on_with_the_next_event() {
    let folder = folder();
    let state = folder.path().to_str().expect("a plain path");
    let up = Up::start(folder.path(), &[]).await;
    let checkpoint = folder.path().join("agency.json");
    let arguments = [
        "tail",
        "--json",
        "--state",
        state,
        "--checkpoint",
        checkpoint.to_str().expect("a plain path"),
    ];
    let mut read = Vec::new();
    for signal in ["INT", "TERM"] {
        let mut reader = command(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let mut lines = BufReader::new(reader.stdout.take().expect("piped")).lines();
        // It is in the middle of the sample population then: the pipe holds far less.
        let begun: Vec<_> = lines.by_ref().take(100).map(|line| line.expect("a line")).collect();
        let sent = Command::new("kill")
            .args(["-s", signal, &reader.id().to_string()])
            .status();
        assert!(sent.expect("kill").success());
        let ended: Vec<_> = lines.map(|line| line.expect("a line")).collect();
        assert_eq!(reader.wait().expect("a child").code(), Some(0));
        read.extend(positions(&[begun, ended].concat().join("\n")));
        let text = std::fs::read_to_string(&checkpoint).expect("a checkpoint");
        let cursor: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(cursor["position"].as_u64(), read.last().copied(), "{signal}");
    }
    let limited = ryggrad(&[&arguments[..], &["--limit", "7"]].concat());
    read.extend(positions(&said(&limited)));
    assert!(read.len() < 5_000, "nothing is left to go on with");
    let rest = ryggrad(&[&arguments[..], &["--no-follow"]].concat());
    assert_eq!(rest.status.code(), Some(0), "{}", complained(&rest));
    read.extend(positions(&said(&rest)));
    let expected: Vec<u64> = (1..=read.len() as u64).collect();
    assert!(
        read.len() > 5_000 && read == expected,
        "something came twice or not at all"
    );
    assert_eq!(up.end("TERM"), Some(0));
}
