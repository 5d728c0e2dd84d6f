//! The doors over plain HTTP: the feed of CloudEvents, server-sent events, one event, the catalogue, and their description.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri};
use prost::Message as _;
use ryggrad_proto::catalogue;
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::events::v1::{CatalogueRequest, HeadResponse, get_request};
use ryggrad_proto::options::v1::PrivacyClass;
use ryggrad_service::{ApiError, caller};
use serde_json::Value;
use uuid::Uuid;

use crate::api::Api;
use crate::catalogue as all;
use crate::cloudevents::{self, STRUCTURED};
use crate::envelope::Fields;
use crate::{asyncapi, refusal};

mod feed;
mod query;
mod sse;

use query::Query;

/// Where the log ends, and which log it is: on every answer that is a piece of it.
const HEAD: HeaderName = HeaderName::from_static("ryggrad-head");
const EPOCH: HeaderName = HeaderName::from_static("ryggrad-epoch");

/// What may be kept for ever, by everybody.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// What must be asked for again, and is nobody else's.
const OWN: HeaderValue = HeaderValue::from_static("private, no-cache");
/// What must be asked for again.
const ASK: HeaderValue = HeaderValue::from_static("no-cache");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The routes.
pub(crate) fn router(api: Api) -> Router {
    Router::new()
        .route("/v1/events", get(feed::answer))
        .route("/v1/events/head", get(head))
        .route("/v1/events/stream", get(sse::answer))
        .route("/v1/events/catalogue", get(types))
        .route("/v1/events/{event}", get(event))
        .route("/schemas/{type}", get(schema))
        .route("/asyncapi.json", get(description))
        .with_state(api)
}

async fn head(State(api): State<Api>, uri: Uri) -> Response<Body> {
    said(async {
        Query::parse(&uri, &[])?;
        let head = api.head_at("").await?;
        let last = api.log.at(head.position).await;
        let last = last.map_err(|error| refusal::unreadable(&error))?;
        let answer = HeadResponse {
            position: head.position,
            epoch: head.epoch.to_string(),
            recorded_at: last.map(|event| event.recorded_at.into()),
        };
        let body = serde_json::to_vec(&answer).map_err(ApiError::internal)?;
        let mut response = with_type(JSON, body);
        stand(response.headers_mut(), head.position, &answer.epoch);
        response.headers_mut().insert(CACHE_CONTROL, ASK);
        Ok(response)
    })
    .await
}

/// One event, by its position or its id.
async fn event(State(api): State<Api>, Path(which): Path<String>, uri: Uri, headers: HeaderMap) -> Response<Body> {
    said(async {
        Query::parse(&uri, &[])?;
        let which = match which.parse() {
            Ok(position) => get_request::Event::Position(position),
            Err(_) if Uuid::try_parse(&which).is_ok() => get_request::Event::EventId(which),
            Err(_) => return Err(ApiError::NoRoute),
        };
        // A position may be given again when the log is restored; an id never is.
        let by_id = matches!(which, get_request::Event::EventId(_));
        let found = api.event(which).await?;
        let envelope = found.event.unwrap_or_default();
        let (nobody, mut related) = (Actor::default(), Vec::new());
        let fields = Fields::of_envelope(&envelope, &nobody, &mut related);
        let fields = fields.ok_or_else(|| ApiError::internal("an event of the log has no envelope"))?;
        let mut body = Vec::with_capacity(2 * envelope.encoded_len());
        cloudevents::write(&fields, &mut body);
        let mut response = tagged(&headers, HeaderValue::from_static(STRUCTURED), body);
        let open = envelope.class == PrivacyClass::Public as i32;
        let headers = response.headers_mut();
        stand(headers, found.head, &found.epoch);
        let keep = match (open, by_id) {
            (true, true) => FOR_EVER,
            (true, false) => ASK,
            (false, _) => OWN,
        };
        headers.insert(CACHE_CONTROL, keep);
        Ok(response)
    })
    .await
}

/// Which events there are.
async fn types(uri: Uri, headers: HeaderMap) -> Response<Body> {
    said(async {
        let query = Query::parse(&uri, &["types", "contexts", "classes", "brief"])?;
        let request = CatalogueRequest {
            types: query.list("types"),
            contexts: query.list("contexts"),
            classes: query.classes()?,
            brief: query.flag("brief")?,
        };
        let body = if request == CatalogueRequest::default() {
            all::whole().to_string()
        } else {
            all::document(&request)?.to_string()
        };
        let mut response = tagged(&headers, JSON, body.into_bytes());
        response.headers_mut().insert(CACHE_CONTROL, ASK);
        Ok(response)
    })
    .await
}

