//! The service as gRPC and REST see it.

use ryggrad_access::Stakeholder;
use ryggrad_proto::ecosystem::v1 as pb;
use ryggrad_proto::ecosystem::v1::ecosystem_service_server::EcosystemService;
use ryggrad_service::request::{as_of, execute, parse_id};
use ryggrad_service::{ApiError, accept, caller};
use tonic::{Request, Response, Status};

use crate::service::Ecosystem;

#[tonic::async_trait]
impl EcosystemService for Ecosystem {
    ryggrad_service::commands! {
        unsubscribe(pb::Unsubscribe) => subscriptions;
        grant_mandate(pb::GrantMandate) => mandates;
        revoke_mandate(pb::RevokeMandate) => mandates;
    }

    async fn subscribe(&self, request: Request<pb::Subscribe>) -> Result<Response<pb::SubscriptionReceipt>, Status> {
        let mut command = accept(request)?;
        let stakeholder = as_whom(&command.stakeholder)?;
        stakeholder.code().clone_into(&mut command.stakeholder);
        let head = as_of(&self.log).await?;
        if command.from_now {
            command.after = head;
        }
        if command.after > head {
            return Err(beyond_head(command.after, head).into());
        }
        let receipt = execute(&self.subscriptions, &self.authority, Request::new(command))
            .await?
            .into_inner();
        let id = parse_id("subscription_id", &receipt.aggregate_id)?;
        // The first receipt again may be of another request than this one: what was approved is what counts.
        let (state, _) = self.subscriptions.state(id).await.map_err(ApiError::from)?;
        let first_position = state.approved().map_or(0, |approved| approved.first_position);
        Ok(Response::new(pb::SubscriptionReceipt {
            subscription_id: receipt.aggregate_id.clone(),
            receipt: Some(receipt),
            first_position,
        }))
    }

    async fn get_subscription(
        &self,
        request: Request<pb::GetSubscriptionRequest>,
    ) -> Result<Response<pb::Subscription>, Status> {
        let pb::GetSubscriptionRequest {
            subscription_id,
            at_least: _,
        } = accept(request)?;
        let id = parse_id("subscription_id", &subscription_id)?;
        let as_of = as_of(&self.log).await?;
        let (state, version) = self.subscriptions.state(id).await.map_err(ApiError::from)?;
        let Some(approved) = state.approved() else {
            let what = "subscription";
            let id = id.to_string();
            return Err(ApiError::NotFound { what, id }.into());
        };
        let today = self.authority.today();
        let over = approved
            .until
            .as_deref()
            .is_some_and(|until| until.parse().is_ok_and(|until: jiff::civil::Date| until < today));
        Ok(Response::new(pb::Subscription {
            subscription_id: id.to_string(),
            in_force: state.ended().is_none() && !over,
            approved: Some(approved.clone()),
            ended: state.ended().cloned(),
            version,
            as_of,
        }))
    }
}

/// The position is behind the end of the log: refused as the gateway does, since what it would approve from there is unknown.
fn beyond_head(after: u64, head: u64) -> ApiError {
    let error = ApiError::OutOfRange {
        reason: "CURSOR_BEYOND_HEAD",
        message: format!("after: position {after} is beyond the head of the log, {head}"),
    };
    error.with("after", &after).with("head", &head)
}

/// As which stakeholder the caller subscribes: the one that it names, or the only one that it is.
fn as_whom(named: &str) -> Result<Stakeholder, ApiError> {
    let caller = caller();
    let identity = caller.identity().ok_or_else(ApiError::token_missing)?;
    let mut all = identity.stakeholders();
    if !named.is_empty() {
        let asked = Stakeholder::parse(named)
            .ok_or_else(|| ApiError::invalid("stakeholder", format!("there is no stakeholder {named:?}")))?;
        return all.find(|is| *is == asked).ok_or_else(|| ApiError::Denied {
            reason: "NOT_THAT_STAKEHOLDER",
            message: format!("the token's organisation is not {}", asked.code()),
        });
    }
    match (all.next(), all.next()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => Err(ApiError::invalid(
            "stakeholder",
            "the token's organisation is several; name one",
        )),
        (None, _) => Err(ApiError::Denied {
            reason: "NO_STAKEHOLDER",
            message:
                "the token's organisation is no stakeholder of the access matrix; its own facts need no subscription"
                    .to_owned(),
        }),
    }
}
