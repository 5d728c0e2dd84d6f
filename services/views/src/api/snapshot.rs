//! Whole views: one implementation behind gRPC and HTTP.

use futures::StreamExt as _;
use futures::stream::BoxStream;
use jiff::tz::TimeZone;
use prost::Message;
use ryggrad_access::{Gate, View as Access};
use ryggrad_eventlog::projection::{Projection as _, Snapshot, View, decode};
use ryggrad_proto::options::v1::PrivacyClass;
use ryggrad_proto::views::v1::snapshot_response::Part;
use ryggrad_proto::views::v1::{
    DirectoryEntry, RegisterCase, RegisterChange, RegisterUnit, SnapshotBegin, SnapshotEnd, SnapshotRequest,
    SnapshotResponse, TimelineEntry,
};
use ryggrad_service::{ApiError, caller};
use tonic::Status;

use super::{Api, directory, field, read, stats, timeline};
use crate::download::{self, Piece, Pieces, Place};
use crate::{MunicipalityDirectory, OrgTimeline, RegisterCase as Cases, RegisterUnits, StatsCube, Views};

mod about;
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
        OrgTimeline::NAME | Cases::NAME => gate(api).await?,
        _ => Gate::open(),
    };
    if name == Cases::NAME {
        about::may_ask(&gate, Access::RegisterCase)?;
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
        OrgTimeline::NAME => timeline(place, snapshot, gate).await?,
        Cases::NAME => {
            rows(place, snapshot, move |case: RegisterCase| {
                let may = gate.view(Access::RegisterCase, &about::case(&case)).allows();
                may.then_some(Part::RegisterCase(case))
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

/// What the caller may see today, by Norwegian time.
async fn gate(api: &Api) -> Result<Gate, ApiError> {
    let oslo = TimeZone::get("Europe/Oslo").unwrap_or(TimeZone::UTC);
    let today = api.clock.now().to_zoned(oslo).date();
    api.registry.gate(&caller(), today).await.map_err(read::unreadable)
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
///
/// Beyond open data the gate looks at the whole envelope of an event, which the entry has only a part of.
async fn timeline(place: Place, snapshot: Snapshot, gate: Gate) -> Result<Rows, ApiError> {
    let table = snapshot.table();
    let open_only = gate.is_open_only();
    let sql = if open_only {
        format!("select row from {table} where key like '%-%' order by key")
    } else {
        let columns = about::COLUMNS;
        format!(
            "select t.row, {columns} from {table} t join log.events e on e.position = right(t.key, 19)::bigint
              where t.key like '%-%' order by t.key"
        )
    };
    let rows = download::rows(place, snapshot, sql, move |row| {
        let mut entry: TimelineEntry = decode(row)?;
        let is_seen = if open_only {
            entry.class() == PrivacyClass::Public
        } else {
            let (position, key) = about::event(row)?;
            gate.passes(position, &key)
        };
        Ok(is_seen.then(|| {
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
            &self.stats,
            &self.register_units,
            &self.register_changes,
        ];
        let found = views.into_iter().find(|view| view.name() == name);
        found.expect("every name is of one of the views")
    }
}
