//! Commands that nobody sent: those of reactions and deadlines, and how they are carried out.

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt as _;
use ryggrad_proto::common::v1::Receipt;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::executor::ExecuteError;
use crate::trace;

/// How many organisations' commands are under way at once.
const ABREAST: usize = 64;
/// How long to wait before a command is tried again, at first and at the most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

/// A command with where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Order<C> {
    /// The command's id: the same whenever the same event leads to it (I6), so that carrying it out again is harmless.
    pub id: Uuid,
    /// The command.
    pub command: C,
    /// The journey that the event belongs to.
    pub correlation_id: Uuid,
    /// Id and position of the event that led to it.
    pub causation: (Uuid, u64),
    /// W3C trace context of the event.
    pub traceparent: Option<String>,
}

// === impl Order ===

impl<C> Order<C> {
    /// The same order with another command.
    pub fn with<D>(self, command: D) -> Order<D> {
        Order {
            id: self.id,
            command,
            correlation_id: self.correlation_id,
            causation: self.causation,
            traceparent: self.traceparent,
        }
    }
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    /// It has been carried out, now or earlier.
    Done,
    /// The domain refused it, and always will.
    Refused(String),
    /// Something is broken, and trying again does not help.
    Failed(String),
}

/// It is not known how the command ended. It has to be carried out again, with the same id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Again(pub String);

/// What an executor's answer means for a command that nobody waits for.
///
/// # Errors
/// [`Again`] when the log was away or others kept changing the aggregate.
pub fn carried(answer: Result<Receipt, ExecuteError>) -> Result<Carried, Again> {
    match answer {
        Ok(_) => Ok(Carried::Done),
        Err(ExecuteError::Refused(refusal)) => Ok(Carried::Refused(refusal.to_string())),
        Err(error @ (ExecuteError::Unavailable(_) | ExecuteError::Conflict { .. })) => Err(Again(error.to_string())),
        Err(ExecuteError::Fault(fault)) => Ok(Carried::Failed(fault.to_string())),
    }
}

/// Puts what belongs together into one group, groups and members in the order given.
pub(crate) fn grouped<T>(items: impl IntoIterator<Item = T>, key: impl Fn(&T) -> Uuid) -> Vec<Vec<T>> {
    let mut groups: Vec<Vec<T>> = Vec::new();
    let mut group_of: HashMap<Uuid, usize> = HashMap::new();
    for item in items {
        let group = *group_of.entry(key(&item)).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(item);
    }
    groups
}

/// Carries out commands until each has ended: those of one group in their order, a group ends early with the first that
/// failed; groups side by side. Answers how each command of each group ended.
pub(crate) async fn carry_out<C, F, Fut>(execute: &F, groups: Vec<Vec<Order<C>>>) -> Vec<Vec<Carried>>
where
    C: Clone,
    F: Fn(Order<C>) -> Fut,
    Fut: Future<Output = Result<Carried, Again>>,
{
    let groups = groups.into_iter().map(|group| async move {
        let mut ended = Vec::with_capacity(group.len());
        for mut order in group {
            let span = tracing::info_span!("command", otel.kind = "internal", command = %order.id);
            if let Some(parent) = &order.traceparent {
                trace::set_parent(&span, parent);
            }
            order.traceparent = trace::traceparent(&span).or(order.traceparent);
            let carried = insist(execute, order).instrument(span).await;
            let failed = matches!(carried, Carried::Failed(_));
            ended.push(carried);
            if failed {
                break;
            }
        }
        ended
    });
    futures::stream::iter(groups).buffered(ABREAST).collect().await
}

async fn insist<C, F, Fut>(execute: &F, order: Order<C>) -> Carried
where
    C: Clone,
    F: Fn(Order<C>) -> Fut,
    Fut: Future<Output = Result<Carried, Again>>,
{
    let mut pause = PAUSE.0;
    loop {
        match execute(order.clone()).await {
            Ok(carried) => return carried,
            Err(error) => {
                tracing::warn!(command = %order.id, %error, "a command of our own is tried again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE.1);
            }
        }
    }
}
