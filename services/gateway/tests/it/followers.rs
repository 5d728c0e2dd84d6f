//! Who follows the stream by one of its doors, and reads nothing but positions.

use std::net::SocketAddr;

use ryggrad_client::{Bearer, Connection};
use ryggrad_norway::KommuneNumber;
use ryggrad_proto::events::v1::event_stream_client::EventStreamClient;
use ryggrad_proto::events::v1::subscribe_response::Frame;
use ryggrad_proto::events::v1::{
    AcknowledgeRequest, EventFilter, EventFormat, Started, SubscribeRequest, SubscribeResponse,
};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

use crate::http::{begin, get_at};
use crate::stack::Stack;

pub(crate) type Stub = EventStreamClient<Connection>;

/// The doors that are asked; those that call are the webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// `Subscribe`, as envelopes.
    Envelopes,
    /// `Subscribe`, as CloudEvents.
    CloudEvents,
    /// `Subscribe` over REST, as lines of JSON.
    Json,
    /// Server-sent events.
    ServerSent,
    /// The feed, page after page, with long polling.
    Feed,
}

/// What is asked for at a door.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    pub(crate) after: u64,
    pub(crate) kommune: Option<&'static str>,
    pub(crate) token: Option<String>,
    /// Name of a durable subscription.
    pub(crate) durable: Option<String>,
    /// Events of a page, at the most.
    pub(crate) page: Option<usize>,
    /// Whether to end where the log ends.
    pub(crate) stop_at_head: bool,
}

/// One who follows. Whoever drops it has hung up.
pub(crate) enum Follower {
    Frames(Box<Streaming<SubscribeResponse>>),
    Json(Lines<BufReader<TcpStream>>),
    ServerSent {
        lines: Lines<BufReader<TcpStream>>,
        id: u64,
    },
    Feed {
        address: SocketAddr,
        wish: Wish,
    },
}

/// A line of JSON, as far as positions go.
#[derive(Deserialize)]
struct Line {
    batch: Option<Batch>,
}

#[derive(Deserialize)]
struct Batch {
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    position: String,
}

// === impl By ===

impl By {
    pub(crate) const ALL: [Self; 5] = [
        Self::Envelopes,
        Self::CloudEvents,
        Self::Json,
        Self::ServerSent,
        Self::Feed,
    ];

    /// Whether a durable subscription can be followed by it.
    pub(crate) fn is_lasting(self) -> bool {
        self != Self::Feed
    }
}

// === impl Wish ===

impl Wish {
    /// As the parameters of an address.
    fn query(&self, prefix: &str) -> String {
        let kommune = self.kommune.map(|kommune| format!("{prefix}kommunenummer={kommune}"));
        let durable = self.durable.as_ref().map(|durable| format!("durable={durable}"));
        let after = format!("after={}", self.after);
        let parts: Vec<String> = [Some(after), kommune, durable].into_iter().flatten().collect();
        parts.join("&")
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        let token = self.token.iter();
        token
            .map(|token| ("Authorization", format!("Bearer {token}")))
            .collect()
    }

    pub(crate) fn request(&self, format: EventFormat) -> SubscribeRequest {
        SubscribeRequest {
            after: self.after,
            filter: self.kommune.map(|kommune| EventFilter {
                kommunenummer: vec![kommune.to_owned()],
                ..Default::default()
            }),
            durable: self.durable.clone().unwrap_or_default(),
            stop_at_head: self.stop_at_head,
            format: format.into(),
            ..Default::default()
        }
    }
}

// === impl Follower ===

impl Follower {
    /// Begins at a door. Those of gRPC go by `channel`, the others by a connection of their own.
    pub(crate) async fn open(stack: &Stack, channel: &Channel, by: By, wish: &Wish) -> Result<Self, Status> {
        let frames = async |format| {
            let frames = stub(channel, wish.token.as_deref())
                .subscribe(wish.request(format))
                .await?;
            Ok(Self::Frames(Box::new(frames.into_inner())))
        };
        let stop = if wish.stop_at_head { "&stop_at_head=true" } else { "" };
        let asked = async |target: String, accept: &str| {
            let mut headers = wish.headers();
            headers.push(("Accept", accept.to_owned()));
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let mut lines = begin(stack, &target, &headers).await.lines();
            let status = lines.next_line().await.expect("an answer").expect("a status");
            match status.split(' ').nth(1) {
                Some("200") => Ok(lines),
                Some("401") => Err(Status::unauthenticated(status)),
                _ => Err(Status::unknown(status)),
            }
        };
        Ok(match by {
            By::Envelopes => return frames(EventFormat::Envelope).await,
            By::CloudEvents => return frames(EventFormat::Cloudevents).await,
            By::Json => {
                let target = format!("/v1/events:subscribe?{}{stop}", wish.query("filter."));
                Self::Json(asked(target, "application/x-ndjson").await?)
            }
            By::ServerSent => {
                let target = format!("/v1/events/stream?{}{stop}", wish.query(""));
                let lines = asked(target, "text/event-stream").await?;
                Self::ServerSent { lines, id: 0 }
            }
            By::Feed => Self::Feed {
                address: stack.door.address,
                wish: wish.clone(),
            },
        })
    }

