//! Commands that fall due, and those among them that fail.

use jiff::Timestamp;
use ryggrad_eventlog::deadline::{self, Listed, Which};
use ryggrad_proto::admin::v1::{Deadline, ListDeadlinesRequest, ListDeadlinesResponse};
use ryggrad_service::ApiError;
use sqlx::PgPool;
use uuid::Uuid;

use super::page_size;

pub(super) async fn list(schemas: &[PgPool], request: ListDeadlinesRequest) -> Result<ListDeadlinesResponse, ApiError> {
    let which = which(&request)?;
    let size = page_size(request.page_size)?;
    let after = after(&request.page_token)?;
    let mut found = Vec::new();
    for pool in schemas {
        // One more than the page holds tells whether there is another.
        let listed = deadline::list(pool, which, after, size + 1).await;
        found.extend(listed.map_err(ApiError::internal)?);
    }
    found.sort_by_key(|listed| (listed.due_at, listed.id));
    let size = size as usize;
    let next_page_token = if found.len() > size {
        found.truncate(size);
        found.last().map(token).unwrap_or_default()
    } else {
        String::new()
    };
    Ok(ListDeadlinesResponse {
        deadlines: found.into_iter().map(told).collect(),
        next_page_token,
    })
}

fn which(request: &ListDeadlinesRequest) -> Result<Which, ApiError> {
    let aggregate = request.aggregate_id.as_str();
    match (request.state.as_str(), aggregate) {
        ("" | "failing", "") => Ok(Which::Failing),
        ("pending", "") => Ok(Which::Pending),
        ("refused", "") => Ok(Which::Refused),
        ("", id) => Uuid::try_parse(id)
            .map(Which::Of)
            .map_err(|_| ApiError::invalid("aggregate_id", format!("{id:?} is not a UUID"))),
        (state, "") => Err(ApiError::invalid(
            "state",
            format!("{state:?} is not one of failing, pending and refused"),
        )),
        (_, _) => Err(ApiError::invalid(
            "state",
            "an aggregate's deadlines are listed in every state",
        )),
    }
}

fn token(last: &Listed) -> String {
    format!("{}/{}", last.due_at, last.id)
}

fn after(token: &str) -> Result<Option<(Timestamp, Uuid)>, ApiError> {
    if token.is_empty() {
        return Ok(None);
    }
    let read = || {
        let (due_at, id) = token.split_once('/')?;
        Some((due_at.parse().ok()?, Uuid::try_parse(id).ok()?))
    };
    read().map_or_else(
        || Err(ApiError::invalid("page_token", "is not one that was answered")),
        |after| Ok(Some(after)),
    )
}

fn told(listed: Listed) -> Deadline {
    Deadline {
        id: listed.id.to_string(),
        schedule: listed.schedule,
        timer: listed.timer,
        nature: listed.nature,
        due_at: Some(listed.due_at.into()),
        aggregate_type: listed.aggregate_type,
        aggregate_id: listed.aggregate_id.to_string(),
        state: listed.state,
        note: listed.note.unwrap_or_default(),
        attempts: listed.attempts,
        again_at: listed.again_at.map(Into::into),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_begins_where_the_one_before_it_ended() {
        let id = Uuid::from_u128(7);
        let due_at: Timestamp = "2026-05-01T10:00:00.000001Z".parse().unwrap();
        assert_eq!(after(&format!("{due_at}/{id}")).unwrap(), Some((due_at, id)));
        assert_eq!(after("").unwrap(), None);
        for token in ["1", "2026-05-01T10:00:00Z", "2026-05-01T10:00:00Z/x"] {
            let refused = after(token).unwrap_err();
            assert!(
                matches!(&refused, ApiError::Invalid { field, .. } if field == "page_token"),
                "{refused}"
            );
        }
    }
}
