//! The queries: every request is checked here, waited for, and answered from one snapshot.

use std::time::Duration;

use ryggrad_eventlog::projection::View;
use ryggrad_proto::views::v1 as pb;
use ryggrad_service::{ApiError, Authority, Readings, accept};
use tonic::{Request, Response, Status};

use crate::download::Places;

mod access_log;
mod directory;
mod field;
mod page;
pub(crate) mod read;
mod register_case;
pub(crate) mod snapshot;
mod stats;
mod subscriptions;
mod timeline;

pub(crate) use stats::Held;

/// The views as they answer. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) timeline: View,
    pub(crate) register_case: View,
    pub(crate) directory: View,
    pub(crate) stats: Held,
    pub(crate) register_units: View,
    pub(crate) register_changes: View,
    pub(crate) access_log: View,
    pub(crate) subscriptions: View,
    /// Long answers that may be under way.
    pub(crate) places: Places,
    /// Who may see what.
    pub(crate) authority: Authority,
    /// Who has looked.
    pub(crate) readings: Readings,
    /// How long a query waits for the position that it asks for.
    pub(crate) patience: Duration,
}

/// Writes the rpcs, each with the query that answers it.
macro_rules! queries {
    ($($rpc:ident($request:ident) -> $response:ident = $query:path;)*) => {
        #[tonic::async_trait]
        impl pb::views_server::Views for Api {
            type SnapshotStream = snapshot::Parts;

            async fn snapshot(
                &self,
                request: Request<pb::SnapshotRequest>,
            ) -> Result<Response<Self::SnapshotStream>, Status> {
                Ok(Response::new(snapshot::open(self, accept(request)?).await?.parts()))
            }

            $(
                async fn $rpc(&self, request: Request<pb::$request>) -> Result<Response<pb::$response>, Status> {
                    let answer: Result<_, ApiError> = $query(self, accept(request)?).await;
                    Ok(Response::new(answer?))
                }
            )*
        }
    };
}

queries! {
    list_timeline(ListTimelineRequest) -> ListTimelineResponse = timeline::list;
    get_register_case(GetRegisterCaseRequest) -> GetRegisterCaseResponse = register_case::get;
    list_register_cases(ListRegisterCasesRequest) -> ListRegisterCasesResponse = register_case::list;
    list_municipality_directory(ListMunicipalityDirectoryRequest) -> ListMunicipalityDirectoryResponse = directory::list;
    get_directory_entry(GetDirectoryEntryRequest) -> GetDirectoryEntryResponse = directory::get;
    get_stats(GetStatsRequest) -> GetStatsResponse = stats::get;
    list_access_log(ListAccessLogRequest) -> ListAccessLogResponse = access_log::list;
    list_subscriptions(ListSubscriptionsRequest) -> ListSubscriptionsResponse = subscriptions::list;
}
