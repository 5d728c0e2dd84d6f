//! Ports of 127.0.0.1: free ones, and those used the last time.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use crate::{Error, Result};

/// A port that nobody listens on now: `wanted`, else the one in `memory` from the last time, else any.
///
/// Nothing holds it until the server binds it: whoever starts the server tries again with another when it was lost.
pub(crate) fn choose(wanted: Option<u16>, memory: &Path) -> Result<u16> {
    if let Some(port) = wanted {
        return Ok(port);
    }
    match recall(memory) {
        Some(port) if is_free(port) => Ok(port),
        _ => any(),
    }
}

/// Remembers `port` for the next time.
pub(crate) fn remember(memory: &Path, port: u16) -> Result<()> {
    std::fs::write(memory, format!("{port}\n")).map_err(Error::at("write", memory))
}

/// Whether nobody listens on `port`.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A port that the system hands out as free.
pub(crate) fn any() -> Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(Error::io("find a free port on 127.0.0.1"))
}

fn recall(memory: &Path) -> Option<u16> {
    std::fs::read_to_string(memory).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_back_to_the_port_of_the_last_time_unless_it_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let memory = folder.path().join("port");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        remember(&memory, port).unwrap();
        assert_ne!(choose(None, &memory).unwrap(), port);
        drop(listener);
        assert_eq!(choose(None, &memory).unwrap(), port);
    }

    #[test]
    fn takes_the_port_it_was_given() {
        assert_eq!(choose(Some(4711), Path::new("/nowhere")).unwrap(), 4711);
    }
}
