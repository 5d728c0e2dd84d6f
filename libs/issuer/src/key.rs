//! The key that tokens are signed with.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaEncoding};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// An RSA key of 2048 bits.
pub struct Key {
    pair: KeyPair,
    id: String,
}

/// A key that cannot be made, read or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The machine gives no randomness.
    #[error("no key could be made")]
    Made,
    /// The text is not a key.
    #[error("this is not an RSA key in PKCS#8, as PEM")]
    Read,
    /// The algorithm is none of RS256, RS384, RS512, or the key refuses.
    #[error("nothing could be signed")]
    Sign,
}

// === impl Key ===

impl Key {
    /// Makes a new key. Takes a tenth of a second or several.
    ///
    /// # Errors
    /// When the machine gives no randomness.
    pub fn make() -> Result<Self, KeyError> {
        KeyPair::generate(KeySize::Rsa2048)
            .map(Self::of)
            .map_err(|_| KeyError::Made)
    }

    /// Reads a key that [`to_pem`](Self::to_pem) has written.
    ///
    /// # Errors
    /// When the text is something else.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let body = text.trim().strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END));
        let body: String = body.ok_or(KeyError::Read)?.split_ascii_whitespace().collect();
        let der = STANDARD.decode(body).map_err(|_| KeyError::Read)?;
        KeyPair::from_pkcs8(&der).map(Self::of).map_err(|_| KeyError::Read)
    }

    /// The private key as text (PKCS#8, PEM). It is a secret.
    ///
    /// # Errors
    /// When the key cannot be written, which does not happen to keys made or read here.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&self.pair).map_err(|_| KeyError::Read)?;
        let body = STANDARD.encode(der.as_ref());
        let mut text = format!("{BEGIN}\n");
        for line in body.as_bytes().chunks(64) {
            text.push_str(std::str::from_utf8(line).map_err(|_| KeyError::Read)?);
            text.push('\n');
        }
        text.push_str(END);
        text.push('\n');
        Ok(text)
    }

    fn of(pair: KeyPair) -> Self {
        let (n, e) = public(&pair);
        // RFC 7638: the members in alphabetical order, without spaces.
        let canonical = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
        let id = URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()));
        Self { pair, id }
    }

    /// The id under which verifiers know it: its thumbprint (RFC 7638).
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The public half as a JSON Web Key.
    pub fn jwk(&self) -> Value {
        let (n, e) = public(&self.pair);
        json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id, "n": n, "e": e })
    }

    /// Signs a header and a payload as they are, sensible or not, and gives the compact form.
    ///
    /// # Errors
    /// When the algorithm is none of `RS256`, `RS384`, `RS512`.
    pub fn sign(&self, algorithm: &str, header: &str, payload: &[u8]) -> Result<String, KeyError> {
        let encoding: &'static dyn RsaEncoding = match algorithm {
            "RS256" => &RSA_PKCS1_SHA256,
            "RS384" => &RSA_PKCS1_SHA384,
            "RS512" => &RSA_PKCS1_SHA512,
            _ => return Err(KeyError::Sign),
        };
        let mut token = URL_SAFE_NO_PAD.encode(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(encoding, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .map_err(|_| KeyError::Sign)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Modulus and exponent, as a JSON Web Key has them.
fn public(pair: &KeyPair) -> (String, String) {
    let key = pair.public_key();
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    (
        number(key.modulus().big_endian_without_leading_zero()),
        number(key.exponent().big_endian_without_leading_zero()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_being_written_and_is_not_told_when_printed() {
        let key = Key::make().unwrap();
        let text = key.to_pem().unwrap();
        let read = Key::from_pem(&text).unwrap();
        assert_eq!((read.id(), read.jwk()), (key.id(), key.jwk()));
        assert!(!format!("{key:?}").contains(&text[40..60]));
        assert_eq!(Key::from_pem("nonsense").unwrap_err(), KeyError::Read);
    }
}
