//! No server outlives the process that started it, however that one ends.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ryggrad_local::{Nats, Postgres, StateFolder, nats};

use crate::postgres::quick;

/// The variable that makes [`a_process_that_starts_both_and_waits_to_be_killed`] do that.
const FOLDER: &str = "RYGGRAD_TEST_STATE";

/// Not a test by itself: the other process of the test below, which is this same program.
#[tokio::test]
async fn a_process_that_starts_both_and_waits_to_be_killed() {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is how the test below speaks to the process it starts"
    )]
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let state = StateFolder::open(folder).unwrap();
    let postgres = Postgres::start(&state, quick()).await.unwrap();
    let nats = Nats::start(&state, nats::Options::default()).await.unwrap();
    println!("\npids {} {}", postgres.pid().unwrap(), nats.pid().unwrap());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn leaves_nothing_behind_when_it_is_killed_and_starts_again_on_what_it_left() {
    let folder = StateFolder::temporary().unwrap();
    let inner = folder.path().join("state");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "watchdog::a_process_that_starts_both_and_waits_to_be_killed",
            "--nocapture",
        ])
        .env(FOLDER, &inner)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines
        .map_while(Result::ok)
        .find(|line| line.starts_with("pids "))
        .unwrap();
    let pids: Vec<String> = line.split(' ').skip(1).map(|pid| format!("/proc/{pid}")).collect();
    assert!(pids.iter().all(|pid| Path::new(pid).exists()));
    child.kill().unwrap();
    child.wait().unwrap();
    // At once: the old servers may still be on their way out, and have to be waited for.
    let state = StateFolder::open(&inner).unwrap();
    let postgres = Postgres::start(&state, quick()).await.unwrap();
    let nats = Nats::start(&state, nats::Options::default()).await.unwrap();
    assert!(postgres.pid().is_some() && nats.pid().is_some());
    let begun = Instant::now();
    while pids.iter().any(|pid| Path::new(pid).exists()) {
        assert!(begun.elapsed() < Duration::from_secs(10), "{pids:?}");
        tokio::task::yield_now().await;
    }
}

/// A process of somebody else's that waits until it is told to end.
fn innocent(folder: &Path, argument: &Path) -> Child {
    Command::new("sh")
        .args(["-c", "read -r line", "sh"])
        .arg(argument)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn leaves_those_alone_who_only_look_at_its_folders() {
    let state = StateFolder::temporary().unwrap();
    let mut postgres = Postgres::start(&state, quick()).await.unwrap();
    let mut nats = Nats::start(&state, nats::Options::default()).await.unwrap();
    let data = std::fs::read_link(format!("/proc/{}/cwd", postgres.pid().unwrap())).unwrap();
    let mut innocents = [
        innocent(&data, Path::new("postgresql.conf")),
        innocent(state.path(), &state.path().join("nats/nats.conf")),
    ];
    postgres.kill().await.unwrap();
    nats.kill().await.unwrap();
    assert!(data.join("postmaster.pid").exists(), "as a crashed run leaves it");
    drop((postgres, nats));
    let postgres = Postgres::start(&state, quick()).await.unwrap();
    let nats = Nats::start(&state, nats::Options::default()).await.unwrap();
    assert!(postgres.pid().is_some() && nats.pid().is_some());
    for innocent in &mut innocents {
        assert_eq!(innocent.try_wait().unwrap(), None, "it was ended");
        drop(innocent.stdin.take());
        innocent.wait().unwrap();
    }
}
