//! A log, a stream, a relay and the views with their server, for one test.

use std::net::SocketAddr;
use std::str::FromStr as _;
use std::time::Duration;

use ryggrad_client::{Connection, with_token};
use ryggrad_eventlog::relay::Relay;
use ryggrad_eventlog::schema::{self, Role};
use ryggrad_eventlog::{Append, Clock, Log, NewEvent, Outcome};
use ryggrad_norway::OrgNumber;
use ryggrad_proto::EventPayload;
use ryggrad_proto::registration::v1::organisation_event::Event;
use ryggrad_proto::registration::v1::{
    Address, OrganisationDetails, OrganisationRegistered, VoluntaryRegistrationEntered,
};
use ryggrad_proto::views::v1::views_client::ViewsClient;
use ryggrad_service::auth::{Settings, Verifier};
use ryggrad_service::{Server, listen};
use ryggrad_testkit::{Database, TestIssuer, TestNats, eventually};
use ryggrad_views::{Options, Views};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::Channel;
use tonic_types::StatusExt as _;
use uuid::Uuid;

/// The first platform of the development list.
pub(crate) const PLATFORM: &str = "399001218";
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

const ROLES: [Role<'static>; 4] = [
    Role::writer("ryggrad_registration", "registration"),
    Role::writer_of("ryggrad_views", "ecosystem", "AccessLog"),
    Role::writer("ryggrad_ecosystem", "ecosystem"),
    Role::reader("ryggrad_relay"),
];

/// What a test runs on.
pub(crate) struct World {
    pub(crate) writer: PgPool,
    ecosystem: PgPool,
    /// As the views' role, in its own schema.
    pub(crate) pool: PgPool,
    pub(crate) views: Views,
    /// As a platform that has begun whatever has no number.
    pub(crate) client: ViewsClient<Connection>,
    pub(crate) channel: Channel,
    pub(crate) issuer: TestIssuer,
    pub(crate) address: SocketAddr,
    token: CancellationToken,
    tasks: Vec<AbortOnDropHandle<()>>,
    nats: TestNats,
    pub(crate) database: Database,
}

impl World {
    /// With everything running.
    pub(crate) async fn begin() -> Self {
        Self::begin_with(Options {
            patience: Duration::from_secs(20),
            ..Options::default()
        })
        .await
    }

    /// With everything running, and options of its own.
    pub(crate) async fn begin_with(options: Options) -> Self {
        ryggrad_testkit::init_tracing();
        let database = Database::create(
            "views tests",
            |pool| async move { schema::migrate(&pool, &ROLES).await },
        );
        let (database, nats) = tokio::join!(database, ryggrad_testkit::nats());
        let writer = database.pool_as("ryggrad_registration");
        let ecosystem = database.pool_as("ryggrad_ecosystem");
        let url = PgConnectOptions::from_str(&database.url_as("ryggrad_views"))
            .expect("a url")
            .options([("search_path", "views")]);
        let pool = PgPoolOptions::new()
            .max_connections(12)
            .connect_with(url)
            .await
            .expect("connects");
        let views = Views::open(pool.clone(), nats.client("views").await, Clock::system(), options)
            .await
            .expect("the views open");
        let token = CancellationToken::new();
        let mut tasks = Vec::new();
        let (running, stop) = (views.clone(), token.clone());
        tasks.push(AbortOnDropHandle::new(tokio::spawn(
            async move { running.run(stop).await },
        )));
        let relay = Relay::new(database.pool_as("ryggrad_relay"), nats.client("relay").await);
        tasks.push(AbortOnDropHandle::new(tokio::spawn(async move {
            relay.run(CancellationToken::new()).await.expect("stream and log agree");
        })));
        let listener = listen::bind("127.0.0.1:0".parse().expect("an address"))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("bound");
        let issuer = TestIssuer::start().await;
        let verifier = Verifier::new(Settings::development(issuer.name())).expect("a verifier");
        let server = Server::new("views")
            .authentication(verifier)
            .grpc(views.grpc())
            .rest(views.rest())
            .http(views.http());
        let stop = token.clone();
        tasks.push(AbortOnDropHandle::new(tokio::spawn(async move {
            server.run(listener, stop).await.expect("serves");
        })));
        let channel = Channel::from_shared(format!("http://{address}"))
            .expect("an address")
            .connect()
            .await
            .expect("connects");
        let client = ViewsClient::new(with_token(channel.clone(), issuer.usual("platform")));
        let world = Self {
            writer,
            ecosystem,
            pool,
            views,
            client,
            channel,
            issuer,
            address,
            token,
            tasks,
            nats,
            database,
        };
        eventually(PATIENCE, || async { world.views.ready().await }).await;
        world
    }

