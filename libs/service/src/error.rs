//! The one error type of the edge: it alone knows what gRPC and HTTP say to a refusal, a conflict or a fault.

use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use ryggrad_access::{Invalid, Scope};
use ryggrad_decider::Refusal;
use ryggrad_decider::rules::Nature;
use ryggrad_eventlog::ExecuteError;
use tonic::{Code, Status};
use uuid::Uuid;

pub(crate) mod http;

mod details;
mod texts;

/// Domain of the machine-readable reasons in `google.rpc.ErrorInfo`.
pub const DOMAIN: &str = "ryggrad.no";

/// Why a request is not answered with what it asked for.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The domain says no: INVALID_ARGUMENT when it is the form of the input, else FAILED_PRECONDITION.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// A field cannot be read, or its value is not one of those there are: INVALID_ARGUMENT.
    #[error("{field}: {reason}")]
    Invalid {
        /// Field, by its path in the request.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Others changed the aggregate first: ABORTED.
    #[error("aggregate {aggregate_id} is at version {version}")]
    Conflict {
        /// The aggregate.
        aggregate_id: Uuid,
        /// The version that it is at.
        version: u64,
    },
    /// There is no such thing: NOT_FOUND.
    #[error("{what} {id} does not exist")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// The id asked for.
        id: String,
    },
    /// A cursor is outside the log: OUT_OF_RANGE.
    #[error("{message}")]
    OutOfRange {
        /// Machine-readable reason, for example `CURSOR_BEYOND_HEAD`.
        reason: &'static str,
        /// What is outside of what.
        message: String,
    },
    /// The system is in a state in which this cannot be done: FAILED_PRECONDITION.
    #[error("{message}")]
    Precondition {
        /// Machine-readable reason, for example `OTHER_EPOCH`.
        reason: &'static str,
        /// What stands in the way.
        message: String,
    },
    /// It was going on, and others have put an end to it: ABORTED.
    #[error("{message}")]
    Aborted {
        /// Machine-readable reason, for example `DURABLE_TAKEN_OVER`.
        reason: &'static str,
        /// What came in between.
        message: String,
    },
    /// Nobody is known to be asking, or the token is not good: UNAUTHENTICATED, 401.
    #[error("{message}")]
    Unauthenticated {
        /// Machine-readable reason, for example `TOKEN_MISSING`.
        reason: &'static str,
        /// What is missing. Never a part of the token.
        message: String,
    },
    /// Who asks is known, and may not: PERMISSION_DENIED, 403.
    #[error("{message}")]
    Denied {
        /// Machine-readable reason, for example `SCOPE_MISSING`.
        reason: &'static str,
        /// What would have to be there.
        message: String,
    },
    /// The token does not allow it: PERMISSION_DENIED, 403.
    #[error("the token has no scope {} ({})", .0.name(), .0.what())]
    ScopeMissing(Scope),
    /// Another error, with values that a program can act on as metadata of its ErrorInfo.
    #[error("{error}")]
    With {
        /// The error.
        error: Box<Self>,
        /// Names and values: `head`, `epoch`.
        metadata: Vec<(&'static str, String)>,
    },
    /// The request is larger than allowed: RESOURCE_EXHAUSTED, 413.
    #[error("the request is larger than {limit} bytes")]
    TooLarge {
        /// Most bytes allowed.
        limit: usize,
    },
    /// The body is not JSON by its content type: INVALID_ARGUMENT, 415.
    #[error("the body must be application/json")]
    NotJson,
    /// No route has this path: NOT_FOUND, 404.
    #[error("there is nothing at this path")]
    NoRoute,
    /// The path has routes with other methods: UNIMPLEMENTED, 405.
    #[error("this path answers {allowed} only")]
    Method {
        /// The methods that it has, separated by commas.
        allowed: String,
    },
    /// Something that is needed cannot be reached; try again: UNAVAILABLE.
    #[error("{what}")]
    Unavailable {
        /// What cannot be reached.
        what: String,
        /// When it makes sense to try again.
        retry_after: Duration,
    },
    /// It took too long: DEADLINE_EXCEEDED.
    #[error("the request took too long")]
    Deadline,
    /// A fault of ours; the cause is logged and not told: INTERNAL.
    #[error("internal error")]
    Internal(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

// === impl ApiError ===

impl ApiError {
    /// A field that cannot be read.
    pub fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid {
            field: field.into(),
            reason: reason.into(),
        }
    }

    /// A fault of ours.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(Arc::from(cause.into()))
    }

    /// The log cannot be read now.
    pub fn unreadable(error: &sqlx::Error) -> Self {
        tracing::warn!(%error, "the log cannot be read");
        Self::Unavailable {
            what: "the log cannot be read now".to_owned(),
            retry_after: Duration::from_secs(1),
        }
    }

    /// The error with one more value that a program can act on.
    #[must_use]
    pub fn with(self, name: &'static str, value: &impl ToString) -> Self {
        let value = value.to_string();
        match self {
            Self::With { error, mut metadata } => {
                metadata.push((name, value));
                Self::With { error, metadata }
            }
            error => Self::With {
                error: Box::new(error),
                metadata: vec![(name, value)],
            },
        }
    }

    /// What is asked needs a token, and there is none.
    pub fn token_missing() -> Self {
        Self::Unauthenticated {
            reason: "TOKEN_MISSING",
            message: "this needs a token: send it as authorization: Bearer …".to_owned(),
        }
    }

    /// There is a token, and it is not good. Why not is for our own log.
    pub fn token_invalid() -> Self {
        Self::Unauthenticated {
            reason: "TOKEN_INVALID",
            message: "the token is not valid here".to_owned(),
        }
    }

    /// The token does not have a scope.
    pub fn scope_missing(scope: Scope) -> Self {
        Self::ScopeMissing(scope)
    }

    /// The error without its values.
    pub(crate) fn bare(&self) -> &Self {
        match self {
            Self::With { error, .. } => error.bare(),
            error => error,
        }
    }

    /// The code that gRPC answers.
    pub fn code(&self) -> Code {
        match self {
            Self::Refused(refusal) if refusal.rule.nature == Nature::Format => Code::InvalidArgument,
            Self::With { error, .. } => error.code(),
            Self::Refused(_) | Self::Precondition { .. } => Code::FailedPrecondition,
            Self::Invalid { .. } | Self::NotJson => Code::InvalidArgument,
            Self::Conflict { .. } | Self::Aborted { .. } => Code::Aborted,
            Self::NotFound { .. } | Self::NoRoute => Code::NotFound,
            Self::OutOfRange { .. } => Code::OutOfRange,
            Self::Unauthenticated { .. } => Code::Unauthenticated,
            Self::Denied { .. } | Self::ScopeMissing(_) => Code::PermissionDenied,
            Self::TooLarge { .. } => Code::ResourceExhausted,
            Self::Method { .. } => Code::Unimplemented,
            Self::Unavailable { .. } => Code::Unavailable,
            Self::Deadline => Code::DeadlineExceeded,
            Self::Internal(_) => Code::Internal,
        }
    }

    /// The machine-readable reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::With { error, .. } => error.reason(),
            Self::Refused(refusal) => refusal.code,
            Self::Invalid { .. } => "INVALID_FIELD",
            Self::Conflict { .. } => "VERSION_CONFLICT",
            Self::NotFound { .. } => "NOT_FOUND",
            Self::OutOfRange { reason, .. }
            | Self::Precondition { reason, .. }
            | Self::Aborted { reason, .. }
            | Self::Unauthenticated { reason, .. }
            | Self::Denied { reason, .. } => reason,
            Self::ScopeMissing(_) => "SCOPE_MISSING",
            Self::TooLarge { .. } => "REQUEST_TOO_LARGE",
            Self::NotJson => "NOT_JSON",
            Self::NoRoute => "NO_ROUTE",
            Self::Method { .. } => "METHOD_NOT_ALLOWED",
            Self::Unavailable { .. } => "UNAVAILABLE",
            Self::Deadline => "DEADLINE_EXCEEDED",
            Self::Internal(_) => "INTERNAL",
        }
    }
}

impl From<ApiError> for Status {
    fn from(error: ApiError) -> Self {
        if let ApiError::Internal(cause) = error.bare() {
            tracing::error!(cause = %chain(cause.as_ref()), "a request failed");
        }
        let status = error.rpc_status();
        Self::with_details(error.code(), status.message.clone(), status.encode_to_vec().into())
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<Invalid> for ApiError {
    fn from(Invalid { field, problem }: Invalid) -> Self {
        Self::invalid(field, problem)
    }
}

impl From<ExecuteError> for ApiError {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::Refused(refusal) => refusal.into(),
            ExecuteError::Conflict { aggregate_id, version } => Self::Conflict { aggregate_id, version },
            ExecuteError::Unavailable(cause) => {
                tracing::warn!(cause = %chain(cause.as_ref()), "the log cannot be reached");
                Self::Unavailable {
                    what: "the log cannot be reached; send the command again with the same id".to_owned(),
                    retry_after: Duration::from_secs(1),
                }
            }
            ExecuteError::Fault(cause) => Self::Internal(cause),
        }
    }
}

/// An error with all its sources on one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
