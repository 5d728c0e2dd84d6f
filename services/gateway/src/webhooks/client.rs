//! The one way out: requests to addresses that were checked, over connections to nothing else.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Method, redirect};
use url::{Host, Url};

use super::address::{self, Refused};

/// Bytes of an answer's body that are kept.
const KEPT: usize = 1_024;
/// Bytes of an answer's body that are read before its connection is given up.
const READ: usize = 64 << 10;
/// Time to get a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Time that a connection is kept for the next delivery.
const IDLE: Duration = Duration::from_mins(1);

/// Sends requests. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// For https, to any address that may be called; or why there is none.
    tls: Result<reqwest::Client, Arc<str>>,
    /// For http, to loopback only.
    plain: reqwest::Client,
    allow_private: bool,
    patience: Duration,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    /// The beginning of the body, as text.
    pub(crate) beginning: String,
    pub(crate) took: Duration,
}

/// Why nothing came back, in words.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{why}")]
pub(crate) struct NoAnswer {
    pub(crate) why: String,
    pub(crate) took: Duration,
}

/// An address that cannot be an endpoint's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadUrl {
    #[error("{0}")]
    Syntax(#[from] url::ParseError),
    #[error("must be https")]
    NotHttps,
    #[error("must be https; http is for loopback addresses of a development stack only")]
    NotLoopback,
    #[error("must not have a user or password")]
    Credentials,
    #[error("must not have a fragment")]
    Fragment,
    #[error("must have a host")]
    NoHost,
    #[error("has more than {0} characters")]
    Long(usize),
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Most characters of an address.
const LONGEST: usize = 2_000;

// === impl Client ===

impl Client {
    /// A client that gives a request so much time, its answer's body included.
    ///
    /// # Errors
    /// When there is no client to be had, not even for http.
    pub(crate) fn new(allow_private: bool, patience: Duration) -> Result<Self, reqwest::Error> {
        let builder = |rule: Rule| {
            reqwest::Client::builder()
                .user_agent(concat!("ryggrad/", env!("CARGO_PKG_VERSION")))
                .dns_resolver(Arc::new(Resolver(rule)))
                // What an endpoint answers decides nothing about where we go.
                .redirect(redirect::Policy::none())
                .retry(reqwest::retry::never())
                .no_proxy()
                .referer(false)
                .connect_timeout(CONNECT.min(patience))
                .timeout(patience)
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(64)
                .http1_only()
        };
        let tls = builder(Rule::Public { allow_private }).https_only(true).build();
        let tls = tls.map_err(|error| {
            let why = deepest(&error);
            // A machine without certificates is no reason not to start: only webhooks need them.
            tracing::warn!(why, "webhooks cannot be sent over https");
            Arc::from(why)
        });
        Ok(Self {
            tls,
            plain: builder(Rule::Loopback).tls_certs_only([]).build()?,
            allow_private,
            patience,
        })
    }

    /// Reads an address. What its name stands for is looked at when it is called.
    pub(crate) fn check(&self, text: &str) -> Result<Url, BadUrl> {
        if text.len() > LONGEST {
            return Err(BadUrl::Long(LONGEST));
        }
        let url = Url::parse(text)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadUrl::Credentials);
        }
        if url.fragment().is_some() {
            return Err(BadUrl::Fragment);
        }
        // The parser has made one address of every way to write it: decimal, octal, hexadecimal, shortened.
        let literal = match url.host().ok_or(BadUrl::NoHost)? {
            Host::Ipv4(v4) => Some(IpAddr::V4(v4)),
            Host::Ipv6(v6) => Some(IpAddr::V6(v6)),
            Host::Domain(_) => None,
        };
        if let Some(literal) = literal {
            address::check(literal, self.allow_private)?;
        }
        match url.scheme() {
            "https" => Ok(url),
            "http" if !self.allow_private => Err(BadUrl::NotHttps),
            "http" if literal.is_none_or(|literal| literal.to_canonical().is_loopback()) => Ok(url),
            "http" => Err(BadUrl::NotLoopback),
            _ => Err(BadUrl::NotHttps),
        }
    }

    /// Sends a request and reads the beginning of the answer, within the client's patience in all.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: http::HeaderMap,
        body: bytes::Bytes,
    ) -> Result<Answer, NoAnswer> {
        let began = Instant::now();
        let failed = |why: String| NoAnswer {
            why,
            took: began.elapsed(),
        };
        // Again at every request: what was allowed when the endpoint was made may not be any more, and an address that is
        // written in numbers is never resolved.
        let url = self.check(url).map_err(|error| failed(format!("url: {error}")))?;
        let client = if url.scheme() == "https" {
            let tls = self.tls.as_ref();
            tls.map_err(|why| failed(format!("https is not possible here: {why}")))?
        } else {
            &self.plain
        };
        let work = async {
            let request = client.request(method, url).headers(headers).body(body);
            let mut response = request.send().await?;
            let status = response.status().as_u16();
            let headers = std::mem::take(response.headers_mut());
            let (mut kept, mut read) = (Vec::new(), 0);
            while let Some(chunk) = response.chunk().await? {
                read += chunk.len();
                kept.extend_from_slice(&chunk[..chunk.len().min(KEPT - kept.len())]);
                if read > READ {
                    break;
                }
            }
            Ok::<_, reqwest::Error>((status, headers, kept))
        };
        match tokio::time::timeout(self.patience, work).await {
            Ok(Ok((status, headers, kept))) => Ok(Answer {
                status,
                headers,
                beginning: text(&kept),
                took: began.elapsed(),
            }),
            Ok(Err(error)) if error.is_timeout() => Err(failed(self.too_late())),
            Ok(Err(error)) => Err(failed(deepest(&error))),
            Err(_) => Err(failed(self.too_late())),
        }
    }

    fn too_late(&self) -> String {
        format!("no answer within {:?}", self.patience)
    }
}

