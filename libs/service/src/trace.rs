//! W3C trace context: taken from a request, carried along its task, handed to the log.

use http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

tokio::task_local! {
    /// What the client sent, for when no span of our own is exported.
    static INCOMING: Option<String>;
}

/// The `traceparent` that work started now belongs under: our own span's when traces are sent, else the client's.
pub fn current_traceparent() -> Option<String> {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    if span.is_valid() {
        return Some(write(span));
    }
    INCOMING.try_with(Clone::clone).ok().flatten()
}

/// Runs a future as part of the client's trace.
pub async fn within<F: Future>(incoming: Option<String>, future: F) -> F::Output {
    INCOMING.scope(incoming, future).await
}

/// The client's `traceparent`, when it is well formed.
pub fn incoming(headers: &HeaderMap) -> Option<String> {
    let header = headers.get("traceparent")?.to_str().ok()?;
    read(header).map(|_| header.to_owned())
}

/// Makes a span a child of a `traceparent`, as one read from an event's headers.
pub fn set_parent(span: &Span, traceparent: &str) {
    if let Some(parent) = read(traceparent) {
        // It fails when no traces are sent, or when the span has started; neither is worth a word.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
}

fn write(span: &SpanContext) -> String {
    format!(
        "00-{}-{}-{:02x}",
        span.trace_id(),
        span.span_id(),
        span.trace_flags().to_u8()
    )
}

fn read(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let lower_hex =
        |text: &str, length| text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !(lower_hex(version, 2) && version != "ff" && lower_hex(trace, 32) && lower_hex(span, 16) && lower_hex(flags, 2))
    {
        return None;
    }
    if version == "00" && parts.next().is_some() {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        true,
        TraceState::NONE,
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_well_formed_parent_survives() {
        assert_eq!(read(PARENT).map(|span| write(&span)).as_deref(), Some(PARENT));
    }

    #[test]
    fn a_malformed_parent_is_no_parent() {
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-0-0-0",
            &PARENT.to_uppercase(),
        ] {
            assert!(read(bad).is_none(), "{bad}");
        }
        assert!(read("00-00000000000000000000000000000000-00f067aa0ba902b7-01").is_none());
    }

    #[tokio::test]
    async fn the_clients_parent_is_current_inside_its_request() {
        assert_eq!(current_traceparent(), None);
        within(Some(PARENT.to_owned()), async {
            assert_eq!(current_traceparent().as_deref(), Some(PARENT));
        })
        .await;
    }
}
