//! Keys at rest: sealed with a key that the database never sees.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use uuid::Uuid;

/// Fewest characters of a key in the configuration.
const LEAST: usize = 32;
/// Bytes of a nonce, before what is sealed.
const NONCE: usize = 12;

/// Seals and opens with the key of the configuration (AES-256-GCM, a random nonce for each).
pub struct Seal {
    key: RandomizedNonceKey,
    name: [u8; 8],
}

/// Why something is not sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key of the configuration is too short to be one.
    #[error("the webhook key has fewer than {LEAST} characters")]
    Short,
    /// It was sealed with another key.
    #[error("the keys of this endpoint were sealed with another RYGGRAD_WEBHOOK_KEY")]
    OtherKey,
    /// It was changed since, or belongs to something else.
    #[error("the sealed keys of this endpoint are damaged")]
    Damaged,
}

// === impl Seal ===

impl Seal {
    /// A seal from the key of the configuration: any text of at least 32 characters that nobody can guess.
    ///
    /// # Errors
    /// When it is shorter.
    pub fn new(text: &str) -> Result<Self, SealError> {
        if text.trim().len() < LEAST {
            return Err(SealError::Short);
        }
        let mut key = [0; 32];
        let secret = Salt::new(HKDF_SHA256, b"ryggrad webhooks").extract(text.trim().as_bytes());
        secret
            .expand(&[b"keys at rest"], HKDF_SHA256)
            .and_then(|expanded| expanded.fill(&mut key))
            .map_err(|_| SealError::Damaged)?;
        let mut name = [0; 8];
        name.copy_from_slice(&digest::digest(&digest::SHA256, &key).as_ref()[..8]);
        Ok(Self {
            key: RandomizedNonceKey::new(&AES_256_GCM, &key).map_err(|_| SealError::Damaged)?,
            name,
        })
    }

    /// Which key it is, without telling the key.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// Seals something that belongs to an endpoint.
    pub(crate) fn close(&self, endpoint: Uuid, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut sealed = plain.to_vec();
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(endpoint.as_bytes()), &mut sealed)
            .map_err(|_| SealError::Damaged)?;
        Ok([nonce.as_ref().as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for an endpoint, by the key of this name.
    pub(crate) fn open(&self, endpoint: Uuid, name: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        if name != self.name {
            return Err(SealError::OtherKey);
        }
        let (nonce, sealed) = sealed.split_at_checked(NONCE).ok_or(SealError::Damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Damaged)?;
        let mut opened = sealed.to_vec();
        let plain = self
            .key
            .open_in_place(nonce, Aad::from(endpoint.as_bytes()), &mut opened)
            .map_err(|_| SealError::Damaged)?;
        Ok(plain.to_vec())
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(text: &str) -> Seal {
        Seal::new(text).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_for_its_endpoint_and_key_only() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let (ours, other) = (seal(&"a".repeat(32)), seal(&"b".repeat(32)));
        let sealed = ours.close(one, b"secret").unwrap();
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        assert_ne!(sealed, ours.close(one, b"secret").unwrap(), "a nonce of its own");
        assert_eq!(ours.open(one, ours.name(), &sealed).unwrap(), b"secret");
        assert_eq!(ours.open(two, ours.name(), &sealed), Err(SealError::Damaged));
        assert_eq!(other.open(one, ours.name(), &sealed), Err(SealError::OtherKey));
        let mut changed = sealed;
        changed[20] ^= 1;
        assert_eq!(ours.open(one, ours.name(), &changed), Err(SealError::Damaged));
        assert_eq!(ours.open(one, ours.name(), &[1]), Err(SealError::Damaged));
    }

    #[test]
    fn a_short_key_is_none() {
        assert_eq!(Seal::new("secret").unwrap_err(), SealError::Short);
    }
}
