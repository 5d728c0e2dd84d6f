//! What an operator sees and does: the service `ryggrad.admin.v1.Admin` over the roles of this process.
//!
//! What time it is and how far the views are is for everybody to see. The rest needs the scope `ryggrad:admin.write`.

mod deadlines;
mod parked;

use jiff::{Span, Timestamp};
use ryggrad_access::Scope;
use ryggrad_eventlog::clock::{Clock, MoveError};
use ryggrad_eventlog::projection::{self, Progress, State};
use ryggrad_proto::admin::v1::admin_server;
use ryggrad_proto::admin::v1::{
    AdvanceClockRequest, AdvanceClockResponse, GetClockRequest, GetClockResponse, ListDeadlinesRequest,
    ListDeadlinesResponse, ListParkedRequest, ListParkedResponse, ListProjectionsRequest, ListProjectionsResponse,
    Projection, RebuildRequest, RebuildResponse, UnparkRequest, UnparkResponse,
};
use ryggrad_service::{ApiError, accept, caller};
use sqlx::PgPool;
use tonic::{Request, Response, Status};

/// The service. It answers for the consumers whose schemas it was given. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Admin {
    clock: Clock,
    /// One pool for each schema with consumers.
    schemas: Vec<PgPool>,
}

// === impl Admin ===

impl Admin {
    /// The service over a clock, and no consumers yet.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            schemas: Vec::new(),
        }
    }

    /// Also answers for the consumers in the schema of a pool.
    pub fn watch(&mut self, pool: PgPool) {
        self.schemas.push(pool);
    }

    async fn projections(&self) -> Result<Vec<Projection>, ApiError> {
        let mut all = Vec::new();
        for pool in &self.schemas {
            let parked = ryggrad_eventlog::parked::counts(pool)
                .await
                .map_err(ApiError::internal)?;
            let progress = projection::progress(pool).await.map_err(ApiError::internal)?;
            all.extend(
                progress
                    .into_iter()
                    .filter(|progress| progress.state != State::Retired)
                    .map(|progress| {
                        let parked = parked.get(&progress.name).copied().unwrap_or_default();
                        told(progress, parked)
                    }),
            );
        }
        all.sort_by(|a, b| (&a.name, &a.state).cmp(&(&b.name, &b.state)));
        Ok(all)
    }
}

#[tonic::async_trait]
impl admin_server::Admin for Admin {
    async fn get_clock(&self, _request: Request<GetClockRequest>) -> Result<Response<GetClockResponse>, Status> {
        Ok(Response::new(GetClockResponse {
            now: Some(self.clock.now().into()),
            simulated: self.clock.is_simulated(),
        }))
    }

    async fn advance_clock(
        &self,
        request: Request<AdvanceClockRequest>,
    ) -> Result<Response<AdvanceClockResponse>, Status> {
        operator()?;
        let AdvanceClockRequest { by, to } = accept(request)?;
        let field = if to.is_some() { "to" } else { "by" };
        let moved = match (by.as_str(), to) {
            ("", Some(to)) => {
                let to = Timestamp::try_from(to).map_err(|_| ApiError::invalid("to", "is not an instant"))?;
                self.clock.move_to(to).await
            }
            ("", None) => return Err(ApiError::invalid("by", "say by how much, or to which instant").into()),
            (_, Some(_)) => {
                return Err(ApiError::invalid("to", "say by how much, or to which instant, not both").into());
            }
            (by, None) => {
                let span: Span = by
                    .parse()
                    .map_err(|_| ApiError::invalid("by", format!("{by:?} is not a span such as 6w, 3d 12h or P6W")))?;
                self.clock.advance(span).await
            }
        };
        let now = moved.map_err(|error| match error {
            MoveError::System => ApiError::Precondition {
                reason: "SYSTEM_CLOCK",
                message: error.to_string(),
            },
            MoveError::Back | MoveError::Calendar(_) => ApiError::invalid(field, error.to_string()),
            MoveError::Store(cause) => ApiError::internal(cause),
        })?;
        Ok(Response::new(AdvanceClockResponse { now: Some(now.into()) }))
    }

    async fn list_parked(&self, request: Request<ListParkedRequest>) -> Result<Response<ListParkedResponse>, Status> {
        operator()?;
        Ok(Response::new(parked::list(&self.schemas, accept(request)?).await?))
    }

    async fn unpark(&self, request: Request<UnparkRequest>) -> Result<Response<UnparkResponse>, Status> {
        operator()?;
        Ok(Response::new(parked::unpark(&self.schemas, accept(request)?).await?))
    }

    async fn list_deadlines(
        &self,
        request: Request<ListDeadlinesRequest>,
    ) -> Result<Response<ListDeadlinesResponse>, Status> {
        operator()?;
        Ok(Response::new(deadlines::list(&self.schemas, accept(request)?).await?))
    }

    async fn list_projections(
        &self,
        _request: Request<ListProjectionsRequest>,
    ) -> Result<Response<ListProjectionsResponse>, Status> {
        Ok(Response::new(ListProjectionsResponse {
            projections: self.projections().await?,
        }))
    }

    async fn rebuild(&self, request: Request<RebuildRequest>) -> Result<Response<RebuildResponse>, Status> {
        operator()?;
        let RebuildRequest { name } = accept(request)?;
        let mut is_building = false;
        for pool in &self.schemas {
            is_building |= projection::ask_for_rebuild(pool, &name)
                .await
                .map_err(ApiError::internal)?;
        }
        let all = self.projections().await?;
        let mut generations = all.into_iter().filter(|projection| projection.name == name);
        match generations.find(|projection| projection.state == "building") {
            Some(projection) => Ok(Response::new(RebuildResponse {
                projection: Some(projection),
            })),
            None if is_building => Err(ApiError::Precondition {
                reason: "REBUILT",
                message: format!("{name} has been rebuilt already"),
            }
            .into()),
            None => Err(ApiError::NotFound { what: "view", id: name }.into()),
        }
    }
}

/// How many a page holds, when so many are asked for.
fn page_size(asked: u32) -> Result<u32, ApiError> {
    match asked {
        0 => Ok(100),
        1..=1_000 => Ok(asked),
        _ => Err(ApiError::invalid("page_size", format!("{asked} is more than 1000"))),
    }
}

/// Refuses those who do not operate the backbone.
fn operator() -> Result<(), ApiError> {
    let caller = caller();
    if caller.identity().is_none() {
        return Err(ApiError::token_missing());
    }
    if caller.has(Scope::AdminWrite) {
        Ok(())
    } else {
        Err(ApiError::scope_missing(Scope::AdminWrite))
    }
}

fn told(progress: Progress, parked: u64) -> Projection {
    Projection {
        name: progress.name,
        version: u32::try_from(progress.version).unwrap_or_default(),
        state: if progress.state == State::Live {
            "serving"
        } else {
            progress.state.as_str()
        }
        .to_owned(),
        position: progress.position,
        head: progress.head,
        rate: progress.rate,
        eta_seconds: progress.eta.map_or(0.0, |eta| eta.as_secs_f64()),
        parked,
    }
}
