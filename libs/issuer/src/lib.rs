//! An issuer of tokens for development and tests, which looks from outside like Maskinporten.
//!
//! - A [`Key`] signs. `ryggrad up` keeps one in its state folder; tests make one.
//! - An [`Issuer`] is a key at an address: its tokens, and the two documents by which they are verified
//!   ([`Issuer::routes`]).
//! - A [`Grant`] is what a token says. [`party`] names a consumer as people do: `lottstift`, `kommune:4203`.
//!
//! Nothing here verifies anything: that is the chassis's, which trusts this issuer only when it is told to.
#![warn(missing_docs)]

mod grant;
mod issuer;
mod key;
mod party;

pub use grant::{DELEGATION_SOURCE, Grant};
pub use issuer::{Issuer, JWKS_PATH, METADATA_PATH};
pub use key::{Key, KeyError};
pub use party::{PartyUnknown, party, usual_scopes};