    /// A client of a second process on the same rows, which only answers.
    pub(crate) async fn beside(&mut self) -> ViewsClient<Channel> {
        let options = Options {
            patience: PATIENCE,
            ..Options::default()
        };
        let views = Views::open(
            self.pool.clone(),
            self.nats.client("views").await,
            Clock::system(),
            options,
        )
        .await
        .expect("the views open");
        let listener = listen::bind("127.0.0.1:0".parse().expect("an address"))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (server, stop) = (Server::new("views").grpc(views.grpc()), self.token.clone());
        self.tasks.push(AbortOnDropHandle::new(tokio::spawn(async move {
            server.run(listener, stop).await.expect("serves");
        })));
        ViewsClient::connect(format!("http://{address}"))
            .await
            .expect("connects")
    }

    /// Appends what an aggregate says first, and answers the position.
    pub(crate) async fn append<E: EventPayload>(
        &self,
        aggregate: &'static str,
        id: Uuid,
        expected: u64,
        about: &About,
        events: &[E],
    ) -> u64 {
        self.append_in(None, aggregate, id, expected, about, events).await
    }

    /// The same in a municipality.
    pub(crate) async fn append_in<E: EventPayload>(
        &self,
        kommune: Option<&str>,
        aggregate: &'static str,
        id: Uuid,
        expected: u64,
        about: &About,
        events: &[E],
    ) -> u64 {
        let events = events.iter().map(|event| NewEvent {
            id: fresh(),
            name: event.name(),
            organisation_id: about.organisation,
            orgnr: about.orgnr.clone(),
            kommunenummer: kommune.map(str::to_owned),
            related: about.related.clone(),
            class: event.class(),
            data: event.encode().into(),
            payload: event.json().expect("its JSON"),
        });
        let append = Append {
            command_id: fresh(),
            aggregate_type: aggregate,
            aggregate_id: id,
            expected,
            correlation_id: fresh(),
            causation: None,
            actor: format!(r#"{{"kind":"platform","ref":"{PLATFORM}","authenticated":true}}"#),
            traceparent: None,
            occurred_at: "2026-05-01T10:00:00Z".parse().expect("an instant"),
            events: events.collect(),
        };
        let (pool, context) = match aggregate {
            "Subscription" | "Mandate" => (&self.ecosystem, "ecosystem"),
            "AccessLog" => (&self.pool, "ecosystem"),
            _ => (&self.writer, "registration"),
        };
        let mut connection = pool.acquire().await.expect("a connection");
        let outcomes = ryggrad_eventlog::append::append(&mut connection, context, &[&append])
            .await
            .expect("appended");
        match outcomes[0] {
            Outcome::Appended(appended) => appended.last_position,
            other => panic!("{other:?}"),
        }
    }

    /// Registers an organisation, with categories also in Frivillighetsregisteret, and answers the position.
    pub(crate) async fn register(&self, organisation: &Organisation) -> u64 {
        let events = organisation.events();
        self.append("Organisation", organisation.id, 0, &organisation.about(), &events)
            .await
    }

    /// Without a token: what is open leaves no trace.
    pub(crate) fn anybody(&self) -> ViewsClient<Channel> {
        ViewsClient::new(self.channel.clone())
    }

    /// Takes away, as the owner of the database, the right to write the access log.
    pub(crate) async fn forbid_the_access_log(&self) {
        let sql = "delete from log.writers where role = 'ryggrad_views'";
        let taken = sqlx::query(sql).execute(&self.database.pool()).await;
        assert_eq!(taken.expect("the owner may").rows_affected(), 1);
    }

    /// As somebody else, by the name of a party.
    pub(crate) fn client_as(&self, party: &str) -> ViewsClient<Connection> {
        ViewsClient::new(with_token(self.channel.clone(), self.issuer.usual(party)))
    }

    pub(crate) async fn head(&self) -> u64 {
        Log::new(self.writer.clone()).head().await.expect("the head").position
    }

    /// Waits until every view is where the log ends.
    pub(crate) async fn caught_up(&self) {
        eventually(PATIENCE, || async {
            let head = self.head().await;
            let progress = ryggrad_eventlog::projection::progress(&self.pool).await?;
            let late = progress
                .iter()
                .find(|view| view.state == ryggrad_eventlog::projection::State::Live && view.position < head);
            anyhow::ensure!(
                late.is_none() && progress.len() >= Views::NAMES.len(),
                "{late:?} of {head}"
            );
            anyhow::Ok(())
        })
        .await;
    }

    /// Every view is the fold of the log, byte for byte.
    pub(crate) async fn assert_folded(&self) {
        for verified in Views::verify(&self.pool).await.expect("the views can be read") {
            assert_eq!(
                verified.difference, None,
                "I10: {} at {}",
                verified.view, verified.as_of
            );
        }
    }

    /// Ends the role as an operator does.
    pub(crate) async fn stop(mut self) {
        self.token.cancel();
        for task in std::mem::take(&mut self.tasks).into_iter().take(1) {
            task.await.expect("the role ends well");
        }
    }
}

/// Whom an event is about.
pub(crate) struct About {
    pub(crate) organisation: Uuid,
    pub(crate) orgnr: Option<String>,
    pub(crate) related: Vec<Uuid>,
}

/// An organisation to be.
#[derive(Clone)]
pub(crate) struct Organisation {
    pub(crate) id: Uuid,
    pub(crate) orgnr: String,
    pub(crate) name: String,
    pub(crate) kommunenummer: &'static str,
    pub(crate) form: &'static str,
    pub(crate) icnpo: Vec<&'static str>,
}

impl Organisation {
    /// The nth one: an association in Vang with its own number.
    pub(crate) fn nth(n: u32) -> Self {
        let orgnr = (31_000_000 + n * 7..)
            .find_map(OrgNumber::with_check_digit)
            .expect("a number");
        Self {
            id: fresh(),
            orgnr: orgnr.to_string(),
            name: format!("Lag {n}"),
            kommunenummer: "3454",
            form: "FLI",
            icnpo: vec!["1200"],
        }
    }

