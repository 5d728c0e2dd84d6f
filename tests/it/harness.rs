//! The whole backbone in the test's process: every role, on a database and a broker of its own.

use std::sync::atomic::{AtomicU64, Ordering};

use ryggrad::servers::{self, Addresses};
use ryggrad::stack::{Plan, Register, Stack};
use ryggrad_client::{Connection, with_token};
use ryggrad_local::postgres::OWNER;
use ryggrad_proto::common::v1::{CommandMeta, Receipt};
use ryggrad_proto::registration::v1::SketchInitiative;
use ryggrad_proto::registration::v1::registration_service_client::RegistrationServiceClient;
use ryggrad_service::auth::Settings;
use ryggrad_service::listen;
use ryggrad_testkit::{Database, TestIssuer, TestNats};
use sqlx::PgPool;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

/// A running backbone.
pub(crate) struct Whole {
    pub(crate) stack: Stack,
    pub(crate) addresses: Addresses,
    pub(crate) nats: TestNats,
    pub(crate) channel: Channel,
    pub(crate) issuer: TestIssuer,
}

/// A database with the log's schema, and its roles.
pub(crate) async fn database() -> Database {
    Database::create(
        concat!(
            "the log for every role, ",
            include_str!("../../libs/eventlog/sql/0005_append.sql")
        ),
        |owner| async move { servers::migrate_in(&owner).await },
    )
    .await
}

/// Every role, with a clock that the test moves.
pub(crate) async fn whole() -> Whole {
    let database = database().await;
    let nats = ryggrad_testkit::nats().await;
    let addresses = Addresses::new(
        |role| database.url_as(role),
        |user| nats.url_as(user).expect("an address"),
    );
    start(addresses, nats).await
}

/// Every role on stores that are there.
pub(crate) async fn start(addresses: Addresses, nats: TestNats) -> Whole {
    let listener = listen::bind(([127, 0, 0, 1], 0).into()).await.expect("a free port");
    let start = "2026-03-02T11:00:00Z".parse().expect("an instant");
    let register = Some(Register::obliging());
    let issuer = TestIssuer::start().await;
    let plan = Plan {
        authentication: Some(Settings::development(issuer.name())),
        simulated: Some(start),
        register,
        connections: 4,
        ..Plan::new(addresses.clone())
    };
    let stack = Stack::start(&plan, listener).await.expect("every role starts");
    let channel = Endpoint::from_shared(stack.http())
        .expect("an address")
        .connect()
        .await
        .expect("the server answers");
    Whole {
        stack,
        addresses,
        nats,
        channel,
        issuer,
    }
}

// === impl Whole ===

impl Whole {
    /// A pool as the owner of the database, who sees everything.
    pub(crate) fn owner(&self) -> PgPool {
        PgPool::connect_lazy(self.addresses.postgres(OWNER)).expect("an address")
    }

    /// A connection with a token for a party of the development list (`orch`, `kommune:4203`), with its usual scopes.
    pub(crate) fn connect_as(&self, party: &str) -> Connection {
        with_token(self.channel.clone(), self.issuer.usual(party))
    }

    /// As the app of a platform, which begins things for people.
    pub(crate) fn app(&self) -> Connection {
        self.connect_as("platform")
    }

    /// Sends the smallest command there is, with an id of its own.
    pub(crate) async fn sketch(&self) -> Result<Receipt, Status> {
        sketch(self.app(), fresh()).await
    }
}

/// Sends the smallest command there is.
pub(crate) async fn sketch(app: Connection, command_id: Uuid) -> Result<Receipt, Status> {
    let meta = CommandMeta {
        command_id: command_id.to_string(),
        ..CommandMeta::default()
    };
    let command = SketchInitiative {
        meta: Some(meta),
        title: "Nabohage".to_owned(),
        purpose_text: "Dyrke grønnsaker sammen".to_owned(),
        kommunenummer: "4203".to_owned(),
        language: "nb".to_owned(),
        ..SketchInitiative::default()
    };
    Ok(RegistrationServiceClient::new(app)
        .sketch_initiative(command)
        .await?
        .into_inner())
}

/// An id that no other test of this binary has.
pub(crate) fn fresh() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Uuid::from_u64_pair(u64::from(std::process::id()) << 16, number)
}

/// Invariant I10 for every view, as `ryggrad verify` looks at it.
pub(crate) async fn views_equal_their_folds(whole: &Whole) {
    let pool = servers::pool(whole.addresses.postgres("ryggrad_views"), "views", 2)
        .await
        .expect("the role may log in");
    for verified in ryggrad_views::Views::verify(&pool)
        .await
        .expect("the views can be folded")
    {
        assert_eq!(verified.difference, None, "{}", verified.view);
    }
}
