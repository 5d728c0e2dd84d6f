//! The issuer's public keys, each good for what it says only.

use std::collections::HashMap;

use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use serde_json::Value;

/// Most keys that are kept. Maskinporten has two or three.
const MOST_KEYS: usize = 64;
/// Fewest bits of a modulus.
const FEWEST_BITS: usize = 2048;

/// The issuer's keys as they were last seen.
#[derive(Debug, Default)]
pub(super) struct KeySet {
    keys: HashMap<String, Key>,
}

/// A key, and the algorithm that it is for, when it says so.
#[derive(Debug)]
struct Key {
    decoding: DecodingKey,
    algorithm: Option<Algorithm>,
    seen: Value,
}

// === impl KeySet ===

impl KeySet {
    /// Reads a JWKS. Keys that are not for verifying RSA signatures are left out, and so is what cannot be read.
    ///
    /// # Errors
    /// When the document is no JWKS, or has too many keys.
    pub(super) fn read(document: &[u8]) -> Result<Self, &'static str> {
        let mut document: Value = serde_json::from_slice(document).map_err(|_| "not JSON")?;
        let Some(Value::Array(keys)) = document.get_mut("keys").map(Value::take) else {
            return Err("it has no list of keys");
        };
        if keys.len() > MOST_KEYS {
            return Err("it has too many keys");
        }
        let mut set = Self::default();
        for seen in keys {
            match Key::read(seen) {
                Ok((kid, key)) => _ = set.keys.entry(kid).or_insert(key),
                Err(why) => tracing::debug!(why, "a key of the issuer is left out"),
            }
        }
        Ok(set)
    }

    pub(super) fn has(&self, kid: &str) -> bool {
        self.keys.contains_key(kid)
    }

    /// The key by that id, when it is for the algorithm.
    pub(super) fn key(&self, kid: &str, algorithm: Algorithm) -> Option<&DecodingKey> {
        let key = self.keys.get(kid)?;
        let fits = key.algorithm.is_none_or(|own| own == algorithm);
        fits.then_some(&key.decoding)
    }

    /// Whether it has the very same keys.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let same = |(kid, key): (&String, &Key)| other.keys.get(kid).is_some_and(|theirs| theirs.seen == key.seen);
        self.keys.len() == other.keys.len() && self.keys.iter().all(same)
    }
}

// === impl Key ===

impl Key {
    fn read(seen: Value) -> Result<(String, Self), &'static str> {
        let jwk: Jwk = serde_json::from_value(seen.clone()).map_err(|_| "it cannot be read")?;
        if !matches!(jwk.algorithm, AlgorithmParameters::RSA(_)) {
            return Err("it is not an RSA key");
        }
        if jwk
            .common
            .public_key_use
            .as_ref()
            .is_some_and(|purpose| *purpose != PublicKeyUse::Signature)
        {
            return Err("it is not for signatures");
        }
        if jwk
            .common
            .key_operations
            .as_ref()
            .is_some_and(|can| !can.contains(&KeyOperations::Verify))
        {
            return Err("it is not for verifying");
        }
        let algorithm = match jwk.common.key_algorithm {
            None => None,
            Some(KeyAlgorithm::RS256) => Some(Algorithm::RS256),
            Some(KeyAlgorithm::RS384) => Some(Algorithm::RS384),
            Some(KeyAlgorithm::RS512) => Some(Algorithm::RS512),
            Some(_) => return Err("it is for another algorithm"),
        };
        let decoding = DecodingKey::from_jwk(&jwk).map_err(|_| "its numbers cannot be read")?;
        let bits = match decoding.kind() {
            DecodingKeyKind::RsaModulusExponent { n, .. } => n.iter().skip_while(|byte| **byte == 0).count() * 8,
            DecodingKeyKind::SecretOrDer(_) => 0,
        };
        if bits < FEWEST_BITS {
            return Err("it is too short");
        }
        let kid = jwk.common.key_id.filter(|kid| !kid.is_empty()).ok_or("it has no id")?;
        Ok((
            kid,
            Self {
                decoding,
                algorithm,
                seen,
            },
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn jwk(changes: &Value) -> Value {
        let mut jwk = json!({ "kty": "RSA", "kid": "a", "use": "sig", "e": "AQAB", "n": "u".repeat(341) + "A" });
        for (name, value) in changes.as_object().expect("an object") {
            jwk[name] = value.clone();
        }
        jwk
    }

    #[track_caller]
    fn read(keys: &[Value]) -> KeySet {
        KeySet::read(json!({ "keys": keys }).to_string().as_bytes()).expect("a JWKS")
    }

    #[test]
    fn a_key_is_good_for_what_it_says_only() {
        let all = read(&[jwk(&json!({}))]);
        assert!(all.key("a", Algorithm::RS256).is_some() && all.key("a", Algorithm::RS512).is_some());
        let one = read(&[jwk(&json!({ "alg": "RS512" }))]);
        assert!(one.key("a", Algorithm::RS256).is_none() && one.key("a", Algorithm::RS512).is_some());
        for unfit in [
            json!({ "use": "enc" }),
            json!({ "alg": "PS256" }),
            json!({ "alg": "RSA-OAEP" }),
            json!({ "key_ops": ["encrypt"] }),
            json!({ "n": "u".repeat(170) + "A" }),
            json!({ "kid": "" }),
            json!({ "kty": "oct", "k": "c2VjcmV0" }),
            json!({ "kty": "unheard-of" }),
        ] {
            let set = read(&[jwk(&unfit), jwk(&json!({ "kid": "b" }))]);
            assert!(!set.has("a") && set.has("b"), "{unfit}: it alone is left out");
        }
    }

    #[test]
    fn what_is_no_list_of_keys_is_refused() {
        let many = json!({ "keys": vec![jwk(&json!({})); MOST_KEYS + 1] }).to_string();
        for bad in ["", "[]", "{}", r#"{"keys":{}}"#, many.as_str()] {
            assert!(KeySet::read(bad.as_bytes()).is_err(), "{bad:.20}");
        }
    }

    #[test]
    fn the_first_of_two_keys_with_one_id_counts() {
        let set = read(&[jwk(&json!({ "alg": "RS256" })), jwk(&json!({ "alg": "RS512" }))]);
        assert!(set.key("a", Algorithm::RS256).is_some());
        assert!(set.is_same(&read(&[jwk(&json!({ "alg": "RS256" }))])));
        assert!(!set.is_same(&read(&[jwk(&json!({}))])));
    }
}
