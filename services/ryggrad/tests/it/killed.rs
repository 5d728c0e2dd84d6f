//! `ryggrad serve gateway` killed while it delivers webhooks, and started again.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::Path;
use std::time::Duration;

use ryggrad::servers::{self, Addresses};
use ryggrad::stack::{Plan, Role, Stack};
use ryggrad::trigger::{Register, Scenario};
use ryggrad_eventlog::Clock;
use ryggrad_norway::KommuneNumber;
use ryggrad_service::listen;
use ryggrad_testkit::{Database, TestIssuer, TestNats, eventually};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::program::{Process, command, folder, free_port};
use crate::receiver::{Delivery, Receiver};

/// How often it is killed.
const KILLS: usize = 4;
/// Organisations that something happens to, and the facts of each that everybody may see, at least.
const ORGANISATIONS: usize = 80;
const FACTS: usize = 4;

/// The stores, with everything but the gateway at work on them.
struct World {
    database: Database,
    nats: TestNats,
    issuer: TestIssuer,
    stack: Stack,
    /// As the owner, who sees everything.
    owner: PgPool,
    port: u16,
}

// === impl World ===

impl World {
    async fn start() -> Self {
        let database = Database::create("the log for every role, for the program", |owner| async move {
            servers::migrate_in(&owner).await
        })
        .await;
        let nats = ryggrad_testkit::nats().await;
        let addresses = Addresses::new(
            |role| database.url_as(role),
            |user| nats.url_as(user).expect("an address"),
        );
        let plan = Plan {
            roles: vec![Role::Registration, Role::Relay],
            connections: 4,
            ..Plan::new(addresses)
        };
        let listener = listen::bind(([127, 0, 0, 1], 0).into()).await.expect("a free port");
        Self {
            stack: Stack::start(&plan, listener).await.expect("the roles start"),
            owner: database.pool(),
            issuer: TestIssuer::start().await,
            port: free_port(),
            database,
            nats,
        }
    }

    /// Starts the gateway as production does, and waits until it is ready.
    async fn gateway(&self, log: &Path) -> Process {
        let parties = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../libs/access/data/development_parties.csv");
        let listen = format!("127.0.0.1:{}", self.port);
        let issuer = self.issuer.name();
        let mut command = command(&["serve", "gateway", "--listen", &listen, "--issuer", issuer]);
        command
            .args(["--audience-optional", "--webhook-allow-private", "--parties"])
            .arg(parties);
        command.env("RYGGRAD_DATABASE_URL", self.database.url_as("ryggrad_gateway"));
        command.env("RYGGRAD_NATS_URL", self.nats.url_as("gateway").expect("an address"));
        command.env("RYGGRAD_WEBHOOK_KEY", "0123456789abcdef0123456789abcdef");
        let process = Process::spawn(&mut command, Some(log));
        let ready = self.url("readyz");
        eventually(Duration::from_mins(1), || async {
            let answer = reqwest::get(&ready).await?.error_for_status();
            answer.map(drop)
        })
        .await;
        process
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// An endpoint of the lottery authority, in order, from the beginning.
    async fn endpoint(&self, receiver: &Receiver) {
        let wanted = json!({
            "url": receiver.url(),
            "filter": { "contexts": ["registration"] },
            "after": "0",
            "ordered": true,
        });
        let asked = reqwest::Client::new().post(self.url("v1/webhooks"));
        let asked = asked
            .bearer_auth(self.issuer.usual("lottstift"))
            .header("content-type", "application/json")
            .body(wanted.to_string());
        let answer = asked.send().await.expect("answered").text().await.expect("text");
        let made: Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(made["endpoint"]["state"], "ENDPOINT_STATE_ACTIVE", "{answer}");
    }

    /// Lets something happen to many organisations.
    async fn happen(&self) {
        let pool = servers::pool(&self.database.url_as("ryggrad_registration"), "registration", 2).await;
        let register = Register::new(pool.expect("the role may log in"), Clock::system());
        let arendal = KommuneNumber::parse("4203").expect("a municipality");
        for _ in 0..ORGANISATIONS {
            let brought = register.bring(Scenario::DissolutionRevoked, arendal).await;
            brought.expect("the register tells");
        }
    }

    /// Positions whose delivery is on record as taken.
    async fn recorded(&self) -> BTreeSet<u64> {
        let sql = "select position from gateway.webhook_attempts where outcome = 'delivered'";
        self.positions(sql).await
    }

    /// Positions that the endpoint has to get.
    async fn wanted(&self) -> BTreeSet<u64> {
        let sql = "select position from log.events where context = 'registration' and class = 1";
        self.positions(sql).await
    }

    async fn positions(&self, sql: &str) -> BTreeSet<u64> {
        let found: Vec<i64> = sqlx::query_scalar(sql)
            .fetch_all(&self.owner)
            .await
            .expect("the owner sees everything");
        found
            .into_iter()
            .map(|position| u64::try_from(position).expect("a position"))
            .collect()
    }
}

/// A number below `bound` that nobody has chosen.
fn any(bound: usize) -> usize {
    let drawn = RandomState::new().build_hasher().finish();
    usize::try_from(drawn % u64::try_from(bound).expect("small")).expect("small")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_killed_while_it_delivers_loses_nothing_and_repeats_only_what_is_not_on_record() {
    let world = World::start().await;
    let receiver = Receiver::start().await;
    let logs = folder();
    let log = logs.path().join("gateway.log");
    let first = world.gateway(&log).await;
    world.endpoint(&receiver).await;

    // Somewhere in each stretch of what will be delivered, while it happens.
    let stretch = ORGANISATIONS * FACTS / KILLS;
    let points: Vec<_> = (0..KILLS).map(|kill| kill * stretch + 1 + any(stretch - 1)).collect();
    let kill = async {
        let (mut gateway, mut known) = (first, Vec::new());
        for point in &points {
            receiver.until(|all| all.len() >= *point).await;
            assert_eq!(gateway.end("KILL"), None);
            known.push((receiver.deliveries().len(), world.recorded().await));
            gateway = world.gateway(&log).await;
        }
        (gateway, known)
    };
    let ((gateway, known), ()) = tokio::join!(kill, world.happen());

    let wanted = world.wanted().await;
    assert!(wanted.len() >= ORGANISATIONS * FACTS, "{}", wanted.len());
    let deliveries = receiver
        .until(|all| {
            all.iter()
                .map(Delivery::position)
                .collect::<BTreeSet<_>>()
                .is_superset(&wanted)
        })
        .await;
    let mut by_organisation: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for delivery in &deliveries {
        assert!(wanted.contains(&delivery.position()));
        if seen.insert(delivery.position()) {
            by_organisation
                .entry(delivery.header("ce-subject"))
                .or_default()
                .push(delivery.position());
        }
    }
    assert_eq!(by_organisation.len(), ORGANISATIONS);
    for (organisation, positions) in by_organisation {
        assert!(
            positions.is_sorted(),
            "{organisation}: {positions:?}, killed at {points:?}"
        );
    }
    for (before, recorded) in &known {
        let repeated: Vec<_> = deliveries[*before..]
            .iter()
            .map(Delivery::position)
            .filter(|position| recorded.contains(position))
            .collect();
        assert!(repeated.is_empty(), "{repeated:?} were on record, killed at {points:?}");
    }
    assert!(
        known.last().is_some_and(|(_, recorded)| !recorded.is_empty()),
        "nothing was on record"
    );
    assert_eq!(gateway.end("TERM"), Some(0));
    world.stack.stop().await;
}
