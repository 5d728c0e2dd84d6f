//! From a view to a snapshot of it, and from a fault of the database to an answer.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ryggrad_access::{self as access, Bounds, Gate, Key, Verdict, Within};
use ryggrad_eventlog::projection::{Snapshot, View};
use ryggrad_service::readings::About;
use ryggrad_service::{ApiError, Readings};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::Api;

/// The view as it is once it has come to `at_least`; as it is anyway when that takes longer than `patience`.
pub(crate) async fn open(view: &View, at_least: u64, patience: Duration) -> Result<Snapshot, ApiError> {
    if at_least > 0 {
        view.wait_for(at_least, patience).await.map_err(unreadable)?;
    }
    view.snapshot().await.map_err(unreadable)
}

/// Leaves out of a query the rows that are not within the bounds. The view has columns for whom a row is about.
pub(crate) fn within(sql: &mut QueryBuilder<Postgres>, bounds: Bounds) {
    let Bounds::AnyOf(any_of) = bounds else { return };
    sql.push(" and (false");
    for sets in any_of {
        sql.push(" or (true");
        for set in sets {
            match set {
                Within::Organisations { orgnr, ids } => {
                    sql.push(" and (orgnr = any(").push_bind(orgnr);
                    sql.push(") or organisation_id = any(").push_bind(ids);
                }
                Within::Places { kommuner, counties } => {
                    sql.push(" and (kommunenummer = any(").push_bind(kommuner);
                    sql.push(") or left(kommunenummer, 2) = any(").push_bind(counties);
                }
            }
            sql.push("))");
        }
        sql.push(")");
    }
    sql.push(")");
}

/// Writes down that rows about these organisations are about to be shown, as far as it concerns anybody.
pub(crate) async fn note(
    api: &Api,
    gate: &Gate,
    view: access::View,
    shown: impl Iterator<Item = Key>,
) -> Result<(), ApiError> {
    let mut trace = Trace::default();
    for about in shown {
        trace.leave(gate, gate.view(view, &about), about.organisation);
    }
    trace.record(api, gate, view).await
}

/// The trace that an answer leaves in access logs: whose facts it shows, by what the reader rests on.
#[derive(Debug, Default)]
pub(crate) struct Trace<'a>(BTreeMap<Basis, (Verdict<'a>, BTreeSet<Uuid>)>);

/// What a reader rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Basis {
    Open,
    Mandate,
    Subscription(Uuid),
}

impl Basis {
    pub(crate) fn of(verdict: Verdict<'_>) -> Self {
        match verdict {
            Verdict::Approved(approval) => Self::Subscription(approval.id),
            Verdict::Mandated => Self::Mandate,
            _ => Self::Open,
        }
    }
}

impl<'a> Trace<'a> {
    /// A fact about an organisation is going to be shown.
    pub(crate) fn leave(&mut self, gate: &Gate, verdict: Verdict<'a>, organisation: Uuid) {
        if Readings::concerns(gate.caller().identity(), verdict) {
            let (_, organisations) = self
                .0
                .entry(Basis::of(verdict))
                .or_insert_with(|| (verdict, BTreeSet::new()));
            organisations.insert(organisation);
        }
    }

    /// Writes it.
    pub(crate) async fn record(self, api: &Api, gate: &Gate, view: access::View) -> Result<(), ApiError> {
        let identity = gate.caller().identity();
        for (verdict, organisations) in self.0.into_values() {
            let several = About::Several(organisations.into_iter().collect());
            api.readings.record(identity, view.name(), verdict, several).await?;
        }
        Ok(())
    }

    /// Writes it when one organisation was asked about, whose number may be known. That open data about it was looked at is
    /// not said beside more.
    pub(crate) async fn record_one(
        mut self,
        api: &Api,
        gate: &Gate,
        view: access::View,
        (id, orgnr): (Uuid, Option<String>),
    ) -> Result<(), ApiError> {
        if self.0.len() > 1 {
            self.0.remove(&Basis::Open);
        }
        for (verdict, organisations) in self.0.values_mut() {
            if organisations.remove(&id) {
                let one = About::One {
                    id,
                    orgnr: orgnr.clone(),
                };
                let identity = gate.caller().identity();
                api.readings.record(identity, view.name(), *verdict, one).await?;
            }
        }
        self.record(api, gate, view).await
    }
}

/// What a failed query means to the one who asked.
pub(crate) fn unreadable(error: sqlx::Error) -> ApiError {
    // The database is stopping or starting, the connection was cut, or a view was replaced under a query that took long.
    const FOR_NOW: [&str; 5] = ["08", "57", "53", "42P01", "40"];
    let is_for_now = match &error {
        sqlx::Error::RowNotFound
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(database) => database
            .code()
            .is_some_and(|code| FOR_NOW.iter().any(|class| code.starts_with(class))),
        _ => false,
    };
    if is_for_now {
        tracing::warn!(%error, "a view cannot be read");
        return ApiError::Unavailable {
            what: "the view cannot be read just now".to_owned(),
            retry_after: Duration::from_secs(1),
        };
    }
    ApiError::internal(error)
}
