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
pub(crate) const LOTTSTIFT: &str = "399000203";
/// The tax authority of a development backbone.
pub(crate) const SKATT: &str = "399000300";
/// The key that secrets are sealed with here.
pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";

pub(crate) struct World {
    pub(crate) stack: Stack,
    pub(crate) pool: PgPool,
    pub(crate) process: Process,
    pub(crate) options: Options,
    pub(crate) clock: Clock,
}

/// A gateway process, as far as webhooks go.
pub(crate) struct Process {
    pub(crate) webhooks: Webhooks,
    token: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

/// Who asks.
#[derive(Clone)]
pub(crate) struct Asker(pub(crate) Caller);

// === impl World ===

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// With options other than these: loopback may be called, retries follow within milliseconds.
    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        Self::on(Stack::start().await, change).await
    }

    /// The same on a log and a stream that are there.
    pub(crate) async fn on(stack: Stack, change: impl FnOnce(&mut Options)) -> Self {
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
    pub(crate) async fn another(&self) -> Process {
        Process::start(&self.stack, self.pool.clone(), self.clock.clone(), self.options.clone()).await
    }

    pub(crate) fn calls(&self) -> impl Calls {
        self.process.webhooks.calls()
    }

    /// An active endpoint of the lottery authority, from the beginning of the log.
    pub(crate) async fn endpoint(&self, receiver: &Receiver) -> pb::CreateEndpointResponse {
        self.create(pb::CreateEndpointRequest {
            url: receiver.url(),
            start: Some(pb::create_endpoint_request::Start::After(0)),
            ..Default::default()
        })
        .await
    }

    /// An endpoint of the lottery authority that gets everything from the beginning on, each organisation's in order.
    pub(crate) async fn create_ordered(&self, url: String) -> pb::CreateEndpointResponse {
        self.create(pb::CreateEndpointRequest {
            url,
            start: Some(pb::create_endpoint_request::Start::After(0)),
            ordered: true,
            ..Default::default()
        })
        .await
    }

    /// An endpoint of the lottery authority, which must be active at once.
    pub(crate) async fn create(&self, request: pb::CreateEndpointRequest) -> pb::CreateEndpointResponse {
        let made = self
            .ask(|calls| async move { calls.create_endpoint(Request::new(request)).await })
            .await;
        let made = made.unwrap();
        let endpoint = made.endpoint.as_ref().unwrap();
        assert_eq!(endpoint.state(), pb::EndpointState::Active, "{}", endpoint.reason);
        made
    }

    /// Asks as the lottery authority.
    pub(crate) async fn ask<T, C, F>(&self, call: C) -> Result<T, Status>
    where
        C: FnOnce(Box<dyn Calls>) -> F,
        F: Future<Output = Result<Response<T>, Status>>,
    {
        self.ask_as(&Asker::of(LOTTSTIFT), call).await
    }

    pub(crate) async fn ask_as<T, C, F>(&self, asker: &Asker, call: C) -> Result<T, Status>
    where
        C: FnOnce(Box<dyn Calls>) -> F,
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let calls: Box<dyn Calls> = Box::new(self.calls());
        answering(asker.0.clone(), call(calls)).await.map(Response::into_inner)
    }

    pub(crate) async fn get(&self, id: &str) -> pb::Endpoint {
        self.get_of(&Asker::of(LOTTSTIFT), id).await
    }

    async fn get_of(&self, asker: &Asker, id: &str) -> pb::Endpoint {
        let request = pb::GetEndpointRequest {
            endpoint_id: id.to_owned(),
        };
        self.ask_as(
            asker,
            |calls| async move { calls.get_endpoint(Request::new(request)).await },
        )
        .await
        .unwrap()
    }

    /// Waits until an endpoint is so.
    #[track_caller]
    pub(crate) fn until<'a>(
        &'a self,
        id: &'a str,
        so: impl Fn(&pb::Endpoint) -> bool + 'a,
    ) -> impl Future<Output = pb::Endpoint> + 'a {
        self.until_of(Asker::of(LOTTSTIFT), id, so)
    }

    /// The same with an endpoint of somebody.
    #[track_caller]
    pub(crate) fn until_of<'a>(
        &'a self,
        asker: Asker,
        id: &'a str,
        so: impl Fn(&pb::Endpoint) -> bool + 'a,
    ) -> impl Future<Output = pb::Endpoint> + 'a {
        let so = Arc::new((asker, so));
        eventually(PATIENCE, move || {
            let so = Arc::clone(&so);
            async move {
                let endpoint = self.get_of(&so.0, id).await;
                if so.1(&endpoint) {
                    Ok(endpoint)
                } else {
                    Err(format!("{endpoint:?}"))
                }
            }
        })
    }

    pub(crate) async fn attempts(&self, id: &str) -> Vec<pb::Attempt> {
        let request = pb::ListAttemptsRequest {
            endpoint_id: id.to_owned(),
            page_size: 500,
            ..Default::default()
        };
        let listed = self.ask(|calls| async move { calls.list_attempts(Request::new(request)).await });
        listed.await.unwrap().attempts
    }

    /// How many attempts had this outcome.
    pub(crate) async fn attempts_of(&self, id: &str, outcome: &str) -> u64 {
        let count: i64 =
            sqlx::query_scalar("select count(*) from webhook_attempts where endpoint_id = $1::uuid and outcome = $2")
                .bind(id)
                .bind(outcome)
                .fetch_one(&self.pool)
                .await
                .unwrap();
        u64::try_from(count).unwrap()
    }

    pub(crate) async fn dead_letters(&self, id: &str) -> Vec<pb::DeadLetter> {
        let request = pb::ListDeadLettersRequest {
            endpoint_id: id.to_owned(),
            ..Default::default()
        };
        let listed = self.ask(|calls| async move { calls.list_dead_letters(Request::new(request)).await });
        listed.await.unwrap().dead_letters
    }

    /// Records facts about organisations with these numbers, one commit each; answers the last position.
    pub(crate) async fn record(&self, organisations: &[u128]) -> u64 {
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
    pub(crate) async fn stop(&mut self) {
        self.token.cancel();
        (&mut self.task).await.unwrap();
    }

    /// Ends as a process does that is killed: nothing of it is finished, and nothing given back.
    pub(crate) async fn kill(&mut self) {
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
    pub(crate) fn of(number: &str) -> Self {
        Self::with(number, Scope::all())
    }

    pub(crate) fn with(number: &str, scopes: impl IntoIterator<Item = Scope>) -> Self {
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

pub(crate) fn organisation(number: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number)
}

pub(crate) fn fact(number: u128) -> Fact {
    Fact {
        organisation: organisation(number),
        class: PrivacyClass::Public,
        ..Fact::default()
    }
}

/// The id of an endpoint that was made.
pub(crate) fn id(made: &pb::CreateEndpointResponse) -> String {
    made.endpoint.as_ref().unwrap().endpoint_id.clone()
}

#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, said: &str) {
    let status = answer.unwrap_err();
    assert_eq!(status.code(), code, "{status}");
    assert!(status.message().contains(said), "{status}");
}
