//! The service with a database, a broker, a relay and a clock of its own.

use std::pin::Pin;

use jiff::{Span, Timestamp};
use ryggrad_access::{Caller, Identity, Party, Scope, Stakeholder};
use ryggrad_eventlog::relay::Relay;
use ryggrad_eventlog::schema::{self, Role};
use ryggrad_eventlog::{Append, Clock, Log, NewEvent, Outcome, Recorded, Writer};
use ryggrad_norway::OrgNumber;
use ryggrad_proto::EventPayload;
use ryggrad_registration::Registration;
use ryggrad_registration::register::simulator::Simulator;
use ryggrad_service::auth;
use ryggrad_testkit::{Database, TestNats};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) const SERVICE: &str = "ryggrad_registration";
const ECOSYSTEM: &str = "ryggrad_ecosystem";

/// Runs what a test asks as the app that the founders use: a platform, which begins things for them.
pub(crate) fn as_the_app<F: Future>(asking: F) -> Pin<Box<impl Future<Output = F::Output>>> {
    let orgnr = OrgNumber::parse("399001218").expect("a number");
    let platform = Party {
        orgnr,
        stakeholder: Stakeholder::Platform,
        kommune: None,
        name: String::new(),
    };
    Box::pin(auth::answering(caller(orgnr, vec![platform]), asking))
}

/// Runs what a test asks as an organisation.
pub(crate) fn as_organisation<F: Future>(orgnr: &str, asking: F) -> Pin<Box<impl Future<Output = F::Output> + use<F>>> {
    let orgnr = OrgNumber::parse(orgnr).expect("a number");
    Box::pin(auth::answering(caller(orgnr, Vec::new()), asking))
}

fn caller(consumer: OrgNumber, parties: Vec<Party>) -> Caller {
    with_scopes(consumer, parties, Scope::all())
}

/// Somebody whose token has these scopes.
pub(crate) fn with_scopes(consumer: OrgNumber, parties: Vec<Party>, scopes: impl IntoIterator<Item = Scope>) -> Caller {
    Caller::proved(Identity {
        consumer,
        supplier: None,
        system_user: None,
        scopes: scopes.into_iter().collect(),
        parties,
        expires: Timestamp::MAX,
    })
}

/// A running service.
pub(crate) struct World {
    pub(crate) service: Registration,
    pub(crate) clock: Clock,
    pub(crate) log: Log,
    /// Of registration, and of the ecosystem.
    writers: [Writer; 2],
    _database: Database,
    _nats: TestNats,
    token: CancellationToken,
}

/// The service at noon on 2 March 2026, before this register authority.
pub(crate) async fn world(simulator: Simulator) -> World {
    let database = Database::create("registration tests 2", |pool| async move {
        let roles = [
            Role::writer(SERVICE, "registration"),
            Role::writer_of(SERVICE, "ecosystem", "AccessLog"),
            Role::writer(ECOSYSTEM, "ecosystem"),
            Role::reader("ryggrad_relay"),
        ];
        schema::migrate(&pool, &roles).await
    })
    .await;
    let nats = ryggrad_testkit::nats().await;
    let pool = pool(&database);
    ryggrad_registration::install(&pool)
        .await
        .expect("the service's tables");
    let start: Timestamp = "2026-03-02T11:00:00Z".parse().expect("an instant");
    let clock = Clock::simulated(start);
    let service = Registration::new(pool, clock.clone());
    let token = CancellationToken::new();
    let relay = Relay::new(database.pool_as("ryggrad_relay"), nats.client("relay").await).woken_by(service.committed());
    let (publishing, ended) = (token.clone(), token.clone());
    tokio::spawn(async move { relay.run(publishing).await });
    let (follower, client) = (service.clone(), nats.client("registration").await);
    tokio::spawn(async move { follower.run(client, Some(simulator), ended).await });
    World {
        service,
        clock,
        log: Log::new(database.pool()),
        _nats: nats,
        writers: [(SERVICE, "registration"), (ECOSYSTEM, "ecosystem")]
            .map(|(role, context)| Writer::spawn(&database.pool_as(role), context)),
        token,
        _database: database,
    }
}

/// Connections of the service, in its schema.
pub(crate) fn pool(database: &Database) -> PgPool {
    let options: PgConnectOptions = database.url_as(SERVICE).parse().expect("a URL");
    PgPoolOptions::new()
        .max_connections(8)
        .connect_lazy_with(options.options([("search_path", "registration")]))
}

impl Drop for World {
    fn drop(&mut self) {
        self.token.cancel();
    }
}

impl World {
    /// Moves the clock.
    pub(crate) async fn later(&self, span: Span) {
        self.clock.advance(span).await.expect("the clock is simulated");
    }

    /// Records the first events of an aggregate, by an organisation with a token or by nobody.
    pub(crate) async fn record<E: EventPayload>(
        &self,
        aggregate: &'static str,
        id: Uuid,
        by: Option<&str>,
        orgnr: Option<&str>,
        events: &[E],
    ) {
        let actor = by.map_or(
            serde_json::json!({}),
            |by| serde_json::json!({"kind": "organisation", "ref": by, "authenticated": true}),
        );
        let events = events.iter().map(|event| NewEvent {
            id: fresh(),
            name: event.name(),
            organisation_id: id,
            orgnr: orgnr.map(str::to_owned),
            kommunenummer: None,
            related: Vec::new(),
            class: event.class(),
            data: event.encode().into(),
            payload: event.json().expect("its JSON"),
        });
        let append = Append {
            command_id: fresh(),
            aggregate_type: aggregate,
            aggregate_id: id,
            expected: 0,
            correlation_id: id,
            causation: None,
            actor: actor.to_string(),
            traceparent: None,
            occurred_at: "2026-03-02T10:00:00Z".parse().expect("an instant"),
            events: events.collect(),
        };
        let [registration, ecosystem] = &self.writers;
        let is_ecosystem = matches!(aggregate, "Subscription" | "Mandate");
        let writer = if is_ecosystem { ecosystem } else { registration };
        let outcome = writer.append(append).await.expect("the log");
        assert!(matches!(outcome, Outcome::Appended(_)), "{outcome:?}");
    }

    /// The number that an organisation was given.
    pub(crate) async fn orgnr(&self, organisation: &str) -> String {
        let id = Uuid::try_parse(organisation).expect("an id");
        let events = self.log.aggregate(id, 0).await.expect("the log");
        events
            .iter()
            .find_map(|event| event.orgnr.clone())
            .expect("it has a number")
    }

    /// The names of all events about an aggregate, in order.
    pub(crate) async fn events(&self, aggregate: Uuid) -> Vec<String> {
        let events = self.log.aggregate(aggregate, 0).await.expect("the log");
        events.iter().map(|event: &Recorded| event.name.to_string()).collect()
    }
}

/// An id that nobody has had.
#[expect(clippy::disallowed_methods, reason = "a test is an edge")]
pub(crate) fn fresh() -> Uuid {
    Uuid::now_v7()
}
