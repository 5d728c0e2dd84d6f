//! The issuer's keys, fetched: bounded in size and time, never elsewhere than where the issuer says.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde::Deserialize;

use super::jwk::KeySet;
use super::settings::{Settings, SettingsError, address, is_here};

/// Time that one document gets.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most bytes of one document.
const LIMIT: usize = 256 * 1024;

/// Where keys come from.
#[derive(Debug)]
pub(super) struct Source {
    client: Client,
    issuer: String,
    metadata: Url,
    given: Option<Url>,
    /// What the metadata said last.
    found: Mutex<Option<Url>>,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("{0} does not answer: {1:#}")]
    Request(Url, String),
    #[error("{0} answers {1}")]
    Status(Url, u16),
    #[error("{0} answers more than is sensible")]
    TooLarge(Url),
    #[error("{0}: {1}")]
    Content(Url, String),
}

// === impl Source ===

impl Source {
    pub(super) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let issuer = address(&settings.issuer)?;
        let given = settings.jwks_url.as_deref().map(address).transpose()?;
        let mut client = Client::builder()
            .user_agent("ryggrad")
            .timeout(PATIENCE)
            .connect_timeout(PATIENCE / 2)
            .redirect(Policy::none());
        if is_here(given.as_ref().unwrap_or(&issuer)) {
            client = client.no_proxy();
        }
        let client = client
            .build()
            .map_err(|error| SettingsError::Client(error.to_string()))?;
        Ok(Self {
            client,
            issuer: settings.issuer.clone(),
            metadata: metadata_of(&issuer),
            given,
            found: Mutex::new(None),
        })
    }

    /// The keys as they are now.
    pub(super) async fn keys(&self) -> Result<KeySet, FetchError> {
        let place = self.place().await?;
        let fetched = self
            .get(&place)
            .await
            .and_then(|bytes| KeySet::read(&bytes).map_err(|why| FetchError::Content(place.clone(), why.to_owned())));
        if fetched.is_err() {
            // They may have moved: the metadata is asked again next time.
            *self.found.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        fetched
    }

    async fn place(&self) -> Result<Url, FetchError> {
        let known = || self.found.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(place) = self.given.clone().or_else(known) {
            return Ok(place);
        }
        let wrong = |why: String| FetchError::Content(self.metadata.clone(), why);
        let bytes = self.get(&self.metadata).await?;
        let metadata: Metadata = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if metadata.issuer != self.issuer {
            return Err(wrong(format!("it is the metadata of {:?}", metadata.issuer)));
        }
        let place = address(&metadata.jwks_uri).map_err(|error| wrong(error.to_string()))?;
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(place.clone());
        Ok(place)
    }

    async fn get(&self, url: &Url) -> Result<Vec<u8>, FetchError> {
        let failed = |error: reqwest::Error| FetchError::Request(url.clone(), error.without_url().to_string());
        let mut response = self.client.get(url.clone()).send().await.map_err(failed)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Status(url.clone(), response.status().as_u16()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if bytes.len() + chunk.len() > LIMIT {
                return Err(FetchError::TooLarge(url.clone()));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

/// Where an issuer's metadata are: between its host and its path (RFC 8414, 3.1).
fn metadata_of(issuer: &Url) -> Url {
    let mut url = issuer.clone();
    let path = format!(
        "/.well-known/oauth-authorization-server{}",
        issuer.path().trim_end_matches('/')
    );
    url.set_path(&path);
    url.set_query(None);
    url.set_fragment(None);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_are_between_host_and_path() {
        for (issuer, metadata) in [
            (
                "https://maskinporten.no/",
                "https://maskinporten.no/.well-known/oauth-authorization-server",
            ),
            (
                "https://a.example/b/",
                "https://a.example/.well-known/oauth-authorization-server/b",
            ),
        ] {
            assert_eq!(metadata_of(&issuer.parse().unwrap()).as_str(), metadata);
        }
    }
}
