//! An endpoint as it is kept.

use std::time::Duration;

use jiff::Timestamp;
use ryggrad_access::{Caller, Identity, Parties, Scope, Scopes, SystemUser};
use ryggrad_norway::OrgNumber;
use ryggrad_proto::events::v1::EventFilter;
use ryggrad_proto::webhooks::v1 as pb;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

/// The columns that [`Endpoint::from_row`] reads.
pub(crate) const COLUMNS: &str = "endpoint_id, owner, consumer, supplier, system_user_id, scopes, url, filter::text as filter, subscription_id, \
     is_structured, is_ordered, rate_per_second, description, state, reason, version, cursor, not_before, created_at, \
     validated_at, last_success_at, allowed_per_minute, proved_at";

/// An endpoint as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) id: Uuid,
    pub(crate) owner: Owner,
    pub(crate) url: String,
    pub(crate) filter: EventFilter,
    pub(crate) subscription: Option<Uuid>,
    pub(crate) is_structured: bool,
    pub(crate) is_ordered: bool,
    /// 0 for no limit.
    pub(crate) rate_per_second: u32,
    pub(crate) description: String,
    pub(crate) state: State,
    pub(crate) reason: String,
    pub(crate) version: i64,
    pub(crate) cursor: u64,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
    pub(crate) validated_at: Option<Timestamp>,
    pub(crate) last_success_at: Option<Timestamp>,
    /// What the endpoint itself allowed in its handshake.
    pub(crate) allowed_per_minute: Option<u32>,
    /// When a token last proved what its owner is.
    pub(crate) proved_at: Timestamp,
}

/// Whose an endpoint is, and what a token of its owner proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    /// The organisation: the customer, when its system user asked.
    pub(crate) organisation: OrgNumber,
    pub(crate) consumer: OrgNumber,
    pub(crate) supplier: Option<OrgNumber>,
    pub(crate) system_user: Option<String>,
    pub(crate) scopes: Scopes,
}

/// What an endpoint does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Pending,
    Active,
    Paused,
    Disabled,
}

// === impl Endpoint ===

impl Endpoint {
    /// Until when it is delivered to without a further token of its owner.
    pub(crate) fn proved_until(&self, proof: Duration) -> Timestamp {
        self.proved_at.saturating_add(proof).unwrap_or(Timestamp::MAX)
    }

    /// Reads a row of [`COLUMNS`].
    pub(crate) fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let time = |column: &str| {
            let found = row.try_get::<Option<jiff_sqlx::Timestamp>, _>(column)?;
            Ok::<_, sqlx::Error>(found.map(jiff_sqlx::Timestamp::to_jiff))
        };
        let count = |column: &str| {
            let found = row.try_get::<Option<i32>, _>(column)?;
            Ok::<_, sqlx::Error>(found.and_then(|count| u32::try_from(count).ok()))
        };
        let broken = |error: Box<dyn std::error::Error + Send + Sync>| sqlx::Error::Decode(error);
        Ok(Self {
            id: row.try_get("endpoint_id")?,
            owner: Owner::from_row(row)?,
            url: row.try_get("url")?,
            filter: serde_json::from_str(row.try_get("filter")?).map_err(|error| broken(error.into()))?,
            subscription: row.try_get("subscription_id")?,
            is_structured: row.try_get("is_structured")?,
            is_ordered: row.try_get("is_ordered")?,
            rate_per_second: count("rate_per_second")?.unwrap_or_default(),
            description: row.try_get("description")?,
            state: State::parse(row.try_get("state")?).ok_or_else(|| broken("no state".into()))?,
            reason: row.try_get("reason")?,
            version: row.try_get("version")?,
            cursor: u64::try_from(row.try_get::<i64, _>("cursor")?).unwrap_or_default(),
            not_before: time("not_before")?,
            created_at: time("created_at")?.unwrap_or_default(),
            validated_at: time("validated_at")?,
            last_success_at: time("last_success_at")?,
            allowed_per_minute: count("allowed_per_minute")?,
            proved_at: time("proved_at")?.unwrap_or_default(),
        })
    }
}

// === impl Owner ===

impl Owner {
    /// Whose what a caller makes is.
    pub(crate) fn of(identity: &Identity) -> Self {
        Self {
            organisation: identity.acts_as(),
            consumer: identity.consumer,
            supplier: identity.supplier,
            system_user: identity.system_user.as_ref().map(|user| user.id.clone()),
            scopes: identity.scopes,
        }
    }

    /// The caller as whom events are looked at: what its maker was, and what it is known as today.
    pub(crate) fn caller(&self, parties: &Parties) -> Caller {
        Caller::proved(Identity {
            consumer: self.consumer,
            supplier: self.supplier,
            system_user: self.system_user.clone().map(|id| SystemUser {
                id,
                organisation: self.organisation,
            }),
            scopes: self.scopes,
            parties: parties.of(self.consumer).to_vec(),
            // The endpoint outlives the token that made it, until its proof ends; what it may see is asked anew at every batch.
            expires: Timestamp::MAX,
        })
    }

    /// The scopes as a token has them.
    pub(crate) fn scopes(&self) -> String {
        let names: Vec<_> = Scope::all()
            .filter(|scope| self.scopes.has(*scope))
            .map(Scope::name)
            .collect();
        names.join(" ")
    }

    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let number = |text: &str| OrgNumber::parse(text).map_err(|error| sqlx::Error::Decode(error.into()));
        Ok(Self {
            organisation: number(row.try_get("owner")?)?,
            consumer: number(row.try_get("consumer")?)?,
            supplier: row.try_get::<Option<&str>, _>("supplier")?.map(number).transpose()?,
            system_user: row.try_get("system_user_id")?,
            scopes: Scopes::parse(row.try_get("scopes")?),
        })
    }
}

// === impl State ===

impl State {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Pending, Self::Active, Self::Paused, Self::Disabled]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

impl From<State> for pb::EndpointState {
    fn from(state: State) -> Self {
        match state {
            State::Pending => Self::Pending,
            State::Active => Self::Active,
            State::Paused => Self::Paused,
            State::Disabled => Self::Disabled,
        }
    }
}