    pub(crate) fn about(&self) -> About {
        About {
            organisation: self.id,
            orgnr: Some(self.orgnr.clone()),
            related: Vec::new(),
        }
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        let details = OrganisationDetails {
            name: self.name.clone(),
            form: self.form.to_owned(),
            forretningsadresse: Some(Address {
                kommunenummer: self.kommunenummer.to_owned(),
                ..Address::default()
            }),
            ..OrganisationDetails::default()
        };
        let registered = OrganisationRegistered {
            organisation_id: self.id.to_string(),
            orgnr: self.orgnr.clone(),
            registreringsdato: "2026-03-02".to_owned(),
            details: Some(details),
            ..OrganisationRegistered::default()
        };
        let mut events = vec![Event::from(registered)];
        if !self.icnpo.is_empty() {
            let icnpo = self.icnpo.iter().map(ToString::to_string).collect();
            events.push(
                VoluntaryRegistrationEntered {
                    orgnr: self.orgnr.clone(),
                    icnpo,
                    ..VoluntaryRegistrationEntered::default()
                }
                .into(),
            );
        }
        events
    }
}

/// An id that nobody has had.
#[expect(clippy::disallowed_methods, reason = "a test is an edge")]
pub(crate) fn fresh() -> Uuid {
    Uuid::now_v7()
}

/// The field that a refusal names.
#[track_caller]
pub(crate) fn field(refused: &tonic::Status) -> String {
    assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{refused:?}");
    let details = refused.get_details_bad_request().expect("a field is named");
    details
        .field_violations
        .first()
        .map(|violation| violation.field.clone())
        .unwrap_or_default()
}
