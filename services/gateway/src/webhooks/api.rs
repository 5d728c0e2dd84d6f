//! The calls of `ryggrad.webhooks.v1.Webhooks`: who asks, what is checked, what is answered.

mod input;
mod shown;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ryggrad_access::{Filter, Scope};
use ryggrad_eventlog::Log;
use ryggrad_eventlog::clock::wall;
use ryggrad_proto::webhooks::v1 as pb;
use ryggrad_service::{ApiError, accept, caller};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use self::input::{description, next, not_so, rate, size, structured, token, unkept, unreadable, unsigned, url};
use super::access::today;
use super::endpoint::{Endpoint, Owner, State};
use super::handshake;
use super::history::{Attempt, Outcome, Span};
use super::keys::{Keys, public};
use super::message::TEST;
use super::store::{Permission, UNASKED, fresh_id};
use super::worker::{Report, Shared, Verdict, target};

/// Endpoints of one organisation at the most.
const ENDPOINTS: usize = 50;
/// Seconds for which old keys stay valid: when nothing is said, and at the most.
const OVERLAP: (u32, u32) = (86_400, 604_800);

/// The webhooks as they answer. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    /// None when no key is configured: then there are no webhooks.
    pub(crate) shared: Option<Arc<Shared>>,
    pub(crate) log: Log,
}

type Answer<T> = Result<T, ApiError>;

/// Writes the rpcs, each with what answers it.
macro_rules! calls {
    ($($rpc:ident($request:ident) -> $response:ident;)*) => {
        #[tonic::async_trait]
        impl pb::webhooks_server::Webhooks for Api {
            $(
                async fn $rpc(&self, request: Request<pb::$request>) -> Result<Response<pb::$response>, Status> {
                    let answer: Answer<_> = Api::$rpc(self, accept(request)?).await;
                    Ok(Response::new(answer?))
                }
            )*
        }
    };
}

calls! {
    create_endpoint(CreateEndpointRequest) -> CreateEndpointResponse;
    list_endpoints(ListEndpointsRequest) -> ListEndpointsResponse;
    get_endpoint(GetEndpointRequest) -> Endpoint;
    update_endpoint(UpdateEndpointRequest) -> Endpoint;
    delete_endpoint(DeleteEndpointRequest) -> DeleteEndpointResponse;
    rotate_secret(RotateSecretRequest) -> RotateSecretResponse;
    validate_endpoint(ValidateEndpointRequest) -> Endpoint;
    grant_permission(GrantPermissionRequest) -> GrantPermissionResponse;
    pause_endpoint(PauseEndpointRequest) -> Endpoint;
    resume_endpoint(ResumeEndpointRequest) -> Endpoint;
    send_test(SendTestRequest) -> Attempt;
    list_attempts(ListAttemptsRequest) -> ListAttemptsResponse;
    list_dead_letters(ListDeadLettersRequest) -> ListDeadLettersResponse;
    redrive(RedriveRequest) -> RedriveResponse;
}

// === impl Api ===

impl Api {
    async fn create_endpoint(&self, request: pb::CreateEndpointRequest) -> Answer<pb::CreateEndpointResponse> {
        let (shared, owner) = self.owner().await?;
        let url = url(shared, &request.url)?;
        let filter = request.filter.clone().unwrap_or_default();
        Filter::parse(Some(&filter))?;
        let subscription = self.subscription(&request.subscription_id).await?;
        let head = self.log.head().await.map_err(unreadable)?;
        let cursor = match request.start {
            Some(pb::create_endpoint_request::Start::After(after)) if after > head.position => {
                return Err(ApiError::OutOfRange {
                    reason: "CURSOR_BEYOND_HEAD",
                    message: format!(
                        "after: position {after} is beyond the head of the log, {}",
                        head.position
                    ),
                });
            }
            Some(pb::create_endpoint_request::Start::After(after)) => after,
            Some(pb::create_endpoint_request::Start::FromNow(_)) | None => head.position,
        };
        if shared.store.list(&owner).await.map_err(unreadable)?.len() >= ENDPOINTS {
            return Err(ApiError::Precondition {
                reason: "TOO_MANY_ENDPOINTS",
                message: format!("the organisation has {ENDPOINTS} endpoints already"),
            });
        }
        let now = wall();
        let endpoint = Endpoint {
            id: fresh_id(),
            owner,
            url,
            filter,
            subscription,
            is_structured: structured(request.mode)?.unwrap_or_default(),
            is_ordered: request.ordered,
            rate_per_second: rate(request.rate_per_second)?,
            description: description(request.description)?,
            state: State::Pending,
            reason: UNASKED.to_owned(),
            version: 1,
            cursor,
            not_before: None,
            created_at: now,
            validated_at: None,
            last_success_at: None,
            allowed_per_minute: None,
            proved_at: now,
        };
        let keys = Keys::generate().map_err(ApiError::internal)?;
        shared
            .store
            .insert(&endpoint, &keys, &shared.seal)
            .await
            .map_err(unkept)?;
        handshake::ask(shared, &endpoint).await.map_err(unreadable)?;
        shared.hurry.notify_one();
        Ok(pb::CreateEndpointResponse {
            endpoint: Some(self.told(shared, &endpoint.owner, endpoint.id).await?),
            secret: keys.secret(),
            first_position: cursor + 1,
        })
    }

