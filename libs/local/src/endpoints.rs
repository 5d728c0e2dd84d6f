//! `endpoints.json`: where everything of a running backbone is, for tools.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::state::write_private;
use crate::{Error, Result, StateFolder};

const FILE: &str = "endpoints.json";

/// The addresses of one running backbone. The URLs hold passwords: the file is for its owner only (mode 0600).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// gRPC and REST, `http://127.0.0.1:8080`.
    pub http: String,
    /// The database as its owner, `postgres://…`.
    pub postgres: String,
    /// The stream as its operator, `nats://…`.
    pub nats: String,
    /// Anything else worth naming (`postgres_relay`, `metrics`, …).
    #[serde(flatten)]
    pub others: BTreeMap<String, String>,
}

// === impl Endpoints ===

impl Endpoints {
    /// Writes `endpoints.json` into the state folder, whole or not at all.
    pub fn write(&self, state: &StateFolder) -> Result<()> {
        let text =
            serde_json::to_string_pretty(self).map_err(|error| Error::io("write endpoints.json")(error.into()))?;
        write_private(&state.path().join(FILE), &(text + "\n"))
    }

    /// Reads the file of the state folder at `path`, which may be in use by another process (that is what it is for).
    pub fn read(path: &Path) -> Result<Self> {
        let file = path.join(FILE);
        let text = std::fs::read_to_string(&file).map_err(Error::at("read", &file))?;
        serde_json::from_str(&text).map_err(|error| Error::at("understand", &file)(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_was_written() {
        let state = StateFolder::temporary().unwrap();
        let endpoints = Endpoints {
            http: "http://127.0.0.1:8080".into(),
            postgres: "postgres://ryggrad@127.0.0.1:1/ryggrad".into(),
            nats: "nats://127.0.0.1:2".into(),
            others: BTreeMap::from([("metrics".into(), "http://127.0.0.1:8080/metrics".into())]),
        };
        endpoints.write(&state).unwrap();
        assert_eq!(Endpoints::read(state.path()).unwrap(), endpoints);
    }
}
