//! The signals that ask a process to end, and what an interruption leaves to be cleared up.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::print;

/// How long servers that were told to stop may go on writing.
const PATIENCE: Duration = Duration::from_secs(10);

/// The exit code of a process that was told to end at once.
const AT_ONCE: i32 = 130;

/// Ctrl-C and SIGTERM, from the moment they are listened to.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

// === impl Signals ===

impl Signals {
    /// Listens; from here on a signal does not end the process by itself.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen to signals");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// Waits until everything is taken down; whoever cannot wait sends another signal, and the process ends at once. What it ran by itself
    /// ends with it.
    pub async fn or_at_once<T>(&mut self, taking_down: impl Future<Output = T>) -> T {
        tokio::select! {
            done = taking_down => done,
            () = self.received() => {
                print::note("ending at once");
                std::process::exit(AT_ONCE);
            }
        }
    }

    /// Waits for the next one.
    pub async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

/// Removes a temporary folder, also while servers still write there that an interruption has told to stop.
pub async fn removed(folder: &Path) {
    let begun = Instant::now();
    while folder.exists() && begun.elapsed() < PATIENCE {
        let _not_empty_yet = std::fs::remove_dir_all(folder);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
