//! A machine without PostgreSQL and nats-server, and a user without rights: both are fetched.

use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;
use std::process::Command;

use crate::program::{Up, complained, folder};

/// Nobody, in the files of every system.
const NOBODY: u32 = 65_534;

/// The program as an ordinary user may start it. Root lets nobody do it, in a place that nobody can reach.
fn ordinary(program: &Path, home: &Path) -> Command {
    if Path::new("/proc/self").metadata().expect("a process").uid() != 0 {
        return Command::new(program);
    }
    let copy = home.join("ryggrad");
    std::fs::copy(program, &copy).expect("a copy");
    for owned in [home, &home.join("cache"), &home.join("state")] {
        chown(owned, Some(NOBODY), Some(NOBODY)).expect("root may");
    }
    let mut command = Command::new("setpriv");
    let number = NOBODY.to_string();
    command
        .args(["--reuid", &number, "--regid", &number, "--clear-groups"])
        .arg(copy);
    command
}

/// Needs the registries of npm and pip, as `up` does where nothing is installed.
#[tokio::test]
async fn an_ordinary_user_gets_both_servers() {
    let home = folder();
    for folder in ["cache", "state"] {
        std::fs::create_dir(home.path().join(folder)).expect("a folder");
    }
    let state = home.path().join("state");
    let mut command = ordinary(Path::new(env!("CARGO_BIN_EXE_ryggrad")), home.path());
    command
        .args(["up", "--no-sample", "--listen", "127.0.0.1:0"])
        .current_dir(home.path());
    command
        .env("HOME", home.path())
        .env("RYGGRAD_CACHE", home.path().join("cache"));
    command
        .env("RYGGRAD_POSTGRES_BIN", "fetch")
        .env("RYGGRAD_NATS_SERVER", "fetch");
    let up = Up::start_as(command, &state, &[]).await;
    let said = Up::said(&state);
    for fetched in ["fetching PostgreSQL", "fetching nats-server"] {
        assert!(said.contains(fetched), "{said}");
    }
    let state = state.to_str().expect("a plain path");
    let output = crate::program::ryggrad(&["verify", "--state", state]);
    assert_eq!(output.status.code(), Some(0), "{}", complained(&output));
    assert_eq!(up.end("TERM"), Some(0));
}
