//! W3C trace context: from the command through the log and the stream to everything that is done because of it.

use std::collections::HashSet;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// How many traces a span of a batch is linked to at the most.
const LINKS: usize = 64;

/// Makes a span a child of a `traceparent`, as one read from an event. What is malformed is no parent.
pub fn set_parent(span: &Span, traceparent: &str) {
    if let Some(parent) = read(traceparent) {
        // It fails when no traces are sent, or when the span has started; neither is worth a word.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
}

/// The `traceparent` of what is done within a span; none when no traces are sent.
pub fn traceparent(span: &Span) -> Option<String> {
    let context = span.context();
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| write(span))
}

/// Puts the span of a batch where its traces are: under the trace when there is one, else beside them with a link to each.
pub(crate) fn join<'a>(span: &Span, traceparents: impl Iterator<Item = Option<&'a str>>) {
    let mut seen = HashSet::new();
    let distinct: Vec<_> = traceparents
        .flatten()
        .filter(|traceparent| seen.insert(*traceparent))
        .take(LINKS)
        .collect();
    match distinct.as_slice() {
        [] => {}
        [only] => set_parent(span, only),
        several => several
            .iter()
            .filter_map(|traceparent| read(traceparent))
            .for_each(|trace| span.add_link(trace)),
    }
}

/// The span of a consumer that takes in a batch of events.
pub(crate) fn taking_in(consumer: &'static str, events: &[crate::Recorded]) -> Span {
    let span = tracing::info_span!(
        "take in",
        otel.kind = "consumer",
        otel.name = consumer,
        events = events.len(),
        position = events.last().map_or(0, |event| event.position),
    );
    join(&span, events.iter().map(|event| event.traceparent.as_deref()));
    span
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

/// Whether a `traceparent` is well formed.
pub fn is_well_formed(traceparent: &str) -> bool {
    read(traceparent).is_some()
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
            assert!(!is_well_formed(bad), "{bad}");
        }
        assert!(!is_well_formed(
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01"
        ));
    }
}
