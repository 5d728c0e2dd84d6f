//! Whether the role can do its work: every named check, asked at once.

use std::time::Duration;

use axum::body::Body;
use futures::future::join_all;
use http::{Response, StatusCode, header};
use serde_json::{Map, Value, json};

use super::Check;

/// Time that a check gets.
const PATIENCE: Duration = Duration::from_secs(2);

/// 200 when every check is content, else 503; the body names each of them.
pub(crate) async fn answer(checks: &[(String, Check)]) -> Response<Body> {
    let asked = checks.iter().map(|(name, check)| async move {
        let outcome = match tokio::time::timeout(PATIENCE, check()).await {
            Ok(outcome) => outcome,
            Err(_) => Err("no answer within 2 s".to_owned()),
        };
        (name.clone(), outcome)
    });
    let answers = join_all(asked).await;
    let ready = answers.iter().all(|(_, outcome)| outcome.is_ok());
    let checks: Map<_, _> = answers
        .into_iter()
        .map(|(name, outcome)| (name, Value::from(outcome.err().unwrap_or_else(|| "ok".to_owned()))))
        .collect();
    let body = json!({ "ready": ready, "checks": checks }).to_string();
    let mut response = Response::new(Body::from(body));
    if !ready {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    response
}
