//! Errors over HTTP: `google.rpc.Status` in its JSON form, with the status code that belongs to it.

use std::sync::OnceLock;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use rest_over_grpc::handling::Code;
use serde_json::{Map, Value, json};
use tonic_types::pb;

use super::ApiError;

impl ApiError {
    /// The error as `google.rpc.Status` in JSON, for those who are told of it in the middle of an answer.
    pub fn json(&self) -> Value {
        if let Self::Internal(cause) = self.bare() {
            tracing::error!(cause = %super::chain(cause.as_ref()), "a request failed");
        }
        json(&self.rpc_status())
    }

    /// The error as an answer over HTTP.
    pub fn into_http(self) -> Response<Body> {
        if let Self::Internal(cause) = self.bare() {
            tracing::error!(cause = %super::chain(cause.as_ref()), "a request failed");
        }
        let status = match self.bare() {
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            _ => http_status(self.code() as i32),
        };
        let mut response = answer(status, &self.rpc_status());
        if let Self::Method { allowed } = self.bare()
            && let Ok(value) = HeaderValue::from_str(allowed)
        {
            response.headers_mut().insert(header::ALLOW, value);
        }
        response
    }
}

/// A status from the gRPC side as an answer over HTTP.
pub(crate) fn from_status(status: &pb::Status) -> Response<Body> {
    answer(http_status(status.code), status)
}

fn http_status(code: i32) -> StatusCode {
    Code::from_i32(code).map_or(StatusCode::INTERNAL_SERVER_ERROR, Code::to_http_status)
}

fn answer(code: StatusCode, status: &pb::Status) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::from(json(status).to_string())));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(challenge) = challenge(status) {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    if let Some(seconds) = retry_seconds(status) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// What a client is told about tokens (RFC 6750, 3), by the reason of the error.
fn challenge(status: &pb::Status) -> Option<HeaderValue> {
    let any = status
        .details
        .iter()
        .find(|any| any.type_url.ends_with("google.rpc.ErrorInfo"))?;
    let info = pb::ErrorInfo::decode(&*any.value).ok()?;
    match (info.reason.as_str(), info.metadata.get("scope")) {
        ("TOKEN_MISSING", _) => Some(HeaderValue::from_static("Bearer")),
        ("TOKEN_INVALID", _) => Some(HeaderValue::from_static(r#"Bearer error="invalid_token""#)),
        ("SCOPE_MISSING", Some(scope)) => {
            HeaderValue::from_str(&format!(r#"Bearer error="insufficient_scope", scope="{scope}""#)).ok()
        }
        _ => None,
    }
}

fn json(status: &pb::Status) -> Value {
    let details: Vec<Value> = status.details.iter().map(detail).collect();
    json!({ "code": status.code, "message": status.message, "details": details })
}

fn retry_seconds(status: &pb::Status) -> Option<u64> {
    let any = status
        .details
        .iter()
        .find(|any| any.type_url.ends_with("google.rpc.RetryInfo"))?;
    let delay = pb::RetryInfo::decode(&*any.value).ok()?.retry_delay?;
    u64::try_from(delay.seconds).ok().map(|seconds| seconds.max(1))
}

/// A detail in the JSON form of `google.protobuf.Any`: its fields beside `@type`.
fn detail(any: &prost_types::Any) -> Value {
    let name = any.type_url.rsplit('/').next().unwrap_or_default();
    let mut fields = Map::from_iter([("@type".to_owned(), Value::from(any.type_url.clone()))]);
    let message = pool()
        .get_message_by_name(name)
        .and_then(|descriptor| DynamicMessage::decode(descriptor, &*any.value).ok())
        .and_then(|message| serde_json::to_value(message).ok());
    if let Some(Value::Object(object)) = message {
        fields.extend(object);
    }
    Value::Object(fields)
}

/// Our contracts and the standard details of errors.
fn pool() -> &'static DescriptorPool {
    static POOL: OnceLock<DescriptorPool> = OnceLock::new();
    POOL.get_or_init(|| {
        let mut pool = ryggrad_proto::pool().clone();
        pool.decode_file_descriptor_set(pb::FILE_DESCRIPTOR_SET)
            .expect("the standard details do not clash with our contracts");
        pool
    })
}

#[cfg(test)]
mod tests {
    use ryggrad_access::Scope;

    use super::*;

    #[test]
    fn a_client_is_told_what_is_the_matter_with_its_token() {
        for (error, status, challenge) in [
            (ApiError::token_missing(), 401, "Bearer"),
            (ApiError::token_invalid(), 401, r#"Bearer error="invalid_token""#),
            (
                ApiError::scope_missing(Scope::ViewsRead),
                403,
                r#"Bearer error="insufficient_scope", scope="ryggrad:views.read""#,
            ),
        ] {
            let answer = error.into_http();
            assert_eq!(answer.status().as_u16(), status);
            assert_eq!(answer.headers()[header::WWW_AUTHENTICATE], challenge);
        }
        let other = ApiError::NoRoute.into_http();
        assert!(!other.headers().contains_key(header::WWW_AUTHENTICATE));
    }
}
