//! One event on its way to the receiver, as a webhook brings it.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use ryggrad_eventlog::clock::wall;
use ryggrad_eventlog::stream::percent_encode;

use super::feed::Item;
use super::signature::Secret;

/// Media type of a whole event.
const STRUCTURED: &str = "application/cloudevents+json";
/// Time that the receiver gets to answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// The longest pause between two attempts.
const PAUSE: Duration = Duration::from_mins(1);
/// Bytes of an answer that are told.
const TOLD: usize = 200;

/// Whom events are sent to, and how.
#[derive(Debug)]
pub(super) struct Receiver {
    client: Client,
    url: Url,
    is_structured: bool,
    secret: Secret,
}

/// What came of an attempt.
#[derive(Debug)]
pub(super) struct Delivery {
    /// The status of the answer, when there was one.
    pub(super) status: Option<u16>,
    /// The beginning of the answer, or why there was none.
    pub(super) said: String,
    pub(super) took: Duration,
}

// === impl Receiver ===

impl Receiver {
    pub(super) fn new(url: Url, is_structured: bool, secret: Secret) -> anyhow::Result<Self> {
        let client = Client::builder()
            .user_agent("ryggrad-listen")
            .no_proxy()
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .build()?;
        Ok(Self {
            client,
            url,
            is_structured,
            secret,
        })
    }

    /// Sends an event once.
    ///
    /// # Errors
    /// When the event cannot be put into a request. A receiver that does not answer is no error.
    pub(super) async fn send(&self, item: &Item) -> anyhow::Result<Delivery> {
        let (headers, body) = request(item, self.is_structured, &self.secret, wall().as_second())?;
        let began = Instant::now();
        let asked = self
            .client
            .post(self.url.clone())
            .headers(headers)
            .body(body)
            .send()
            .await;
        let (status, said) = match asked {
            Ok(answer) => (Some(answer.status().as_u16()), answer.text().await.unwrap_or_default()),
            Err(error) => (None, deepest(&error)),
        };
        Ok(Delivery {
            status,
            said: said
                .chars()
                .filter(|c| !c.is_control() || *c == '\n')
                .take(TOLD)
                .collect(),
            took: began.elapsed(),
        })
    }
}

/// Headers and body of the request that carries an event, signed at an instant.
fn request(item: &Item, is_structured: bool, secret: &Secret, timestamp: i64) -> anyhow::Result<(HeaderMap, Vec<u8>)> {
    let mut headers = HeaderMap::new();
    let mut media_type = STRUCTURED.to_owned();
    let mut body = item.whole.get().as_bytes().to_vec();
    if !is_structured {
        for (name, value) in &item.parts {
            let value = value.get();
            match name.as_str() {
                "data" => body = value.as_bytes().to_vec(),
                "data_base64" => body = BASE64_STANDARD.decode(serde_json::from_str::<String>(value)?)?,
                "datacontenttype" => media_type = serde_json::from_str(value)?,
                attribute => {
                    // A flag has no quotes.
                    let text = serde_json::from_str(value).unwrap_or_else(|_| value.to_owned());
                    set(&mut headers, &format!("ce-{attribute}"), &percent_encode(&text))?;
                }
            }
        }
    }
    set(&mut headers, CONTENT_TYPE.as_str(), &media_type)?;
    set(&mut headers, "webhook-id", &item.id)?;
    set(&mut headers, "webhook-timestamp", &timestamp.to_string())?;
    set(
        &mut headers,
        "webhook-signature",
        &secret.sign(&item.id, timestamp, &body),
    )?;
    Ok((headers, body))
}

fn set(headers: &mut HeaderMap, name: &str, value: &str) -> anyhow::Result<()> {
    headers.insert(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
    Ok(())
}

/// The innermost cause: the others only say that sending failed.
fn deepest(error: &reqwest::Error) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    causes.last().map(ToString::to_string).unwrap_or_default()
}

// === impl Delivery ===

impl Delivery {
    /// Whether the receiver has it.
    pub(super) fn is_taken(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether the receiver wants nothing any more.
    pub(super) fn is_gone(&self) -> bool {
        self.status == Some(410)
    }
}

/// Time until the next attempt.
pub(super) fn pause(attempt: u32) -> Duration {
    Duration::from_secs(1)
        .saturating_mul(1 << attempt.min(10).saturating_sub(1))
        .min(PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"specversion":"1.0","id":"e1","source":"/ryggrad/registration","type":"no.ryggrad.registration.OrganisationDeleted.v1","position":"7","orgnr":"310000019","actorauthenticated":true,"title":"Årets \"lag\"","datacontenttype":"application/json","data":{"orgnr":"310000019"}}"#;

    fn secret() -> Secret {
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap()
    }

    fn item(text: &str) -> Item {
        Item::read(serde_json::from_str(text).unwrap()).unwrap()
    }

    #[test]
    fn attributes_are_headers_and_the_data_is_the_body() {
        let (headers, body) = request(&item(EVENT), false, &secret(), 1_614_265_330).unwrap();
        assert_eq!(body, br#"{"orgnr":"310000019"}"#);
        for (name, value) in [
            ("content-type", "application/json"),
            ("ce-id", "e1"),
            ("ce-specversion", "1.0"),
            ("ce-position", "7"),
            ("ce-actorauthenticated", "true"),
            ("ce-title", "%C3%85rets%20%22lag%22"),
            ("webhook-id", "e1"),
            ("webhook-timestamp", "1614265330"),
        ] {
            assert_eq!(headers[name], value, "{name}");
        }
        assert!(!headers.contains_key("ce-data") && !headers.contains_key("ce-datacontenttype"));
        assert_eq!(headers["webhook-signature"], secret().sign("e1", 1_614_265_330, &body));
    }

    #[test]
    fn a_whole_event_is_sent_as_it_came() {
        let (headers, body) = request(&item(EVENT), true, &secret(), 1).unwrap();
        assert_eq!(body, EVENT.as_bytes());
        assert_eq!(headers["content-type"], STRUCTURED);
        assert!(!headers.contains_key("ce-id"));
    }

    #[test]
    fn data_of_a_later_type_is_sent_as_it_was_published() {
        let later = EVENT.replace(
            r#""application/json","data":{"orgnr":"310000019"}"#,
            r#""application/protobuf","data_base64":"CgE3""#,
        );
        let (headers, body) = request(&item(&later), false, &secret(), 1).unwrap();
        assert_eq!(
            (&*body, headers["content-type"].to_str().unwrap()),
            (&b"\n\x017"[..], "application/protobuf")
        );
    }

    #[test]
    fn pauses_grow_to_a_minute() {
        let delivery = Delivery {
            status: Some(500),
            said: String::new(),
            took: Duration::ZERO,
        };
        let pauses = [1, 2, 3, 20].map(|attempt| pause(attempt).as_secs());
        assert_eq!(pauses, [1, 2, 4, 60]);
        assert!(!delivery.is_taken() && !delivery.is_gone());
    }
}
