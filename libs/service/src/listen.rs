//! Binding a port, which is allowed on loopback only unless callers can prove who they are.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

/// Why a role does not listen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Others could reach the address.
    #[error(
        "refusing to listen on {0}: others could reach it and nobody could prove who they are; name the issuer of their tokens (--issuer), or take a loopback address (127.0.0.1, [::1])"
    )]
    NotLoopback(SocketAddr),
    /// The operating system says no.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Listens on a loopback address; port 0 takes a free one.
///
/// # Errors
/// When the address is not loopback, or is taken.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    if !address.ip().to_canonical().is_loopback() {
        return Err(Error::NotLoopback(address));
    }
    bind_anywhere(address).await
}

/// Listens on any address, for a server that verifies tokens; port 0 takes a free one.
///
/// # Errors
/// When the address is taken, or is not this machine's.
pub async fn bind_anywhere(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address)
        .await
        .map_err(|source| Error::Bind { address, source })
}
