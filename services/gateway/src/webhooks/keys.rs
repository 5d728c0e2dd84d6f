//! What deliveries are signed with, as Standard Webhooks has it: HMAC-SHA256 (`v1`) and Ed25519 (`v1a`), always both.
//!
//! The crate `standardwebhooks` has no v1a and copies the body to sign it; both come from aws-lc-rs, which the workspace
//! has for TLS. Tests verify with `standardwebhooks` and ed25519-dalek.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::rand;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// Bytes of the secret of v1, and of the seed of v1a.
const LENGTH: usize = 32;

/// One generation of keys.
pub(crate) struct Keys {
    secret: [u8; LENGTH],
    seed: [u8; LENGTH],
    hmac: hmac::Key,
    ed25519: Ed25519KeyPair,
}

/// Bytes that are no keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these are no webhook keys")]
pub(crate) struct NoKeys;

// === impl Keys ===

impl Keys {
    /// New keys.
    pub(crate) fn generate() -> Result<Self, NoKeys> {
        let mut bytes = [0; 2 * LENGTH];
        rand::fill(&mut bytes)?;
        Self::read(&bytes)
    }

    /// The keys that [`bytes`](Self::bytes) gave.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, NoKeys> {
        let (secret, seed) = bytes.split_at_checked(LENGTH).ok_or(NoKeys)?;
        let (secret, seed): ([u8; LENGTH], [u8; LENGTH]) = (
            secret.try_into().map_err(|_| NoKeys)?,
            seed.try_into().map_err(|_| NoKeys)?,
        );
        Ok(Self {
            hmac: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            ed25519: Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| NoKeys)?,
            secret,
            seed,
        })
    }

    /// What has to be kept, sealed.
    pub(crate) fn bytes(&self) -> [u8; 2 * LENGTH] {
        let mut bytes = [0; 2 * LENGTH];
        bytes[..LENGTH].copy_from_slice(&self.secret);
        bytes[LENGTH..].copy_from_slice(&self.seed);
        bytes
    }

    /// The secret of v1 as its owner is shown it.
    pub(crate) fn secret(&self) -> String {
        format!("whsec_{}", BASE64.encode(self.secret))
    }

    /// The public key of v1a.
    pub(crate) fn public(&self) -> &[u8] {
        self.ed25519.public_key().as_ref()
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("public", &public(self.public()))
            .finish_non_exhaustive()
    }
}

impl From<Unspecified> for NoKeys {
    fn from(_: Unspecified) -> Self {
        Self
    }
}

/// A public key as everybody may see it.
pub(crate) fn public(key: &[u8]) -> String {
    format!("whpk_{}", BASE64.encode(key))
}

/// The value of `webhook-signature`: both signatures by each generation of keys, separated by spaces.
pub(crate) fn signature<'a>(keys: impl IntoIterator<Item = &'a Keys>, id: &str, timestamp: i64, body: &[u8]) -> String {
    let head = format!("{id}.{timestamp}.");
    let signed = [head.as_bytes(), body].concat();
    let mut signatures = Vec::with_capacity(4);
    for keys in keys {
        let tag = hmac::sign(&keys.hmac, &signed);
        signatures.push(format!("v1,{}", BASE64.encode(tag.as_ref())));
        signatures.push(format!("v1a,{}", BASE64.encode(keys.ed25519.sign(&signed).as_ref())));
    }
    signatures.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_standard_webhooks_comes_out_the_same() {
        let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
        let body = br#"{"email":"test@example.com","username":"test_user"}"#;
        let key = BASE64.decode(secret.trim_start_matches("whsec_")).unwrap();
        let mut keys = Keys::generate().unwrap();
        keys.hmac = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let signed = signature([&keys], "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553, body);
        assert!(
            signed.starts_with("v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw= v1a,"),
            "{signed}"
        );
    }

    #[test]
    fn kept_keys_sign_the_same() {
        let keys = Keys::generate().unwrap();
        let again = Keys::read(&keys.bytes()).unwrap();
        assert_eq!(signature([&keys], "id", 1, b"{}"), signature([&again], "id", 1, b"{}"));
        assert_eq!(Keys::read(&[0; 63]).unwrap_err(), NoKeys);
    }

    #[test]
    fn keys_are_not_shown_by_accident() {
        let keys = Keys::generate().unwrap();
        let shown = format!("{keys:?}");
        assert!(
            shown.contains("whpk_") && !shown.contains(keys.secret().trim_start_matches("whsec_")),
            "{shown}"
        );
    }
}
