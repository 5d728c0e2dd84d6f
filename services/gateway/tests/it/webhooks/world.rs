//! A gateway with webhooks, and who asks it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ryggrad_access::{Caller, Identity, Parties, Scope};
use ryggrad_eventlog::Clock;
use ryggrad_gateway::Gateway;
use ryggrad_gateway::webhooks::{Options, Schedule, Seal, Webhooks};
use ryggrad_norway::OrgNumber;
use ryggrad_proto::options::v1::PrivacyClass;
use ryggrad_proto::webhooks::v1 as pb;
use ryggrad_proto::webhooks::v1::webhooks_server::Webhooks as Calls;
use ryggrad_service::auth::answering;
use ryggrad_testkit::eventually;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use super::receiver::Receiver;
use crate::stack::{Fact, PATIENCE, Stack, connect};

/// The lottery authority of a development backbone.
pub(super) const LOTTSTIFT: &str = "399000203";
/// The tax authority of a development backbone.
pub(super) const SKATT: &str = "399000300";
/// The key that secrets are sealed with here.
pub(super) const KEY: &str = "0123456789abcdef0123456789abcdef";

pub(super) struct World {
    pub(super) stack: Stack,
    pub(super) pool: PgPool,
    pub(super) process: Process,
    pub(super) options: Options,
    pub(super) clock: Clock,
}

/// A gateway process, as far as webhooks go.
pub(super) struct Process {
    pub(super) webhooks: Webhooks,
    token: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

/// Who asks.
#[derive(Clone)]
pub(super) struct Asker(pub(super) Caller);

// === impl World ===

impl World {
    pub(super) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// With options other than these: loopback may be called, retries follow within milliseconds.
    pub(super) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let stack = Stack::start().await;
        let connect: PgConnectOptions = stack.database.url_as("ryggrad_gateway").parse().unwrap();
        let pool = PgPoolOptions::new()
            .max_connections(8)
            .connect_lazy_with(connect.options([("search_path", "gateway")]));
        let mut options = Options {
            seal: Some(Arc::new(Seal::new(KEY).unwrap())),
            parties: Parties::development(),
            allow_private: true,
            schedule: Schedule::new([20, 30, 40, 50].map(Duration::from_millis)),
            probes: (Duration::from_millis(50), Duration::from_millis(200)),
            patience: Duration::from_secs(20),
            // A machine that does much else must not look like a process that died.
            lease: Duration::from_secs(45),
            ..Options::default()
        };
        change(&mut options);
        let clock = Clock::simulated("2026-03-01T12:00:00Z".parse().unwrap());
        let process = Process::start(&stack, pool.clone(), clock.clone(), options.clone()).await;
        Self {
            stack,
            pool,
            process,
            options,
            clock,
        }
    }

    /// Another process on the same database.
    pub(super) async fn another(&self) -> Process {
        Process::start(&self.stack, self.pool.clone(), self.clock.clone(), self.options.clone()).await
    }

    pub(super) fn calls(&self) -> impl Calls {
        self.process.webhooks.calls()
    }

    /// An active endpoint of the lottery authority, from the beginning of the log.
    pub(super) async fn endpoint(&self, receiver: &Receiver) -> pb::CreateEndpointResponse {
        self.create(pb::CreateEndpointRequest {
            url: receiver.url(),
            start: Some(pb::create_endpoint_request::Start::After(0)),
            ..Default::default()
        })
        .await
    }

    /// An endpoint of the lottery authority, which must be active at once.
    pub(super) async fn create(&self, request: pb::CreateEndpointRequest) -> pb::CreateEndpointResponse {
        let made = self
            .ask(|calls| async move { calls.create_endpoint(Request::new(request)).await })
            .await;
        let made = made.unwrap();
        let endpoint = made.endpoint.as_ref().unwrap();
        assert_eq!(endpoint.state(), pb::EndpointState::Active, "{}", endpoint.reason);
        made
    }

    /// Asks as the lottery authority.
    pub(super) async fn ask<T, C, F>(&self, call: C) -> Result<T, Status>
    where
        C: FnOnce(Box<dyn Calls>) -> F,
        F: Future<Output = Result<Response<T>, Status>>,
    {
        self.ask_as(&Asker::of(LOTTSTIFT), call).await
    }

