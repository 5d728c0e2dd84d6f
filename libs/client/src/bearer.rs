//! The token of each call.

use std::fmt;
use std::sync::Arc;

use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// A connection whose calls carry a token.
pub type Connection = InterceptedService<Channel, Bearer>;

/// Adds `authorization: Bearer …` to each call. Cheap to clone.
///
/// Tokens end after minutes, so what is asked is a function that has the current one: a task that renews it in good time
/// and keeps it where the function finds it.
#[derive(Clone)]
pub struct Bearer(Arc<dyn Fn() -> Option<String> + Send + Sync>);

/// A connection that sends this token with every call, for any client of the contracts.
///
/// ```ignore
/// let mut registration = RegistrationServiceClient::new(with_token(channel, token));
/// ```
pub fn with_token(channel: Channel, token: impl Into<String>) -> Connection {
    Connection::new(channel, Bearer::from(token.into()))
}

// === impl Bearer ===

impl Bearer {
    /// Asks for the token at each call; none sends the call without one.
    pub fn from_fn(token: impl Fn() -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(token))
    }
}

impl Default for Bearer {
    /// No token.
    fn default() -> Self {
        Self::from_fn(|| None)
    }
}

impl From<String> for Bearer {
    fn from(token: String) -> Self {
        Self::from_fn(move || Some(token.clone()))
    }
}

impl From<&str> for Bearer {
    fn from(token: &str) -> Self {
        token.to_owned().into()
    }
}

impl From<Option<String>> for Bearer {
    fn from(token: Option<String>) -> Self {
        Self::from_fn(move || token.clone())
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(…)")
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = (self.0)() {
            let mut value = MetadataValue::try_from(format!("Bearer {token}"))
                .map_err(|_| Status::unauthenticated("the token has characters that no token has"))?;
            value.set_sensitive(true);
            request.metadata_mut().insert("authorization", value);
        }
        Ok(request)
    }
}