    async fn list_endpoints(&self, _: pb::ListEndpointsRequest) -> Answer<pb::ListEndpointsResponse> {
        let (shared, owner) = self.owner().await?;
        let mut endpoints = Vec::new();
        for endpoint in shared.store.list(&owner).await.map_err(unreadable)? {
            endpoints.push(self.tell(shared, endpoint).await?);
        }
        Ok(pb::ListEndpointsResponse { endpoints })
    }

    async fn get_endpoint(&self, request: pb::GetEndpointRequest) -> Answer<pb::Endpoint> {
        let (shared, endpoint) = self.find(&request.endpoint_id).await?;
        self.tell(shared, endpoint).await
    }

    async fn update_endpoint(&self, request: pb::UpdateEndpointRequest) -> Answer<pb::Endpoint> {
        let (shared, mut endpoint) = self.find(&request.endpoint_id).await?;
        if let Some(filter) = request.filter {
            Filter::parse(Some(&filter))?;
            endpoint.filter = filter;
        }
        if let Some(id) = request.subscription_id {
            endpoint.subscription = self.subscription(&id).await?;
        }
        endpoint.is_structured = structured(request.mode)?.unwrap_or(endpoint.is_structured);
        endpoint.is_ordered = request.ordered.unwrap_or(endpoint.is_ordered);
        if let Some(text) = request.description {
            endpoint.description = description(text)?;
        }
        if let Some(asked) = request.rate_per_second {
            endpoint.rate_per_second = rate(asked)?;
        }
        let moved = match request.url {
            Some(text) => {
                let url = url(shared, &text)?;
                url != std::mem::replace(&mut endpoint.url, url.clone())
            }
            None => false,
        };
        shared.store.update(&endpoint).await.map_err(unkept)?;
        if moved {
            // What the old address put off, the new one gets as soon as it may be called.
            shared.store.hurry(endpoint.id, wall()).await.map_err(unreadable)?;
            handshake::ask(shared, &endpoint).await.map_err(unreadable)?;
        }
        shared.hurry.notify_one();
        self.told(shared, &endpoint.owner, endpoint.id).await
    }

    async fn delete_endpoint(&self, request: pb::DeleteEndpointRequest) -> Answer<pb::DeleteEndpointResponse> {
        let (shared, endpoint) = self.find(&request.endpoint_id).await?;
        shared.store.delete(endpoint.id).await.map_err(unreadable)?;
        shared.hurry.notify_one();
        Ok(pb::DeleteEndpointResponse {})
    }

    async fn rotate_secret(&self, request: pb::RotateSecretRequest) -> Answer<pb::RotateSecretResponse> {
        let (shared, endpoint) = self.find(&request.endpoint_id).await?;
        let overlap = match request.overlap_seconds {
            None => OVERLAP.0,
            Some(asked) if asked <= OVERLAP.1 => asked,
            Some(asked) => {
                let reason = format!("{asked} is more than {} (7 days)", OVERLAP.1);
                return Err(ApiError::invalid("overlap_seconds", reason));
            }
        };
        let keys = Keys::generate().map_err(ApiError::internal)?;
        let now = wall();
        let until = now
            .saturating_add(SignedDuration::from_secs(overlap.into()))
            .unwrap_or(now);
        let rotated = shared.store.rotate(endpoint.id, &keys, &shared.seal, now, until);
        rotated.await.map_err(unkept)?;
        shared.hurry.notify_one();
        Ok(pb::RotateSecretResponse {
            secret: keys.secret(),
            public_key: public(keys.public()),
            previous_until: Some(until.into()),
        })
    }

    async fn validate_endpoint(&self, request: pb::ValidateEndpointRequest) -> Answer<pb::Endpoint> {
        let (shared, endpoint) = self.find(&request.endpoint_id).await?;
        handshake::ask(shared, &endpoint).await.map_err(unreadable)?;
        shared.hurry.notify_one();
        self.told(shared, &endpoint.owner, endpoint.id).await
    }