    pub(super) async fn ask_as<T, C, F>(&self, asker: &Asker, call: C) -> Result<T, Status>
    where
        C: FnOnce(Box<dyn Calls>) -> F,
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let calls: Box<dyn Calls> = Box::new(self.calls());
        answering(asker.0.clone(), call(calls)).await.map(Response::into_inner)
    }

    pub(super) async fn get(&self, id: &str) -> pb::Endpoint {
        let request = pb::GetEndpointRequest {
            endpoint_id: id.to_owned(),
        };
        self.ask(|calls| async move { calls.get_endpoint(Request::new(request)).await })
            .await
            .unwrap()
    }

    /// Waits until an endpoint is so.
    #[track_caller]
    pub(super) fn until<'a>(
        &'a self,
        id: &'a str,
        so: impl Fn(&pb::Endpoint) -> bool + 'a,
    ) -> impl Future<Output = pb::Endpoint> + 'a {
        let so = Arc::new(so);
        eventually(PATIENCE, move || {
            let so = Arc::clone(&so);
            async move {
                let endpoint = self.get(id).await;
                if so(&endpoint) {
                    Ok(endpoint)
                } else {
                    Err(format!("{endpoint:?}"))
                }
            }
        })
    }

    pub(super) async fn attempts(&self, id: &str) -> Vec<pb::Attempt> {
        let request = pb::ListAttemptsRequest {
            endpoint_id: id.to_owned(),
            page_size: 500,
            ..Default::default()
        };
        let listed = self.ask(|calls| async move { calls.list_attempts(Request::new(request)).await });
        listed.await.unwrap().attempts
    }

    /// How many attempts had this outcome.
    pub(super) async fn attempts_of(&self, id: &str, outcome: &str) -> u64 {
        let count: i64 =
            sqlx::query_scalar("select count(*) from webhook_attempts where endpoint_id = $1::uuid and outcome = $2")
                .bind(id)
                .bind(outcome)
                .fetch_one(&self.pool)
                .await
                .unwrap();
        u64::try_from(count).unwrap()
    }

    pub(super) async fn dead_letters(&self, id: &str) -> Vec<pb::DeadLetter> {
        let request = pb::ListDeadLettersRequest {
            endpoint_id: id.to_owned(),
            ..Default::default()
        };
        let listed = self.ask(|calls| async move { calls.list_dead_letters(Request::new(request)).await });
        listed.await.unwrap().dead_letters
    }

    /// Records facts about organisations with these numbers, one commit each; answers the last position.
    pub(super) async fn record(&self, organisations: &[u128]) -> u64 {
        let mut last = 0;
        for organisation in organisations {
            last = self.stack.append(vec![fact(*organisation)]).await;
        }
        last
    }
}

// === impl Process ===

impl Process {
    async fn start(stack: &Stack, pool: PgPool, clock: Clock, options: Options) -> Self {
        let nats = connect(&stack.nats, "gateway").await;
        let gateway = Gateway::new(pool, nats, clock.clone(), ryggrad_gateway::Options::default());
        gateway.prepare().await.unwrap();
        let webhooks = gateway.webhooks(clock, options).unwrap();
        let token = CancellationToken::new();
        let (running, ending) = (webhooks.clone(), token.clone());
        let task = tokio::spawn(async move {
            tokio::join!(gateway.run(ending.clone()), running.run(ending));
        });
        Self { webhooks, token, task }
    }

    /// Ends as a process does that is told to.
    pub(super) async fn stop(&mut self) {
        self.token.cancel();
        (&mut self.task).await.unwrap();
    }

    /// Ends as a process does that is killed: nothing of it is finished, and nothing given back.
    pub(super) async fn kill(&mut self) {
        self.task.abort();
        assert!((&mut self.task).await.unwrap_err().is_cancelled());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.task.abort();
    }
}

// === impl Asker ===

impl Asker {
    /// An organisation with a token that has every scope.
    pub(super) fn of(number: &str) -> Self {
        Self::with(number, Scope::all())
    }

    pub(super) fn with(number: &str, scopes: impl IntoIterator<Item = Scope>) -> Self {
        let consumer = OrgNumber::parse(number).unwrap();
        Self(Caller::proved(Identity {
            consumer,
            supplier: None,
            system_user: None,
            scopes: scopes.into_iter().collect(),
            parties: Parties::development().of(consumer).to_vec(),
            expires: Timestamp::MAX,
        }))
    }
}

pub(super) fn organisation(number: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number)
}

pub(super) fn fact(number: u128) -> Fact {
    Fact {
        organisation: organisation(number),
        class: PrivacyClass::Public,
        ..Fact::default()
    }
}

/// The id of an endpoint that was made.
pub(super) fn id(made: &pb::CreateEndpointResponse) -> String {
    made.endpoint.as_ref().unwrap().endpoint_id.clone()
}

#[track_caller]
pub(super) fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, said: &str) {
    let status = answer.unwrap_err();
    assert_eq!(status.code(), code, "{status}");
    assert!(status.message().contains(said), "{status}");
}
