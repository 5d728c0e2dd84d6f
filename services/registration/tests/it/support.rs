//! The service with a database, a broker, a relay and a clock of its own.

use std::pin::Pin;

use jiff::{Span, Timestamp};
use ryggrad_access::{Caller, Identity, Party, Scope, Stakeholder};
use ryggrad_eventlog::relay::Relay;
use ryggrad_eventlog::schema::{self, Role};
use ryggrad_eventlog::{Clock, Log, Recorded};
use ryggrad_norway::OrgNumber;
use ryggrad_registration::Registration;
use ryggrad_registration::register::simulator::Simulator;
use ryggrad_service::auth;
use ryggrad_testkit::{Database, TestNats};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio_util::sync::CancellationToken;

pub(crate) const SERVICE: &str = "ryggrad_registration";

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
    Caller::proved(Identity {
        consumer,
        supplier: None,
        system_user: None,
        scopes: Scope::all().collect(),
        parties,
        expires: Timestamp::MAX,
    })
}

/// A running service.
pub(crate) struct World {
    pub(crate) service: Registration,
    pub(crate) clock: Clock,
    pub(crate) log: Log,
    _database: Database,
    _nats: TestNats,
    token: CancellationToken,
}

/// The service at noon on 2 March 2026, before this register authority.
pub(crate) async fn world(simulator: Simulator) -> World {
    let database = Database::create("registration tests 1", |pool| async move {
        let roles = [
            Role::writer(SERVICE, "registration"),
            Role::writer_of(SERVICE, "ecosystem", "AccessLog"),
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
        _database: database,
        _nats: nats,
        token,
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

    /// The number that an organisation was given.
    pub(crate) async fn orgnr(&self, organisation: &str) -> String {
        let id = uuid::Uuid::try_parse(organisation).expect("an id");
        let events = self.log.aggregate(id, 0).await.expect("the log");
        events
            .iter()
            .find_map(|event| event.orgnr.clone())
            .expect("it has a number")
    }

    /// The names of all events about an aggregate, in order.
    pub(crate) async fn events(&self, aggregate: uuid::Uuid) -> Vec<String> {
        let events = self.log.aggregate(aggregate, 0).await.expect("the log");
        events.iter().map(|event: &Recorded| event.name.to_string()).collect()
    }
}
