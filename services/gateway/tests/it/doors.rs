//! Every door gives the same, however often its subscribers are killed and come back.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ryggrad_access::Scope;
use ryggrad_gateway::Options;
use ryggrad_gateway::webhooks::Schedule;
use ryggrad_proto::events::v1::{EventFilter, ListDurablesRequest};
use ryggrad_proto::webhooks::v1 as pb;
use ryggrad_testkit::eventually;
use tokio::sync::{Notify, watch};
use tonic::transport::Channel;
use uuid::Uuid;

use crate::followers::{By, Follower, Wish, acknowledge, kommuner, stub};
use crate::stack::{Fact, PATIENCE, Stack};
use crate::webhooks::receiver::{Received, Receiver};
use crate::webhooks::world::{World, id};

/// How many follow at once by the doors that are asked, and how many endpoints are called beside them. Each delivery to an
/// endpoint is a request of its own: they follow where less happens.
const SUBSCRIBERS: u64 = 1_000;
const ENDPOINTS: u64 = 12;
const EVENTS: u64 = 100_000;
/// Municipalities that the events are spread over; each subscriber follows one. In the last ones, as many as there are
/// endpoints, less happens.
const PLACES: u64 = 20;
/// Organisations that the events are about.
const ORGANISATIONS: u64 = 200;
/// Events of a commit.
const COMMIT: u64 = 500;
/// Events that are in memory, and events that are recorded before whoever is away for long comes back.
const RING: u64 = 10_000;
const AWAY: u64 = 12_000;
const CONNECTIONS: u64 = 25;
/// How often a receiver dies.
const DEATHS: usize = 5;

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

    fn index(&mut self, most: usize) -> usize {
        usize::try_from(self.below(most as u64)).unwrap()
    }
}

/// How far everything has come: nothing is recorded that somebody who is there has no chance to get from memory. Who is away
/// for long comes back by the log.
struct Pace {
    /// Up to where each subscriber is; the end while it is away.
    at: Vec<AtomicU64>,
    moved: Notify,
    recorded: watch::Sender<u64>,
}

// === impl Pace ===

impl Pace {
    fn new() -> Self {
        Self {
            at: (0..SUBSCRIBERS).map(|_| AtomicU64::new(0)).collect(),
            moved: Notify::new(),
            recorded: watch::Sender::new(0),
        }
    }

    fn is_at(&self, subscriber: usize, position: u64) {
        self.at[subscriber].store(position, Ordering::Release);
        self.moved.notify_one();
    }

    /// Waits until everybody who is there is at a position.
    async fn everybody_at(&self, position: u64) {
        while self.at.iter().any(|at| at.load(Ordering::Acquire) < position) {
            self.moved.notified().await;
        }
    }

    /// Stays away until so much more has been recorded.
    async fn away(&self, subscriber: usize, position: u64) {
        self.is_at(subscriber, EVENTS);
        let enough = (position + AWAY).min(EVENTS);
        let mut recorded = self.recorded.subscribe();
        recorded
            .wait_for(|recorded| *recorded >= enough)
            .await
            .expect("it is ours");
        self.is_at(subscriber, EVENTS.min(enough));
    }
}

/// What happens where, in order.
fn by_place() -> Vec<Vec<u64>> {
    let mut places = vec![Vec::new(); usize::try_from(PLACES + ENDPOINTS).unwrap()];
    (1..=EVENTS).for_each(|position| places[place(position)].push(position));
    places
}

/// Where the event at a position is: in the last places together as much as in one of the others.
fn place(position: u64) -> usize {
    let mut dice = Dice(position);
    let place = dice.below(PLACES + 1);
    let place = if place < PLACES {
        place
    } else {
        PLACES + dice.below(ENDPOINTS)
    };
    usize::try_from(place).unwrap()
}

/// Which organisation it is about.
fn organisation(position: u64) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(position % ORGANISATIONS))
}

