//! Why following the stream ended.

use tonic::{Code, Status};

/// Why following the stream ended, or a call was not answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is not a URL.
    #[error("{url:?} is not an address such as http://127.0.0.1:8080")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        source: tonic::transport::Error,
    },
    /// Nobody answers at the address.
    #[error("nobody answers at {url}")]
    Connect {
        /// The address.
        url: String,
        /// What came in between.
        source: tonic::transport::Error,
    },
    /// The server said no.
    #[error("{} ({:?})", .0.message(), .0.code())]
    Refused(#[source] Box<Status>),
    /// Nothing was heard of the server for three heartbeats.
    #[error("nothing was heard of the server")]
    Silent,
    /// An event did not come at the position that it had to. Never seen with a healthy server; do not go on.
    #[error("expected position {expected} and got {got}")]
    Gap {
        /// The position that had to come, or the lowest that could.
        expected: u64,
        /// The position that came.
        got: u64,
    },
    /// The log is another one than the cursor is of: it was restored, and positions may have been given twice.
    #[error("the cursor is of the log {expected} and the log is {got}: it was restored")]
    Epoch {
        /// Epoch of the cursor.
        expected: String,
        /// Epoch of the log.
        got: String,
    },
    /// The bytes of an event are not the message that its type says.
    #[error("an event cannot be read")]
    Decode(#[from] prost::DecodeError),
    /// The checkpoint cannot be read or written.
    #[error("the checkpoint {path}")]
    Checkpoint {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
}

// === impl Error ===

impl Error {
    /// Whether trying again can help.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Silent => true,
            Self::Refused(status) => matches!(
                status.code(),
                Code::Unavailable | Code::Cancelled | Code::DeadlineExceeded | Code::ResourceExhausted
            ),
            Self::Url { .. } | Self::Gap { .. } | Self::Epoch { .. } | Self::Decode(_) | Self::Checkpoint { .. } => {
                false
            }
        }
    }

    /// Whether the server failed without saying that it will be better later. A connection that broke off in the middle looks
    /// the same, so it is worth a few more tries.
    pub(crate) fn is_fault(&self) -> bool {
        matches!(self, Self::Refused(status) if matches!(status.code(), Code::Unknown | Code::Internal))
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Self::Refused(Box::new(status))
    }
}
