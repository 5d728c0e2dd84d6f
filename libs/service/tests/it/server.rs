//! A server under test, with a stream of numbers and a clock that misbehaves when asked to.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use futures::{Stream, StreamExt};
use ryggrad_decider::{Refusal, Text, rules};
use ryggrad_proto::admin::v1::admin_server::{Admin, AdminServer};
use ryggrad_proto::admin::v1::*;
use ryggrad_proto::events::v1::event_stream_server::{EventStream, EventStreamServer};
use ryggrad_proto::events::v1::*;
use ryggrad_proto::{admin, events};
use ryggrad_service::auth::Verifier;
use ryggrad_service::server::Bounds;
use ryggrad_service::{ApiError, Server, accept, caller, current_traceparent, listen};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

/// A running server.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: CancellationToken,
    pub(crate) gate: Arc<Notify>,
    pub(crate) entered: Arc<Notify>,
    pub(crate) task: JoinHandle<anyhow::Result<()>>,
}

pub(crate) async fn start() -> Running {
    start_with(Ok(())).await
}

pub(crate) async fn start_with(ready: Result<(), String>) -> Running {
    start_server(Server::new("test"), ready).await
}

/// The same server, which verifies tokens.
pub(crate) async fn start_verifying(verifier: Verifier) -> Running {
    start_server(Server::new("test").authentication(verifier), Ok(())).await
}

/// The same server, which lets clients ask for so much.
pub(crate) async fn start_within(bounds: Bounds) -> Running {
    start_server(Server::new("test").bounds(bounds), Ok(())).await
}

async fn start_server(server: Server, ready: Result<(), String>) -> Running {
    let listener = listen::bind("127.0.0.1:0".parse().expect("an address"))
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (shutdown, gate, entered) = (
        CancellationToken::new(),
        Arc::new(Notify::new()),
        Arc::new(Notify::new()),
    );
    let api = Api {
        gate: Arc::clone(&gate),
        entered: Arc::clone(&entered),
    };
    let server = server
        .grpc(AdminServer::new(api.clone()))
        .rest(admin::v1::admin_rest::routes(api.clone()))
        .grpc(EventStreamServer::new(api.clone()))
        .rest(events::v1::event_stream_rest::routes(api))
        .ready("weather", move || {
            let ready = ready.clone();
            async move { ready }
        });
    let task = tokio::spawn(server.run(listener, shutdown.clone()));
    Running {
        address,
        shutdown,
        gate,
        entered,
        task,
    }
}

// === impl Running ===

impl Running {
    pub(crate) async fn channel(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.address))
            .expect("a URI")
            .connect()
            .await
            .expect("the server listens")
    }
}

#[derive(Clone)]
struct Api {
    gate: Arc<Notify>,
    entered: Arc<Notify>,
}

#[tonic::async_trait]
impl Admin for Api {
    async fn get_clock(&self, _: Request<GetClockRequest>) -> Result<Response<GetClockResponse>, Status> {
        self.entered.notify_one();
        self.gate.notified().await;
        Ok(Response::new(GetClockResponse {
            now: None,
            simulated: true,
        }))
    }

    async fn advance_clock(
        &self,
        request: Request<AdvanceClockRequest>,
    ) -> Result<Response<AdvanceClockResponse>, Status> {
        let request = accept(request)?;
        match request.by.as_str() {
            "panic" => panic!("as asked"),
            "refuse" => Err(ApiError::from(refusal()).into()),
            _ => Ok(Response::new(AdvanceClockResponse { now: request.to })),
        }
    }

    async fn list_parked(&self, request: Request<ListParkedRequest>) -> Result<Response<ListParkedResponse>, Status> {
        let ListParkedRequest {
            consumer, page_size, ..
        } = accept(request)?;
        // As long as was asked for, for those who do not take it.
        let cause = current_traceparent().unwrap_or_else(|| "x".repeat(page_size as usize));
        Ok(Response::new(ListParkedResponse {
            parked: vec![ParkedKey {
                consumer,
                cause,
                position: 1 << 60,
                organisation_id: who(),
                ..ParkedKey::default()
            }],
            next_page_token: String::new(),
        }))
    }

