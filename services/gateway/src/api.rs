//! The calls: every request is checked here, every answer begins here.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use ryggrad_access::{Caller, Filter, Gate};
use ryggrad_eventlog::{Head, Log};
use ryggrad_proto::events::v1::event_stream_server::EventStream;
use ryggrad_proto::events::v1::subscribe_response::Frame as Sent;
use ryggrad_proto::events::v1::{
    AcknowledgeRequest, AcknowledgeResponse, CatalogueRequest, CatalogueResponse, DeleteDurableRequest,
    DeleteDurableResponse, Durable, EventFilter, EventFormat, ExplainRequest, ExplainResponse, GetRequest, GetResponse,
    HeadRequest, HeadResponse, ListDurablesRequest, ListDurablesResponse, ReadRequest, ReadResponse, Started,
    SubscribeRequest, SubscribeResponse, get_request,
};
use ryggrad_service::{ApiError, accept, caller};
use sqlx::PgPool;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::access::{Access, Pass};
use crate::durable::{self, Durables, Name, Opened, Wanted};
use crate::envelope::{self, Fields};
use crate::format::Format;
use crate::frame::Frame;
use crate::history::Past;
use crate::hub::Hub;
use crate::sieve::Sieve;
use crate::start::{Search, Start};
use crate::subscription::{Subscription, Wish};
use crate::{catalogue, refusal};

/// Events of a page when nothing is said, and at the most.
pub(crate) const PAGE: (u32, u32) = (100, 5_000);
/// Milliseconds between heartbeats: fewest, most, and when nothing is said.
pub(crate) const HEARTBEAT: (u32, u32, u32) = (100, 60_000, 5_000);

/// The gateway as it answers. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) hub: Arc<Hub>,
    pub(crate) past: Past,
    pub(crate) pool: PgPool,
    pub(crate) search: Search,
    pub(crate) log: Log,
    pub(crate) access: Access,
    pub(crate) durables: Durables,
}

// === impl Api ===

