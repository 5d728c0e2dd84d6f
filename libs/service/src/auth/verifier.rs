//! From a token to the caller that it proves.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use jsonwebtoken::Validation;
use moka::sync::Cache;
use ryggrad_access::Caller;
use ryggrad_eventlog::clock::wall;

use super::claims::Claims;
use super::fetch::Source;
use super::jwk::KeySet;
use super::keys::Keys;
use super::settings::{Settings, SettingsError};
use super::strict::Strict;
use super::token::{Header, LIMIT};
use crate::metrics;

/// Most verified tokens that are remembered.
const REMEMBERED: u64 = 10_000;

/// Verifies tokens of one issuer. Cheap to clone; clones share keys and memory.
#[derive(Debug, Clone)]
pub struct Verifier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    keys: Arc<Keys>,
    /// Verified tokens by their SHA-256.
    proved: Cache<[u8; 32], Proved>,
}

/// A token that was verified, and with which keys.
#[derive(Debug, Clone)]
struct Proved {
    caller: Caller,
    keys: Arc<KeySet>,
}

/// A token that proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is not good. The reason is for our own log; a client is not told.
    #[error("{0}")]
    Invalid(&'static str),
    /// The issuer has not been reached yet, so nobody can say.
    #[error("the issuer's keys are not known yet")]
    NoKeys,
}

// === impl Verifier ===

impl Verifier {
    /// A verifier that knows no keys yet: they are fetched when the first token comes.
    ///
    /// # Errors
    /// When the settings cannot be used.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        let keys = Keys::new(Source::new(&settings)?);
        let proved = Cache::new(REMEMBERED);
        Ok(Self(Arc::new(Inner { settings, keys, proved })))
    }

    /// Fetches the issuer's keys in advance, if that is possible. For the start of a role; needs a tokio runtime.
    pub fn prepare(&self) {
        drop(self.0.keys.look());
    }

    /// Whether tokens can be verified: for a role's readiness. Asks the issuer if that has not been done.
    ///
    /// # Errors
    /// When the issuer has not answered yet.
    pub async fn ready(&self) -> Result<(), String> {
        if !self.0.keys.are_known()
            && let Some(looking) = self.0.keys.look()
        {
            looking.await;
        }
        if self.0.keys.are_known() {
            Ok(())
        } else {
            Err("the issuer of tokens has not answered yet".to_owned())
        }
    }

    /// The caller whom a token proves.
    ///
    /// # Errors
    /// When it proves nobody.
    pub async fn verify(&self, token: &str) -> Result<Caller, Refused> {
        let verified = self.0.verify(token).await;
        if let Err(why) = verified {
            ::metrics::counter!(metrics::TOKENS_REFUSED).increment(1);
            tracing::debug!(%why, "a token was refused");
        }
        verified
    }
}

// === impl Inner ===

impl Inner {
    async fn verify(&self, token: &str) -> Result<Caller, Refused> {
        if token.len() > LIMIT {
            return Err(Refused::Invalid("the token is too large"));
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        if let Some(caller) = self.remembered(&hash) {
            return Ok(caller);
        }
        let header = Header::of(token).map_err(Refused::Invalid)?;
        let keys = self.keys.with(&header.kid).await.ok_or(Refused::NoKeys)?;
        let caller = self.prove(token, &header, &keys).map_err(Refused::Invalid)?;
        let proved = Proved {
            caller: caller.clone(),
            keys,
        };
        self.proved.insert(hash, proved);
        Ok(caller)
    }

    /// Whom a token proved before, as long as it has not ended and the keys have not changed.
    fn remembered(&self, hash: &[u8; 32]) -> Option<Caller> {
        let Proved { caller, keys } = self.proved.get(hash)?;
        let good = caller.identity().is_some_and(|identity| wall() < identity.expires)
            && self.keys.current().is_some_and(|now| Arc::ptr_eq(&now, &keys));
        if !good {
            self.proved.invalidate(hash);
        }
        good.then_some(caller)
    }

    fn prove(&self, token: &str, header: &Header, keys: &KeySet) -> Result<Caller, &'static str> {
        let key = keys
            .key(&header.kid, header.algorithm)
            .ok_or("the key is unknown, or not for this algorithm")?;
        let mut validation = Validation::new(header.algorithm);
        validation.leeway = self.settings.leeway.as_secs();
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss"]);
        validation.set_issuer(&[&self.settings.issuer]);
        // Maskinporten's `unspecified` is a matter of ours: see `Claims`.
        validation.validate_aud = false;
        let decoded = jsonwebtoken::decode::<Strict>(token, key, &validation)
            .map_err(|_| "the signature does not fit, or a claim is not good")?;
        let identity = Claims::read(decoded.claims)?.identity(&self.settings, wall())?;
        Ok(Caller::proved(identity))
    }
}
