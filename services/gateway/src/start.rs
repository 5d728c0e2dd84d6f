//! Where to start: a position, an event, an instant, or now.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use ryggrad_eventlog::Head;
use ryggrad_proto::events::v1::SubscribeRequest;
use ryggrad_service::ApiError;
use sqlx::PgPool;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::refusal;

/// Where to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// After a position; 0 is the beginning.
    After(u64),
    /// After an event.
    Event(Uuid),
    /// With the first event that was recorded at an instant or later.
    Time(Timestamp),
    /// With the next event.
    Now,
}

/// Looks for positions in the log. Cheap to clone; clones share their turns.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    pool: PgPool,
    turns: Arc<Semaphore>,
}

/// Ids that are looked for at once.
const TURNS: usize = 2;

/// An event's id is made when it is decided on, and recorded when it is committed: not before, and not long after.
const RECORDED: (SignedDuration, SignedDuration) = (SignedDuration::from_secs(-5), SignedDuration::from_secs(60));

/// Positions are in the order in which they were recorded: halves the log until one is left.
const BEFORE: &str = "with recursive search (lo, hi) as (
    select 0::bigint, position + 1 from log.head
    union all
    select case when e.recorded_at < $1 then m.mid else s.lo end, case when e.recorded_at < $1 then s.hi else m.mid end
    from search s cross join lateral (select (s.lo + s.hi) / 2 as mid) m join log.events e on e.position = m.mid
    where s.hi - s.lo > 1)
    select lo from search order by hi - lo limit 1";
const BY_ID: &str = "select position from log.events where position > $2 and position <= $3 and event_id = $1 \
    order by position limit 1";

// === impl Start ===

impl Start {
    /// What a request says about it.
    pub(crate) fn of(request: &SubscribeRequest) -> Result<Self, ApiError> {
        let mut starts = Vec::new();
        if request.after > 0 {
            starts.push(("after", Self::After(request.after)));
        }
        if !request.after_event_id.is_empty() {
            let id = Uuid::try_parse(&request.after_event_id)
                .map_err(|_| ApiError::invalid("after_event_id", "this is not a UUID"))?;
            starts.push(("after_event_id", Self::Event(id)));
        }
        if let Some(instant) = request.from_time {
            let instant =
                Timestamp::try_from(instant).map_err(|error| ApiError::invalid("from_time", error.to_string()))?;
            starts.push(("from_time", Self::Time(instant)));
        }
        if request.from_now {
            starts.push(("from_now", Self::Now));
        }
        match starts[..] {
            [] => Ok(Self::After(0)),
            [(_, start)] => Ok(start),
            [(first, _), (second, _), ..] => Err(ApiError::invalid(
                second,
                format!("there is {first} already; one start is enough"),
            )),
        }
    }

    /// The position to start after.
    pub(crate) async fn position(self, search: &Search, head: Head) -> Result<u64, ApiError> {
        match self {
            Self::After(position) if position > head.position => Err(refusal::beyond_head(position, head.position)),
            Self::After(position) => Ok(position),
            Self::Now => Ok(head.position),
            Self::Time(instant) => before(&search.pool, instant)
                .await
                .map_err(|error| refusal::unreadable(&error)),
            Self::Event(id) => search
                .by_id(id)
                .await
                .map_err(|error| refusal::unreadable(&error))?
                .ok_or_else(|| refusal::no_event(&id)),
        }
    }
}

// === impl Search ===

impl Search {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self {
            pool,
            turns: Arc::new(Semaphore::new(TURNS)),
        }
    }

    /// Position of an event. Its id (UUID v7) begins with the time, which is where it is looked for: the log has no index of ids,
    /// and what is not there costs as much as reading the ids of a minute. So it is done by turns, and few at once.
    pub(crate) async fn by_id(&self, id: Uuid) -> Result<Option<u64>, sqlx::Error> {
        let made = id.get_timestamp().map(|made| made.to_unix());
        let made = made.and_then(|(seconds, _)| Timestamp::from_second(i64::try_from(seconds).ok()?).ok());
        let Some(made) = made else { return Ok(None) };
        let (Ok(from), Ok(until)) = (made.checked_add(RECORDED.0), made.checked_add(RECORDED.1)) else {
            return Ok(None);
        };
        let _turn = self.turns.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let (after, through) = (before(&self.pool, from).await?, before(&self.pool, until).await?);
        let position: Option<i64> = sqlx::query_scalar(BY_ID)
            .bind(id)
            .bind(i64::try_from(after).unwrap_or(i64::MAX))
            .bind(i64::try_from(through).unwrap_or(i64::MAX))
            .fetch_optional(&self.pool)
            .await?;
        Ok(position.and_then(|position| position.try_into().ok()))
    }
}

/// Position of the last event that was recorded before an instant; 0 when there is none.
async fn before(pool: &PgPool, instant: Timestamp) -> Result<u64, sqlx::Error> {
    let position: i64 = sqlx::query_scalar(BEFORE)
        .bind(instant.to_sqlx())
        .fetch_one(pool)
        .await?;
    Ok(position.try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::poll;
    use sqlx::postgres::PgPoolOptions;

    use super::*;

    #[tokio::test]
    async fn few_ids_are_looked_for_at_once() {
        let pool = PgPoolOptions::new()
            .connect_lazy("postgres://127.0.0.1:1/nowhere")
            .unwrap();
        let search = Search::new(pool.clone());
        let others = search.turns.acquire_many(2).await.unwrap();
        let id: Uuid = "0199c3d0-0000-7000-8000-000000000001".parse().unwrap();
        let mut asked = pin!(search.by_id(id));
        assert!(poll!(asked.as_mut()).is_pending());
        assert_eq!(pool.size(), 0, "no connection is asked for before its turn");
        drop(others);
        assert!(poll!(asked.as_mut()).is_pending());
        assert_eq!(pool.size(), 1);
    }

    #[test]
    fn one_start_is_enough() {
        let asked = SubscribeRequest {
            after: 4,
            ..Default::default()
        };
        assert_eq!(Start::of(&asked).unwrap(), Start::After(4));
        assert_eq!(Start::of(&SubscribeRequest::default()).unwrap(), Start::After(0));
        let two = SubscribeRequest {
            from_now: true,
            ..asked.clone()
        };
        let refused = Start::of(&two).unwrap_err();
        assert!(refused.to_string().starts_with("from_now:"), "{refused}");
        let no_id = SubscribeRequest {
            after_event_id: "x".to_owned(),
            ..Default::default()
        };
        assert!(
            Start::of(&no_id)
                .unwrap_err()
                .to_string()
                .starts_with("after_event_id:")
        );
    }
}
