//! A key at an address: its tokens, and the documents by which they are verified.

use std::sync::Arc;

use aws_lc_rs::rand;
use axum::Json;
use axum::routing::get;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Builder;

use crate::grant::Grant;
use crate::key::{Key, KeyError};

/// Path of the document that says where the keys are (RFC 8414).
pub const METADATA_PATH: &str = "/.well-known/oauth-authorization-server";
/// Path of the keys.
pub const JWKS_PATH: &str = "/.well-known/jwks.json";

/// An issuer. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Issuer {
    name: String,
    key: Arc<Key>,
}

// === impl Issuer ===

impl Issuer {
    /// An issuer at the address of a server (`http://127.0.0.1:8080`), which is to serve its [`routes`](Self::routes).
    pub fn new(address: &str, key: impl Into<Arc<Key>>) -> Self {
        // As Maskinporten's, the name ends with a slash.
        Self {
            name: format!("{}/", address.trim_end_matches('/')),
            key: key.into(),
        }
    }

    /// Its name, as it stands in `iss`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key that it signs with.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// A token that is issued now.
    ///
    /// # Errors
    /// When the machine gives no randomness.
    pub fn token(&self, grant: &Grant, now: Timestamp) -> Result<String, KeyError> {
        self.sign(&self.claims(grant, now)?)
    }

    /// The claims of a token that would be issued now.
    ///
    /// # Errors
    /// When the machine gives no randomness.
    pub fn claims(&self, grant: &Grant, now: Timestamp) -> Result<Value, KeyError> {
        let mut random = [0; 16];
        rand::fill(&mut random).map_err(|_| KeyError::Made)?;
        let id = Builder::from_random_bytes(random).into_uuid();
        Ok(grant.claims(&self.name, &id.to_string(), now))
    }

    /// Signs claims as they are, sensible or not.
    ///
    /// # Errors
    /// When the key refuses.
    pub fn sign(&self, claims: &Value) -> Result<String, KeyError> {
        let header = json!({ "alg": "RS256", "kid": self.key.id() });
        self.key
            .sign("RS256", &header.to_string(), claims.to_string().as_bytes())
    }

    /// Where the keys are, and what else RFC 8414 wants to know.
    pub fn metadata(&self) -> Value {
        json!({
            "issuer": self.name,
            "jwks_uri": format!("{}{}", self.name.trim_end_matches('/'), JWKS_PATH),
            "response_types_supported": [],
            "grant_types_supported": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
            "scopes_supported": ryggrad_access::Scope::all().map(ryggrad_access::Scope::name).collect::<Vec<_>>(),
        })
    }

    /// The public keys.
    pub fn jwks(&self) -> Value {
        json!({ "keys": [self.key.jwk()] })
    }

    /// The two documents as routes.
    pub fn routes(&self) -> axum::Router {
        let (metadata, jwks) = (self.metadata(), self.jwks());
        axum::Router::new()
            .route(METADATA_PATH, get(move || std::future::ready(Json(metadata.clone()))))
            .route(JWKS_PATH, get(move || std::future::ready(Json(jwks.clone()))))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ryggrad_access::{Parties, Scope, Stakeholder, SystemUser};

    use super::*;
    use crate::grant::DELEGATION_SOURCE;

    #[test]
    fn the_claims_are_those_of_maskinporten() {
        let issuer = Issuer::new("http://127.0.0.1:8080", Key::make().unwrap());
        let parties = Parties::development();
        let number = |stakeholder| parties.who_is(stakeholder)[0].orgnr;
        let (platform, club) = (number(Stakeholder::Platform), number(Stakeholder::Lottstift));
        let grant = Grant {
            supplier: Some(club),
            system_user: Some(SystemUser {
                id: "7".to_owned(),
                organisation: club,
            }),
            ..Grant::new(platform, [Scope::ViewsRead, Scope::CommandsWrite])
        };
        let claims = issuer.claims(&grant, Timestamp::UNIX_EPOCH).unwrap();
        let names: BTreeSet<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = "iss client_id client_amr token_type scope exp iat jti aud consumer supplier delegation_source authorization_details";
        assert_eq!(names, expected.split(' ').collect());
        assert_eq!(claims["iss"], "http://127.0.0.1:8080/");
        assert_eq!(claims["scope"], "ryggrad:views.read ryggrad:commands.write");
        assert_eq!((&claims["iat"], &claims["exp"]), (&json!(0), &json!(120)));
        assert_eq!(claims["consumer"]["authority"], "iso6523-actorid-upis");
        assert_eq!(claims["consumer"]["ID"], format!("0192:{}", platform.as_str()));
        assert_eq!(claims["delegation_source"], DELEGATION_SOURCE);
        assert_eq!(claims["authorization_details"][0]["type"], "urn:altinn:systemuser");
        assert_eq!(claims["authorization_details"][0]["systemuser_id"], json!(["7"]));
    }
}