    /// The next positions; none at an end that was asked for.
    pub(crate) async fn next(&mut self) -> Option<Vec<u64>> {
        loop {
            let found = match self {
                Self::Frames(frames) => match frames.message().await.expect("it goes on")?.frame {
                    Some(frame) => positions(frame),
                    None => Vec::new(),
                },
                Self::Json(lines) => {
                    let line = lines.next_line().await.expect("it goes on")?;
                    if !line.starts_with("{\"batch\"") {
                        continue;
                    }
                    let line: Line = serde_json::from_str(&line).expect("a line of JSON");
                    let events = line.batch.into_iter().flat_map(|batch| batch.events);
                    events
                        .map(|event| event.position.parse().expect("a position"))
                        .collect()
                }
                Self::ServerSent { lines, id } => {
                    let line = lines.next_line().await.expect("it goes on")?;
                    if let Some(said) = line.strip_prefix("id: ") {
                        *id = said.parse().expect("a position");
                        continue;
                    }
                    if !line.starts_with("event: no.ryggrad.") {
                        continue;
                    }
                    vec![*id]
                }
                Self::Feed { address, wish } => page(*address, wish).await?,
            };
            if !found.is_empty() {
                return Some(found);
            }
        }
    }

    /// Everything until the end that was asked for.
    pub(crate) async fn all(mut self) -> Vec<u64> {
        let mut found = Vec::new();
        while let Some(more) = self.next().await {
            found.extend(more);
        }
        found
    }

    /// The first frame of a subscription by gRPC.
    pub(crate) async fn started(&mut self) -> Started {
        let Self::Frames(frames) = self else {
            panic!("only frames tell")
        };
        match frames.message().await.expect("it goes on").expect("a frame").frame {
            Some(Frame::Started(started)) => started,
            other => panic!("{other:?}"),
        }
    }
}

/// The generated stub of whoever has a token, or of anybody.
pub(crate) fn stub(channel: &Channel, token: Option<&str>) -> Stub {
    let bearer = token.map_or_else(Bearer::default, |token| Bearer::from(token.to_owned()));
    EventStreamClient::new(Connection::new(channel.clone(), bearer))
}

/// Says that everything up to a position has been dealt with.
pub(crate) async fn acknowledge(channel: &Channel, wish: &Wish, position: u64) {
    let request = AcknowledgeRequest {
        durable: wish.durable.clone().expect("a name"),
        position,
        ..Default::default()
    };
    let stands = stub(channel, wish.token.as_deref()).acknowledge(request).await.unwrap();
    assert_eq!(stands.into_inner().position, position);
}

/// A page of the feed; none where the log ends and that is what was asked for.
async fn page(address: SocketAddr, wish: &mut Wish) -> Option<Vec<u64>> {
    let wait = if wish.stop_at_head { 0 } else { 20 };
    let limit = wish.page.unwrap_or(1_000);
    let target = format!("/v1/events?{}&limit={limit}&wait={wait}", wish.query(""));
    let headers = wish.headers();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = get_at(address, &target, &headers).await;
    // A machine that does much else answers late; whoever asks again gets it.
    if answer.status == 503 || answer.status == 504 {
        return Some(Vec::new());
    }
    let found = answer.positions();
    let number = |name| {
        answer
            .header(name)
            .expect("a position")
            .parse::<u64>()
            .expect("a position")
    };
    wish.after = number("ryggrad-next");
    let ended = wish.stop_at_head && found.is_empty() && wish.after >= number("ryggrad-head");
    (!ended).then_some(found)
}

fn positions(frame: Frame) -> Vec<u64> {
    match frame {
        Frame::Batch(batch) => batch.events.iter().map(|event| event.position).collect(),
        Frame::CloudEvents(batch) => batch.events.iter().map(position).collect(),
        Frame::Started(_) | Frame::CaughtUp(_) | Frame::Heartbeat(_) => Vec::new(),
    }
}

fn position(event: &ryggrad_proto::cloudevents::v1::CloudEvent) -> u64 {
    use ryggrad_proto::cloudevents::v1::cloud_event::cloud_event_attribute_value::Attr;
    match event.attributes["position"].attr.as_ref() {
        Some(Attr::CeString(text)) => text.parse().expect("a position"),
        other => panic!("{other:?}"),
    }
}

/// The first municipalities, by number.
pub(crate) fn kommuner(count: usize) -> Vec<&'static str> {
    KommuneNumber::all().map(KommuneNumber::code).take(count).collect()
}
