//! A token before its signature is looked at: its size, its three parts, and what its header asks for.

use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde_json::Value;

use super::strict::Strict;

/// Most bytes of a token. One of Maskinporten's has about 1,000.
pub(super) const LIMIT: usize = 16 * 1024;

/// Members of a header that say how the token should be verified, which is ours to know, or that it is something else.
const REFUSED: [&str; 8] = ["jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc"];

/// What the header of a token asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) kid: String,
}

#[derive(Deserialize)]
struct Members {
    alg: String,
    kid: String,
    typ: Option<String>,
}

// === impl Header ===

impl Header {
    /// Reads the header of a token, whose signature then has to be verified.
    ///
    /// # Errors
    /// Which rule it breaks, for our own log.
    pub(super) fn of(token: &str) -> Result<Self, &'static str> {
        if token.len() > LIMIT {
            return Err("the token is too large");
        }
        let mut parts = token.split('.');
        let (Some(header), Some(_), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err("the token has not three parts");
        };
        let bytes = base64(header).ok_or("the header is not base64url")?;
        Self::read(&bytes)
    }

    fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        let Strict(value) =
            serde_json::from_slice(bytes).map_err(|_| "the header is not JSON, or says something twice")?;
        if REFUSED.iter().any(|name| value.get(name).is_some()) {
            return Err("the header brings its own key, or wants what is not supported");
        }
        if value.get("typ").is_some_and(Value::is_null) {
            return Err("the header's typ is empty");
        }
        let Members { alg, kid, typ } =
            serde_json::from_value(value).map_err(|_| "the header lacks alg or kid, or they are not texts")?;
        let algorithm = match alg.as_str() {
            "RS256" => Algorithm::RS256,
            "RS384" => Algorithm::RS384,
            "RS512" => Algorithm::RS512,
            _ => return Err("the algorithm is none of RS256, RS384, RS512"),
        };
        // RFC 8725, 3.11: an access token is not taken for another kind of token, nor the other way round.
        let known = |typ: &str| {
            ["JWT", "at+jwt", "application/at+jwt"]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(typ))
        };
        if typ.is_some_and(|typ| !known(&typ)) {
            return Err("the token is of another kind");
        }
        Ok(Self { algorithm, kid })
    }
}

/// The bytes behind base64url without padding.
fn base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_three_algorithms_are_read() {
        for (text, algorithm) in [
            (r#"{"alg":"RS256","kid":"a"}"#, Algorithm::RS256),
            (r#"{"alg":"RS384","kid":"a","typ":"jwt"}"#, Algorithm::RS384),
            (
                r#"{"alg":"RS512","kid":"a","typ":"at+jwt","x5t":"ignored"}"#,
                Algorithm::RS512,
            ),
        ] {
            let kid = "a".to_owned();
            assert_eq!(Header::read(text.as_bytes()), Ok(Header { algorithm, kid }), "{text}");
        }
        for alg in [
            "none", "None", "HS256", "PS256", "ES256", "EdDSA", "rs256", "RS256 ", "",
        ] {
            assert!(
                Header::read(format!(r#"{{"alg":"{alg}","kid":"a"}}"#).as_bytes()).is_err(),
                "{alg}"
            );
        }
    }
}
