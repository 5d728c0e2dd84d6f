//! What every test here stands on: a log, a stream, a relay between them, and a gateway that listens.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use ryggrad_access::Scope;
use ryggrad_client::{Client, Connection, Filter, Message, Options as Follow, Start, Subscription, with_token};
use ryggrad_eventlog::clock::{Clock, wall};
use ryggrad_eventlog::relay::{self, Relay};
use ryggrad_eventlog::schema::{self, Role};
use ryggrad_eventlog::stream::{self, Credentials, Settings};
use ryggrad_eventlog::{Append, Log, NewEvent, Outcome, Writer};
use ryggrad_gateway::{Gateway, Options};
use ryggrad_proto::event::EventPayload;
use ryggrad_proto::events::v1::event_stream_client::EventStreamClient;
use ryggrad_proto::options::v1::PrivacyClass;
use ryggrad_proto::registration::v1::{OrganisationRegistered, organisation_event};
use ryggrad_service::auth::{self, Verifier};
use ryggrad_service::server::Bounds;
use ryggrad_service::{Server, listen};
use ryggrad_testkit::{Database, TestIssuer, TestNats};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::Channel;
use uuid::Uuid;

/// Long enough for a machine that does much else.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Stack {
    pub(crate) database: Database,
    pub(crate) nats: TestNats,
    pub(crate) writer: Writer,
    ecosystem: Writer,
    pub(crate) issuer: TestIssuer,
    pub(crate) clock: Clock,
    pub(crate) door: Door,
    options: Options,
    next: AtomicU64,
    _relay: DropGuard,
}

/// A gateway that listens.
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    pub(crate) gateway: Gateway,
    token: CancellationToken,
    server: tokio::task::JoinHandle<()>,
}

/// A fact to be recorded.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) aggregate_type: &'static str,
    pub(crate) organisation: Uuid,
    pub(crate) orgnr: Option<&'static str>,
    pub(crate) kommune: Option<&'static str>,
    pub(crate) related: Vec<Uuid>,
    pub(crate) class: PrivacyClass,
}

// === impl Stack ===

