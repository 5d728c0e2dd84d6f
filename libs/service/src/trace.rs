//! W3C trace context: taken from a request, carried along its task, handed to the log.

use http::HeaderMap;
pub(crate) use ryggrad_eventlog::trace::set_parent;
use ryggrad_eventlog::trace::{is_well_formed, traceparent};
use tracing::Span;

tokio::task_local! {
    /// What the client sent, for when no span of our own is exported.
    static INCOMING: Option<String>;
}

/// The `traceparent` that work started now belongs under: our own span's when traces are sent, else the client's.
pub fn current_traceparent() -> Option<String> {
    traceparent(&Span::current()).or_else(|| INCOMING.try_with(Clone::clone).ok().flatten())
}

/// Runs a future as part of the client's trace.
pub async fn within<F: Future>(incoming: Option<String>, future: F) -> F::Output {
    INCOMING.scope(incoming, future).await
}

/// The client's `traceparent`, when it is well formed.
pub fn incoming(headers: &HeaderMap) -> Option<String> {
    let header = headers.get("traceparent")?.to_str().ok()?;
    is_well_formed(header).then(|| header.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[tokio::test]
    async fn the_clients_parent_is_current_inside_its_request() {
        assert_eq!(current_traceparent(), None);
        within(Some(PARENT.to_owned()), async {
            assert_eq!(current_traceparent().as_deref(), Some(PARENT));
        })
        .await;
    }
}
