//! A backbone's life: begun, stopped, gone on with, killed, gone on with.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use ryggrad_client::with_token;
use ryggrad_proto::admin::v1::AdvanceClockRequest;
use ryggrad_proto::admin::v1::admin_client::AdminClient;
use ryggrad_testkit::eventually;
use tempfile::TempDir;
use tonic::Code;
use tonic::transport::Endpoint;

use crate::program::{Up, complained, folder, ryggrad, said};

/// How long a start on a state folder that is there may take.
const AGAIN: Duration = Duration::from_secs(3);
/// How often it is tried: other tests run beside this one.
const TRIES: usize = 8;

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

/// Starts it again, and again after the signal, until one start was as fast as all are when nothing else runs here.
async fn again(folder: &TempDir, signal: &str) -> Up {
    let mut took = Vec::new();
    loop {
        let up = Up::start(folder.path(), &["--clock", "simulated"]).await;
        if up.took < AGAIN {
            return up;
        }
        took.push(up.took);
        assert!(took.len() < TRIES, "it never starts within {AGAIN:?}: {took:?}");
        up.end(signal);
    }
}

/// The development issuer: its tokens are verified as production's are, and say who asks.
async fn tokens(state: &str, up: &Up) {
    let token = |arguments: &[&str]| {
        let output = ryggrad(&[&["token", "--state", state], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", complained(&output));
        said(&output).trim().to_owned()
    };
    let by_a_month = async |token: &str| {
        let channel = Endpoint::from_shared(up.endpoints.http.clone()).expect("an address");
        let channel = channel.connect().await.expect("the server answers");
        let by = AdvanceClockRequest {
            by: "1mo".to_owned(),
            to: None,
        };
        let answer = AdminClient::new(with_token(channel, token)).advance_clock(by).await;
        answer.expect_err("not by them").code()
    };
    assert_eq!(
        by_a_month(&token(&["--as", "kommune:4203"])).await,
        Code::PermissionDenied
    );
    let good = token(&["--as", "orch"]);
    assert_eq!(by_a_month(&good[..good.len() - 8]).await, Code::Unauthenticated);
    assert_eq!(
        by_a_month(&token(&["--as", "orch", "--audience", "others"])).await,
        Code::Unauthenticated
    );
    let without = ryggrad(&["clock", "advance", "1mo", "--state", state, "--token", "nonsense"]);
    assert_eq!(without.status.code(), Some(1));
    assert!(
        complained(&without).contains("the token is not valid here"),
        "{}",
        complained(&without)
    );
    let claims: serde_json::Value = serde_json::from_str(&token(&[
        "--as",
        "platform:2",
        "--for",
        "310028843",
        "--system-user",
        "x",
        "--scope",
        "ryggrad:commands.write",
        "--claims",
    ]))
    .expect("JSON");
    assert_eq!(claims["scope"], "ryggrad:commands.write");
    assert_eq!(
        claims["authorization_details"][0]["systemuser_org"]["ID"],
        "0192:310028843"
    );
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
    tokens(state, &first).await;
    let key = folder.path().join("secrets/issuer.pem");
    let secret = std::fs::read(&key).expect("the issuer's key");
    let mode = key.metadata().expect("the issuer's key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "for its owner only");
    let before = verified(state);
    assert!(
        before.len() == 3 && before.iter().all(|(events, same)| *events > 5_000 && *same),
        "{before:?}"
    );
    assert_eq!(first.end("TERM"), Some(0));
    assert!(!folder.path().join("endpoints.json").exists());

    let second = again(&folder, "TERM").await;
    let shown = said(&ryggrad(&["clock", "--json", "--state", state]));
    assert_eq!(shown, said(&advanced), "the clock stands where it was left");
    assert_eq!(verified(state), before, "the sample is not imported again");
    assert_eq!(
        std::fs::read(&key).expect("the issuer's key"),
        secret,
        "it is made once"
    );
    assert_eq!(second.end("KILL"), None);
    // The addresses are still there, and nobody is.
    assert!(folder.path().join("endpoints.json").exists());
    for tool in ["verify", "tail", "clock", "replay", "parked", "deadlines"] {
        // PostgreSQL takes a moment to notice.
        eventually(Duration::from_secs(20), || {
            let output = ryggrad(&[tool, "--state", state]);
            let code = output.status.code();
            std::future::ready(if code == Some(3) {
                Ok(())
            } else {
                Err(format!("{tool}: {code:?}: {}", complained(&output)))
            })
        })
        .await;
    }

    let third = again(&folder, "KILL").await;
    assert_eq!(verified(state), before);
    assert_eq!(third.end("INT"), Some(0));
}
