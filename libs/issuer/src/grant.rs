//! What a token says, in Maskinporten's words.

use std::time::Duration;

use jiff::Timestamp;
use ryggrad_access::{Scope, SystemUser};
use ryggrad_norway::OrgNumber;
use serde_json::{Value, json};

/// Where delegations to suppliers are kept, as a token names it.
pub const DELEGATION_SOURCE: &str = "https://www.altinn.no";

/// The list that organisation numbers in tokens are from.
const AUTHORITY: &str = "iso6523-actorid-upis";

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The organisation that is authorised.
    pub consumer: OrgNumber,
    /// What it may.
    pub scopes: Vec<Scope>,
    /// The processor that acts for it.
    pub supplier: Option<OrgNumber>,
    /// The customer's system user that its system acts as.
    pub system_user: Option<SystemUser>,
    /// For whom the token is; `unspecified` when the client asked for no resource.
    pub audience: Option<String>,
    /// How long it is good for, in whole seconds.
    pub lifetime: Duration,
}

// === impl Grant ===

impl Grant {
    /// A token for an organisation itself, good for two minutes as Maskinporten's are.
    pub fn new(consumer: OrgNumber, scopes: impl IntoIterator<Item = Scope>) -> Self {
        Self {
            consumer,
            scopes: scopes.into_iter().collect(),
            supplier: None,
            system_user: None,
            audience: None,
            lifetime: Duration::from_mins(2),
        }
    }

    /// The claims, issued at an instant under a fresh id.
    pub(crate) fn claims(&self, issuer: &str, id: &str, now: Timestamp) -> Value {
        let seconds = i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX);
        let scopes: Vec<&str> = self.scopes.iter().map(|scope| scope.name()).collect();
        let mut claims = json!({
            "iss": issuer,
            "client_id": format!("development-{}", self.supplier.unwrap_or(self.consumer).as_str()),
            "client_amr": "virksomhetssertifikat",
            "token_type": "Bearer",
            "scope": scopes.join(" "),
            "exp": now.as_second().saturating_add(seconds),
            "iat": now.as_second(),
            "jti": id,
            "aud": self.audience.as_deref().unwrap_or("unspecified"),
            "consumer": organisation(self.consumer),
        });
        if let Some(supplier) = self.supplier {
            claims["supplier"] = organisation(supplier);
            claims["delegation_source"] = DELEGATION_SOURCE.into();
        }
        if let Some(user) = &self.system_user {
            claims["authorization_details"] = json!([{
                "type": "urn:altinn:systemuser",
                "systemuser_id": [user.id],
                "systemuser_org": organisation(user.organisation),
                "system_id": format!("{}_development", self.consumer.as_str()),
            }]);
        }
        claims
    }
}

fn organisation(number: OrgNumber) -> Value {
    json!({ "authority": AUTHORITY, "ID": format!("0192:{}", number.as_str()) })
}
