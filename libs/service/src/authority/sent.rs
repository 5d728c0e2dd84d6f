//! Commands that were sent before: whose they were, by the events that they led to.

use ryggrad_access::Identity;
use ryggrad_eventlog::Request;
use ryggrad_proto::common::v1::{Actor, Receipt};
use sqlx::Row as _;
use uuid::Uuid;

use super::{Authority, by_itself};
use crate::request::parse_id;
use crate::{ApiError, caller};

/// The field of a command's id.
const COMMAND_ID: &str = "meta.command_id";
/// A command without events has nobody's name.
const ACTOR: &str = "select e.actor::text as actor from log.commands c \
    join log.events e on e.position = c.first_position and e.command_id = c.command_id \
    where c.command_id = $1";

// === impl Authority ===

impl Authority {
    /// The actor of a command that the caller has sent before, in the same capacity. It had its effect when it was the caller's
    /// to send, and never has another (I4): whoever lost the answer gets it, whatever has become of the right since.
    pub(super) async fn sent_before<C>(
        &self,
        identity: &Identity,
        request: &Request<C>,
    ) -> Result<Option<Actor>, ApiError> {
        let actor = self.actor(request.command_id).await?;
        Ok(actor.filter(|actor| is_by(actor, identity) && is_as(actor, identity, &request.actor.mandate)))
    }

    /// Keeps the receipt of a command that was carried out before for the one who sent it.
    ///
    /// # Errors
    /// Names the field of the id when it is that of somebody else's command.
    pub(crate) async fn own(&self, receipt: Receipt) -> Result<Receipt, ApiError> {
        let caller = caller();
        let Some(identity) = caller.identity().filter(|_| receipt.duplicate) else {
            return Ok(receipt);
        };
        let actor = self.actor(parse_id(COMMAND_ID, &receipt.command_id)?).await?;
        if actor.is_none_or(|actor| is_by(&actor, identity)) {
            Ok(receipt)
        } else {
            Err(ApiError::invalid(
                COMMAND_ID,
                "is the id of a command that somebody else has sent: make a new one",
            ))
        }
    }

    async fn actor(&self, command_id: Uuid) -> Result<Option<Actor>, ApiError> {
        let row = sqlx::query(ACTOR).bind(command_id).fetch_optional(&self.pool).await;
        let Some(row) = row.map_err(|error| ApiError::unreadable(&error))? else {
            return Ok(None);
        };
        let actor: &str = row.try_get("actor").map_err(|error| ApiError::unreadable(&error))?;
        serde_json::from_str(actor).map(Some).map_err(ApiError::internal)
    }
}

/// Whether an actor is the organisation that asks.
fn is_by(actor: &Actor, identity: &Identity) -> bool {
    actor.authenticated && actor.r#ref == identity.consumer.as_str()
}

/// Whether it acted as the caller does: through the same processor, and as that customer's system user, under the mandate that is
/// named again, or for itself.
fn is_as(actor: &Actor, identity: &Identity, mandate: &str) -> bool {
    let itself = by_itself(identity);
    let is_capacity = if identity.system_user.is_some() {
        (&actor.acting_for, &actor.mandate) == (&itself.acting_for, &itself.mandate)
    } else {
        actor.mandate.is_empty() || actor.mandate == mandate
    };
    actor.supplier == itself.supplier && is_capacity
}
