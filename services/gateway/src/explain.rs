//! Why a subscription brings an event or does not: the filter field by field, and the gate.

use std::collections::BTreeMap;

use ryggrad_access::Verdict;
use ryggrad_proto::events::v1::{AccessBasis, AccessReason, ExplainRequest, ExplainResponse, Explanation, HeldBack};
use ryggrad_service::{ApiError, caller};

use crate::api::{Api, optional_id};
use crate::envelope::Fields;
use crate::refusal;
use crate::trace::Trace;

/// Events that are looked at when nothing is said, and at the most.
const EVENTS: (u32, u32) = (100, 10_000);
/// Events that are read at once.
const READ: u32 = 1_000;
/// What holds events back that the caller may not see.
const ACCESS: &str = "access";

impl Api {
    /// What becomes of some events.
    pub(crate) async fn explanation(&self, request: ExplainRequest) -> Result<ExplainResponse, ApiError> {
        let subscription = optional_id("subscription", &request.subscription)?;
        let head = self.head_for(request.after, "").await?;
        let (after, through) = range(&request, head.position)?;
        let filter = self.filter(request.filter.as_ref()).await?;
        let (gate, _) = self.gate(&caller(), subscription, head).await?;
        let (mut events, mut held_back) = (Vec::new(), BTreeMap::<&str, u32>::new());
        let trace = Trace::default();
        let mut position = after;
        while position < through {
            let limit = READ.min(u32::try_from(through - position).unwrap_or(READ));
            let some = self.log.after(position, limit).await;
            let some = some.map_err(|error| refusal::unreadable(&error))?;
            let Some(last) = some.last() else { break };
            position = last.position;
            for event in &some {
                let fields = Fields::of(event);
                let key = fields.key();
                let verdict = gate.verdict(event.position, &key);
                // What type it is, is told of it, whether the filter wants it or not.
                trace.leave(verdict, key.organisation);
                let mut explanation = seen(event.position, verdict);
                if explanation.basis == AccessBasis::Unspecified as i32 {
                    // Which fields of the filter fit it would tell what it is.
                    *held_back.entry(ACCESS).or_default() += 1;
                } else {
                    let fields = filter.held_back_by(&key);
                    for field in &fields {
                        *held_back.entry(field).or_default() += 1;
                    }
                    explanation.delivered = fields.is_empty();
                    explanation.held_back_by = fields.into_iter().map(str::to_owned).collect();
                    explanation.r#type = event.ce_type();
                }
                events.push(explanation);
            }
        }
        self.access.record_through(&gate, &trace).await?;
        let delivered = events.iter().filter(|event| event.delivered).count();
        let held_back = held_back.into_iter().map(|(by, events)| HeldBack {
            by: by.to_owned(),
            events,
        });
        Ok(ExplainResponse {
            first: events.first().map_or(0, |event| event.position),
            through: position,
            delivered: u32::try_from(delivered).unwrap_or(u32::MAX),
            held_back: held_back.collect(),
            events,
            head: head.position,
            epoch: head.epoch.to_string(),
        })
    }
}

/// The positions to look at: after the first and up to the second.
fn range(request: &ExplainRequest, head: u64) -> Result<(u64, u64), ApiError> {
    let last = match request.last {
        0 => EVENTS.0,
        asked if asked <= EVENTS.1 => asked,
        asked => return Err(refusal::out_of_bounds("last", asked.into(), 1, EVENTS.1.into())),
    };
    match (request.after, request.through) {
        (0, 0) => Ok((head.saturating_sub(last.into()), head)),
        (after, 0) => Ok((after, head.min(after + u64::from(last)))),
        (_, through) if through > head => Err(refusal::beyond_head(through, head)),
        (after, through) if through < after => Err(ApiError::invalid("through", "the range ends before it begins")),
        (after, through) if through - after > EVENTS.1.into() => {
            let problem = format!("the range has {} events; {} at the most", through - after, EVENTS.1);
            Err(ApiError::invalid("through", problem))
        }
        (after, through) => Ok((after, through)),
    }
}

/// What the gate says to an event.
fn seen(position: u64, verdict: Verdict<'_>) -> Explanation {
    let mut explanation = Explanation {
        position,
        ..Explanation::default()
    };
    match verdict {
        Verdict::Open => explanation.basis = AccessBasis::Open.into(),
        Verdict::Own => explanation.basis = AccessBasis::Own.into(),
        Verdict::Mandated => explanation.basis = AccessBasis::Mandate.into(),
        Verdict::Approved(approval) => {
            explanation.basis = AccessBasis::Subscription.into();
            explanation.subscription = approval.id.to_string();
        }
        Verdict::NoToken => explanation.access = AccessReason::NoToken.into(),
        Verdict::NoScope(scope) => {
            explanation.access = AccessReason::NoScope.into();
            scope.name().clone_into(&mut explanation.scope);
        }
        Verdict::NotCovered => explanation.access = AccessReason::NotCovered.into(),
    }
    explanation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_events_or_a_range() {
        let asked = |last, after, through| {
            let request = ExplainRequest {
                last,
                after,
                through,
                ..Default::default()
            };
            range(&request, 1_000).map_err(|error| error.to_string())
        };
        assert_eq!(asked(0, 0, 0), Ok((900, 1_000)));
        assert_eq!(asked(10_000, 0, 0), Ok((0, 1_000)));
        assert_eq!(asked(5, 990, 0), Ok((990, 995)));
        assert_eq!(asked(0, 10, 20), Ok((10, 20)));
        for (last, after, through) in [(10_001, 0, 0), (0, 20, 10), (0, 0, 1_001)] {
            assert!(asked(last, after, through).is_err(), "{last} {after} {through}");
        }
    }
}