impl Stack {
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        ryggrad_testkit::init_tracing();
        let (database, nats) = tokio::join!(Database::create("gateway", migrate), ryggrad_testkit::nats());
        let writer = Writer::spawn(&database.pool_as("ryggrad_registration"), "registration");
        let token = CancellationToken::new();
        let relay_client = connect(&nats, "relay").await;
        let relay = Relay::new(database.pool_as("ryggrad_relay"), relay_client.clone()).woken_by(writer.committed());
        tokio::spawn(relay::announce(relay_client, writer.committed(), token.clone()));
        tokio::spawn({
            let token = token.clone();
            async move { relay.run(token).await.expect("stream and log agree") }
        });
        let issuer = TestIssuer::start().await;
        let clock = Clock::simulated("2026-03-01T12:00:00Z".parse().unwrap());
        let ecosystem = Writer::spawn(&database.pool_as("ryggrad_registration"), "ecosystem");
        let address = "127.0.0.1:0".parse().unwrap();
        let door = Door::open(&database, &nats, options, &issuer, &clock, address).await;
        Self {
            database,
            nats,
            writer,
            ecosystem,
            issuer,
            clock,
            door,
            options,
            next: AtomicU64::new(1),
            _relay: token.drop_guard(),
        }
    }

    /// Closes the gateway and opens another one at the same address.
    pub(crate) async fn replace_gateway(&mut self) {
        let address = self.door.address;
        self.door.close().await;
        let (options, issuer, clock) = (self.options, &self.issuer, &self.clock);
        self.door = Door::open(&self.database, &self.nats, options, issuer, clock, address).await;
    }

    pub(crate) fn log(&self) -> Log {
        Log::new(self.database.pool())
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(&self.url()).await.unwrap()
    }

    /// A client of a party with these scopes.
    pub(crate) async fn client_as(&self, party: &str, scopes: &[Scope]) -> Client {
        self.client().await.with_tokens(self.issuer.token(party, scopes))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.door.address)
    }

    /// The generated stub of a party with these scopes.
    pub(crate) async fn stub_as(&self, party: &str, scopes: &[Scope]) -> EventStreamClient<Connection> {
        let channel = Channel::from_shared(self.url()).unwrap().connect().await.unwrap();
        EventStreamClient::new(with_token(channel, self.issuer.token(party, scopes)))
    }

    /// The generated stub, for those who look at frames.
    pub(crate) async fn stub(&self) -> EventStreamClient<Channel> {
        EventStreamClient::connect(self.url()).await.unwrap()
    }

    /// Records facts about made-up organisations; answers the last position.
    pub(crate) async fn append_many(&self, count: u64) -> u64 {
        let mut left = count;
        let mut commands = Vec::new();
        while left > 0 {
            let now = left.min(200);
            commands.push(self.append(vec![Fact::default(); usize::try_from(now).unwrap()]));
            left -= now;
        }
        let positions = futures::stream::iter(commands)
            .buffer_unordered(64)
            .collect::<Vec<_>>()
            .await;
        positions.into_iter().max().unwrap_or_default()
    }

    /// Records facts in one commit; answers the last position.
    pub(crate) async fn append(&self, facts: Vec<Fact>) -> u64 {
        self.append_to("registration", facts).await
    }

    /// The same in a context.
    pub(crate) async fn append_to(&self, context: &str, facts: Vec<Fact>) -> u64 {
        let writer = if context == "ecosystem" {
            &self.ecosystem
        } else {
            &self.writer
        };
        let aggregate_type = facts[0].aggregate_type;
        let events = facts.into_iter().map(|fact| {
            let payload = organisation_event::Event::OrganisationRegistered(OrganisationRegistered {
                organisation_id: fact.organisation.to_string(),
                orgnr: fact.orgnr.unwrap_or_default().to_owned(),
                ..Default::default()
            });
            self.event(fact, &payload)
        });
        let events = events.collect();
        self.record(writer, aggregate_type, self.id(), 0, events).await
    }

    /// Records a fact that says this; answers its position.
    pub(crate) async fn append_payload<E: EventPayload>(&self, fact: Fact, payload: &E) -> u64 {
        let fact = Fact {
            name: payload.name(),
            class: payload.class(),
            ..fact
        };
        let aggregate_type = fact.aggregate_type;
        let events = vec![self.event(fact, payload)];
        self.record(&self.writer, aggregate_type, self.id(), 0, events).await
    }

    /// Records a fact of the ecosystem about an aggregate; answers its position.
    pub(crate) async fn ecosystem<E: EventPayload>(
        &self,
        aggregate_type: &'static str,
        aggregate: Uuid,
        expected: u64,
        fact: &E,
    ) -> u64 {
        let event = NewEvent {
            id: self.id(),
            name: fact.name(),
            organisation_id: aggregate,
            orgnr: None,
            kommunenummer: None,
            related: Vec::new(),
            class: fact.class(),
            data: fact.encode().into(),
            payload: fact.json().unwrap(),
        };
        self.record(&self.ecosystem, aggregate_type, aggregate, expected, vec![event])
            .await
    }

    async fn record(
        &self,
        writer: &Writer,
        aggregate_type: &'static str,
        aggregate_id: Uuid,
        expected: u64,
        events: Vec<NewEvent>,
    ) -> u64 {
        let append = Append {
            command_id: self.id(),
            aggregate_type,
            aggregate_id,
            expected,
            correlation_id: aggregate_id,
            causation: None,
            actor: r#"{"kind":"system","ref":"test"}"#.to_owned(),
            traceparent: None,
            occurred_at: "2026-03-01T12:00:00Z".parse().unwrap(),
            events,
        };
        match writer.append(append).await.unwrap() {
            Outcome::Appended(appended) => appended.last_position,
            other => panic!("{other:?}"),
        }
    }

    fn event(&self, fact: Fact, payload: &impl EventPayload) -> NewEvent {
        NewEvent {
            id: self.id(),
            name: fact.name,
            organisation_id: fact.organisation,
            orgnr: fact.orgnr.map(str::to_owned),
            kommunenummer: fact.kommune.map(str::to_owned),
            related: fact.related,
            class: fact.class,
            data: EventPayload::encode(payload).into(),
            payload: payload.json().unwrap(),
        }
    }

    /// A UUID v7 of now.
    pub(crate) fn id(&self) -> Uuid {
        let now = u64::try_from(wall().as_millisecond()).unwrap();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        uuid::Builder::from_unix_timestamp_millis(
            now,
            &(number << 16).to_be_bytes().repeat(2)[..10].try_into().unwrap(),
        )
        .into_uuid()
    }
}

