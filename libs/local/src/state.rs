//! The folder that one running backbone keeps everything in.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::{Rng, TryRngCore};
use tempfile::TempDir;

use crate::{Error, Result};

/// A state folder, locked for as long as a clone of this value lives.
///
/// It holds `postgres/`, `nats/`, `secrets/` (files of mode 0600), the servers' logs and `endpoints.json`.
#[derive(Debug, Clone)]
pub struct StateFolder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    _lock: File,
    _temporary: Option<TempDir>,
}

// === impl StateFolder ===

impl StateFolder {
    /// Opens the folder, making it when it is new, and locks it.
    ///
    /// # Errors
    /// [`Error::Busy`] while another process, or another value in this one, has it open.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        std::fs::create_dir_all(path).map_err(Error::at("make the folder", path))?;
        Self::lock(path, None)
    }

    /// Makes a folder for one test under the system's temporary folder; it is removed with the last clone.
    pub fn temporary() -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("ryggrad-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .tempdir()
            .map_err(Error::io("make a temporary folder"))?;
        let path = folder.path().to_path_buf();
        Self::lock(&path, Some(folder))
    }

    fn lock(path: &Path, temporary: Option<TempDir>) -> Result<Self> {
        let path = path.canonicalize().map_err(Error::at("find", path))?;
        let file = path.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&file)
            .map_err(Error::at("open", &file))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self(Arc::new(Inner {
                path,
                _lock: lock,
                _temporary: temporary,
            }))),
            Err(TryLockError::WouldBlock) => Err(Error::Busy(path)),
            Err(TryLockError::Error(source)) => Err(Error::at("lock", &file)(source)),
        }
    }

    /// The folder, as an absolute path without symbolic links.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Whether there is a secret of this name already.
    pub(crate) fn has_secret(&self, name: &str) -> bool {
        self.path().join("secrets").join(name).is_file()
    }

    /// The secret of this name: 32 random hexadecimal digits, made the first time and kept in `secrets/<name>`.
    pub fn secret(&self, name: &str) -> Result<String> {
        self.secret_by(name, || {
            format!("{:032x}", rand::rngs::OsRng.unwrap_err().random::<u128>())
        })
    }

    /// The secret of this name, made by a function the first time and kept in `secrets/<name>`.
    pub fn secret_by(&self, name: &str, make: impl FnOnce() -> String) -> Result<String> {
        let folder = self.path().join("secrets");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(Error::at("make the folder", &folder))?;
        if let Some(secret) = Self::read_secret(self.path(), name)? {
            return Ok(secret);
        }
        let secret = make();
        write_private(&folder.join(name), &secret)?;
        Ok(secret)
    }

    /// The secret of this name in the state folder at `path`, which may be in use by another process; none when it was not
    /// made yet.
    pub fn read_secret(path: &Path, name: &str) -> Result<Option<String>> {
        let file = path.join("secrets").join(name);
        match std::fs::read_to_string(&file) {
            Ok(secret) if secret.trim().is_empty() => Ok(None),
            Ok(secret) => Ok(Some(secret.trim().to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::at("read", &file)(error)),
        }
    }
}

/// Writes a file that only its owner can read, whole or not at all.
pub(crate) fn write_private(file: &Path, text: &str) -> Result<()> {
    let new = file.with_extension("new");
    let written = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut opened| opened.write_all(text.as_bytes()).and_then(|()| opened.sync_all()));
    written.map_err(Error::at("write", &new))?;
    std::fs::rename(&new, file).map_err(Error::at("write", file))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn refuses_a_folder_that_is_in_use() {
        let first = StateFolder::temporary().unwrap();
        assert!(matches!(StateFolder::open(first.path()), Err(Error::Busy(path)) if path == first.path()));
    }

    #[test]
    fn opens_a_folder_again_once_it_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let clone = StateFolder::open(folder.path()).unwrap().clone();
        drop(clone);
        StateFolder::open(folder.path()).unwrap();
    }

    #[test]
    fn keeps_a_secret_to_the_owner_and_the_same() {
        let state = StateFolder::temporary().unwrap();
        let secret = state.secret("relay").unwrap();
        assert_eq!(secret.len(), 32);
        assert_eq!(state.secret("relay").unwrap(), secret);
        assert_ne!(state.secret("views").unwrap(), secret);
        let read = StateFolder::read_secret(state.path(), "relay").unwrap();
        assert_eq!(
            read.as_deref(),
            Some(secret.as_str()),
            "beside the process that has the folder"
        );
        assert_eq!(StateFolder::read_secret(state.path(), "unheard-of").unwrap(), None);
        let mode = state
            .path()
            .join("secrets/relay")
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
