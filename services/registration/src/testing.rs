//! What the unit tests of those who read events share.

use bytes::Bytes;
use ryggrad_decider::scenario::context;
use ryggrad_eventlog::Recorded;
use ryggrad_proto::EventPayload;
use ryggrad_proto::common::v1::Actor;

use crate::service::CONTEXT;

/// An event as it would be read, at noon on 2 March 2026.
pub(crate) fn recorded(aggregate: &str, event: &impl EventPayload) -> Recorded {
    let context = context();
    Recorded {
        position: 7,
        event_id: context.new_id,
        context: CONTEXT.into(),
        name: event.name().into(),
        aggregate_type: aggregate.into(),
        aggregate_id: context.aggregate_id,
        sequence: 1,
        organisation_id: context.aggregate_id,
        occurred_at: context.now,
        recorded_at: context.now,
        correlation_id: context.command_id,
        causation_id: None,
        causation_position: None,
        command_id: context.command_id,
        actor: Actor::default(),
        orgnr: None,
        kommunenummer: None,
        related: Vec::new(),
        class: event.class(),
        traceparent: None,
        data: Bytes::from(event.encode()),
    }
}