async fn migrate(pool: sqlx::PgPool) -> anyhow::Result<()> {
    let roles = [
        Role::writer("ryggrad_registration", "registration"),
        Role::writer("ryggrad_registration", "ecosystem"),
        Role::writer_of("ryggrad_gateway", "ecosystem", "AccessLog"),
        Role::reader("ryggrad_relay"),
    ];
    schema::migrate(&pool, &roles).await?;
    Ok(())
}

pub(crate) async fn connect(nats: &TestNats, user: &str) -> async_nats::Client {
    let credentials = Credentials::User {
        user: user.to_owned(),
        password: nats.password_of(user),
    };
    stream::connect(&Settings {
        servers: vec![nats.address()],
        credentials,
        name: user.to_owned(),
    })
    .await
    .unwrap()
}

// === impl Door ===

impl Door {
    async fn open(
        database: &Database,
        nats: &TestNats,
        options: Options,
        issuer: &TestIssuer,
        clock: &Clock,
        address: SocketAddr,
    ) -> Self {
        let url: PgConnectOptions = database.url_as("ryggrad_gateway").parse().unwrap();
        let pool = PgPoolOptions::new()
            .max_connections(8)
            .connect_lazy_with(url.options([("search_path", "gateway")]));
        let gateway = Gateway::new(pool, connect(nats, "gateway").await, clock.clone(), options);
        gateway.prepare().await.unwrap();
        let listener = listen::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let token = CancellationToken::new();
        let server = Server::new("gateway")
            .grpc(gateway.grpc())
            .rest(gateway.rest())
            .http(gateway.http())
            .describe(Gateway::openapi())
            .authentication(Verifier::new(auth::Settings::development(issuer.name())).unwrap())
            // All clients of a test have one address, as behind a proxy.
            .bounds(Bounds {
                per_peer: Bounds::default().connections,
                ..Bounds::default()
            })
            .drain(Duration::from_secs(5));
        let (running, ending) = (gateway.clone(), token.clone());
        let server = tokio::spawn(async move {
            let ((), end) = tokio::join!(running.run(ending.clone()), server.run(listener, ending));
            end.unwrap();
        });
        Self {
            address,
            gateway,
            token,
            server,
        }
    }

    /// Stops as a process does, and waits until it has.
    pub(crate) async fn close(&mut self) {
        self.token.cancel();
        (&mut self.server).await.unwrap();
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.token.cancel();
    }
}

// === impl Fact ===

impl Default for Fact {
    fn default() -> Self {
        Self {
            name: "OrganisationRegistered",
            aggregate_type: "Organisation",
            organisation: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001),
            orgnr: None,
            kommune: None,
            related: Vec::new(),
            class: PrivacyClass::Public,
        }
    }
}

/// Follows from a start with short heartbeats.
pub(crate) fn follow(client: &Client, start: Start, filter: Filter) -> Subscription {
    client.subscribe_with(
        start,
        filter,
        Follow {
            heartbeat: Duration::from_millis(200),
            ..Follow::default()
        },
    )
}

/// The positions of the next events.
#[track_caller]
pub(crate) fn positions(subscription: &mut Subscription, count: u64) -> impl Future<Output = Vec<u64>> + '_ {
    let caller = std::panic::Location::caller();
    async move {
        let mut found = Vec::new();
        while (found.len() as u64) < count {
            let next = tokio::time::timeout(PATIENCE, subscription.next_event()).await;
            let next = next.unwrap_or_else(|_| panic!("waited at {caller} after {} of {count} events", found.len()));
            found.push(next.unwrap().expect("the subscription goes on").position());
        }
        found
    }
}

/// The positions of the events until it is said that this is all.
pub(crate) async fn until_caught_up(subscription: &mut Subscription) -> Vec<u64> {
    let mut found = Vec::new();
    loop {
        match tokio::time::timeout(PATIENCE, subscription.next())
            .await
            .expect("a message")
            .expect("no end")
            .unwrap()
        {
            Message::Event(event) => found.push(event.position()),
            Message::CaughtUp { .. } => return found,
            Message::Heartbeat { .. } => {}
        }
    }
}
