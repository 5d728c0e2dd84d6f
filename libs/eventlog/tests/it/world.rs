//! A log, a stream and a relay between them, for one test.

use std::str::FromStr as _;

use async_nats::Client;
use bytes::Bytes;
use ryggrad_eventlog::relay::Relay;
use ryggrad_eventlog::{Append, Log, NewEvent, Outcome, consumer};
use ryggrad_proto::options::v1::PrivacyClass;
use ryggrad_testkit::{Database, TestNats};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use crate::support::{SERVICE, database};

/// What a test runs on.
pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) nats: TestNats,
    /// As the service that appends.
    pub(crate) writer: PgPool,
    /// As the service that has views, in its own schema, with the tables of consumers.
    pub(crate) views: PgPool,
    /// As the service that follows.
    pub(crate) client: Client,
}

/// An event to be: its name, its organisation and the others that it concerns.
#[derive(Clone)]
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) organisation: Uuid,
    pub(crate) related: Vec<Uuid>,
}

impl Fact {
    pub(crate) fn new(name: &'static str, organisation: Uuid) -> Self {
        Self {
            name,
            organisation,
            related: Vec::new(),
        }
    }
}

impl World {
    pub(crate) async fn begin() -> Self {
        ryggrad_testkit::init_tracing();
        let (database, nats) = tokio::join!(database(), ryggrad_testkit::nats());
        let writer = database.pool_as(SERVICE);
        let views = pool_in_schema(&database.url_as("ryggrad_views"), "views").await;
        consumer::install(&views).await.expect("the consumers' tables");
        let client = nats.client("views").await;
        Self {
            database,
            nats,
            writer,
            views,
            client,
        }
    }

    /// Runs a relay until it is dropped.
    pub(crate) async fn relay(&self) -> AbortOnDropHandle<()> {
        let relay = Relay::new(self.database.pool_as("ryggrad_relay"), self.nats.client("relay").await);
        AbortOnDropHandle::new(tokio::spawn(async move {
            relay.run(CancellationToken::new()).await.expect("stream and log agree");
        }))
    }

    /// Appends events, each as an aggregate's first, a hundred commands in a commit.
    pub(crate) async fn append(&self, facts: &[Fact]) {
        let mut connection = self.writer.acquire().await.expect("a connection");
        for facts in facts.chunks(100) {
            append(&mut connection, facts).await;
        }
    }

    /// Appends so many events, spread over some organisations.
    pub(crate) async fn append_many(&self, count: usize, organisations: &[Uuid]) {
        let facts: Vec<_> = organisations
            .iter()
            .cycle()
            .take(count)
            .map(|id| Fact::new("TrialActivityHeld", *id))
            .collect();
        self.append(&facts).await;
    }

    pub(crate) async fn head(&self) -> u64 {
        Log::new(self.writer.clone()).head().await.expect("the head").position
    }
}

async fn append(connection: &mut PgConnection, facts: &[Fact]) {
    let appends: Vec<_> = facts
        .iter()
        .map(|fact| Append {
            command_id: Uuid::now_v7(),
            aggregate_type: "Initiative",
            aggregate_id: Uuid::now_v7(),
            expected: 0,
            correlation_id: Uuid::now_v7(),
            causation: None,
            actor: r#"{"kind":"system","ref":"tests"}"#.to_owned(),
            traceparent: None,
            occurred_at: "2026-05-01T10:00:00Z".parse().expect("an instant"),
            events: vec![NewEvent {
                id: Uuid::now_v7(),
                name: fact.name,
                organisation_id: fact.organisation,
                orgnr: Some("315000009".to_owned()),
                kommunenummer: None,
                related: fact.related.clone(),
                class: PrivacyClass::Public,
                data: Bytes::from_static(b"\x0a\x0a2026-03-02"),
                payload: r#"{"date":"2026-03-02"}"#.to_owned(),
            }],
        })
        .collect();
    let outcomes = ryggrad_eventlog::append::append(connection, "registration", &appends.iter().collect::<Vec<_>>())
        .await
        .expect("appended");
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Appended(_))));
}

/// A pool whose first schema is a service's own.
pub(crate) async fn pool_in_schema(url: &str, schema: &str) -> PgPool {
    let options = PgConnectOptions::from_str(url)
        .expect("a url")
        .options([("search_path", schema)]);
    PgPoolOptions::new()
        .max_connections(6)
        .connect_with(options)
        .await
        .expect("connects")
}

/// Ids of organisations.
pub(crate) fn organisations(count: usize) -> Vec<Uuid> {
    (0..count).map(|_| Uuid::now_v7()).collect()
}
