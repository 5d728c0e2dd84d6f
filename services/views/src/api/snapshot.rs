//! Whole views: one implementation behind gRPC and HTTP.

use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use prost::Message;
use ryggrad_access::{Gate, Key, Verdict, View as Access};
use ryggrad_eventlog::projection::{Projection as _, Snapshot, View, decode};
use ryggrad_proto::views::v1::snapshot_response::Part;
use ryggrad_proto::views::v1::{
    DirectoryEntry, RegisterChange, RegisterUnit, SnapshotBegin, SnapshotEnd, SnapshotRequest, SnapshotResponse,
    SubscriptionEntry, TimelineEntry,
};
use ryggrad_service::{ApiError, authority};
use tonic::Status;
use uuid::Uuid;

use super::{Api, access_log, directory, field, read, register_case, stats, timeline};
use crate::download::{self, Piece, Pieces, Place};
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
    let place = api.places.take()?;
    let mut snapshot = read::open(api.view(name), request.at_least, api.patience).await?;
    let begin = SnapshotBegin {
        as_of: snapshot.as_of(),
        epoch: snapshot.epoch().await.map_err(read::unreadable)?.to_string(),
        view: name.to_owned(),
        version: snapshot.version(),
    };
    let rows: Rows = match name {
        OrgTimeline::NAME => {
            trace(
                api,
                &gate,
                &mut snapshot,
                Access::OrgTimeline,
                |gate, entry: &TimelineEntry| {
                    let owner = entry.owner_id.parse().unwrap_or_default();
                    (timeline::verdict(gate, entry), owner)
                },
            )
            .await?;
            timeline(place, snapshot, gate).await?
        }
        Cases::NAME => {
            let (view, key_of) = (Access::RegisterCase, register_case::key_of);
            rows_for(api, place, snapshot, gate, view, key_of, Part::RegisterCase).await?
        }
        AccessLog::NAME => {
            let (view, key_of) = (Access::AccessLog, access_log::key_of);
            rows_for(api, place, snapshot, gate, view, key_of, Part::AccessLogEntry).await?
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

/// Leaves the trace of what is going to be shown beyond open data, before the first row is.
async fn trace<R: Message + Default>(
    api: &Api,
    gate: &Gate,
    snapshot: &mut Snapshot,
    view: Access,
    verdict: impl for<'g> Fn(&'g Gate, &R) -> (Verdict<'g>, Uuid),
) -> Result<(), ApiError> {
    if gate.is_open_only() {
        return Ok(());
    }
    let sql = format!("select row from {}", snapshot.table());
    let mut trace = read::Trace::default();
    let mut rows = sqlx::query(&sql).fetch(snapshot.connection());
    while let Some(row) = rows.try_next().await.map_err(read::unreadable)? {
        let row: R = decode(&row).map_err(read::unreadable)?;
        let (verdict, organisation) = verdict(gate, &row);
        // Whole files of open data say nothing about whom the reader is interested in.
        if !matches!(verdict, Verdict::Open) {
            trace.leave(gate, verdict, organisation);
        }
    }
    drop(rows);
    trace.record(api, gate, view).await
}

/// The rows that a caller may see, when it is on record that they are going to be shown.
async fn rows_for<R: Message + Default + Send + 'static>(
    api: &Api,
    place: Place,
    mut snapshot: Snapshot,
    gate: Gate,
    view: Access,
    key_of: fn(&R) -> Key,
    part: fn(R) -> Part,
) -> Result<Rows, ApiError> {
    trace(api, &gate, &mut snapshot, view, |gate, row: &R| {
        let about = key_of(row);
        (gate.view(view, &about), about.organisation)
    })
    .await?;
    rows(place, snapshot, move |row: R| {
        let shown = gate.view(view, &key_of(&row)).allows();
        shown.then(|| part(row))
    })
    .await
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

/// The entries that the caller would see in the stream. Those under an organisation number are other ones once more.
async fn timeline(place: Place, snapshot: Snapshot, gate: Gate) -> Result<Rows, ApiError> {
    let sql = format!("select row from {} where key like '%-%' order by key", snapshot.table());
    let rows = download::rows(place, snapshot, sql, move |row| {
        let mut entry: TimelineEntry = decode(row)?;
        Ok(timeline::verdict(&gate, &entry).allows().then(|| {
            timeline::explain(&mut entry);
            Part::TimelineEntry(entry)
        }))
    });
    rows.await.map_err(read::unreadable)
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
