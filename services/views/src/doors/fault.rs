//! Errors in the registers' own shape.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use ryggrad_eventlog::clock::wall;
use ryggrad_service::ApiError;
use serde::Serialize;

/// What is wrong with a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Fault {
    pub(crate) feilmelding: String,
    pub(crate) parametere: Vec<String>,
    pub(crate) feilaktig_verdi: String,
}

/// Why a register's door does not answer what was asked.
#[derive(Debug)]
pub(crate) enum Refused {
    /// 400: parameters are wrong.
    Parameters(Vec<Fault>),
    /// 404: there is no such thing.
    Unknown(String),
    /// 503: not just now.
    Busy(Duration),
    /// 500: a fault of ours, which has been logged.
    Broken,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    /// Milliseconds since 1970.
    tidsstempel: i64,
    status: u16,
    feilmelding: &'a str,
    sti: &'a str,
    antall_feil: usize,
    valideringsfeil: Vec<Fault>,
}

// === impl Refused ===

impl Refused {
    /// The answer, on a path.
    pub(crate) fn at(self, path: &str) -> Response {
        let (status, feilmelding, valideringsfeil) = match &self {
            Self::Parameters(faults) => (StatusCode::BAD_REQUEST, "Feilaktig forespørsel", faults.clone()),
            Self::Unknown(what) => (StatusCode::NOT_FOUND, what.as_str(), Vec::new()),
            Self::Busy(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Tjenesten er opptatt, prøv igjen om litt",
                Vec::new(),
            ),
            Self::Broken => (StatusCode::INTERNAL_SERVER_ERROR, "Intern feil", Vec::new()),
        };
        let body = Body {
            tidsstempel: wall().as_millisecond(),
            status: status.as_u16(),
            feilmelding,
            sti: path,
            antall_feil: valideringsfeil.len().max(1),
            valideringsfeil,
        };
        let mut response = (status, Json(body)).into_response();
        if let Self::Busy(after) = self {
            let seconds = HeaderValue::from(after.as_secs().max(1));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Unavailable { retry_after, .. } => Self::Busy(retry_after),
            other => {
                // Logs the cause of a fault of ours.
                let status = tonic::Status::from(other);
                tracing::debug!(%status, "a register's door could not answer");
                Self::Broken
            }
        }
    }
}
