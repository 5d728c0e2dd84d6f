//! Writing: appends, commands, and commands on few aggregates, ours and the baseline in turns.

use std::sync::Arc;
use std::time::Duration;

use ryggrad_decider::{Context, Decider as _};
use ryggrad_eventlog::clock::wall;
use ryggrad_eventlog::{Append, NewEvent, Outcome, Request};
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::event::EventPayload;
use ryggrad_proto::options::v1::PrivacyClass;
use uuid::Uuid;

use super::counter::{Counter, Hold};
use super::load::{clients, in_turns};
use super::report::Report;
use super::stack::Stack;

/// How many aggregates the commands are spread over.
const AGGREGATES: usize = 20_000;
/// How many aggregates are hot, and how many clients want them.
const HOT: (usize, usize) = (8, 64);

/// One event each to new aggregates, decided beforehand.
pub(super) async fn append(stack: &Stack, length: Duration, report: &mut Report) -> anyhow::Result<()> {
    for count in [32, 1_024] {
        let theirs = |turn| {
            let baseline = stack.baseline.clone();
            clients(count, turn, move |_, _| {
                let baseline = baseline.clone();
                async move { baseline.append().await }
            })
        };
        let ours = |turn| {
            let writer = stack.writer.clone();
            clients(count, turn, move |_, _| {
                let writer = writer.clone();
                async move { Ok(matches!(writer.append(new_append()?).await?, Outcome::Appended(_))) }
            })
        };
        let (theirs, ours) = in_turns(length, theirs, ours).await?;
        report.add(&format!("baseline_per_s_{count}"), theirs.per_s());
        report.add(&format!("append_per_s_{count}"), ours.per_s());
        report.add(&format!("append_ratio_{count}"), ours.per_s() / theirs.per_s());
        if count == 32 {
            report.add("append_p99_ms_32", ours.p99_ms());
            report.add("baseline_p99_ms_32", theirs.p99_ms());
        }
    }
    Ok(())
}

/// Load, decide, append, on aggregates that several clients want now and then.
pub(super) async fn execute(stack: &Stack, length: Duration, report: &mut Report) -> anyhow::Result<()> {
    let ids: Arc<Vec<Uuid>> = Arc::new((0..AGGREGATES).map(|_| Uuid::now_v7()).collect());
    for count in [32, 1_024] {
        let (theirs, ours) = both(stack, count, length, &ids).await?;
        report.add(&format!("baseline_execute_per_s_{count}"), theirs);
        report.add(&format!("execute_per_s_{count}"), ours);
        report.add(&format!("execute_ratio_{count}"), ours / theirs);
    }
    Ok(())
}

/// Many clients on few aggregates.
pub(super) async fn hot(stack: &Stack, length: Duration, report: &mut Report) -> anyhow::Result<()> {
    let ids: Arc<Vec<Uuid>> = Arc::new((0..HOT.0).map(|_| Uuid::now_v7()).collect());
    let (theirs, ours) = both(stack, HOT.1, length, &ids).await?;
    report.add("baseline_hot_per_s", theirs);
    report.add("hot_per_s", ours);
    report.add("hot_ratio", ours / theirs);
    Ok(())
}

/// Commands a second of the baseline and of ours.
async fn both(stack: &Stack, count: usize, length: Duration, ids: &Arc<Vec<Uuid>>) -> anyhow::Result<(f64, f64)> {
    let theirs = |turn| {
        let (baseline, ids) = (stack.baseline.clone(), Arc::clone(ids));
        clients(count, turn, move |client, n| {
            let (baseline, id) = (baseline.clone(), pick(&ids, client, n));
            async move { baseline.execute(id).await }
        })
    };
    let ours = |turn| {
        let (executor, ids) = (stack.executor.clone(), Arc::clone(ids));
        clients(count, turn, move |client, n| {
            let (executor, aggregate_id) = (executor.clone(), pick(&ids, client, n));
            async move {
                executor.execute(request(aggregate_id)).await?;
                Ok(true)
            }
        })
    };
    let (theirs, ours) = in_turns(length, theirs, ours).await?;
    Ok((theirs.per_s(), ours.per_s()))
}

/// Spreads the clients' calls evenly and without order over the aggregates.
fn pick(ids: &[Uuid], client: usize, n: u64) -> Uuid {
    let mixed = (client as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let at = (mixed ^ (mixed >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 32;
    ids[usize::try_from(at).unwrap_or_default() % ids.len()]
}

/// A command of the benchmark.
pub(super) fn request(aggregate_id: Uuid) -> Request<Hold> {
    Request {
        command: Hold(7),
        aggregate_id,
        command_id: Uuid::now_v7(),
        expected_version: None,
        actor: Actor::default(),
        correlation_id: None,
        causation: None,
        traceparent: None,
    }
}

/// A decided command for a new aggregate.
pub(super) fn new_append() -> anyhow::Result<Append> {
    let (id, command_id, now) = (Uuid::now_v7(), Uuid::now_v7(), wall());
    let context = Context {
        now,
        aggregate_id: id,
        command_id,
        new_id: command_id,
        actor: Actor::default(),
    };
    let events = Counter::decide(&0, &Hold(7), &context)?;
    let about = Counter::about(&1);
    let events = events.iter().map(|event| {
        anyhow::Ok(NewEvent {
            id: Uuid::now_v7(),
            name: event.name(),
            organisation_id: id,
            orgnr: None,
            kommunenummer: about.kommunenummer.clone(),
            related: Vec::new(),
            // Open data: whoever watches has no token.
            class: PrivacyClass::Public,
            data: EventPayload::encode(event).into(),
            payload: event.json()?,
        })
    });
    Ok(Append {
        command_id,
        aggregate_type: Counter::AGGREGATE,
        aggregate_id: id,
        expected: 0,
        correlation_id: command_id,
        causation: None,
        actor: "{}".to_owned(),
        traceparent: None,
        occurred_at: now,
        events: events.collect::<anyhow::Result<_>>()?,
    })
}
