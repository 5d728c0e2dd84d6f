//! Whole views: one implementation behind gRPC and HTTP.

use std::collections::HashSet;
use std::sync::Arc;

use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use prost::Message;
use ryggrad_access::{Gate, Verdict, View as Access};
use ryggrad_eventlog::projection::{Projection as _, Snapshot, View, decode};
use ryggrad_proto::views::v1::snapshot_response::Part;
use ryggrad_proto::views::v1::{
    AccessLogEntry, DirectoryEntry, RegisterCase, RegisterChange, RegisterUnit, SnapshotBegin, SnapshotEnd,
    SnapshotRequest, SnapshotResponse, SubscriptionEntry, TimelineEntry,
};
use ryggrad_service::{ApiError, authority, caller};
use tonic::Status;
use uuid::Uuid;

use super::read::Basis;
use super::{Api, access_log, directory, field, read, register_case, stats, timeline};
use crate::download::{self, Cut, Piece, Pieces, Place};
use crate::{
    AccessLog, MunicipalityDirectory, OrgTimeline, RegisterCase as Cases, RegisterUnits, StatsCube, Subscriptions,
    Views,
};

pub(crate) mod http;

/// The dimensions of the statistics' table when none are asked for.
const BY: [&str; 2] = ["kommune", "icnpo_group"];

/// A snapshot as gRPC sends it.
pub(crate) type Parts = BoxStream<'static, Result<SnapshotResponse, Status>>;

/// Rows of a snapshot, and its end.
type Rows = Pieces<Part>;

/// A snapshot that has begun.
pub(crate) struct Opened {
    /// Where it was taken.
    pub(crate) begin: SnapshotBegin,
    /// Its rows and its end.
    pub(crate) rows: Rows,
}

/// Begins a snapshot for whoever asks: the rows that they may see.
pub(crate) async fn open(api: &Api, request: SnapshotRequest) -> Result<Opened, ApiError> {
    let name = field::one_of("view", &request.view, &Views::NAMES)?;
    if !request.by.is_empty() && name != StatsCube::NAME {
        return Err(ApiError::invalid("by", format!("{name} has no dimensions to choose")));
    }
    let gate = match name {
        OrgTimeline::NAME | Cases::NAME | AccessLog::NAME => api.authority.gate().await?,
        _ => Gate::open(),
    };
    for (of, view) in [
        (Cases::NAME, Access::RegisterCase),
        (AccessLog::NAME, Access::AccessLog),
    ] {
        if name == of {
            gate.bounds(view).map_err(|verdict| authority::refused(view, verdict))?;
        }
    }
    let place = api.places.take(&caller())?;
    let mut snapshot = read::open(api.view(name), request.at_least, api.patience).await?;
    let begin = SnapshotBegin {
        as_of: snapshot.as_of(),
        epoch: snapshot.epoch().await.map_err(read::unreadable)?.to_string(),
        view: name.to_owned(),
        version: snapshot.version(),
    };
    let rows: Rows = match name {
        OrgTimeline::NAME => {
            // Those under an organisation number are other ones once more.
            let only = "where key like '%-%'";
            let shown = Shown {
                view: Access::OrgTimeline,
                verdict: |gate, entry: &TimelineEntry| (timeline::verdict(gate, entry), &entry.owner_id),
                part: |mut entry| {
                    timeline::explain(&mut entry);
                    Part::TimelineEntry(entry)
                },
            };
            seen(api, place, snapshot, only, gate, shown).await?
        }
        Cases::NAME => {
            let shown = Shown {
                view: Access::RegisterCase,
                verdict: |gate, case: &RegisterCase| {
                    let verdict = gate.view(Access::RegisterCase, &register_case::key_of(case));
                    (verdict, &case.organisation_id)
                },
                part: Part::RegisterCase,
            };
            seen(api, place, snapshot, "", gate, shown).await?
        }
        AccessLog::NAME => {
            let shown = Shown {
                view: Access::AccessLog,
                verdict: |gate, entry: &AccessLogEntry| {
                    let verdict = gate.view(Access::AccessLog, &access_log::key_of(entry));
                    (verdict, &entry.organisation_id)
                },
                part: Part::AccessLogEntry,
            };
            seen(api, place, snapshot, "", gate, shown).await?
        }
        Subscriptions::NAME => {
            rows(place, snapshot, |entry: SubscriptionEntry| {
                Some(Part::SubscriptionEntry(entry))
            })
            .await?
        }
        MunicipalityDirectory::NAME => {
            rows(place, snapshot, |mut entry: DirectoryEntry| {
                directory::explain(&mut entry);
                Some(Part::DirectoryEntry(entry))
            })
            .await?
        }
        StatsCube::NAME => {
            let by = if request.by.is_empty() {
                BY.map(str::to_owned).into()
            } else {
                request.by
            };
            let cells = stats::whole(by, &mut snapshot).await?;
            download::ready(cells.into_iter().map(Part::StatsCell).collect())
        }
        RegisterUnits::NAME => rows(place, snapshot, |unit: RegisterUnit| Some(Part::RegisterUnit(unit))).await?,
        // The rows that keep the organisations' last states are not changes.
        _ => {
            rows(place, snapshot, |change: RegisterChange| {
                (change.position > 0).then_some(Part::RegisterChange(change))
            })
            .await?
        }
    };
    Ok(Opened { begin, rows })
}

