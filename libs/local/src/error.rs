//! What can go wrong on the way to two running servers, said so that the reader knows what to do next.

use std::path::{Path, PathBuf};

/// Why a server could not be found, fetched, started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program is neither installed nor to be fetched.
    #[error("{program} was not found; looked in: {}; {advice}", looked.join("; "))]
    Missing {
        /// The program, with the version that is needed.
        program: &'static str,
        /// Every place that was looked in, and what was there.
        looked: Vec<String>,
        /// What the user can do.
        advice: String,
    },
    /// Another process uses the state folder.
    #[error("{} is in use by another process; stop that one, or give this one a folder of its own with --state", .0.display())]
    Busy(PathBuf),
    /// The data folder was written by a version of PostgreSQL that is not here.
    #[error("{} holds data of PostgreSQL {found}, and only {} is here; install that version, or use another state folder", folder.display(), here.join(", "))]
    WrongVersion {
        /// The data folder.
        folder: PathBuf,
        /// The major version that wrote it.
        found: u32,
        /// The major versions that were found.
        here: Vec<String>,
    },
    /// The data folder is older than the secrets beside it, which were removed.
    #[error("the password of the data in {} is gone from secrets/; put it back, or remove that folder to begin anew", .0.display())]
    NoPassword(PathBuf),
    /// What was fetched is not what was expected.
    #[error("{what} is not the package that this program was made for: its SHA-512 is {found}")]
    Altered {
        /// The package.
        what: String,
        /// The sum of what came, in hexadecimal digits.
        found: String,
    },
    /// A server stopped, or never came up.
    #[error("{program} {what}; the end of {}:\n{tail}", log.display())]
    Server {
        /// Which server.
        program: &'static str,
        /// What happened to it.
        what: String,
        /// Its log file.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// A command that was run for its effect failed.
    #[error("`{command}` failed: {output}")]
    Command {
        /// The command line.
        command: String,
        /// What it wrote, or why it could not be run.
        output: String,
    },
    /// A file, folder, process or port could not be had.
    #[error("could not {what}")]
    Io {
        /// What was tried, with the path.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database refused a statement.
    #[error("could not {what}")]
    Sql {
        /// What was tried.
        what: String,
        /// What the database said.
        source: sqlx::Error,
    },
}

// === impl Error ===

impl Error {
    /// Turns an I/O error into one that says what was tried.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// As [`Error::io`], for the common case of one verb and one path.
    pub(crate) fn at(verb: &str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        Self::io(format!("{verb} {}", path.display()))
    }

    /// Turns a database error into one that says what was tried.
    pub(crate) fn sql(what: impl Into<String>) -> impl FnOnce(sqlx::Error) -> Self {
        let what = what.into();
        move |source| Self::Sql { what, source }
    }

    /// A server that stopped or hangs, with the end of its log.
    pub(crate) fn server(program: &'static str, what: impl Into<String>, log: &Path) -> Self {
        Self::Server {
            program,
            what: what.into(),
            log: log.to_path_buf(),
            tail: tail(log),
        }
    }
}

/// The last lines of a log file, or nothing when there are none.
fn tail(log: &Path) -> String {
    const LINES: usize = 12;
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