/// Text that PostgreSQL can keep.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}")
}

/// The innermost cause: reqwest's own words only say that sending failed.
fn deepest(error: &reqwest::Error) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    causes.last().map(ToString::to_string).unwrap_or_default()
}

/// Resolves names, and hands on only what may be called: a connection goes to an address that was checked, and to no other.
struct Resolver(Rule);

#[derive(Debug, Clone, Copy)]
enum Rule {
    Public { allow_private: bool },
    Loopback,
}

// === impl Resolver ===

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let rule = self.0;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            rule.check(&found)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

// === impl Rule ===

impl Rule {
    fn check(self, addresses: &[SocketAddr]) -> Result<(), Refused> {
        match self {
            Self::Public { allow_private } => address::check_all(addresses, allow_private),
            Self::Loopback => {
                let other = addresses
                    .iter()
                    .find(|address| !address.ip().to_canonical().is_loopback());
                other.map_or(Ok(()), |address| {
                    Err(Refused {
                        address: address.ip(),
                        why: "not loopback, and the url is not https",
                    })
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(allow_private: bool) -> Client {
        Client::new(allow_private, Duration::from_secs(5)).unwrap()
    }

    #[test]
    fn addresses_are_seen_through_however_they_are_written() {
        let loopback = [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://１２７.0.0.1/",
        ];
        for url in loopback {
            assert!(matches!(client(false).check(url), Err(BadUrl::Refused(_))), "{url}");
            assert!(client(true).check(url).is_ok(), "{url}");
        }
        for url in [
            "https://169.254.169.254/",
            "https://0.0.0.0/",
            "https://0/",
            "https://[::]/",
            "https://2852039166/",
        ] {
            assert!(matches!(client(true).check(url), Err(BadUrl::Refused(_))), "{url}");
        }
    }

    #[test]
    fn only_https_and_plain_addresses_are_taken() {
        let refused = |url: &str| client(false).check(url).expect_err(url);
        assert_eq!(refused("http://club.example/hook"), BadUrl::NotHttps);
        assert_eq!(refused("ftp://club.example/hook"), BadUrl::NotHttps);
        assert_eq!(refused("https://user:secret@club.example/"), BadUrl::Credentials);
        assert_eq!(refused("https://club.example/#x"), BadUrl::Fragment);
        assert!(matches!(refused("club"), BadUrl::Syntax(_)));
        assert_eq!(
            refused(&format!("https://club.example/{}", "x".repeat(2_000))),
            BadUrl::Long(2_000)
        );
        assert!(client(false).check("https://club.example:8443/hook?key=1").is_ok());
    }

    #[test]
    fn http_is_for_loopback_of_a_development_stack() {
        assert!(client(true).check("http://127.0.0.1:9000/hook").is_ok());
        assert!(client(true).check("http://localhost:9000/hook").is_ok());
        assert_eq!(client(true).check("http://10.0.0.1/").unwrap_err(), BadUrl::NotLoopback);
    }

    #[tokio::test]
    async fn a_name_is_judged_by_what_it_stands_for() {
        let why = |answer: Result<Answer, NoAnswer>| answer.unwrap_err().why;
        let send = async |client: Client, url| {
            why(client
                .send(Method::POST, url, http::HeaderMap::new(), bytes::Bytes::new())
                .await)
        };
        let said = send(client(false), "https://localhost:1/").await;
        assert!(said.contains("is not called: loopback"), "{said}");
        let said = send(client(false), "https://169.254.169.254/").await;
        assert!(said.contains("metadata"), "{said}");
    }

    #[test]
    fn http_to_a_name_outside_is_refused_when_it_resolves() {
        let outside: SocketAddr = "10.0.0.1:0".parse().unwrap();
        assert!(Rule::Loopback.check(&[outside]).is_err());
        assert!(Rule::Loopback.check(&["127.0.0.1:0".parse().unwrap()]).is_ok());
    }
}
