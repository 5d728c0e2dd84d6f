//! The cache folder: each fetched package is made ready aside and appears with one rename, so two who fetch at once are safe.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use super::environment;
use crate::account::is_root;
use crate::{Error, Result};

/// The folder of a package in the cache, whether it is there or not.
pub(super) fn place(package: &str) -> Result<PathBuf> {
    Ok(folder()?.join(package))
}

/// Fills the folder of `package` with `make`, which gets an empty folder to work in, unless somebody did it just before.
pub(super) fn fill(package: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let folder = folder()?;
    std::fs::create_dir_all(&folder).map_err(Error::at("make the folder", &folder))?;
    let file = folder.join(format!("{package}.lock"));
    let lock = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&file)
        .map_err(Error::at("open", &file))?;
    lock.lock().map_err(Error::at("lock", &file))?;
    let filled = folder.join(package);
    if filled.exists() {
        return Ok(filled);
    }
    let aside = tempfile::Builder::new()
        .prefix(".making-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempdir_in(&folder)
        .map_err(Error::at("make a folder in", &folder))?;
    let unpacked = aside.path().join(package);
    std::fs::create_dir(&unpacked).map_err(Error::at("make the folder", &unpacked))?;
    make(&unpacked)?;
    std::fs::rename(&unpacked, &filled).map_err(Error::at("move a fetched package to", &filled))?;
    Ok(filled)
}

fn folder() -> Result<PathBuf> {
    if let Some(folder) = environment("RYGGRAD_CACHE") {
        return std::path::absolute(&folder).map_err(Error::at("find", Path::new(&folder)));
    }
    if is_root() {
        return Ok("/var/cache/ryggrad".into());
    }
    if let Some(folder) = environment("XDG_CACHE_HOME") {
        return Ok(Path::new(&folder).join("ryggrad"));
    }
    environment("HOME")
        .map(|home| Path::new(&home).join(".cache/ryggrad"))
        .ok_or_else(|| Error::Io {
            what: "find a cache folder: set RYGGRAD_CACHE, XDG_CACHE_HOME or HOME".into(),
            source: std::io::ErrorKind::NotFound.into(),
        })
}
