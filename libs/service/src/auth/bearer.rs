//! The `authorization` of a request.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use ryggrad_access::Caller;

use super::{Refused, Verifier};
use crate::ApiError;

/// Who sends a request with these headers: anybody without a token, and nobody with a bad one, even where anybody would do.
///
/// # Errors
/// When there is a token and it proves nobody.
pub(crate) async fn caller(verifier: Option<&Verifier>, headers: &HeaderMap) -> Result<Caller, ApiError> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let value = match (all.next(), all.next()) {
        (None, _) => return Ok(Caller::ANYBODY),
        (Some(value), None) => value,
        (Some(_), Some(_)) => return Err(ApiError::token_invalid()),
    };
    let token = value
        .to_str()
        .ok()
        .and_then(bearer)
        .ok_or_else(ApiError::token_invalid)?;
    let verifier = verifier.ok_or_else(ApiError::token_invalid)?;
    verifier.verify(token).await.map_err(|refused| match refused {
        Refused::Invalid(_) => ApiError::token_invalid(),
        Refused::NoKeys => ApiError::Unavailable {
            what: "the issuer of tokens cannot be reached".to_owned(),
            retry_after: std::time::Duration::from_secs(30),
        },
    })
}

/// The token behind the scheme `Bearer`, whatever its case.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_is_bearer_in_any_case() {
        assert_eq!(bearer("bEaReR  abc"), Some("abc"));
        for bad in ["", "Bearer", "Bearer ", "Basic abc", "abc", "Bearerabc", " Bearer abc"] {
            assert_eq!(bearer(bad), None, "{bad:?}");
        }
    }
}
