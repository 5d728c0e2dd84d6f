//! Whether an endpoint wants to be called: the validation handshake of CloudEvents webhooks.
//!
//! `OPTIONS` with `WebHook-Request-Origin` (and `-Callback`, `-Rate`) is answered with `WebHook-Allowed-Origin` (and
//! `-Rate`), or later at the callback address. Nothing else is sent to an address before: we are nobody's tool for
//! flooding somebody else.

use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use ryggrad_eventlog::clock::wall;

use super::client::{Answer, text};
use super::endpoint::Endpoint;
use super::store::Permission;
use super::worker::Shared;

const ORIGIN: HeaderName = HeaderName::from_static("webhook-request-origin");
const CALLBACK: HeaderName = HeaderName::from_static("webhook-request-callback");
const RATE: HeaderName = HeaderName::from_static("webhook-request-rate");
const ALLOWED_ORIGIN: &str = "webhook-allowed-origin";
const ALLOWED_RATE: &str = "webhook-allowed-rate";
/// How long permission can be given afterwards.
const GRACE: SignedDuration = SignedDuration::from_hours(24);

/// Asks an endpoint, and keeps what it said.
pub(crate) async fn ask(shared: &Shared, endpoint: &Endpoint) -> Result<(), sqlx::Error> {
    let store = &shared.store;
    let headers = request(shared, endpoint).await?;
    let answer = shared
        .client
        .send(Method::OPTIONS, &endpoint.url, headers, bytes::Bytes::new())
        .await;
    let said = match answer {
        Ok(answer) => permission(&answer, &shared.options.origin, wall()),
        Err(error) => Err(error.to_string()),
    };
    match said {
        Ok(permission) => {
            store.permitted(endpoint.id, &endpoint.url, permission).await?;
        }
        Err(reason) => {
            let reason = format!("the handshake failed: {reason}");
            store.not_permitted(endpoint.id, &endpoint.url, &reason).await?;
        }
    }
    Ok(())
}

/// What is kept of the secret in a granting address.
pub(crate) fn hash(token: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, token.as_bytes()).as_ref().to_vec()
}

async fn request(shared: &Shared, endpoint: &Endpoint) -> Result<HeaderMap, sqlx::Error> {
    let mut headers = HeaderMap::new();
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(ORIGIN, &shared.options.origin);
    if endpoint.rate_per_second > 0 {
        set(RATE, &(u64::from(endpoint.rate_per_second) * 60).to_string());
    }
    let mut secret = [0; 32];
    if let Some(url) = &shared.options.public_url
        && rand::fill(&mut secret).is_ok()
    {
        let token = BASE64.encode(secret);
        let until = wall().saturating_add(GRACE).unwrap_or(Timestamp::MAX);
        if shared.store.expect_grant(endpoint, &hash(&token), until).await? {
            set(
                CALLBACK,
                &format!("{}/v1/webhooks:grant?token={token}", url.trim_end_matches('/')),
            );
        }
    }
    Ok(headers)
}

/// What an answer permits, or why it does not.
fn permission(answer: &Answer, origin: &str, at: Timestamp) -> Result<Permission, String> {
    let header = |name: &str| {
        answer
            .headers
            .get(name)
            .map(|value| text(value.as_bytes()).trim().to_owned())
    };
    if !(200..=299).contains(&answer.status) {
        return Err(format!("OPTIONS was answered {}", answer.status));
    }
    match header(ALLOWED_ORIGIN) {
        Some(allowed) if allowed == "*" || allowed.eq_ignore_ascii_case(origin) => {}
        Some(allowed) => return Err(format!("WebHook-Allowed-Origin is {allowed}, not {origin} or *")),
        None => return Err("the answer has no WebHook-Allowed-Origin".to_owned()),
    }
    let per_minute = match header(ALLOWED_RATE).as_deref() {
        None | Some("*") => None,
        Some(rate) => match rate.parse() {
            Ok(0) | Err(_) => {
                return Err(format!(
                    "WebHook-Allowed-Rate is {rate}, not a number of requests a minute or *"
                ));
            }
            Ok(rate) => Some(rate),
        },
    };
    Ok(Permission { per_minute, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, headers: &[(&'static str, &'static str)]) -> Result<Option<u32>, String> {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let answer = Answer {
            status,
            headers: headers.collect(),
            beginning: String::new(),
            took: std::time::Duration::ZERO,
        };
        permission(&answer, "ryggrad.no", Timestamp::UNIX_EPOCH).map(|permission| permission.per_minute)
    }

    #[test]
    fn permission_is_for_us_or_for_everybody() {
        assert_eq!(answered(200, &[(ALLOWED_ORIGIN, "ryggrad.no")]), Ok(None));
        assert_eq!(
            answered(204, &[(ALLOWED_ORIGIN, "*"), (ALLOWED_RATE, "120")]),
            Ok(Some(120))
        );
        assert_eq!(
            answered(200, &[(ALLOWED_ORIGIN, "Ryggrad.no"), (ALLOWED_RATE, "*")]),
            Ok(None)
        );
    }

    #[test]
    fn everything_else_is_no_permission() {
        assert!(answered(200, &[]).unwrap_err().contains("no WebHook-Allowed-Origin"));
        assert!(
            answered(200, &[(ALLOWED_ORIGIN, "other.example")])
                .unwrap_err()
                .contains("other.example")
        );
        assert!(answered(405, &[(ALLOWED_ORIGIN, "*")]).unwrap_err().contains("405"));
        assert!(answered(301, &[(ALLOWED_ORIGIN, "*")]).is_err());
        for rate in ["0", "many", "-1"] {
            assert!(
                answered(200, &[(ALLOWED_ORIGIN, "*"), (ALLOWED_RATE, rate)]).is_err(),
                "{rate}"
            );
        }
    }
}