    async fn grant_permission(&self, request: pb::GrantPermissionRequest) -> Answer<pb::GrantPermissionResponse> {
        let shared = self.shared()?;
        let permission = Permission {
            per_minute: (request.rate > 0).then_some(request.rate),
            at: wall(),
        };
        let found = shared.store.granted(&handshake::hash(&request.token), permission).await;
        let Some(endpoint) = found.map_err(unreadable)? else {
            return Err(ApiError::NotFound {
                what: "handshake",
                id: "with this token".to_owned(),
            });
        };
        shared.hurry.notify_one();
        Ok(pb::GrantPermissionResponse {
            endpoint_id: endpoint.to_string(),
        })
    }

    async fn pause_endpoint(&self, request: pb::PauseEndpointRequest) -> Answer<pb::Endpoint> {
        let (shared, endpoint) = self.find(&request.endpoint_id).await?;
        let paused = shared.store.turn(endpoint.id, State::Active, State::Paused);
        if !paused.await.map_err(unreadable)? && endpoint.state != State::Paused {
            return Err(not_so(&endpoint, "an active endpoint can be paused"));
        }
        shared.hurry.notify_one();
        self.told(shared, &endpoint.owner, endpoint.id).await
    }

    async fn resume_endpoint(&self, request: pb::ResumeEndpointRequest) -> Answer<pb::Endpoint> {
        let (shared, endpoint, owner) = self.find_as(&request.endpoint_id).await?;
        match endpoint.state {
            State::Paused | State::Active => {}
            State::Pending | State::Disabled => {
                return Err(not_so(&endpoint, "it goes on when ValidateEndpoint succeeds"));
            }
        }
        if endpoint.validated_at.is_none() {
            return Err(not_so(&endpoint, "it has never said that it wants to be called"));
        }
        let (store, now) = (&shared.store, wall());
        if endpoint.proved_until(shared.options.proof) <= now {
            // The scopes that it was made with are not to be had any more.
            let rests = store.rest_on(endpoint.id, &owner, now);
            rests.await.map_err(unreadable)?;
        }
        store.hurry(endpoint.id, now).await.map_err(unreadable)?;
        store
            .turn(endpoint.id, endpoint.state, State::Active)
            .await
            .map_err(unreadable)?;
        shared.hurry.notify_one();
        self.told(shared, &endpoint.owner, endpoint.id).await
    }

    async fn send_test(&self, request: pb::SendTestRequest) -> Answer<pb::Attempt> {
        let (shared, endpoint) = self.find(&request.endpoint_id).await?;
        if !matches!(endpoint.state, State::Active | State::Paused) {
            return Err(not_so(
                &endpoint,
                "nothing is sent to it before it said that it wants to be called",
            ));
        }
        let (id, at) = (fresh_id(), wall());
        let target = target(shared, &endpoint).await.map_err(unsigned)?;
        let message = target.test(&id.to_string(), endpoint.owner.organisation.as_str(), at);
        let sent = shared
            .client
            .send(reqwest::Method::POST, &endpoint.url, message.headers, message.body);
        let report = Report::of(sent.await, wall());
        let attempt = Attempt {
            position: 0,
            event_id: id,
            event_type: TEST.to_owned(),
            number: 1,
            at,
            duration_ms: u32::try_from(report.took.as_millis()).unwrap_or(u32::MAX),
            outcome: match report.result {
                Verdict::Delivered => Outcome::Delivered,
                // A test is not sent again, and disables nothing.
                Verdict::Failed { .. } | Verdict::Gone => Outcome::Dead,
            },
            status: report.status,
            error: report.error,
            answer: report.answer,
            next_attempt_at: None,
        };
        let mut connection = shared.store.pool.acquire().await.map_err(unreadable)?;
        let recorded = super::history::record(&mut connection, endpoint.id, std::slice::from_ref(&attempt));
        let id = recorded.await.map_err(unreadable)?.first().copied();
        Ok(attempt.told(id.unwrap_or_default()))
    }

    async fn list_attempts(&self, request: pb::ListAttemptsRequest) -> Answer<pb::ListAttemptsResponse> {
        let (shared, endpoint) = self.find(&request.endpoint_id).await?;
        let size = size(request.page_size)?;
        let before = token(&request.page_token)?.unwrap_or(i64::MAX);
        let attempts = shared
            .store
            .attempts(endpoint.id, request.position, request.failed_only, before, size)
            .await
            .map_err(unreadable)?;
        let next_page_token = next(&attempts, size, |attempt| attempt.attempt_id);
        Ok(pb::ListAttemptsResponse {
            attempts,
            next_page_token,
        })
    }

    async fn list_dead_letters(&self, request: pb::ListDeadLettersRequest) -> Answer<pb::ListDeadLettersResponse> {
        let (shared, endpoint) = self.find(&request.endpoint_id).await?;
        let size = size(request.page_size)?;
        let after = token(&request.page_token)?.unwrap_or_default();
        let after = u64::try_from(after).unwrap_or_default();
        let dead_letters = shared
            .store
            .dead_letters(endpoint.id, after, size)
            .await
            .map_err(unreadable)?;
        let next_page_token = next(&dead_letters, size, |letter| letter.position);
        Ok(pb::ListDeadLettersResponse {
            dead_letters,
            next_page_token,
        })
    }

