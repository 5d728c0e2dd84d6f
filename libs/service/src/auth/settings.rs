//! Which tokens are accepted.

use std::time::Duration;

use reqwest::Url;
use ryggrad_access::Parties;

/// Most that clocks may differ.
const MOST_LEEWAY: Duration = Duration::from_secs(10);

/// Which tokens are accepted. Changed by its fields, and checked by [`Verifier::new`](super::Verifier::new).
#[derive(Debug, Clone)]
pub struct Settings {
    /// The issuer, exactly as it stands in `iss`. `https`, or `http` on this machine.
    pub issuer: String,
    /// Where its keys are; when it is not set the issuer's metadata says it (RFC 8414).
    pub jwks_url: Option<String>,
    /// The names under which tokens may be meant for us. A token for somebody else is refused.
    pub audiences: Vec<String>,
    /// Whether a token may also be meant for nobody in particular: it has no `aud`, or `unspecified`, which is what
    /// Maskinporten writes when the client asked for no resource.
    pub audience_optional: bool,
    /// Where delegations to suppliers may be kept (`delegation_source`). A token with a supplier and another source is
    /// refused; when there is none, every token with a supplier.
    pub delegation_sources: Vec<String>,
    /// Most that our clock and the issuer's may differ; 10 s at the most.
    pub leeway: Duration,
    /// Who is which stakeholder.
    pub parties: Parties,
}

/// Settings that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Not an address, or one that others could listen in on.
    #[error("{0:?} is neither an https address nor an http one on this machine")]
    Address(String),
    /// Nothing is said about the audience.
    #[error(
        "say for whom tokens have to be (--audience), or that they need not be for anybody in particular (--audience-optional)"
    )]
    NoAudience,
    /// Too tolerant.
    #[error("a leeway of {0:?} is more than 10 s")]
    Leeway(Duration),
    /// The machine has no trusted certificates, for example.
    #[error("nothing can be fetched from the issuer: {0}")]
    Client(String),
}

// === impl Settings ===

impl Settings {
    /// Tokens of an issuer, with a leeway of 10 s, and no audience yet.
    pub fn new(issuer: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            jwks_url: None,
            audiences: Vec::new(),
            audience_optional: false,
            delegation_sources: Vec::new(),
            leeway: MOST_LEEWAY,
            parties: Parties::default(),
        }
    }

    /// Tokens of a development issuer: for nobody in particular, with the made-up parties.
    pub fn development(issuer: impl Into<String>) -> Self {
        Self {
            audience_optional: true,
            delegation_sources: vec!["https://www.altinn.no".to_owned()],
            parties: Parties::development(),
            ..Self::new(issuer)
        }
    }

    pub(super) fn check(&self) -> Result<(), SettingsError> {
        for url in std::iter::once(&self.issuer).chain(&self.jwks_url) {
            address(url)?;
        }
        if self.audiences.is_empty() && !self.audience_optional {
            return Err(SettingsError::NoAudience);
        }
        if self.leeway > MOST_LEEWAY {
            return Err(SettingsError::Leeway(self.leeway));
        }
        Ok(())
    }
}

/// An address that keys may be fetched from: nobody between us can change what it says.
pub(super) fn address(text: &str) -> Result<Url, SettingsError> {
    let refused = || SettingsError::Address(text.to_owned());
    let url = Url::parse(text).map_err(|_| refused())?;
    let plain = url.scheme() == "http" && is_here(&url);
    (url.scheme() == "https" || plain).then_some(url).ok_or_else(refused)
}

/// Whether an address is on this machine.
pub(super) fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_could_change_is_no_address_of_keys() {
        for bad in [
            "",
            "maskinporten.no",
            "http://maskinporten.no/",
            "ftp://127.0.0.1/",
            "http://127.0.0.1.example/",
        ] {
            assert_eq!(address(bad), Err(SettingsError::Address(bad.to_owned())));
        }
        for good in [
            "https://maskinporten.no/",
            "http://127.0.0.1:8080/",
            "http://[::1]:1/",
            "http://localhost/",
        ] {
            assert!(address(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn the_audience_has_to_be_thought_of() {
        let mut settings = Settings::new("https://maskinporten.no/");
        assert_eq!(settings.check(), Err(SettingsError::NoAudience));
        settings.audiences.push("https://ryggrad.example".to_owned());
        assert_eq!(settings.check(), Ok(()));
        settings.leeway = Duration::from_secs(11);
        assert_eq!(settings.check(), Err(SettingsError::Leeway(Duration::from_secs(11))));
    }
}
