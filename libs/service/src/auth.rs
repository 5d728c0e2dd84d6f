//! Who asks: from the bearer token of a request to the caller that everything behind it goes by.
//!
//! A [`Verifier`] trusts one issuer of tokens as Maskinporten issues them ([`Settings`]). The server asks it about each request
//! that has an `authorization`; whoever answers asks [`caller`].

use std::future::Future;

use ryggrad_access::Caller;

pub(crate) mod bearer;

mod claims;
mod fetch;
mod jwk;
mod keys;
mod settings;
mod strict;
mod token;
mod verifier;

pub use settings::{Settings, SettingsError};
pub use verifier::{Refused, Verifier};

tokio::task_local! {
    static CALLER: Caller;
}

/// Who sent the request that is being answered; anybody when it has no token, or when nothing is being answered.
///
/// An answer that goes on after its head, such as a subscription, asks once at the beginning and keeps what it learned.
pub fn caller() -> Caller {
    CALLER.try_with(Clone::clone).unwrap_or_default()
}

/// Runs a future as the answer to a caller.
pub async fn answering<F: Future>(caller: Caller, future: F) -> F::Output {
    CALLER.scope(caller, future).await
}
