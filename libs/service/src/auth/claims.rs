//! What a token says once its signature holds, and whom that makes the caller.

use jiff::Timestamp;
use ryggrad_access::{Identity, Scopes, SystemUser};
use ryggrad_norway::OrgNumber;
use serde::Deserialize;
use serde_json::Value;

use super::Settings;
use super::strict::Strict;

/// The list that organisation numbers are from, as a token names it.
const AUTHORITY: &str = "iso6523-actorid-upis";
/// Before each organisation number.
const PREFIX: &str = "0192:";
/// The kind of authorisation that names a system user.
const SYSTEM_USER: &str = "urn:altinn:systemuser";
/// What Maskinporten writes as the audience when the client asked for none.
const UNSPECIFIED: &str = "unspecified";

/// The claims that are looked at. What else there is says nothing to us; `client_id` least of all.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    iss: String,
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
    aud: Option<Audience>,
    token_type: Option<String>,
    scope: Option<String>,
    consumer: Organisation,
    supplier: Option<Organisation>,
    delegation_source: Option<String>,
    #[serde(default)]
    authorization_details: Vec<Value>,
    /// A token that is bound to its holder's key needs more than being sent.
    cnf: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

#[derive(Debug, Deserialize)]
struct Organisation {
    authority: String,
    #[serde(rename = "ID")]
    id: String,
}

#[derive(Debug, Deserialize)]
struct Details {
    systemuser_id: Vec<String>,
    systemuser_org: Organisation,
}

// === impl Claims ===

impl Claims {
    /// Reads the payload of a token.
    pub(super) fn read(Strict(value): Strict) -> Result<Self, &'static str> {
        // What is there says something: `null` is no way of leaving it out.
        if value
            .as_object()
            .is_none_or(|claims| claims.values().any(Value::is_null))
        {
            return Err("the payload is not an object, or a claim is null");
        }
        serde_json::from_value(value).map_err(|_| "a claim is missing, or not what it should be")
    }

    /// Whom the claims make the caller.
    ///
    /// # Errors
    /// Which rule they break, for our own log.
    pub(super) fn identity(self, settings: &Settings, now: Timestamp) -> Result<Identity, &'static str> {
        self.check(settings, now)?;
        let consumer = self.consumer.number()?;
        let supplier = self.supplier(settings)?;
        let system_user = system_user(self.authorization_details)?;
        Ok(Identity {
            consumer,
            supplier,
            system_user,
            scopes: Scopes::parse(self.scope.as_deref().unwrap_or_default()),
            parties: settings.parties.of(consumer).to_vec(),
            expires: Timestamp::from_second(self.exp).map_err(|_| "exp is no instant")?,
        })
    }

    fn check(&self, settings: &Settings, now: Timestamp) -> Result<(), &'static str> {
        let (now, leeway) = (now.as_second(), i64::try_from(settings.leeway.as_secs()).unwrap_or(0));
        if self.iss != settings.issuer {
            return Err("another issuer");
        }
        if self.exp.saturating_add(leeway) <= now {
            return Err("expired");
        }
        let in_future = |instant: Option<i64>| instant.is_some_and(|instant| instant > now + leeway);
        if in_future(self.nbf) || in_future(self.iat) {
            return Err("not yet valid, or issued in the future");
        }
        if self.cnf.is_some()
            || self
                .token_type
                .as_deref()
                .is_some_and(|kind| !kind.eq_ignore_ascii_case("Bearer"))
        {
            return Err("not a bearer token");
        }
        self.check_audience(settings)
    }

    fn check_audience(&self, settings: &Settings) -> Result<(), &'static str> {
        let ours = |name: &String| settings.audiences.contains(name);
        let nobodys = match &self.aud {
            None => true,
            Some(Audience::One(name)) if ours(name) => return Ok(()),
            Some(Audience::Several(names)) if names.iter().any(ours) => return Ok(()),
            Some(Audience::One(name)) => name == UNSPECIFIED,
            Some(Audience::Several(names)) => names.iter().all(|name| name == UNSPECIFIED),
        };
        if nobodys && settings.audience_optional {
            Ok(())
        } else {
            Err("for another audience")
        }
    }

    /// The processor that acts for the consumer, when somebody whom we trust keeps its delegation.
    fn supplier(&self, settings: &Settings) -> Result<Option<OrgNumber>, &'static str> {
        let (supplier, source) = match (&self.supplier, &self.delegation_source) {
            (None, None) => return Ok(None),
            (Some(supplier), Some(source)) => (supplier, source),
            (None, Some(_)) | (Some(_), None) => {
                return Err("a supplier without a delegation, or a delegation to nobody");
            }
        };
        let bare = |url: &str| url.trim_end_matches('/').to_owned();
        if !settings
            .delegation_sources
            .iter()
            .any(|known| bare(known) == bare(source))
        {
            return Err("the delegation is kept where we do not trust it");
        }
        supplier.number().map(Some)
    }
}

/// The system user in the details of the authorisation. More than one would leave open for whom the caller acts.
fn system_user(details: Vec<Value>) -> Result<Option<SystemUser>, &'static str> {
    let wrong = "the system user cannot be read, or there are several";
    let mut users = details.into_iter().filter(|detail| detail["type"] == SYSTEM_USER);
    let Some(user) = users.next() else {
        return Ok(None);
    };
    let user: Details = serde_json::from_value(user).map_err(|_| wrong)?;
    let organisation = user.systemuser_org.number()?;
    match (<[String; 1]>::try_from(user.systemuser_id), users.next()) {
        (Ok([id]), None) if !id.is_empty() => Ok(Some(SystemUser { id, organisation })),
        _ => Err(wrong),
    }
}

// === impl Organisation ===

impl Organisation {
    fn number(&self) -> Result<OrgNumber, &'static str> {
        let wrong = "an organisation is not 0192: and its number";
        if self.authority != AUTHORITY {
            return Err(wrong);
        }
        let number = self.id.strip_prefix(PREFIX).ok_or(wrong)?;
        OrgNumber::parse(number).map_err(|_| wrong)
    }
}
