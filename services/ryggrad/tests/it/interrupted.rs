//! Commands that start servers for themselves, told to end in the middle: nothing of them is left.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ryggrad_testkit::eventually;

use crate::program::{Process, command, folder};

/// How long servers may take to start or to end, where other tests run beside them.
const PATIENCE: Duration = Duration::from_mins(2);

/// The processes that know of a folder, by their arguments or their environment, with how they were started.
fn processes(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().expect("a plain path");
    let entries = std::fs::read_dir("/proc").expect("the kernel tells").flatten();
    let told = |path: PathBuf| {
        let bytes = std::fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    };
    entries
        .map(|entry| (told(entry.path().join("cmdline")), told(entry.path().join("environ"))))
        .filter(|(command, environment)| command.contains(folder) || environment.contains(folder))
        .map(|(command, _)| command)
        .collect()
}

/// Whether there is a file of this name anywhere in a folder.
fn has(folder: &Path, name: &str) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .any(|path| path.ends_with(name) || (path.is_dir() && has(&path, name)))
}

/// Starts a command, waits for the file that says that its servers run, tells it to end, and looks for what is left.
async fn leaves_nothing(arguments: &[&str], running: &str, signal: &str) {
    let temporary = folder();
    let log = folder();
    let mut command = command(arguments);
    command.env("TMPDIR", temporary.path()).current_dir(log.path());
    let process = Process::spawn(&mut command, Some(&log.path().join("told")));
    let told = || std::fs::read_to_string(log.path().join("told")).unwrap_or_default();
    eventually(PATIENCE, || {
        let known = processes(temporary.path());
        let is = |name: &str| known.iter().any(|command| command.contains(name));
        let there = has(temporary.path(), running) && is("postgres") && is("nats-server");
        std::future::ready(if there {
            Ok(())
        } else {
            Err(format!("{known:?}\n{}", told()))
        })
    })
    .await;
    process.send(signal);
    assert_eq!(process.wait(), Some(1), "{}", told());
    let left: Vec<_> = std::fs::read_dir(temporary.path())
        .expect("a folder")
        .flatten()
        .collect();
    assert!(left.is_empty(), "{left:?}");
    eventually(PATIENCE, || {
        let known = processes(temporary.path());
        std::future::ready(if known.is_empty() {
            Ok(())
        } else {
            Err(format!("{known:?}"))
        })
    })
    .await;
}

#[tokio::test]
async fn the_demonstration_leaves_nothing_behind() {
    leaves_nothing(&["demo", "--private", "--json"], "postmaster.pid", "INT").await;
}

#[tokio::test]
async fn the_benchmark_of_writing_leaves_nothing_behind() {
    leaves_nothing(&["bench", "--only", "write"], "postmaster.pid", "INT").await;
}

#[tokio::test]
async fn the_benchmark_of_reading_takes_its_backbone_down() {
    leaves_nothing(&["bench", "--only", "read"], "endpoints.json", "TERM").await;
}
