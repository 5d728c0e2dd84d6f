//! The program `ryggrad` as a child process.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use ryggrad_local::Endpoints;
use ryggrad_testkit::eventually;
use tempfile::TempDir;

/// How long a first start may take here: servers are fetched or made, the sample is imported, other tests run beside it.
const FIRST_START: Duration = Duration::from_mins(3);

/// A backbone that `ryggrad up` runs in a folder of its own.
pub(crate) struct Up {
    child: Child,
    pub(crate) endpoints: Endpoints,
    pub(crate) took: Duration,
}

/// Runs the program to its end.
pub(crate) fn ryggrad(arguments: &[&str]) -> Output {
    command(arguments).output().expect("the program can be run")
}

/// What a run printed.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a run complained of.
pub(crate) fn complained(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder that PostgreSQL can reach also when root starts it as somebody else.
pub(crate) fn folder() -> TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("permissions");
    folder
}

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ryggrad"));
    command.args(arguments).stdin(Stdio::null());
    command
}

// === impl Up ===

impl Up {
    /// Starts a backbone in a folder, on a free port, and waits until it says that it is there.
    pub(crate) async fn start(state: &Path, more: &[&str]) -> Self {
        Self::start_as(command(&["up", "--listen", "127.0.0.1:0"]), state, more).await
    }

    /// Starts a backbone on the usual port.
    pub(crate) async fn start_usually(state: &Path, more: &[&str]) -> Self {
        Self::start_as(command(&["up"]), state, more).await
    }

    /// Starts a backbone with a command that is to be given its state folder, and more.
    pub(crate) async fn start_as(mut command: Command, state: &Path, more: &[&str]) -> Self {
        let began = Instant::now();
        let log = std::fs::File::create(state.join("up.log")).expect("a log");
        command.arg("--state").arg(state).args(more);
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log);
        let mut child = command.spawn().expect("the program can be run");
        let found = eventually(FIRST_START, || {
            let gone = child
                .try_wait()
                .expect("a child")
                .map(|status| format!("it ended with {status}"));
            let text = std::fs::read_to_string(state.join("up.log")).unwrap_or_default();
            let there = if text.contains("is running") {
                Ok(())
            } else {
                Err(gone.unwrap_or_default() + &text)
            };
            std::future::ready(there)
        });
        found.await;
        let endpoints = Endpoints::read(state).expect("the addresses are written down");
        Self {
            child,
            endpoints,
            took: began.elapsed(),
        }
    }

    /// What it has said.
    pub(crate) fn said(state: &Path) -> String {
        std::fs::read_to_string(state.join("up.log")).expect("a log")
    }

    /// Sends a signal and waits for the end; its exit code, none when the signal ended it.
    pub(crate) fn end(mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status().expect("kill");
        assert!(sent.success(), "the signal {signal} was not sent");
        self.child.wait().expect("a child").code()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // Only for a test that failed; the servers go with it.
        let _ended_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}