    async fn redrive(&self, request: pb::RedriveRequest) -> Answer<pb::RedriveResponse> {
        let (shared, endpoint) = self.find(&request.endpoint_id).await?;
        let (store, now) = (&shared.store, wall());
        let span = match request.what {
            None => return Err(ApiError::invalid("what", "say which events: position, range or since")),
            Some(pb::redrive_request::What::Position(position)) => Span {
                from: position,
                to: position,
            },
            Some(pb::redrive_request::What::Range(pb::PositionRange { from, to: 0 })) => Span { from, to: u64::MAX },
            Some(pb::redrive_request::What::Range(pb::PositionRange { from, to })) => Span { from, to },
            Some(pb::redrive_request::What::Since(since)) => {
                let since = Timestamp::try_from(since)
                    .map_err(|_| ApiError::invalid("since", "is not an instant of the calendar"))?;
                let from = store.since(since).await.map_err(unreadable)?.unwrap_or(u64::MAX);
                Span { from, to: u64::MAX }
            }
        };
        if span.from > span.to {
            return Err(ApiError::invalid("range.to", "is before range.from"));
        }
        let mut answer = pb::RedriveResponse {
            dead_letters: store.revive(endpoint.id, span, now).await.map_err(unreadable)?,
            ..Default::default()
        };
        // What comes after its position comes by itself.
        let (from, to) = (span.from.max(1), span.to.min(endpoint.cursor));
        if request.everything && from <= to {
            store
                .redrive(endpoint.id, Span { from, to }, now)
                .await
                .map_err(unreadable)?;
            (answer.from, answer.to) = (from, to);
        }
        shared.hurry.notify_one();
        Ok(answer)
    }

    fn shared(&self) -> Answer<&Arc<Shared>> {
        self.shared.as_ref().ok_or_else(|| ApiError::Precondition {
            reason: "WEBHOOKS_NOT_CONFIGURED",
            message: "this gateway has no webhooks: it has no key to seal their secrets with (RYGGRAD_WEBHOOK_KEY)"
                .to_owned(),
        })
    }

    /// Whoever asks, as an owner of endpoints: who asks has thereby proved once more what its endpoints rest on.
    async fn owner(&self) -> Answer<(&Arc<Shared>, Owner)> {
        let caller = caller();
        let identity = caller.identity().ok_or_else(ApiError::token_missing)?;
        if !identity.scopes.has(Scope::SubscriptionsWrite) {
            return Err(ApiError::scope_missing(Scope::SubscriptionsWrite));
        }
        let (shared, owner) = (self.shared()?, Owner::of(identity));
        if shared.store.prove(&owner, wall()).await.map_err(unreadable)? {
            shared.hurry.notify_one();
        }
        Ok((shared, owner))
    }

    /// An endpoint of whoever asks.
    async fn find(&self, id: &str) -> Answer<(&Arc<Shared>, Endpoint)> {
        let (shared, endpoint, _) = self.find_as(id).await?;
        Ok((shared, endpoint))
    }

    /// The same, with who asks.
    async fn find_as(&self, id: &str) -> Answer<(&Arc<Shared>, Endpoint, Owner)> {
        let (shared, owner) = self.owner().await?;
        let missing = || ApiError::NotFound {
            what: "webhook",
            id: id.to_owned(),
        };
        let uuid =
            Uuid::try_parse(id).map_err(|_| ApiError::invalid("endpoint_id", format!("{id:?} is not a UUID")))?;
        let found = shared.store.get(&owner, uuid).await.map_err(unreadable)?;
        Ok((shared, found.ok_or_else(missing)?, owner))
    }

    /// The subscription to rest on, when it is one of the caller's and in force.
    async fn subscription(&self, id: &str) -> Answer<Option<Uuid>> {
        if id.is_empty() {
            return Ok(None);
        }
        let shared = self.shared()?;
        let asked =
            Uuid::try_parse(id).map_err(|_| ApiError::invalid("subscription_id", format!("{id:?} is not a UUID")))?;
        let gate = shared
            .registry
            .gate(&caller(), today(&shared.clock))
            .await
            .map_err(unreadable)?;
        if gate.approvals().iter().any(|approval| approval.id == asked) {
            return Ok(Some(asked));
        }
        Err(ApiError::Precondition {
            reason: "SUBSCRIPTION_NOT_IN_FORCE",
            message: format!("subscription_id: {id} is not a subscription of yours that is in force"),
        })
    }
}