impl Api {
    /// The frames of a subscription of the caller.
    pub(crate) async fn frames(
        &self,
        request: SubscribeRequest,
        format: Format,
    ) -> Result<impl Stream<Item = Result<Frame, ApiError>> + Send + 'static, ApiError> {
        let heartbeat = match request.heartbeat_ms {
            0 => HEARTBEAT.2,
            asked if (HEARTBEAT.0..=HEARTBEAT.1).contains(&asked) => asked,
            asked => {
                let (least, most) = (HEARTBEAT.0.into(), HEARTBEAT.1.into());
                return Err(refusal::out_of_bounds("heartbeat_ms", asked.into(), least, most));
            }
        };
        let caller = caller();
        let start = Start::of(&request)?;
        let subscription = optional_id("subscription", &request.subscription)?;
        // What cannot be read is refused before anything is remembered.
        Filter::parse(request.filter.as_ref()).map_err(ApiError::from)?;
        if request.durable.is_empty() && request.replace {
            return Err(ApiError::invalid("replace", "there is no durable to make anew"));
        }
        let head = self.head_at(&request.epoch).await?;
        let mut after = start.position(&self.search, head).await?;
        let (gate, pass) = self
            .access
            .gate(&self.hub, &caller, subscription, head.position)
            .await?;
        let (mut filter, mut resumed, mut lease) = (request.filter, false, None);
        if !request.durable.is_empty() {
            let wanted = Wanted {
                filter,
                subscription,
                after,
                replace: request.replace,
            };
            let name = Name::of(&caller, &request.durable)?;
            let opened: Opened = self.durables.open(name, wanted, head).await?;
            (after, resumed) = (opened.after, opened.resumed);
            filter = Some(opened.filter);
            lease = Some(opened.lease);
        }
        let filter = self.filter(filter.as_ref()).await?;
        let started = Started {
            first_position: after + 1,
            epoch: head.epoch.to_string(),
            after,
            head: head.position,
            resumed,
        };
        let wish = Wish {
            started,
            epoch: head.epoch,
            sieve: Sieve::new(filter, gate),
            pass,
            format,
            lease,
            heartbeat: Duration::from_millis(heartbeat.into()),
            stop_at_head: request.stop_at_head,
        };
        Ok(Subscription::new(Arc::clone(&self.hub), self.past.clone(), wish).frames())
    }

    /// The head of the log, when it is the one that a cursor was learned in.
    pub(crate) async fn head_at(&self, epoch: &str) -> Result<Head, ApiError> {
        let head = self.log.head().await.map_err(|error| refusal::unreadable(&error))?;
        self.hub.saw(head);
        if !epoch.is_empty() && epoch != head.epoch.to_string() {
            return Err(refusal::other_epoch(epoch, head.epoch));
        }
        Ok(head)
    }

    /// The head of the log, when a cursor fits to it.
    pub(crate) async fn head_for(&self, after: u64, epoch: &str) -> Result<Head, ApiError> {
        let head = self.head_at(epoch).await?;
        if after > head.position {
            return Err(refusal::beyond_head(after, head.position));
        }
        Ok(head)
    }

    /// A filter, checked, and completed with what the log knows.
    pub(crate) async fn filter(&self, asked: Option<&EventFilter>) -> Result<Filter, ApiError> {
        let mut filter = Filter::parse(asked).map_err(ApiError::from)?;
        let known = self.access.registry().complete(&mut filter).await;
        known.map_err(|error| refusal::unreadable(&error))?;
        Ok(filter)
    }

    /// What the caller may see at this moment.
    pub(crate) async fn gate(
        &self,
        caller: &Caller,
        subscription: Option<Uuid>,
        head: Head,
    ) -> Result<(Gate, Option<Pass>), ApiError> {
        self.access.gate(&self.hub, caller, subscription, head.position).await
    }

    /// What the caller gets of what it asks for.
    pub(crate) async fn sieve(&self, filter: Option<&EventFilter>, head: Head) -> Result<Sieve, ApiError> {
        let filter = self.filter(filter).await?;
        let (gate, _) = self.gate(&caller(), None, head).await?;
        Ok(Sieve::new(filter, gate))
    }

    /// One event, when it is there and the caller may see it.
    pub(crate) async fn event(&self, which: get_request::Event) -> Result<GetResponse, ApiError> {
        let head = self.head_at("").await?;
        let position = match &which {
            get_request::Event::Position(position) => Some(*position),
            get_request::Event::EventId(id) => {
                let id = Uuid::try_parse(id).map_err(|_| ApiError::invalid("event_id", "this is not a UUID"))?;
                let found = self.search.by_id(id).await;
                found.map_err(|error| refusal::unreadable(&error))?
            }
        };
        let unknown = || match &which {
            get_request::Event::Position(position) => refusal::no_event(position),
            get_request::Event::EventId(id) => refusal::no_event(id),
        };
        let position = position.ok_or_else(unknown)?;
        if position > head.position {
            return Err(refusal::beyond_head(position, head.position));
        }
        let event = self
            .log
            .at(position)
            .await
            .map_err(|error| refusal::unreadable(&error))?;
        let event = event.ok_or_else(unknown)?;
        let sieve = self.sieve(None, head).await?;
        if !sieve.passes(position, &Fields::of(&event).key()) {
            return Err(unknown());
        }
        self.access.record(&sieve).await?;
        Ok(GetResponse {
            event: Some(envelope::shown(&event)),
            head: head.position,
            epoch: head.epoch.to_string(),
        })
    }
}

#[tonic::async_trait]
impl EventStream for Api {
    type SubscribeStream = Pin<Box<dyn Stream<Item = Result<SubscribeResponse, Status>> + Send>>;

    async fn subscribe(&self, request: Request<SubscribeRequest>) -> Result<Response<Self::SubscribeStream>, Status> {
        let request = accept(request)?;
        let format = format(request.format)?;
        let frames = self.frames(request, format).await?;
        let messages = frames.map(|frame| frame?.message().map_err(|error| ApiError::internal(error).into()));
        Ok(Response::new(Box::pin(messages)))
    }

    async fn acknowledge(&self, request: Request<AcknowledgeRequest>) -> Result<Response<AcknowledgeResponse>, Status> {
        let request = accept(request)?;
        let name = Name::of(&caller(), &request.durable)?;
        let head = self.head_for(request.position, &request.epoch).await?;
        let stands = self.durables.acknowledge(&name, request.position, request.rewind, head);
        Ok(Response::new(AcknowledgeResponse {
            position: stands.await?,
            epoch: head.epoch.to_string(),
        }))
    }

