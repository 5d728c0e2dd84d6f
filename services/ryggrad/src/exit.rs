//! How a command ends, as the number that a shell sees.

use std::process::ExitCode;

/// The end of a command that did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is well (0).
    Done,
    /// It looked for a difference and found one (1).
    Different,
}

/// There is nothing to talk to (3).
#[derive(Debug, thiserror::Error)]
#[error("no backbone is running at {place}; start one with `ryggrad up`, or name another with --state or --url")]
pub struct NotRunning {
    /// Where it was looked for.
    pub place: String,
}

/// The exit codes for the help of every command.
pub const CODES: &str = "\
Exit codes: 0 done, 1 failed or a difference was found, 2 wrong usage, 3 no backbone is running.
Told to end (Ctrl-C, SIGTERM), up, serve, tail and listen are done; import, bench and demo --private have failed. Told again, up and
serve end at once with 130.";

// === impl Exit ===

impl Exit {
    /// The code of a command's end; an error has been told by then.
    pub fn code(end: &anyhow::Result<Self>) -> ExitCode {
        ExitCode::from(match end {
            Ok(Self::Done) => 0,
            Err(error) if error.is::<NotRunning>() => 3,
            Ok(Self::Different) | Err(_) => 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_backbone_that_is_not_there_from_one_that_fails() {
        let gone = Err(anyhow::Error::from(NotRunning {
            place: ".ryggrad".into(),
        })
        .context("cannot advance the clock"));
        assert_eq!(format!("{:?}", Exit::code(&gone)), format!("{:?}", ExitCode::from(3)));
        let failed = Err(anyhow::anyhow!("disk full"));
        assert_eq!(format!("{:?}", Exit::code(&failed)), format!("{:?}", ExitCode::from(1)));
    }
}
