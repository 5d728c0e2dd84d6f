//! A secret and what is signed with it, as Standard Webhooks has it (HMAC-SHA256, `v1`).

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

const PREFIX: &str = "whsec_";
/// Bytes of a secret that is made here.
const LENGTH: usize = 32;
/// Fewest and most bytes that the specification allows.
const BOUNDS: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret that receiver and sender share. Printed, it is told.
#[derive(Clone)]
pub(super) struct Secret {
    bytes: Vec<u8>,
    key: hmac::Key,
}

// === impl Secret ===

impl Secret {
    /// A new one.
    pub(super) fn make() -> anyhow::Result<Self> {
        let mut bytes = vec![0; LENGTH];
        rand::fill(&mut bytes).map_err(|_| anyhow::anyhow!("the machine gives no randomness"))?;
        Ok(Self::of(bytes))
    }

    fn of(bytes: Vec<u8>) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &bytes),
            bytes,
        }
    }

    /// The value of `webhook-signature`.
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let signed = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
        format!("v1,{}", BASE64_STANDARD.encode(hmac::sign(&self.key, &signed)))
    }
}

impl FromStr for Secret {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bytes = text
            .strip_prefix(PREFIX)
            .and_then(|body| BASE64_STANDARD.decode(body).ok());
        bytes
            .filter(|bytes| BOUNDS.contains(&bytes.len()))
            .map(Self::of)
            .ok_or_else(|| format!("a secret is {PREFIX} and the base64 of 24 to 64 bytes"))
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", BASE64_STANDARD.encode(&self.bytes))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_comes_out_the_same() {
        let secret: Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        let signed = secret.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_is_told_as_it_is_given_and_never_by_accident() {
        let made = Secret::make().unwrap();
        let told: Secret = made.to_string().parse().unwrap();
        assert_eq!(told.sign("id", 1, b""), made.sign("id", 1, b""));
        assert!(!format!("{made:?}").contains("whsec_"));
        for wrong in ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert!(wrong.parse::<Secret>().is_err(), "{wrong:?}");
        }
    }
}