    async fn list_durables(
        &self,
        request: Request<ListDurablesRequest>,
    ) -> Result<Response<ListDurablesResponse>, Status> {
        accept(request)?;
        let owner = durable::owner(&caller())?;
        let head = self.head_at("").await?;
        let all = self.durables.list(owner).await?;
        let durables = all.into_iter().map(|(name, stored)| Durable {
            name,
            filter: Some(stored.filter),
            subscription: stored.subscription.map(|id| id.to_string()).unwrap_or_default(),
            acknowledged: stored.acknowledged,
            delivered: stored.delivered,
            epoch: stored.epoch.to_string(),
            created_at: Some(stored.created_at.into()),
            acknowledged_at: stored.acknowledged_at.map(Into::into),
        });
        Ok(Response::new(ListDurablesResponse {
            durables: durables.collect(),
            head: head.position,
        }))
    }

    async fn delete_durable(
        &self,
        request: Request<DeleteDurableRequest>,
    ) -> Result<Response<DeleteDurableResponse>, Status> {
        let request = accept(request)?;
        let name = Name::of(&caller(), &request.durable)?;
        self.durables.delete(&name).await?;
        Ok(Response::new(DeleteDurableResponse {}))
    }

    async fn read(&self, request: Request<ReadRequest>) -> Result<Response<ReadResponse>, Status> {
        let request = accept(request)?;
        let most = page_size(request.limit)?;
        let head = self.head_for(request.after, &request.epoch).await?;
        let mut sieve = self.sieve(request.filter.as_ref(), head).await?;
        let page = self
            .page(&mut sieve, Format::Envelope, request.after, head.position, most)
            .await?;
        self.access.record(&sieve).await?;
        let sent = Frame::Batch(page.batch).message().map_err(ApiError::internal)?.frame;
        let events = match sent {
            Some(Sent::Batch(batch)) => batch.events,
            _ => Vec::new(),
        };
        Ok(Response::new(ReadResponse {
            events,
            next_position: page.next,
            head: head.position.max(page.next),
            epoch: head.epoch.to_string(),
        }))
    }

    async fn get(&self, request: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        let which = accept(request)?.event;
        let which = which.ok_or_else(|| ApiError::invalid("event", "say its position or its event_id"))?;
        Ok(Response::new(self.event(which).await?))
    }

    async fn head(&self, request: Request<HeadRequest>) -> Result<Response<HeadResponse>, Status> {
        accept(request)?;
        let head = self.head_at("").await?;
        let last = self.log.at(head.position).await;
        let last = last.map_err(|error| refusal::unreadable(&error))?;
        Ok(Response::new(HeadResponse {
            position: head.position,
            epoch: head.epoch.to_string(),
            recorded_at: last.map(|event| event.recorded_at.into()),
        }))
    }

    async fn catalogue(&self, request: Request<CatalogueRequest>) -> Result<Response<CatalogueResponse>, Status> {
        Ok(Response::new(catalogue::answer(&accept(request)?)?))
    }

    async fn explain(&self, request: Request<ExplainRequest>) -> Result<Response<ExplainResponse>, Status> {
        Ok(Response::new(self.explanation(accept(request)?).await?))
    }
}

/// The format that a request asks for.
pub(crate) fn format(asked: i32) -> Result<Format, ApiError> {
    match EventFormat::try_from(asked) {
        Ok(EventFormat::Unspecified | EventFormat::Envelope) => Ok(Format::Envelope),
        Ok(EventFormat::Cloudevents) => Ok(Format::CloudEvents),
        Err(_) => Err(ApiError::invalid("format", format!("there is no format {asked}"))),
    }
}

/// How many events a page has at the most.
pub(crate) fn page_size(limit: u32) -> Result<usize, ApiError> {
    match limit {
        0 => Ok(PAGE.0 as usize),
        asked if asked <= PAGE.1 => Ok(asked as usize),
        asked => Err(refusal::out_of_bounds("limit", asked.into(), 1, PAGE.1.into())),
    }
}

/// A UUID, when there is one.
pub(crate) fn optional_id(field: &str, text: &str) -> Result<Option<Uuid>, ApiError> {
    if text.is_empty() {
        return Ok(None);
    }
    let id = Uuid::try_parse(text).map_err(|_| ApiError::invalid(field, "this is not a UUID"))?;
    Ok(Some(id))
}
