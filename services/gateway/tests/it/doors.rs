//! Every door gives the same, however often its subscribers are killed and come back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use ryggrad_gateway::Options;
use ryggrad_norway::KommuneNumber;
use ryggrad_proto::events::v1::event_stream_client::EventStreamClient;
use ryggrad_proto::events::v1::subscribe_response::Frame;
use ryggrad_proto::events::v1::{EventFilter, EventFormat, SubscribeRequest};
use tokio::io::AsyncBufReadExt as _;
use tonic::transport::Channel;

use crate::http::{begin, get};
use crate::stack::{Fact, PATIENCE, Stack};

/// How many follow at once, by four doors, and how many events: a build without optimisation is many times slower.
const SUBSCRIBERS: u64 = if cfg!(debug_assertions) { 200 } else { 1_000 };
const EVENTS: u64 = if cfg!(debug_assertions) { 4_000 } else { 100_000 };
/// Municipalities that the events are spread over; each subscriber follows one.
const PLACES: u64 = 20;
const CONNECTIONS: u64 = 25;

#[derive(Debug, Clone, Copy)]
enum By {
    Envelopes,
    CloudEvents,
    Feed,
    ServerSent,
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

// === impl Dice ===

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// At most `most` positions of a municipality after one, by a door that is then closed.
async fn some(
    stack: &Stack,
    stub: &mut EventStreamClient<Channel>,
    by: By,
    kommune: &str,
    after: u64,
    most: usize,
) -> Vec<u64> {
    let mut found = Vec::new();
    match by {
        By::Envelopes | By::CloudEvents => {
            let format = match by {
                By::CloudEvents => EventFormat::Cloudevents,
                _ => EventFormat::Envelope,
            };
            let request = SubscribeRequest {
                after,
                filter: Some(EventFilter {
                    kommunenummer: vec![kommune.to_owned()],
                    ..Default::default()
                }),
                format: format.into(),
                ..Default::default()
            };
            let mut frames = stub.subscribe(request).await.unwrap().into_inner();
            while found.len() < most {
                match frames.message().await.unwrap().expect("no end").frame {
                    Some(Frame::Batch(batch)) => found.extend(batch.events.iter().map(|event| event.position)),
                    Some(Frame::CloudEvents(batch)) => {
                        found.extend(batch.events.iter().map(position));
                    }
                    _ => {}
                }
            }
        }
        By::Feed => {
            let page = format!("/v1/events?after={after}&limit={most}&wait=5&kommunenummer={kommune}");
            let answer = get(stack, &page).await;
            // A machine that does much else answers late; whoever asks again gets it.
            if answer.status != 503 && answer.status != 504 {
                found = answer.positions();
            }
        }
        By::ServerSent => {
            let target = format!("/v1/events/stream?kommunenummer={kommune}");
            let last = after.to_string();
            let mut lines = begin(stack, &target, &[("Last-Event-ID", &last)]).await.lines();
            let mut id = 0;
            while found.len() < most {
                let line = lines.next_line().await.unwrap().expect("no end");
                if let Some(said) = line.strip_prefix("id: ") {
                    id = said.parse().unwrap();
                } else if line.starts_with("event: no.ryggrad.") {
                    found.push(id);
                }
            }
        }
    }
    // What came beyond what was wanted is lost with the connection.
    found.truncate(most);
    found
}

fn position(event: &ryggrad_proto::cloudevents::v1::CloudEvent) -> u64 {
    use ryggrad_proto::cloudevents::v1::cloud_event::cloud_event_attribute_value::Attr;
    match event.attributes["position"].attr.as_ref() {
        Some(Attr::CeString(text)) => text.parse().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_and_resumed_at_random_each_gets_the_filtered_log_once_and_in_order() {
    let stack = Stack::with(Options {
        // Smaller than what is recorded: who was away for long comes back by the log.
        ring_events: usize::try_from(EVENTS / 2).unwrap(),
        ..Options::default()
    })
    .await;
    let stack = Arc::new(stack);
    let mut subscribers = Vec::new();
    let mut stubs = Vec::new();
    for _ in 0..CONNECTIONS {
        stubs.push(stack.stub().await);
    }
    for number in 0..SUBSCRIBERS {
        let by = [By::Envelopes, By::CloudEvents, By::Feed, By::ServerSent][usize::try_from(number % 4).unwrap()];
        let kommune = usize::try_from(number / 4 % PLACES).unwrap();
        let stack = Arc::clone(&stack);
        let mut stub = stubs[usize::try_from(number % CONNECTIONS).unwrap()].clone();
        subscribers.push(tokio::spawn(async move {
            let mut dice = Dice(number);
            let expected: Vec<u64> = (1..=EVENTS).filter(|position| place(*position) == kommune).collect();
            let mut found: Vec<u64> = Vec::new();
            while found.len() < expected.len() {
                let left = expected.len() - found.len();
                let most = usize::try_from(1 + dice.below(EVENTS / 40)).unwrap().min(left);
                let after = found.last().copied().unwrap_or_default();
                let more = some(&stack, &mut stub, by, kommuner()[kommune], after, most).await;
                found.extend(more);
            }
            assert_eq!(found, expected, "{number} by {by:?}");
        }));
    }
    record(&stack).await;
    let all = futures::future::try_join_all(subscribers);
    tokio::time::timeout(3 * PATIENCE, all).await.expect("in time").unwrap();
}

fn kommuner() -> Vec<&'static str> {
    let codes = KommuneNumber::all().map(KommuneNumber::code);
    codes.take(usize::try_from(PLACES).unwrap()).collect()
}

/// Where the event at a position is.
fn place(position: u64) -> usize {
    usize::try_from(Dice(position).below(PLACES)).unwrap()
}

/// Records the events in order, a hundred in a commit.
async fn record(stack: &Stack) {
    for first in (1..=EVENTS).step_by(100) {
        let facts = (first..first + 100).map(|position| Fact {
            kommune: Some(kommuner()[place(position)]),
            ..Fact::default()
        });
        assert_eq!(stack.append(facts.collect()).await, first + 99);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_takes_an_event_a_second_holds_up_nobody() {
    let stack = Stack::with(Options {
        ring_events: 512,
        ring_bytes: 1 << 20,
    })
    .await;
    // It asks for everything and does not read: what it does not take is not made for it.
    let mut lines = begin(&stack, "/v1/events/stream?after=0", &[]).await.lines();
    let mut frames = stack
        .stub()
        .await
        .subscribe(SubscribeRequest::default())
        .await
        .unwrap()
        .into_inner();
    let recording = stack.append_many(20_000);
    let begun = Instant::now();
    let reading = async {
        let mut last = 0;
        while last < 20_000 {
            if let Some(Frame::Batch(batch)) = frames.next().await.unwrap().unwrap().frame {
                last = batch.events.last().unwrap().position;
            }
        }
        begun.elapsed()
    };
    let slow = async {
        let mut seen = 0;
        let mut tick = tokio::time::interval(Duration::from_millis(250));
        while seen < 4 {
            tick.tick().await;
            while !lines
                .next_line()
                .await
                .unwrap()
                .expect("no end")
                .starts_with("event: no.ryggrad.")
            {}
            seen += 1;
        }
        lines
    };
    let (_, took, mut lines) = tokio::time::timeout(PATIENCE, async { tokio::join!(recording, reading, slow) })
        .await
        .expect("nobody is held up");
    assert!(took < PATIENCE / 2, "{took:?}");
    // It goes on where it was, and nothing is missing.
    let mut last = 4;
    let rest = async {
        while last < 20_000 {
            let line = lines.next_line().await.unwrap().expect("no end");
            let Some(id) = line.strip_prefix("id: ") else { continue };
            let id: u64 = id.parse().unwrap();
            let event = lines.next_line().await.unwrap().unwrap();
            if event.starts_with("event: no.ryggrad.") {
                assert!(id == last + 1 || last == 4, "{id} after {last}");
                last = id;
            }
        }
    };
    tokio::time::timeout(PATIENCE, rest).await.expect("all of it comes");
}
