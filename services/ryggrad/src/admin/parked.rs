//! Organisations that are set aside, listed and let go on.

use std::time::{Duration, Instant};

use ryggrad_eventlog::parked::{self, Parked};
use ryggrad_proto::admin::v1::{ListParkedRequest, ListParkedResponse, ParkedKey, UnparkRequest, UnparkResponse};
use ryggrad_service::ApiError;
use sqlx::PgPool;
use uuid::Uuid;

/// How long the consumer gets to take an organisation in again before the request is answered.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(50);

pub(super) async fn list(schemas: &[PgPool], request: ListParkedRequest) -> Result<ListParkedResponse, ApiError> {
    let ListParkedRequest {
        consumer,
        organisation_id,
        page_size,
        page_token,
    } = request;
    let organisation = if organisation_id.is_empty() {
        None
    } else {
        Some(uuid(&organisation_id)?)
    };
    let size = super::page_size(page_size)? as usize;
    let skip: usize = if page_token.is_empty() {
        0
    } else {
        page_token
            .parse()
            .map_err(|_| ApiError::invalid("page_token", "is not one that was answered"))?
    };
    let mut keys = Vec::new();
    for pool in schemas {
        let all = parked::list(pool).await.map_err(ApiError::internal)?;
        let wanted = all.into_iter().filter(|key| {
            (consumer.is_empty() || key.consumer == consumer) && organisation.is_none_or(|id| id == key.organisation_id)
        });
        keys.extend(wanted);
    }
    keys.sort_by(|a, b| (&a.consumer, a.position).cmp(&(&b.consumer, b.position)));
    let next_page_token = if keys.len() > skip + size {
        (skip + size).to_string()
    } else {
        String::new()
    };
    let page: Vec<Parked> = keys.into_iter().skip(skip).take(size).collect();
    let waiting = waiting(schemas, &page.iter().collect::<Vec<_>>()).await?;
    let told = |(key, waiting): (Parked, u64)| ParkedKey {
        consumer: key.consumer,
        organisation_id: key.organisation_id.to_string(),
        position: key.position,
        event_type: key.event_name,
        cause: key.cause,
        parked_at: Some(key.parked_at.into()),
        waiting,
    };
    let parked = page.into_iter().zip(waiting).map(told).collect();
    Ok(ListParkedResponse {
        parked,
        next_page_token,
    })
}

pub(super) async fn unpark(schemas: &[PgPool], request: UnparkRequest) -> Result<UnparkResponse, ApiError> {
    let UnparkRequest {
        consumer,
        organisation_id,
    } = request;
    let organisation = uuid(&organisation_id)?;
    for pool in schemas {
        let Some(key) = find(pool, &consumer, organisation).await? else {
            continue;
        };
        let applied = waiting(schemas, &[&key]).await?.iter().sum();
        if !parked::release(pool, &consumer, organisation)
            .await
            .map_err(ApiError::internal)?
        {
            break;
        }
        return settled(pool, &key).await.map(|()| UnparkResponse { applied });
    }
    Err(ApiError::NotFound {
        what: "parked organisation",
        id: organisation_id,
    })
}

/// Waits until the consumer has tried again.
async fn settled(pool: &PgPool, before: &Parked) -> Result<(), ApiError> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        match find(pool, &before.consumer, before.organisation_id).await? {
            None => return Ok(()),
            Some(key) if key.released => tokio::time::sleep(LOOK).await,
            Some(key) => {
                return Err(ApiError::Precondition {
                    reason: "PARKED_AGAIN",
                    message: format!("parked again at position {}: {}", key.position, key.cause),
                });
            }
        }
    }
    Err(ApiError::Unavailable {
        what: "it goes on by itself, as soon as its consumer runs and has come to its end; list what is parked"
            .to_owned(),
        retry_after: PATIENCE,
    })
}

async fn find(pool: &PgPool, consumer: &str, organisation: Uuid) -> Result<Option<Parked>, ApiError> {
    let found = parked::find(pool, consumer, organisation).await;
    found.map_err(ApiError::internal)
}

/// Events that wait for each of these. There is one log, which every schema's role may read.
async fn waiting(schemas: &[PgPool], keys: &[&Parked]) -> Result<Vec<u64>, ApiError> {
    match schemas.first() {
        Some(pool) if !keys.is_empty() => parked::waiting(pool, keys).await.map_err(ApiError::internal),
        _ => Ok(Vec::new()),
    }
}

fn uuid(text: &str) -> Result<Uuid, ApiError> {
    Uuid::try_parse(text).map_err(|_| ApiError::invalid("organisation_id", format!("{text:?} is not a UUID")))
}
