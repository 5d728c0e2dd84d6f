//! The REST routes of one service behind one type, so that a server can mount any number of them.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use rest_over_grpc::transcoding::{Transcode, TranscodeResponse};
use tonic::codegen::http::HeaderMap;

type Answer<'a> = Pin<Box<dyn Future<Output = Option<TranscodeResponse>> + Send + 'a>>;

/// The REST routes of one service, served by its gRPC implementation.
pub struct Routes {
    transcoder: Box<dyn Erased>,
    resolves: fn(&str, &str) -> bool,
    openapi: &'static str,
}

// === impl Routes ===

impl Routes {
    /// Routes from what is generated for a service; use its `…_rest::routes`.
    pub fn new<T: Transcode + Send + Sync + 'static>(
        transcoder: T,
        resolves: fn(&str, &str) -> bool,
        openapi: &'static str,
    ) -> Self {
        Self {
            transcoder: Box::new(transcoder),
            resolves,
            openapi,
        }
    }

    /// Whether the service has a route for this method and path (without query).
    pub fn resolves(&self, method: &str, path: &str) -> bool {
        (self.resolves)(method, path)
    }

    /// OpenAPI 3.1 document of the routes.
    pub fn openapi(&self) -> &'static str {
        self.openapi
    }

    /// Answers a request; `None` when no route fits. `target` is the path with its query.
    pub async fn answer(
        &self,
        method: &str,
        target: &str,
        headers: HeaderMap,
        body: &Bytes,
    ) -> Option<TranscodeResponse> {
        self.transcoder.answer(method, target, headers, body).await
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routes").finish_non_exhaustive()
    }
}

/// [`Transcode`] with its future boxed: the generated transcoders are all different types.
trait Erased: Send + Sync {
    fn answer<'a>(&'a self, method: &'a str, target: &'a str, headers: HeaderMap, body: &'a [u8]) -> Answer<'a>;
}

impl<T: Transcode + Send + Sync> Erased for T {
    fn answer<'a>(&'a self, method: &'a str, target: &'a str, headers: HeaderMap, body: &'a [u8]) -> Answer<'a> {
        Box::pin(self.try_transcode(method, target, headers, body))
    }
}
