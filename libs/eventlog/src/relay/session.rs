//! Publishes what is read, many messages in flight, and takes the acknowledgements in order.

use std::collections::VecDeque;
use std::time::Duration;

use async_nats::subject::Subject;
use async_nats::{Client, Message, Subscriber};
use futures::StreamExt as _;
use tokio::time::Instant;
use tracing::Span;

use crate::event::Recorded;
use crate::relay::lag::Lag;
use crate::relay::leader::Lead;
use crate::relay::reading::Reading;
use crate::relay::start::broker;
use crate::relay::{Interrupted, acks};
use crate::stream;
use crate::trace;

/// How many messages may wait for their acknowledgement.
const WINDOW: usize = 2_000;
/// How long the broker may stay silent about the oldest of them.
const SILENCE: Duration = Duration::from_secs(5);
/// How often the lead and the broker's end are looked at.
const ROUND: Duration = Duration::from_millis(500);

/// One stretch of undisturbed publishing.
pub(super) struct Session<'a> {
    client: &'a Client,
    lead: &'a mut Lead,
    lag: &'a Lag,
    inbox: String,
    /// Position of the last event that the broker acknowledged.
    published: u64,
    /// How many are published and not acknowledged.
    flying: usize,
    /// Read and not yet published.
    waiting: VecDeque<Recorded>,
    /// The pages under way: the last position of each, and its span, which ends when that is acknowledged.
    pages: VecDeque<(u64, Span)>,
    /// When the broker last acknowledged, or had nothing to.
    heard: Instant,
    connects: u64,
}

// === impl Session ===

impl<'a> Session<'a> {
    pub(super) fn new(client: &'a Client, lead: &'a mut Lead, lag: &'a Lag, published: u64) -> Self {
        Self {
            inbox: client.new_inbox(),
            connects: connects(client),
            client,
            lead,
            lag,
            published,
            flying: 0,
            waiting: VecDeque::new(),
            pages: VecDeque::new(),
            heard: Instant::now(),
        }
    }

    /// Publishes until something comes in between.
    pub(super) async fn run(mut self, mut reading: Reading) -> Interrupted {
        let mut answers = match self.client.subscribe(format!("{}.*", self.inbox)).await {
            Ok(answers) => answers,
            Err(error) => return broker(&error),
        };
        loop {
            if let Err(interrupted) = self.step(&mut reading, &mut answers).await {
                return interrupted;
            }
        }
    }

    async fn step(&mut self, reading: &mut Reading, answers: &mut Subscriber) -> Result<(), Interrupted> {
        let mut round = tokio::time::interval_at(Instant::now() + ROUND, ROUND);
        loop {
            while self.flying < WINDOW {
                let Some(event) = self.waiting.pop_front() else { break };
                self.publish(event).await?;
            }
            tokio::select! {
                biased;
                _ = round.tick() => self.look_around().await?,
                answer = answers.next(), if self.flying > 0 => self.take(answer)?,
                page = reading.next(), if self.waiting.is_empty() => self.open(page?),
            }
        }
    }

    fn open(&mut self, page: Vec<Recorded>) {
        if let Some(last) = page.last() {
            let span = tracing::info_span!(
                "publish",
                otel.kind = "producer",
                events = page.len(),
                position = last.position
            );
            trace::join(&span, page.iter().map(|event| event.traceparent.as_deref()));
            self.pages.push_back((last.position, span));
        }
        self.waiting.extend(page);
    }

    async fn publish(&mut self, event: Recorded) -> Result<(), Interrupted> {
        let reply = Subject::from(format!("{}.{}", self.inbox, event.position));
        let (subject, headers) = (stream::subject(&event), stream::headers(&event));
        if self.flying == 0 {
            self.heard = Instant::now();
        }
        self.flying += 1;
        let sent = self
            .client
            .publish_with_reply_and_headers(subject, reply, headers, event.data);
        // A broker that is away must not hold the lead's rounds up.
        match tokio::time::timeout(SILENCE, sent).await {
            Ok(sent) => sent.map_err(|e| broker(&e)),
            Err(_) => Err(Interrupted::Silent),
        }
    }

    fn take(&mut self, answer: Option<Message>) -> Result<(), Interrupted> {
        let answer = answer.ok_or_else(|| Interrupted::Broker("the subscription ended".to_owned()))?;
        acks::check(self.published + 1, &answer)?;
        self.published += 1;
        self.heard = Instant::now();
        self.flying -= 1;
        self.lag.published(self.published);
        if self.pages.front().is_some_and(|(last, _)| *last <= self.published) {
            self.pages.pop_front();
        }
        metrics::counter!("ryggrad_relay_published_total").increment(1);
        Ok(())
    }

    /// Whether we still lead, the broker is the one that we published to, and the stream ends where it should.
    async fn look_around(&mut self) -> Result<(), Interrupted> {
        if self.flying > 0 && self.heard.elapsed() > SILENCE {
            return Err(Interrupted::Silent);
        }
        // Whatever was in flight when the connection broke is not acknowledged any more.
        if connects(self.client) != self.connects || !stream::is_connected(self.client) {
            return Err(Interrupted::Broker("the connection was lost".to_owned()));
        }
        if !self.lead.is_held().await {
            return Err(Interrupted::LeadLost);
        }
        if self.flying == 0 && self.waiting.is_empty() {
            let last = stream::last_sequence(self.client).await.map_err(|e| broker(&e))?;
            if last != self.published {
                return Err(if last == 0 {
                    Interrupted::NoStream
                } else {
                    Interrupted::Overtaken
                });
            }
        }
        Ok(())
    }
}

fn connects(client: &Client) -> u64 {
    client.statistics().connects.load(std::sync::atomic::Ordering::Relaxed)
}
