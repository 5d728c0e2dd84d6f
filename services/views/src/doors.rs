//! Doors in the shape of the registers' own open interfaces, so that today's clients work unchanged when pointed here; and
//! the change feed and the whole file that Frivillighetsregisteret lacks.
//!
//! Everything is open data and needs no token; what an authority looks up with one leaves the trace that the directory leaves.
//! Links point to the host that the client asked.

use std::time::Duration;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use ryggrad_access::{self as access, Gate, Key};
use ryggrad_eventlog::projection::{Snapshot, View};
use ryggrad_proto::views::v1::RegisterUnit;
use serde::Serialize;
use uuid::Uuid;

use crate::api::{Api, read};

mod bulk;
pub(crate) mod document;
mod fault;
mod lists;
mod params;
mod patch;
mod search;
mod units;
mod updates;
mod voluntary;

use fault::{Fault, Refused};
use params::Params;

/// Position that an answer shows.
pub(crate) const AS_OF: &str = "ryggrad-as-of";
/// Epoch of the log that the position is of.
pub(crate) const EPOCH: &str = "ryggrad-epoch";

/// What every door needs to know of a request.
#[derive(Debug)]
struct Asked {
    /// What links begin with: `https://host`.
    host: String,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
}

type Answer = Result<Response, Refused>;

/// The routes of both registers.
pub(crate) fn routes(api: Api) -> Router {
    let er = Router::new()
        .route("/enheter", get(search::list))
        .route("/enheter/", get(search::list))
        .route("/enheter/lastned", get(bulk::units))
        .route("/enheter/{orgnr}", get(units::get))
        .route("/oppdateringer/enheter", get(updates::units))
        .route("/organisasjonsformer", get(lists::forms))
        .route("/organisasjonsformer/", get(lists::forms))
        .route("/organisasjonsformer/{kode}", get(lists::form));
    let fr = Router::new()
        .route("/frivillige-organisasjoner", get(voluntary::list))
        .route("/frivillige-organisasjoner/lastned", get(bulk::voluntary))
        .route("/frivillige-organisasjoner/{orgnr}", get(voluntary::get))
        .route("/oppdateringer/frivillige-organisasjoner", get(updates::voluntary))
        .route("/icnpo-kategorier", get(lists::categories));
    Router::new()
        .nest("/enhetsregisteret/api", er)
        .nest("/frivillighetsregisteret/api", fr)
        .with_state(api)
}

/// Runs a door and says what is wrong in the register's own words.
async fn answered(asked: Asked, door: impl AsyncFnOnce(&Asked) -> Answer) -> Response {
    match door(&asked).await {
        Ok(response) => response,
        Err(refused) => refused.at(&asked.path),
    }
}

/// The view as it is now.
async fn open(view: &View) -> Result<Snapshot, Refused> {
    Ok(read::open(view, 0, Duration::ZERO).await?)
}

/// Writes down who is about to be shown units, as far as it concerns anybody. What cannot be written down is not shown.
async fn note<'a>(api: &Api, gate: &Gate, units: impl IntoIterator<Item = &'a RegisterUnit>) -> Result<(), Refused> {
    let shown = units.into_iter().map(|unit| {
        let kommunenummer = unit.forretningsadresse.as_ref().map(|address| &*address.kommunenummer);
        about(&unit.organisation_id, &unit.organisasjonsnummer, kommunenummer)
    });
    Ok(read::note(api, gate, access::View::RegisterUnits, shown).await?)
}

fn about(organisation: &str, orgnr: &str, kommunenummer: Option<&str>) -> Key {
    let organisation = Uuid::try_parse(organisation).unwrap_or_default();
    Key::about(organisation, Some(orgnr), kommunenummer)
}

/// The steps between two documents, for the tests of the folds.
#[cfg(test)]
pub(crate) fn steps(before: &impl Serialize, after: &impl Serialize) -> serde_json::Value {
    let steps = patch::steps(before, after).expect("two documents");
    serde_json::to_value(steps).expect("steps")
}

/// A fault of the database.
fn unreadable(error: sqlx::Error) -> Refused {
    read::unreadable(error).into()
}

// === impl Asked ===

impl Asked {
    /// A document in the media type that was asked for: those of the registers are all JSON.
    fn json(&self, as_of: impl Into<Option<u64>>, document: &impl Serialize) -> Answer {
        let body = serde_json::to_vec(document).map_err(|error| {
            tracing::error!(%error, "a document cannot be written");
            Refused::Broken
        })?;
        Ok(self.bytes(as_of, body))
    }

    fn bytes(&self, as_of: impl Into<Option<u64>>, body: Vec<u8>) -> Response {
        let mut response = ([(header::CONTENT_TYPE, self.media_type())], body).into_response();
        if let Some(as_of) = as_of.into() {
            response.headers_mut().insert(AS_OF, HeaderValue::from(as_of));
        }
        response
    }

    fn media_type(&self) -> HeaderValue {
        let accepted = self.headers.get_all(header::ACCEPT).iter();
        accepted
            .filter_map(|accept| accept.to_str().ok())
            .flat_map(|accept| accept.split(','))
            .filter_map(|media| media.split(';').next())
            .map(str::trim)
            .find(|media| {
                matches!(*media, "application/json" | "application/hal+json")
                    || (media.starts_with("application/vnd.brreg.") && media.ends_with("+json"))
            })
            .and_then(|media| HeaderValue::from_str(media).ok())
            .unwrap_or(HeaderValue::from_static("application/json"))
    }

    /// The address of a list with other parameters.
    fn link(&self, query: &str) -> Linked {
        let (host, path) = (&self.host, &self.path);
        Linked {
            href: if query.is_empty() {
                format!("{host}{path}")
            } else {
                format!("{host}{path}?{query}")
            },
        }
    }

    fn params(&self, known: &[&str]) -> Params {
        Params::parse(self.query.as_deref(), known)
    }
}

/// A link of a page.
#[derive(Debug, Serialize)]
struct Linked {
    href: String,
}

/// Where a page lies in its list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    size: u64,
    total_elements: u64,
    total_pages: u64,
    number: u64,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let uri = match axum::extract::OriginalUri::from_request_parts(parts, state).await {
            Ok(axum::extract::OriginalUri(uri)) => uri,
            Err(never) => match never {},
        };
        let asked = Self {
            host: String::new(),
            path: uri.path().to_owned(),
            query: uri.query().map(str::to_owned),
            headers: parts.headers.clone(),
        };
        let authority = match parts.headers.get(header::HOST) {
            Some(host) => host.to_str().ok(),
            None => uri.authority().map(http::uri::Authority::as_str),
        };
        // What comes back in links must not be anything but a host.
        let is_host = |text: &&str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
        };
        let Some(authority) = authority.filter(is_host) else {
            let fault = Fault {
                feilmelding: "Hodefeltet Host mangler eller er ugyldig".to_owned(),
                parametere: vec!["Host".to_owned()],
                feilaktig_verdi: String::new(),
            };
            return Err(Refused::Parameters(vec![fault]).at(&asked.path));
        };
        // A proxy in front passes the host on; it alone knows whether the client came by TLS.
        let scheme = match parts.headers.get("x-forwarded-proto").map(HeaderValue::as_bytes) {
            Some(b"https") => "https",
            Some(_) | None => "http",
        };
        Ok(Self {
            host: format!("{scheme}://{authority}"),
            ..asked
        })
    }
}