    async fn unpark(&self, request: Request<UnparkRequest>) -> Result<Response<UnparkResponse>, Status> {
        let request = accept(request)?;
        let id = format!("{}/{}", request.consumer, request.organisation_id);
        Err(ApiError::NotFound { what: "parked key", id }.into())
    }

    async fn list_deadlines(
        &self,
        _: Request<ListDeadlinesRequest>,
    ) -> Result<Response<ListDeadlinesResponse>, Status> {
        Ok(Response::new(ListDeadlinesResponse::default()))
    }

    async fn list_projections(
        &self,
        _: Request<ListProjectionsRequest>,
    ) -> Result<Response<ListProjectionsResponse>, Status> {
        Err(ApiError::internal("the secret cause").into())
    }

    async fn rebuild(&self, _: Request<RebuildRequest>) -> Result<Response<RebuildResponse>, Status> {
        let retry_after = std::time::Duration::from_secs(3);
        Err(ApiError::Unavailable {
            what: "the log cannot be reached".to_owned(),
            retry_after,
        }
        .into())
    }
}

#[tonic::async_trait]
impl EventStream for Api {
    type SubscribeStream = Pin<Box<dyn Stream<Item = Result<SubscribeResponse, Status>> + Send>>;

    async fn subscribe(&self, request: Request<SubscribeRequest>) -> Result<Response<Self::SubscribeStream>, Status> {
        let after = request.into_inner().after;
        let frames = futures::stream::iter(after + 1..=after + 3).map(|position| {
            let caught_up = CaughtUp {
                position,
                head: position,
                epoch: "e".to_owned(),
            };
            Ok(SubscribeResponse {
                frame: Some(subscribe_response::Frame::CaughtUp(caught_up)),
            })
        });
        Ok(Response::new(Box::pin(frames)))
    }

    async fn read(&self, request: Request<ReadRequest>) -> Result<Response<ReadResponse>, Status> {
        let request = accept(request)?;
        Ok(Response::new(ReadResponse {
            next_position: request.after,
            ..ReadResponse::default()
        }))
    }

    async fn head(&self, _: Request<HeadRequest>) -> Result<Response<HeadResponse>, Status> {
        let message = "position 9 is beyond the head 3".to_owned();
        Err(ApiError::OutOfRange {
            reason: "CURSOR_BEYOND_HEAD",
            message,
        }
        .into())
    }

    async fn acknowledge(&self, _: Request<AcknowledgeRequest>) -> Result<Response<AcknowledgeResponse>, Status> {
        Err(Status::unimplemented("not played"))
    }

    async fn list_durables(&self, _: Request<ListDurablesRequest>) -> Result<Response<ListDurablesResponse>, Status> {
        Err(Status::unimplemented("not played"))
    }

    async fn delete_durable(
        &self,
        _: Request<DeleteDurableRequest>,
    ) -> Result<Response<DeleteDurableResponse>, Status> {
        Err(Status::unimplemented("not played"))
    }

    async fn get(&self, _: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        Err(Status::unimplemented("not played"))
    }

    async fn catalogue(&self, _: Request<CatalogueRequest>) -> Result<Response<CatalogueResponse>, Status> {
        Err(Status::unimplemented("not played"))
    }

    async fn explain(&self, _: Request<ExplainRequest>) -> Result<Response<ExplainResponse>, Status> {
        Err(Status::unimplemented("not played"))
    }
}

/// Who asks, in a word.
fn who() -> String {
    let caller = caller();
    let number = caller.identity().map(|identity| identity.consumer.to_string());
    number.unwrap_or_else(|| "anybody".to_owned())
}

fn refusal() -> Refusal {
    let text = Text::new(
        "Klokka går ikke bakover.",
        "Klokka går ikkje bakover.",
        "The clock does not go back.",
    );
    Refusal::new(&rules::STATE, "ClockBack", text).with("n", 1)
}
