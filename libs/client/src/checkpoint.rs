//! Where a consumer remembers how far it has come.

use std::future::Future;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::Error;

/// How far a consumer has come in which log.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cursor {
    /// Epoch of the log; empty when not known yet.
    pub epoch: String,
    /// Everything up to this position has been dealt with.
    pub position: u64,
}

/// Remembers a cursor. A consumer whose effects are in a database does better to store the cursor there, in the same
/// transaction as the effect: then each event has its effect exactly once.
pub trait Checkpoint: Send + Sync {
    /// The cursor that was stored last; `None` before the first time.
    fn load(&self) -> impl Future<Output = Result<Option<Cursor>, Error>> + Send;

    /// Stores a cursor in place of the one before, whole or not at all.
    fn store(&self, cursor: &Cursor) -> impl Future<Output = Result<(), Error>> + Send;
}

/// A cursor in a file of JSON.
#[derive(Debug, Clone)]
pub struct FileCheckpoint {
    path: PathBuf,
}

/// A cursor that is forgotten when the process ends.
#[derive(Debug, Default)]
pub struct MemoryCheckpoint(Mutex<Option<Cursor>>);

// === impl FileCheckpoint ===

impl FileCheckpoint {
    /// A checkpoint in this file, which need not be there yet; its folder must.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn failed(&self) -> impl FnOnce(io::Error) -> Error {
        let path = self.path.display().to_string();
        |source| Error::Checkpoint { path, source }
    }
}

impl Checkpoint for FileCheckpoint {
    async fn load(&self) -> Result<Option<Cursor>, Error> {
        let text = match tokio::fs::read(&self.path).await {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed()(error)),
        };
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| self.failed()(error.into()))
    }

    async fn store(&self, cursor: &Cursor) -> Result<(), Error> {
        let path = self.path.clone();
        let text = serde_json::to_vec(cursor).map_err(|error| self.failed()(error.into()))?;
        let written = tokio::task::spawn_blocking(move || replace(&path, &text)).await;
        written
            .map_err(io::Error::other)
            .and_then(|result| result)
            .map_err(self.failed())
    }
}

/// Writes a file beside the old one and moves it into its place: a crash leaves the one or the other.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(text)?;
    file.sync_data()?;
    std::fs::rename(&beside, path)
}

// === impl MemoryCheckpoint ===

impl Checkpoint for MemoryCheckpoint {
    async fn load(&self) -> Result<Option<Cursor>, Error> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn store(&self, cursor: &Cursor) -> Result<(), Error> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cursor.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_gives_back_what_was_stored_last() {
        let folder = tempfile::tempdir().unwrap();
        let checkpoint = FileCheckpoint::new(folder.path().join("cursor.json"));
        assert_eq!(checkpoint.load().await.unwrap(), None);
        for position in [1, 2] {
            checkpoint
                .store(&Cursor {
                    epoch: "e".into(),
                    position,
                })
                .await
                .unwrap();
        }
        assert_eq!(
            checkpoint.load().await.unwrap(),
            Some(Cursor {
                epoch: "e".into(),
                position: 2
            })
        );
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing is left beside it"
        );
    }

    #[tokio::test]
    async fn a_file_that_is_no_cursor_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cursor.json");
        std::fs::write(&path, "{").unwrap();
        let error = FileCheckpoint::new(&path).load().await.unwrap_err();
        assert!(error.to_string().contains("cursor.json"), "{error}");
    }
}
