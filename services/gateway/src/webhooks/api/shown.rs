//! Endpoints as their owners are shown them.

use jiff::Timestamp;
use ryggrad_eventlog::clock::wall;
use ryggrad_proto::webhooks::v1 as pb;
use ryggrad_service::ApiError;
use uuid::Uuid;

use super::input::unreadable;
use super::{Answer, Api};
use crate::webhooks::endpoint::{Endpoint, Owner, State};
use crate::webhooks::keys::public;
use crate::webhooks::worker::Shared;

// === impl Api ===

impl Api {
    pub(super) async fn told(&self, shared: &Shared, owner: &Owner, id: Uuid) -> Answer<pb::Endpoint> {
        let found = shared.store.get(owner, id).await.map_err(unreadable)?;
        let endpoint = found.ok_or_else(|| ApiError::NotFound {
            what: "webhook",
            id: id.to_string(),
        })?;
        self.tell(shared, endpoint).await
    }

    /// An endpoint as its owner sees it.
    pub(super) async fn tell(&self, shared: &Shared, endpoint: Endpoint) -> Answer<pb::Endpoint> {
        let (store, now, proved_until) = (&shared.store, wall(), endpoint.proved_until(shared.options.proof));
        let counts = store.counts(endpoint.id).await.map_err(unreadable)?;
        let keys = store.keys(endpoint.id, now).await.map_err(unreadable)?;
        let head = self.log.head().await.map_err(unreadable)?;
        let mode = if endpoint.is_structured {
            pb::ContentMode::Structured
        } else {
            pb::ContentMode::Binary
        };
        let (state, reason) = if endpoint.state == State::Active && proved_until <= now {
            (State::Paused, unproved(&endpoint, proved_until))
        } else {
            (endpoint.state, endpoint.reason)
        };
        Ok(pb::Endpoint {
            endpoint_id: endpoint.id.to_string(),
            url: endpoint.url,
            filter: Some(endpoint.filter),
            subscription_id: endpoint.subscription.map(|id| id.to_string()).unwrap_or_default(),
            mode: mode.into(),
            ordered: endpoint.is_ordered,
            rate_per_second: endpoint.rate_per_second,
            description: endpoint.description,
            state: pb::EndpointState::from(state).into(),
            reason,
            position: endpoint.cursor,
            lag: head.position.saturating_sub(endpoint.cursor),
            waiting: counts.waiting,
            dead_letters: counts.dead,
            not_before: endpoint.not_before.filter(|until| *until > now).map(Into::into),
            public_keys: keys.iter().map(|sealed| public(&sealed.public)).collect(),
            created_at: Some(endpoint.created_at.into()),
            validated_at: endpoint.validated_at.map(Into::into),
            last_success_at: endpoint.last_success_at.map(Into::into),
            proved_until: Some(proved_until.into()),
        })
    }
}

/// Why nothing is sent to an active endpoint.
fn unproved(endpoint: &Endpoint, until: Timestamp) -> String {
    format!(
        "no token has proved since {} what it rests on (scopes {:?}), and that counted until {until}: call with such a token, or \
         :resume with what you have",
        endpoint.proved_at,
        endpoint.owner.scopes(),
    )
}
