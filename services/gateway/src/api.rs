//! The three calls: every request is checked here, every answer begins here.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use ryggrad_eventlog::{Head, Log};
use ryggrad_proto::events::v1::event_stream_server::EventStream;
use ryggrad_proto::events::v1::{
    AcknowledgeRequest, AcknowledgeResponse, CatalogueRequest, CatalogueResponse, DeleteDurableRequest,
    DeleteDurableResponse, EventFilter, ExplainRequest, ExplainResponse, GetRequest, GetResponse, HeadRequest,
    HeadResponse, ListDurablesRequest, ListDurablesResponse, ReadRequest, ReadResponse, SubscribeRequest,
    SubscribeResponse,
};
use ryggrad_service::{ApiError, accept};
use sqlx::PgPool;
use tonic::{Request, Response, Status};

use crate::envelope::Fields;
use crate::frame::Frame;
use crate::hub::Hub;
use crate::refusal;
use crate::subscription::{Subscription, Wish};
use ryggrad_access::{Filter, Registry};

/// Events of a page when nothing is said, and at the most.
const PAGE: (u32, u32) = (100, 5_000);
/// Bytes of a page, about: clients take 4 MiB.
const PAGE_BYTES: usize = 3 << 20;
/// Positions that one page looks through at the most, however little passes.
const SCAN: u64 = 20_000;
/// Milliseconds between heartbeats: fewest, most, and when nothing is said.
const HEARTBEAT: (u32, u32, u32) = (100, 60_000, 5_000);

/// The gateway as it answers. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) hub: Arc<Hub>,
    pub(crate) pool: PgPool,
    pub(crate) log: Log,
    pub(crate) registry: Registry,
}

// === impl Api ===

impl Api {
    /// The frames of a subscription.
    pub(crate) async fn frames(
        &self,
        request: Request<SubscribeRequest>,
    ) -> Result<impl Stream<Item = Result<Frame, Status>> + Send + 'static, Status> {
        let message = accept(request)?;
        if message
            != (SubscribeRequest {
                after: message.after,
                epoch: message.epoch.clone(),
                filter: message.filter.clone(),
                heartbeat_ms: message.heartbeat_ms,
                stop_at_head: message.stop_at_head,
                ..SubscribeRequest::default()
            })
        {
            return Err(Status::unimplemented("only after is understood as a start"));
        }
        let SubscribeRequest {
            after,
            epoch,
            filter,
            heartbeat_ms,
            stop_at_head,
            ..
        } = message;
        let heartbeat = match heartbeat_ms {
            0 => HEARTBEAT.2,
            asked if (HEARTBEAT.0..=HEARTBEAT.1).contains(&asked) => asked,
            asked => return Err(out_of_bounds("heartbeat_ms", asked, HEARTBEAT.0, HEARTBEAT.1)),
        };
        let filter = self.filter(filter.as_ref()).await?;
        let head = self.head_for(after, &epoch).await?;
        let wish = Wish {
            after,
            head: head.position,
            epoch: head.epoch,
            filter,
            heartbeat: Duration::from_millis(heartbeat.into()),
            stop_at_head,
        };
        Ok(Subscription::new(Arc::clone(&self.hub), self.pool.clone(), wish).frames())
    }

    /// The head of the log, when a cursor fits to it.
    async fn head_for(&self, after: u64, epoch: &str) -> Result<Head, Status> {
        let head = self.log.head().await.map_err(|error| refusal::unreadable(&error))?;
        self.hub.saw(head);
        if !epoch.is_empty() && epoch != head.epoch.to_string() {
            return Err(refusal::other_epoch(epoch, head.epoch));
        }
        if after > head.position {
            return Err(refusal::beyond_head(after, head.position));
        }
        Ok(head)
    }

    async fn filter(&self, asked: Option<&EventFilter>) -> Result<Filter, Status> {
        let mut filter = Filter::parse(asked).map_err(ApiError::from)?;
        let known = self.registry.complete(&mut filter).await;
        known.map_err(|error| refusal::unreadable(&error))?;
        Ok(filter)
    }
}

