//! The signals that ask a process to end, and what an interruption leaves to be cleared up.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long servers that were told to stop may go on writing.
const PATIENCE: Duration = Duration::from_secs(10);

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
