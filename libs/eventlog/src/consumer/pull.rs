//! One stretch of undisturbed reading: an ephemeral pull consumer, asked for the next messages before the last ones have come.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, ReplayPolicy, pull};
use async_nats::{Client, Message, StatusCode, Subscriber, jetstream};
use futures::StreamExt as _;

use crate::event::Recorded;
use crate::stream;

/// How many messages one request asks for; the next request is sent when half of them have come.
const REQUEST: usize = 1_000;
/// How long a request stays open.
const EXPIRES: Duration = Duration::from_secs(30);
/// How often the broker tells that it is there when there are no messages.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// How long the broker forgets about us after we went away.
const FORGET: Duration = Duration::from_secs(10);

/// Why a stretch ended. What to do is always the same: look where the stream is and go on from the next position.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error("the broker does not answer")]
    Silent,
    #[error("the broker: {0}")]
    Broker(String),
    #[error("the stream ends before position {0}")]
    Short(u64),
    #[error("expected position {expected} and got {got}")]
    Gap { expected: u64, got: u64 },
    #[error(transparent)]
    Foreign(#[from] stream::DecodeError),
}

/// An open pull consumer.
pub(super) struct Pull {
    client: Client,
    messages: Subscriber,
    inbox: String,
    subject: String,
    request: bytes::Bytes,
    /// Messages asked for that have not come.
    asked: usize,
    /// The position that comes next.
    expected: u64,
    /// How many messages the stream has after the last one.
    pub(super) pending: u64,
}

// === impl Pull ===

impl Pull {
    /// Opens a consumer that begins after a position, once the stream has come that far.
    pub(super) async fn open(client: &Client, after: u64) -> Result<Self, Ended> {
        let last = stream::last_sequence(client)
            .await
            .map_err(|e| Ended::Broker(e.to_string()))?;
        // A stream that is being refilled would begin again from its start.
        if last < after {
            return Err(Ended::Short(after));
        }
        let inbox = client.new_inbox();
        let messages = client
            .subscribe(inbox.clone())
            .await
            .map_err(|e| Ended::Broker(e.to_string()))?;
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: after + 1,
            },
            ack_policy: AckPolicy::None,
            replay_policy: ReplayPolicy::Instant,
            inactive_threshold: FORGET,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        let consumer = jetstream::new(client.clone())
            .create_consumer_on_stream(config, stream::NAME)
            .await
            .map_err(|e| Ended::Broker(e.to_string()))?;
        let name = &consumer.cached_info().name;
        let request = serde_json::json!({ "batch": REQUEST, "expires": EXPIRES.as_nanos(), "idle_heartbeat": HEARTBEAT.as_nanos() });
        Ok(Self {
            client: client.clone(),
            messages,
            inbox,
            subject: format!("$JS.API.CONSUMER.MSG.NEXT.{}.{name}", stream::NAME),
            request: request.to_string().into(),
            asked: 0,
            expected: after + 1,
            pending: 0,
        })
    }

    /// The next event, in order.
    pub(super) async fn next(&mut self) -> Result<Recorded, Ended> {
        loop {
            if self.asked <= REQUEST / 2 {
                let sent =
                    self.client
                        .publish_with_reply(self.subject.clone(), self.inbox.clone(), self.request.clone());
                sent.await.map_err(|e| Ended::Broker(e.to_string()))?;
                self.asked += REQUEST;
            }
            let message = tokio::time::timeout(HEARTBEAT * 2 + HEARTBEAT / 2, self.messages.next())
                .await
                .map_err(|_| Ended::Silent)?
                .ok_or_else(|| Ended::Broker("the subscription ended".to_owned()))?;
            if let Some(event) = self.take(message)? {
                return Ok(event);
            }
        }
    }

    fn take(&mut self, message: Message) -> Result<Option<Recorded>, Ended> {
        match message.status {
            None | Some(StatusCode::OK) => {}
            Some(StatusCode::IDLE_HEARTBEAT) => return Ok(None),
            Some(StatusCode::TIMEOUT) => {
                let left = message
                    .headers
                    .as_ref()
                    .and_then(|headers| headers.get("Nats-Pending-Messages")?.as_str().parse().ok());
                self.asked = self.asked.saturating_sub(left.unwrap_or(REQUEST));
                return Ok(None);
            }
            Some(status) => return Err(Ended::Broker(message.description.unwrap_or_else(|| status.to_string()))),
        }
        self.asked = self.asked.saturating_sub(1);
        let (sequence, pending) = message
            .reply
            .as_deref()
            .and_then(place)
            .ok_or_else(|| Ended::Broker("a message that is not the stream's".to_owned()))?;
        if sequence < self.expected {
            // The stream began again between our question where it ends and the consumer's start.
            return Ok(None);
        }
        if sequence > self.expected {
            return Err(Ended::Gap {
                expected: self.expected,
                got: sequence,
            });
        }
        self.expected += 1;
        self.pending = pending;
        // A copy, so that a small event kept for long does not hold a whole network buffer.
        let data = bytes::Bytes::copy_from_slice(&message.payload);
        Ok(Some(stream::decode(
            sequence,
            &message.headers.unwrap_or_default(),
            data,
        )?))
    }
}

/// Stream sequence and messages to come in `$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<consumer sequence>.<time>.<pending>`,
/// or in the longer form with a domain.
fn place(reply: &str) -> Option<(u64, u64)> {
    let rest = reply.strip_prefix("$JS.ACK.")?;
    let dots = rest.bytes().filter(|byte| *byte == b'.').count();
    let mut tokens = rest.split('.').skip(if dots >= 8 { 5 } else { 3 });
    Some((tokens.next()?.parse().ok()?, tokens.nth(2)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn the_sequence_is_found_in_both_forms_of_the_reply() {
        assert_eq!(
            place("$JS.ACK.RYGGRAD.cons.1.4711.12.1700000000000000000.3"),
            Some((4711, 3))
        );
        assert_eq!(
            place("$JS.ACK.hub.ACC123.RYGGRAD.cons.1.4711.12.1700000000000000000.3.xyz"),
            Some((4711, 3))
        );
        assert_eq!(place("_INBOX.abc"), None);
    }
}