/// Rows that not everybody sees: by what verdict, and as what part.
struct Shown<R> {
    view: Access,
    /// The verdict on a row, and the organisation that it is about.
    verdict: for<'g, 'r> fn(&'g Gate, &'r R) -> (Verdict<'g>, &'r str),
    part: fn(R) -> Part,
}

/// The rows that the caller may see. The trace of what is beyond open data is left batch by batch, each before its rows.
async fn seen<R: Message + Default + 'static>(
    api: &Api,
    place: Place,
    snapshot: Snapshot,
    only: &str,
    gate: Gate,
    shown: Shown<R>,
) -> Result<Rows, ApiError> {
    let sql = format!("select row from {} {only} order by key", snapshot.table());
    let (gate, Shown { view, verdict, part }) = (Arc::new(gate), shown);
    let sieve = Arc::clone(&gate);
    let rows = download::rows(place, snapshot, sql, move |row| {
        let row: R = decode(row)?;
        Ok(verdict(&sieve, &row).0.allows().then_some(row))
    });
    let (api, written) = (api.clone(), HashSet::new());
    let rows = rows.await.map_err(read::unreadable)?;
    let traced = futures::stream::try_unfold((rows, written), move |(mut rows, mut written)| {
        let (api, gate) = (api.clone(), Arc::clone(&gate));
        async move {
            let piece = match rows.try_next().await? {
                None => return Ok(None),
                Some(Piece::End(number)) => Piece::End(number),
                Some(Piece::Rows(batch)) => {
                    let verdicts = batch.iter().map(|row| verdict(&gate, row));
                    trace(&api, &gate, view, verdicts, &mut written).await?;
                    Piece::Rows(batch.into_iter().map(part).collect())
                }
            };
            Ok(Some((piece, (rows, written))))
        }
    });
    Ok(traced.boxed())
}

/// Leaves the trace of rows that are about to be shown, of each organisation once.
async fn trace<'a>(
    api: &Api,
    gate: &'a Gate,
    view: Access,
    rows: impl Iterator<Item = (Verdict<'a>, &'a str)>,
    written: &mut HashSet<(Basis, Uuid)>,
) -> Result<(), Cut> {
    let mut trace = read::Trace::default();
    for (verdict, organisation) in rows {
        let organisation = organisation.parse().unwrap_or_default();
        // Whole files of open data say nothing about whom the reader is interested in.
        if !matches!(verdict, Verdict::Open) && written.insert((Basis::of(verdict), organisation)) {
            trace.leave(gate, verdict, organisation);
        }
    }
    trace.record(api, gate, view).await.map_err(|_| Cut)
}

/// Every row, in the order of the keys.
async fn rows<R: Message + Default + Send + 'static>(
    place: Place,
    snapshot: Snapshot,
    mut part: impl FnMut(R) -> Option<Part> + Send + 'static,
) -> Result<Rows, ApiError> {
    let sql = format!("select row from {} order by key", snapshot.table());
    let rows = download::rows(place, snapshot, sql, move |row| Ok(part(decode(row)?))).await;
    rows.map_err(read::unreadable)
}

// === impl Opened ===

impl Opened {
    /// The parts one by one: the beginning, the rows, the end.
    pub(crate) fn parts(self) -> Parts {
        let begin = Part::Begin(self.begin);
        let rows = self.rows.flat_map(|piece| {
            let parts = match piece {
                Ok(Piece::Rows(rows)) => rows.into_iter().map(Ok).collect(),
                Ok(Piece::End(rows)) => vec![Ok(Part::End(SnapshotEnd { rows }))],
                Err(cut) => vec![Err(Status::unavailable(cut.to_string()))],
            };
            futures::stream::iter(parts)
        });
        let parts = futures::stream::iter([Ok(begin)]).chain(rows);
        Box::pin(parts.map(|part| part.map(|part| SnapshotResponse { part: Some(part) })))
    }
}

// === impl Api ===

impl Api {
    /// The view of a name in [`Views::NAMES`].
    fn view(&self, name: &str) -> &View {
        let views = [
            &self.timeline,
            &self.register_case,
            &self.directory,
            self.stats.view(),
            &self.register_units,
            &self.register_changes,
            &self.access_log,
            &self.subscriptions,
        ];
        let found = views.into_iter().find(|view| view.name() == name);
        found.expect("every name is of one of the views")
    }
}
