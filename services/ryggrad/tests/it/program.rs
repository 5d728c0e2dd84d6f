//! The program `ryggrad` as a child process.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use ryggrad_local::Endpoints;
use ryggrad_testkit::eventually;
use tempfile::TempDir;

/// How long a first start may take here: servers are fetched or made, the sample is imported, other tests run beside it.
const FIRST_START: Duration = Duration::from_mins(3);

/// A process. It is killed when it is dropped, which only happens in a test that failed.
pub(crate) struct Process(Child);

/// A backbone that `ryggrad up` runs in a folder of its own.
pub(crate) struct Up {
    process: Process,
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

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ryggrad"));
    command.args(arguments).stdin(Stdio::null());
    command
}

// === impl Process ===

impl Process {
    /// Starts a command, with nothing to read and its output in a file or nowhere.
    pub(crate) fn spawn(command: &mut Command, log: Option<&Path>) -> Self {
        let output = |log: &Path| {
            let log = std::fs::File::create(log).expect("a log");
            (log.try_clone().expect("a log").into(), log.into())
        };
        let (out, err) = log.map_or_else(|| (Stdio::null(), Stdio::null()), output);
        let spawned = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn();
        Self(spawned.expect("the program can be run"))
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().expect("a child")
    }

    /// Sends a signal.
    pub(crate) fn send(&self, signal: &str) {
        let sent = Command::new("kill")
            .args(["-s", signal, &self.0.id().to_string()])
            .status();
        assert!(sent.expect("kill").success(), "the signal {signal} was not sent");
    }

    /// Sends a signal and waits for the end; its exit code, none when the signal ended it.
    pub(crate) fn end(self, signal: &str) -> Option<i32> {
        self.send(signal);
        self.wait()
    }

    /// Waits for the end; its exit code, none when a signal ended it.
    pub(crate) fn wait(mut self) -> Option<i32> {
        self.0.wait().expect("a child").code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _reaped = self.0.wait();
    }
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
        command.arg("--state").arg(state).args(more);
        let mut process = Process::spawn(&mut command, Some(&state.join("up.log")));
        let found = eventually(FIRST_START, || {
            let gone = process.ended().map(|status| format!("it ended with {status}"));
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
            process,
            endpoints,
            took: began.elapsed(),
        }
    }

    /// What it has said.
    pub(crate) fn said(state: &Path) -> String {
        std::fs::read_to_string(state.join("up.log")).expect("a log")
    }

    /// Sends a signal and waits for the end; its exit code, none when the signal ended it.
    pub(crate) fn end(self, signal: &str) -> Option<i32> {
        self.process.end(signal)
    }
}