#[tonic::async_trait]
impl EventStream for Api {
    type SubscribeStream = Pin<Box<dyn Stream<Item = Result<SubscribeResponse, Status>> + Send>>;

    async fn subscribe(&self, request: Request<SubscribeRequest>) -> Result<Response<Self::SubscribeStream>, Status> {
        let frames = self.frames(request).await?;
        let messages = frames.map(|frame| frame?.message().map_err(|error| ApiError::internal(error).into()));
        Ok(Response::new(Box::pin(messages)))
    }

    async fn read(&self, request: Request<ReadRequest>) -> Result<Response<ReadResponse>, Status> {
        let ReadRequest {
            after,
            epoch,
            limit,
            filter,
        } = accept(request)?;
        let limit = match limit {
            0 => PAGE.0,
            asked if asked <= PAGE.1 => asked,
            asked => return Err(out_of_bounds("limit", asked, 1, PAGE.1)),
        };
        let filter = self.filter(filter.as_ref()).await?;
        let head = self.head_for(after, &epoch).await?;
        let mut events = Vec::new();
        let mut next = after;
        let mut bytes = 0;
        'page: while next < head.position && next < after + SCAN {
            let some = self
                .log
                .after(next, limit.max(PAGE.0))
                .await
                .map_err(|error| refusal::unreadable(&error))?;
            if some.is_empty() {
                break;
            }
            for event in some {
                next = event.position;
                if filter.passes(&Fields::of(&event).key()) {
                    let envelope = event.envelope();
                    bytes += prost::Message::encoded_len(&envelope);
                    events.push(envelope);
                }
                if events.len() == limit as usize || bytes > PAGE_BYTES {
                    break 'page;
                }
            }
        }
        let head_now = head.position.max(next);
        Ok(Response::new(ReadResponse {
            events,
            next_position: next,
            head: head_now,
            epoch: head.epoch.to_string(),
        }))
    }

    async fn head(&self, request: Request<HeadRequest>) -> Result<Response<HeadResponse>, Status> {
        accept(request)?;
        let head = self.head_for(0, "").await?;
        let last = self
            .log
            .at(head.position)
            .await
            .map_err(|error| refusal::unreadable(&error))?;
        Ok(Response::new(HeadResponse {
            position: head.position,
            epoch: head.epoch.to_string(),
            recorded_at: last.map(|event| event.recorded_at.into()),
        }))
    }

    async fn acknowledge(&self, _: Request<AcknowledgeRequest>) -> Result<Response<AcknowledgeResponse>, Status> {
        Err(Status::unimplemented("nothing is durable here"))
    }

    async fn list_durables(&self, _: Request<ListDurablesRequest>) -> Result<Response<ListDurablesResponse>, Status> {
        Err(Status::unimplemented("nothing is durable here"))
    }

    async fn delete_durable(
        &self,
        _: Request<DeleteDurableRequest>,
    ) -> Result<Response<DeleteDurableResponse>, Status> {
        Err(Status::unimplemented("nothing is durable here"))
    }

    async fn get(&self, _: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        Err(Status::unimplemented("events are read by page"))
    }

    async fn catalogue(&self, _: Request<CatalogueRequest>) -> Result<Response<CatalogueResponse>, Status> {
        Err(Status::unimplemented("the catalogue is a page of the documents"))
    }

    async fn explain(&self, _: Request<ExplainRequest>) -> Result<Response<ExplainResponse>, Status> {
        Err(Status::unimplemented("nothing is explained here"))
    }
}

fn out_of_bounds(field: &str, asked: u32, least: u32, most: u32) -> Status {
    ApiError::invalid(field, format!("{asked} is not between {least} and {most}")).into()
}
