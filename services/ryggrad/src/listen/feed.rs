//! The feed, page after page, each waited for; it goes on when the gateway was away.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::exit::NotRunning;
use crate::print::{self, BAD, styled};
use crate::running::Running;
use crate::tail::Begin;

/// Seconds that the gateway waits for something to come.
const WAIT: u64 = 20;
/// Time that it gets to answer.
const PATIENCE: Duration = Duration::from_secs(WAIT + 15);
/// Pause before a gateway that is away is asked again.
const AWAY: Duration = Duration::from_secs(1);
/// Header with the position to go on after.
const NEXT: &str = "ryggrad-next";

/// A reader of the feed.
#[derive(Debug)]
pub(super) struct Feed {
    client: Client,
    url: Url,
    filter: Vec<(&'static str, String)>,
    position: u64,
    epoch: String,
    away: bool,
}

/// One event: what is told of it, and all of it as it came.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) position: u64,
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) orgnr: String,
    /// The whole event in the JSON format.
    pub(super) whole: Box<RawValue>,
    /// Its attributes and its data by name.
    pub(super) parts: BTreeMap<String, Box<RawValue>>,
}

#[derive(Deserialize)]
struct Head {
    /// Canonical JSON leaves out what is 0: nothing has happened yet.
    #[serde(default = "beginning")]
    position: String,
    epoch: String,
}

fn beginning() -> String {
    "0".to_owned()
}

// === impl Feed ===

impl Feed {
    /// Asks where the log is, and begins.
    ///
    /// # Errors
    /// [`NotRunning`] when nobody answers.
    pub(super) async fn open(
        running: &Running,
        filter: &[(&'static str, String)],
        after: Begin,
    ) -> anyhow::Result<Self> {
        let client = Client::builder()
            .user_agent("ryggrad-listen")
            .no_proxy()
            .timeout(PATIENCE)
            .default_headers(token(running)?)
            .build()?;
        let base = running.http()?;
        let base = Url::parse(&base).with_context(|| format!("{base:?} is not an address"))?;
        let asked = client.get(base.join("/v1/events/head")?).send().await;
        let answer = asked.map_err(|_| NotRunning {
            place: base.to_string(),
        })?;
        let head: Head = serde_json::from_slice(&answer.bytes().await?).context("the gateway has no feed")?;
        let end: u64 = head.position.parse().context("the head is no position")?;
        Ok(Self {
            client,
            url: base.join("/v1/events")?,
            filter: filter.to_vec(),
            position: match after {
                Begin::Beginning => 0,
                Begin::Now => end,
                Begin::Position(position) => position,
            },
            epoch: head.epoch,
            away: false,
        })
    }

    /// Where it goes on after.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The next events; none when nothing came for a while.
    ///
    /// # Errors
    /// When the gateway says that it will not answer this.
    pub(super) async fn next(&mut self) -> anyhow::Result<Vec<Item>> {
        let mut query = self.filter.clone();
        query.extend([
            ("after", self.position.to_string()),
            ("epoch", self.epoch.clone()),
            ("limit", "100".to_owned()),
            ("wait", WAIT.to_string()),
        ]);
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(&query);
        let Ok(answer) = self.client.get(url).send().await else {
            return self.wait().await;
        };
        let (status, next) = (answer.status(), answer.headers().get(NEXT).cloned());
        let Ok(body) = answer.bytes().await else {
            return self.wait().await;
        };
        if status == StatusCode::SERVICE_UNAVAILABLE {
            return self.wait().await;
        }
        if !status.is_success() {
            bail!("the feed answers {status}: {}", String::from_utf8_lossy(&body));
        }
        self.away = false;
        let events: Vec<Box<RawValue>> = serde_json::from_slice(&body).context("the feed is no list of events")?;
        let items = events.into_iter().map(Item::read).collect::<Result<Vec<_>, _>>()?;
        let next = next.and_then(|next| next.to_str().ok()?.parse().ok());
        self.position = next.context("the feed does not say where to go on")?;
        Ok(items)
    }

    /// The gateway is away: it is asked again in a moment.
    async fn wait(&mut self) -> anyhow::Result<Vec<Item>> {
        if !self.away {
            print::note(styled(BAD, "— contact is lost, trying again —"));
        }
        self.away = true;
        tokio::time::sleep(AWAY).await;
        Ok(Vec::new())
    }
}

/// The token that was given; open data needs none.
fn token(running: &Running) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    if let Some(token) = &running.token {
        let mut value = HeaderValue::from_str(&format!("Bearer {token}")).context("this is no token")?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

// === impl Item ===

impl Item {
    pub(super) fn read(whole: Box<RawValue>) -> anyhow::Result<Self> {
        let parts: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(whole.get()).context("an event is not a CloudEvent")?;
        let text = |name: &str| -> Option<String> { serde_json::from_str(parts.get(name)?.get()).ok() };
        Ok(Self {
            position: text("position")
                .and_then(|position| position.parse().ok())
                .context("an event has no position")?,
            id: text("id").context("an event has no id")?,
            kind: text("type").context("an event has no type")?,
            orgnr: text("orgnr").unwrap_or_default(),
            whole,
            parts,
        })
    }
}
