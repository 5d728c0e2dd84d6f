//! A server process that cannot outlive this one: the child of a shell that waits at the other end of a pipe.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::account::Account;
use crate::{Error, Result};

const SCRIPT: &str = include_str!("watchdog.sh");

/// What to run, and when to stop it.
#[derive(Debug)]
pub(crate) struct Spec {
    /// The server's name in errors.
    pub(crate) program: &'static str,
    /// The program and its arguments.
    pub(crate) command: Vec<std::ffi::OsString>,
    /// More environment.
    pub(crate) environment: Vec<(&'static str, String)>,
    /// The user to run as, when not this one.
    pub(crate) account: Option<Account>,
    /// Where it logs.
    pub(crate) log: PathBuf,
    /// The signal that stops it, without `SIG`.
    pub(crate) stop: &'static str,
    /// The named pipe that keeps it alive when several processes share it; this process's pipe otherwise.
    pub(crate) shared: Option<PathBuf>,
    /// A folder that goes when the server goes.
    pub(crate) remove: Option<PathBuf>,
}

/// A running (or stopped) server.
#[derive(Debug)]
pub(crate) struct Watched {
    program: &'static str,
    log: PathBuf,
    orders: Mutex<Option<Orders>>,
    life: watch::Receiver<Life>,
}

/// The end of the pipe that this process holds.
#[derive(Debug)]
enum Orders {
    Own(ChildStdin),
    Shared { _held: File },
}

#[derive(Debug, Clone, Copy, Default)]
struct Life {
    pid: Option<u32>,
    exit: Option<i32>,
}

// === impl Watched ===

impl Watched {
    /// Starts the server; it is running, not necessarily ready, when this answers.
    pub(crate) fn spawn(spec: Spec) -> Result<Self> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&spec.log)
            .map_err(Error::at("open", &spec.log))?;
        let (stdin, held) = match &spec.shared {
            None => (Stdio::piped(), None),
            Some(fifo) => {
                let (read, held) = make_fifo(fifo, spec.account)?;
                (Stdio::from(read), Some(held))
            }
        };
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &script(), "ryggrad-watchdog", spec.stop]);
        command
            .arg(spec.shared.unwrap_or_default())
            .arg(spec.remove.unwrap_or_default());
        command.args(&spec.command);
        command.envs(spec.environment).current_dir("/").process_group(0);
        command.stdin(stdin).stdout(Stdio::piped()).stderr(log);
        if let Some(account) = spec.account {
            account.wear(&mut command);
        }
        let mut child = command
            .spawn()
            .map_err(Error::io(format!("start {} through /bin/sh", spec.program)))?;
        let orders = match held {
            Some(held) => Some(Orders::Shared { _held: held }),
            None => child.stdin.take().map(Orders::Own),
        };
        let (tell, life) = watch::channel(Life::default());
        std::thread::spawn(move || {
            if let Some(stdout) = child.stdout.take() {
                for line in BufReader::new(stdout).lines().map_while(std::io::Result::ok) {
                    match line.split_once(' ') {
                        Some(("pid", pid)) => tell.send_modify(|life| life.pid = pid.parse().ok()),
                        Some(("exit", code)) => tell.send_modify(|life| life.exit = code.parse().ok()),
                        _ => {}
                    }
                }
            }
            let code = child.wait().ok().and_then(|status| status.code()).unwrap_or(-1);
            tell.send_modify(|life| {
                life.exit.get_or_insert(code);
            });
        });
        Ok(Self {
            program: spec.program,
            log: spec.log,
            orders: Mutex::new(orders),
            life,
        })
    }

    /// The server's process id, once the shell has told it.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.life.borrow().pid
    }

    /// How the server exited; `None` while it runs.
    pub(crate) fn exit(&self) -> Option<i32> {
        self.life.borrow().exit
    }

    /// Sends the server a signal, by its name without `SIG`. Nothing happens when it is gone, or shared.
    pub(crate) fn signal(&self, name: &str) {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Orders::Own(pipe)) = orders.as_mut() {
            // A broken pipe means that the server is gone, which `exited` tells.
            let _gone = writeln!(pipe, "{name}").and_then(|()| pipe.flush());
        }
    }

    /// Waits until the server has exited, and answers with its exit code.
    pub(crate) async fn exited(&self) -> i32 {
        let mut life = self.life.clone();
        let exit = life
            .wait_for(|life| life.exit.is_some())
            .await
            .ok()
            .and_then(|life| life.exit);
        exit.unwrap_or(-1)
    }

    /// Sends a signal and waits until the server has exited.
    pub(crate) async fn end(&self, signal: &str, patience: Duration) -> Result<()> {
        self.signal(signal);
        match tokio::time::timeout(patience, self.exited()).await {
            Ok(_code) => Ok(()),
            Err(_elapsed) => {
                self.signal("KILL");
                Err(Error::server(
                    self.program,
                    format!("did not stop within {} s and was killed", patience.as_secs()),
                    &self.log,
                ))
            }
        }
    }

    /// As [`Watched::end`] with a short patience, for `drop`.
    pub(crate) fn end_now(&self, signal: &str) {
        if self.exit().is_some()
            || !matches!(
                *self.orders.lock().unwrap_or_else(PoisonError::into_inner),
                Some(Orders::Own(_))
            )
        {
            return;
        }
        self.signal(signal);
        let begun = Instant::now();
        while self.exit().is_none() && begun.elapsed() < Duration::from_secs(3) {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// The script without its comments, which everybody would see in the list of processes.
fn script() -> String {
    let code = SCRIPT.lines().filter(|line| !line.starts_with('#'));
    code.collect::<Vec<_>>().join("\n")
}

/// Makes the named pipe and opens both its ends: the one to read for the watchdog, the other for this process to hold.
fn make_fifo(fifo: &Path, account: Option<Account>) -> Result<(File, File)> {
    let made = Command::new("mkfifo")
        .arg(fifo)
        .output()
        .map_err(Error::at("make the named pipe", fifo))?;
    if !made.status.success() {
        let output = String::from_utf8_lossy(&made.stderr).into_owned();
        return Err(Error::Command {
            command: format!("mkfifo {}", fifo.display()),
            output,
        });
    }
    std::fs::set_permissions(fifo, std::fs::Permissions::from_mode(0o600)).map_err(Error::at("protect", fifo))?;
    if let Some(account) = account {
        account.own(fifo)?;
    }
    // Opening the one end alone would wait for the other: both at once does not.
    let both = OpenOptions::new()
        .read(true)
        .write(true)
        .open(fifo)
        .map_err(Error::at("open", fifo))?;
    let read = File::open(fifo).map_err(Error::at("open", fifo))?;
    let held = OpenOptions::new()
        .write(true)
        .open(fifo)
        .map_err(Error::at("open", fifo))?;
    drop(both);
    Ok((read, held))
}