/// The schema that the events of a type name.
async fn schema(Path(name): Path<String>, headers: HeaderMap) -> Response<Body> {
    said(async {
        let event = catalogue().iter().find(|event| event.ce_type == name);
        let event = event.ok_or_else(|| ApiError::NotFound {
            what: "schema",
            id: name.clone(),
        })?;
        let body = all::schema(event).to_string().into_bytes();
        let mut response = tagged(&headers, HeaderValue::from_static("application/schema+json"), body);
        response.headers_mut().insert(CACHE_CONTROL, ASK);
        Ok(response)
    })
    .await
}

/// The AsyncAPI document of all this.
async fn description(headers: HeaderMap) -> Response<Body> {
    let mut response = tagged(&headers, JSON, asyncapi::document().as_bytes().to_vec());
    response.headers_mut().insert(CACHE_CONTROL, ASK);
    response
}

/// An answer, or what is wrong.
async fn said(answer: impl Future<Output = Result<Response<Body>, ApiError>>) -> Response<Body> {
    answer.await.unwrap_or_else(ApiError::into_http)
}

fn with_type(kind: HeaderValue, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// An answer with its strong tag; 304 without its body for who has it already.
fn tagged(request: &HeaderMap, kind: HeaderValue, body: Vec<u8>) -> Response<Body> {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let tag = format!("\"{:016x}-{:x}\"", hasher.finish(), body.len());
    let known = request
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|value| value.trim().trim_start_matches("W/"))
        .any(|value| value == tag || value == "*");
    let mut response = if known {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        with_type(kind, body)
    };
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    headers.insert(VARY, HeaderValue::from_static("authorization"));
    response
}

/// Where the log stands.
fn stand(headers: &mut HeaderMap, head: u64, epoch: &str) {
    headers.insert(HEAD, HeaderValue::from(head));
    if let Ok(epoch) = HeaderValue::from_str(epoch) {
        headers.insert(EPOCH, epoch);
    }
}

/// Whether nobody in particular asks.
fn anybody() -> bool {
    caller().identity().is_none()
}

/// The entries of these routes for an OpenAPI document.
pub(crate) fn openapi() -> Value {
    let routes = include_str!("http/openapi.json");
    serde_json::from_str(routes).expect("a test reads it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described() {
        let described = openapi();
        for path in [
            "/v1/events",
            "/v1/events/head",
            "/v1/events/stream",
            "/v1/events/catalogue",
            "/v1/events/{event}",
            "/schemas/{type}",
            "/asyncapi.json",
        ] {
            assert!(described["paths"][path]["get"]["summary"].is_string(), "{path}");
        }
        let names = |path: &str| -> Vec<String> {
            let parameters = described["paths"][path]["get"]["parameters"].as_array().cloned();
            let name = |parameter: &Value| {
                let at = parameter["$ref"]
                    .as_str()
                    .map(|at| at.trim_start_matches('#').to_owned());
                let parameter = at.and_then(|at| described.pointer(&at)).unwrap_or(parameter);
                (parameter["in"] == "query").then(|| parameter["name"].as_str().unwrap_or_default().to_owned())
            };
            parameters.unwrap_or_default().iter().filter_map(name).collect()
        };
        assert_eq!(names("/v1/events"), feed::NAMES);
        assert_eq!(names("/v1/events/stream"), sse::NAMES);
    }

    #[test]
    fn who_has_it_already_is_not_sent_it_again() {
        let ask = |tag: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(tag) = tag {
                headers.insert(IF_NONE_MATCH, tag.parse().unwrap());
            }
            tagged(&headers, JSON, b"[]".to_vec())
        };
        let first = ask(None);
        let tag = first.headers()[ETAG].to_str().unwrap().to_owned();
        assert_eq!(first.status(), StatusCode::OK);
        for (asked, status) in [
            (tag.clone(), StatusCode::NOT_MODIFIED),
            (format!("\"other\", {tag}"), StatusCode::NOT_MODIFIED),
            ("\"other\"".to_owned(), StatusCode::OK),
        ] {
            assert_eq!(ask(Some(&asked)).status(), status, "{asked}");
        }
    }
}
