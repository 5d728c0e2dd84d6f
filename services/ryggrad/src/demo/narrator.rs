//! The subscriber of the story: an agency that follows the stream and prints what concerns it.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::Timestamp;
use ryggrad_client::{Connection, Event};
use ryggrad_proto::common::v1::Envelope;
use ryggrad_proto::events::v1::event_stream_client::EventStreamClient;
use ryggrad_proto::events::v1::subscribe_response::Frame;
use ryggrad_proto::events::v1::{HeadRequest, SubscribeRequest, SubscribeResponse};
use tonic::Streaming;
use uuid::Uuid;

use crate::print::{self, FAINT, GOOD, STRONG, styled};
use crate::status::spoken;
use crate::tail::line;

/// How long a fact that is due may take to arrive.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long to listen before another day passes.
const MOMENT: Duration = Duration::from_millis(150);

/// How the story is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// To people.
    People,
    /// The facts, one JSON object a line.
    Json,
    /// Not at all; it only happens.
    Silent,
}

/// Follows one journey.
#[derive(Debug)]
pub(super) struct Narrator {
    frames: Streaming<SubscribeResponse>,
    journey: String,
    voice: Voice,
    position: u64,
    /// The facts that were told, by name.
    names: Vec<String>,
}

// === impl Narrator ===

impl Narrator {
    /// Follows the stream from its end on.
    pub(super) async fn follow(channel: Connection, journey: Uuid, voice: Voice) -> anyhow::Result<Self> {
        let mut events = EventStreamClient::new(channel);
        let head = events
            .head(HeadRequest {})
            .await
            .map_err(spoken)
            .context("cannot see where the log ends")?
            .into_inner();
        let request = SubscribeRequest {
            after: head.position,
            epoch: head.epoch,
            // What is not ours to see is passed over by a heartbeat only.
            heartbeat_ms: 100,
            ..SubscribeRequest::default()
        };
        let frames = events
            .subscribe(request)
            .await
            .map_err(spoken)
            .context("cannot follow the stream")?
            .into_inner();
        Ok(Self {
            frames,
            journey: journey.to_string(),
            voice,
            position: head.position,
            names: Vec::new(),
        })
    }

    /// Facts of the journey that were told.
    pub(super) fn told(&self) -> usize {
        self.names.len()
    }

    /// What somebody says or does.
    pub(super) fn say(&self, text: impl std::fmt::Display) {
        if self.voice == Voice::People {
            print::line(text);
        }
    }

    /// Tells everything up to a position.
    pub(super) async fn until(&mut self, position: u64) -> anyhow::Result<()> {
        while self.position < position {
            self.next().await?;
        }
        Ok(())
    }

    /// Tells what comes in the next moment; whether a fact of the journey with one of these names has been told by then.
    pub(super) async fn heard(&mut self, names: &[&str]) -> anyhow::Result<bool> {
        let begun = Instant::now();
        while !self.has_heard(names) {
            let left = MOMENT.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(false);
            }
            if let Ok(next) = tokio::time::timeout(left, self.next()).await {
                next?;
            }
        }
        Ok(true)
    }

    /// Whether a fact of the journey with one of these names has been told.
    pub(super) fn has_heard(&self, names: &[&str]) -> bool {
        self.names.iter().any(|told| names.contains(&told.as_str()))
    }

    /// Takes the next frame in. Nothing is lost when the future is dropped.
    async fn next(&mut self) -> anyhow::Result<()> {
        let frame = tokio::time::timeout(PATIENCE, self.frames.message())
            .await
            .context("the stream went silent")?;
        let frame = frame
            .map_err(spoken)
            .context("the stream broke off")?
            .context("the stream ended")?;
        // What is not ours to see is passed over; the other frames say how far.
        let (events, position) = match frame.frame {
            Some(Frame::Batch(batch)) => {
                let last = batch.events.last().map_or(0, |last| last.position);
                (batch.events, last)
            }
            Some(Frame::CaughtUp(said)) => (Vec::new(), said.position),
            Some(Frame::Heartbeat(said)) => (Vec::new(), said.position),
            Some(Frame::Started(_) | Frame::CloudEvents(_)) | None => (Vec::new(), 0),
        };
        self.position = self.position.max(position);
        for event in events.iter().filter(|event| event.correlation_id == self.journey) {
            self.tell(event)?;
            self.names.push(name(event).to_owned());
        }
        Ok(())
    }

    fn tell(&self, event: &Envelope) -> anyhow::Result<()> {
        match self.voice {
            Voice::People => {}
            Voice::Json => {
                print::line(line::json(&Event::from(event.clone()))?);
                return Ok(());
            }
            Voice::Silent => return Ok(()),
        }
        let name = name(event);
        let term = ryggrad_proto::event_type("registration", name).map_or("", |event| event.norwegian_term.as_str());
        let day = event
            .occurred_at
            .and_then(|at| Timestamp::try_from(at).ok())
            .map(|at| at.strftime("%Y-%m-%d").to_string())
            .unwrap_or_default();
        let number = if event.orgnr.is_empty() {
            String::new()
        } else {
            format!("  {}", event.orgnr)
        };
        print::line(format!(
            "    {} {day}  {} {}{number}",
            styled(FAINT, format!("{:>7}", event.position)),
            styled(GOOD, format!("{term:<44}")),
            styled(STRONG, name),
        ));
        Ok(())
    }
}

/// The name in a CloudEvents type: `no.ryggrad.registration.OrganisationRegistered.v1`.
fn name(event: &Envelope) -> &str {
    event.r#type.split('.').nth(3).unwrap_or_default()
}