/// Records the events in order.
async fn record(stack: &Stack, pace: &Pace) {
    let kommuner = kommuner(usize::try_from(PLACES + ENDPOINTS).unwrap());
    for first in (1..=EVENTS).step_by(usize::try_from(COMMIT).unwrap()) {
        let facts = (first..first + COMMIT).map(|position| Fact {
            kommune: Some(kommuner[place(position)]),
            organisation: organisation(position),
            ..Fact::default()
        });
        pace.everybody_at(first.saturating_sub(RING / 2)).await;
        assert_eq!(stack.append(facts.collect()).await, first + COMMIT - 1);
        pace.recorded.send_replace(first + COMMIT - 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_and_resumed_at_random_each_gets_the_filtered_log_once_and_in_order_by_every_door() {
    let stack = Stack::with(Options {
        ring_events: usize::try_from(RING).unwrap(),
        ring_bytes: 64 << 20,
    })
    .await;
    let world = World::on(stack, |options| {
        // What was not answered is tried again until it is; a machine that does much else is no reason to do so.
        options.schedule = Schedule::new(vec![Duration::from_millis(50); 1_000]);
        options.patience = PATIENCE;
        options.lease = 5 * PATIENCE;
    })
    .await;
    let (world, pace) = (Arc::new(world), Arc::new(Pace::new()));
    let kommuner = kommuner(usize::try_from(PLACES + ENDPOINTS).unwrap());
    let expected = Arc::new(by_place());
    let mut all = Vec::new();
    let mut channels = Vec::new();
    for _ in 0..CONNECTIONS {
        let channel = Channel::from_shared(world.stack.url()).unwrap();
        channels.push(channel.connect().await.unwrap());
    }
    let doors: Vec<(By, bool)> = By::ALL
        .into_iter()
        .flat_map(|by| [(by, false), (by, true)])
        .filter(|(by, is_durable)| !is_durable || by.is_lasting())
        .collect();
    let token = world.stack.issuer.token("org:310000019", &[Scope::SubscriptionsWrite]);
    for number in 0..SUBSCRIBERS {
        let turn = usize::try_from(number).unwrap();
        let (by, is_durable) = doors[turn % doors.len()];
        let follows = turn / doors.len() % usize::try_from(PLACES).unwrap();
        let channel = channels[turn % channels.len()].clone();
        let (world, expected, pace) = (Arc::clone(&world), Arc::clone(&expected), Arc::clone(&pace));
        let wish = Wish {
            kommune: Some(kommuner[follows]),
            token: is_durable.then(|| token.clone()),
            durable: is_durable.then(|| format!("number-{number}")),
            ..Wish::default()
        };
        all.push(tokio::spawn(async move {
            let who = format!("{number} by {by:?}");
            let follow = Follow {
                stack: &world.stack,
                pace: &pace,
                number: turn,
                channel,
                by,
                wish,
                dice: Dice(number),
            };
            if is_durable {
                follow.acknowledging(&expected[follows], &who).await;
            } else {
                follow.remembering(&expected[follows], &who).await;
            }
        }));
    }
    for number in PLACES..PLACES + ENDPOINTS {
        let (world, expected) = (Arc::clone(&world), Arc::clone(&expected));
        let follows = usize::try_from(number).unwrap();
        let kommune = kommuner[follows];
        // Every other one wants the facts of an organisation one after the other.
        let is_ordered = number % 2 == 0;
        let (receiver, endpoint) = endpoint(&world, kommune, is_ordered).await;
        let mut dice = Dice(number);
        let stretch = expected[follows].len() / DEATHS;
        receiver.dies_at(
            (0..DEATHS)
                .map(|death| death * stretch + 1 + dice.index(stretch - 1))
                .collect(),
        );
        all.push(tokio::spawn(async move {
            called(&world, &receiver, &endpoint, &expected[follows], is_ordered).await;
        }));
    }
    record(&world.stack, &pace).await;
    let all = futures::future::try_join_all(all);
    tokio::time::timeout(5 * PATIENCE, all).await.expect("in time").unwrap();
}

/// One who follows by a door, hangs up at random and comes back.
struct Follow<'a> {
    stack: &'a Stack,
    pace: &'a Pace,
    number: usize,
    channel: Channel,
    by: By,
    wish: Wish,
    dice: Dice,
}

// === impl Follow ===

impl Follow<'_> {
    /// So many positions and what came with them, and the connection that they came by.
    async fn read(&self, after: u64, most: usize) -> (Follower, Vec<u64>) {
        let wish = Wish {
            after,
            page: Some(most),
            ..self.wish.clone()
        };
        let follower = Follower::open(self.stack, &self.channel, self.by, &wish).await;
        let (mut follower, mut found) = (follower.unwrap(), Vec::new());
        while found.len() < most {
            found.extend(follower.next().await.expect("no end"));
            self.pace.is_at(self.number, found[found.len() - 1]);
        }
        (follower, found)
    }

    /// It has hung up at a position, for a moment or for long; answers after how many events it does so next.
    async fn rest(&mut self, position: u64, left: usize) -> usize {
        if self.dice.below(16) == 0 {
            self.pace.away(self.number, position).await;
        }
        let most = 1 + self.dice.index(usize::try_from(EVENTS / PLACES / 2).unwrap());
        most.min(left)
    }

    /// It remembers itself how far it has come. What came beyond what it took is lost with the connection.
    async fn remembering(mut self, expected: &[u64], who: &str) {
        let mut found: Vec<u64> = Vec::new();
        while found.len() < expected.len() {
            let after = found.last().copied().unwrap_or_default();
            let most = self.rest(after, expected.len() - found.len()).await;
            let (_, more) = self.read(after, most).await;
            found.extend(&more[..most]);
        }
        assert_eq!(found, expected, "{who}");
        self.pace.is_at(self.number, EVENTS);
    }

    /// The gateway remembers what it acknowledged: each time all after that comes and nothing before it.
    async fn acknowledging(mut self, expected: &[u64], who: &str) {
        let (mut done, mut last) = (0, 0);
        while done < expected.len() {
            let most = self.rest(last, expected.len() - done).await;
            // Of what it has read, a part is not acknowledged any more.
            let kept = most - self.dice.index(most.min(100));
            let (follower, found) = self.read(0, most).await;
            assert!(expected[done..].starts_with(&found), "{who}, after {done}");
            last = found[kept - 1];
            acknowledge(&self.channel, &self.wish, last).await;
            drop(follower);
            done += kept;
        }
        self.pace.is_at(self.number, EVENTS);
        self.wish.stop_at_head = true;
        let follower = Follower::open(self.stack, &self.channel, self.by, &self.wish).await;
        assert_eq!(follower.unwrap().all().await, [0; 0], "{who}, after all");
    }
}

/// A receiver, and an endpoint that has it called about what happens in a municipality.
async fn endpoint(world: &World, kommune: &str, is_ordered: bool) -> (Receiver, String) {
    let receiver = Receiver::start().await;
    let request = pb::CreateEndpointRequest {
        url: receiver.url(),
        filter: Some(EventFilter {
            kommunenummer: vec![kommune.to_owned()],
            ..Default::default()
        }),
        start: Some(pb::create_endpoint_request::Start::After(0)),
        ordered: is_ordered,
        ..Default::default()
    };
    (receiver, id(&world.create(request).await))
}

/// A receiver dies at random and comes back. Everything comes; what comes twice are those whose answer may have been lost
/// with it: each time no more than can be on their way, and in no life of it anything twice.
async fn called(world: &World, receiver: &Receiver, endpoint: &str, expected: &[u64], is_ordered: bool) {
    eventually(5 * PATIENCE, || async {
        let endpoint = world.get(endpoint).await;
        if endpoint.position == EVENTS && endpoint.waiting == 0 {
            Ok(())
        } else {
            Err(format!("{endpoint:?}"))
        }
    })
    .await;
    assert_eq!(receiver.lives(), DEATHS + 1);
    let deliveries = receiver.deliveries();
    let (mut came, mut again): (HashMap<u64, Vec<&Received>>, _) = (HashMap::new(), vec![0; receiver.lives()]);
    for delivery in &deliveries {
        let before = came.entry(delivery.position()).or_default();
        if let Some(last) = before.last() {
            assert!(last.life < delivery.life, "twice in one life: {}", delivery.position());
            assert_eq!((last.id(), &last.body), (delivery.id(), &delivery.body));
            again[last.life] += 1;
        }
        before.push(delivery);
    }
    let mut positions: Vec<u64> = came.keys().copied().collect();
    positions.sort_unstable();
    assert_eq!(positions, expected);
    let [of_its_deaths @ .., none] = again.as_slice() else {
        panic!("a last life")
    };
    let bounds = 1..=world.options.window;
    assert!(
        of_its_deaths.iter().all(|lost| bounds.contains(lost)) && *none == 0,
        "{again:?}"
    );
    if is_ordered {
        let mut last: HashMap<Uuid, u64> = HashMap::new();
        for delivery in &deliveries {
            let position = delivery.position();
            let last = last.entry(organisation(position)).or_default();
            assert!(*last <= position, "{position} after {last}");
            *last = position;
        }
    }
}

/// Bytes that one who does not read has at the most on its way: what its connection takes, and the frames behind that.
const HELD: u64 = 512 << 10;

#[tokio::test(flavor = "multi_thread")]
async fn for_one_that_does_not_read_no_more_is_made_than_its_connection_takes_and_nobody_waits() {
    let stack = Stack::with(Options {
        ring_events: 512,
        ring_bytes: 1 << 20,
    })
    .await;
    let slow = Wish {
        token: Some(stack.issuer.token("org:310000019", &[Scope::SubscriptionsWrite])),
        // It tells what was handed to the connection.
        durable: Some("slow".to_owned()),
        ..Wish::default()
    };
    let narrow = Channel::from_shared(stack.url())
        .unwrap()
        .initial_stream_window_size(64 << 10);
    let narrow = narrow.connect().await.unwrap();
    let mut still = Follower::open(&stack, &narrow, By::Envelopes, &slow).await.unwrap();
    still.started().await;
    let channel = Channel::from_shared(stack.url()).unwrap().connect().await.unwrap();
    for by in By::ALL {
        let wish = Wish {
            after: stack.log().head().await.unwrap().position,
            ..Wish::default()
        };
        let mut other = Follower::open(&stack, &channel, by, &wish).await.unwrap();
        let last = stack.append_many(5_000).await;
        let reading = async {
            let mut has = wish.after;
            while has < last {
                for position in other.next().await.expect("no end") {
                    assert_eq!(position, has + 1, "by {by:?}");
                    has = position;
                }
            }
        };
        tokio::time::timeout(PATIENCE, reading)
            .await
            .expect("nobody is held up");
    }
    let listed = stub(&channel, slow.token.as_deref())
        .list_durables(ListDurablesRequest {})
        .await;
    let handed_out = listed.unwrap().into_inner().durables[0].delivered;
    let (last, some) = (
        stack.log().head().await.unwrap().position,
        stack.log().after(0, 1).await.unwrap(),
    );
    let smallest = some[0].data.len() as u64;
    assert!(
        handed_out * smallest < HELD,
        "{handed_out} events of {smallest} bytes and more, of {last}"
    );
    // It goes on where it was, and nothing is missing.
    let mut has = 0;
    let rest = async {
        while has < last {
            for position in still.next().await.expect("no end") {
                assert_eq!(position, has + 1);
                has = position;
            }
        }
    };
    tokio::time::timeout(PATIENCE, rest).await.expect("all of it comes");
}
