//! Servers that a crashed run left behind, found through `/proc` by the folder they work in.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::{Error, Result};

/// How much of a program's name the kernel keeps.
const KEPT: usize = 15;

/// The processes of a program whose working folder is `folder`: all of PostgreSQL's work in their data folder, and so may a shell.
pub(crate) fn working_in(folder: &Path, program: &str) -> Vec<u32> {
    let Ok(folder) = folder.canonicalize() else {
        return Vec::new();
    };
    processes(program, |pid| {
        std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == folder)
    })
}

/// The processes of a program that have `argument` among their arguments.
pub(crate) fn started_with(argument: &Path, program: &str) -> Vec<u32> {
    let argument = argument.as_os_str().as_encoded_bytes();
    processes(program, |pid| {
        std::fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| line.split(|byte| *byte == 0).any(|word| word == argument))
    })
}

/// Sends a signal, by its name without `SIG`, to processes that may be gone already.
pub(crate) fn signal(name: &str, pids: &[u32]) {
    if pids.is_empty() {
        return;
    }
    let pids = pids.iter().map(u32::to_string);
    // A process that is gone is what was wanted: the answer does not matter.
    let _gone_already = Command::new("kill").arg("-s").arg(name).args(pids).output();
}

/// Waits until `find` finds nothing, asking politely with `polite` first and killing what is left after 10 seconds.
pub(crate) async fn dismiss(what: &'static str, polite: &str, find: impl Fn() -> Vec<u32>) -> Result<bool> {
    let begun = Instant::now();
    let mut asked = false;
    loop {
        let left = find();
        if left.is_empty() {
            return Ok(asked);
        }
        let patience = begun.elapsed();
        if !asked {
            signal(polite, &left);
            asked = true;
        } else if patience > Duration::from_secs(20) {
            return Err(Error::Command {
                command: format!("kill {left:?}"),
                output: format!("{what} of an earlier run does not stop"),
            });
        } else if patience > Duration::from_secs(10) {
            signal("KILL", &left);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn processes(program: &str, wanted: impl Fn(u32) -> bool) -> Vec<u32> {
    let kept = &program.as_bytes()[..program.len().min(KEPT)];
    let is_it = |pid: u32| std::fs::read(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim_ascii_end() == kept);
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| *pid != std::process::id() && is_it(*pid) && wanted(*pid))
        .collect()
}
