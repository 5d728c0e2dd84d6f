//! Queries of `subscriptions`.

use ryggrad_access::Stakeholder;
use ryggrad_eventlog::projection::decode;
use ryggrad_proto::views::v1::{ListSubscriptionsRequest, ListSubscriptionsResponse, SubscriptionEntry};
use ryggrad_service::ApiError;
use sqlx::{Postgres, QueryBuilder};

use super::field::{self, Organisation};
use super::page::{Cursor, Page};
use super::{Api, read};

pub(super) async fn list(api: &Api, request: ListSubscriptionsRequest) -> Result<ListSubscriptionsResponse, ApiError> {
    let subscriber = match field::optional("subscriber", &request.subscriber, field::organisation)? {
        None => None,
        Some(Organisation::Number(number)) => Some(number.to_string()),
        Some(Organisation::Id(_)) => return Err(ApiError::invalid("subscriber", "is not an organisation number")),
    };
    let stakeholder = field::optional("stakeholder", &request.stakeholder, |field, code| {
        let known = Stakeholder::parse(code).map(Stakeholder::code);
        known.ok_or_else(|| ApiError::invalid(field, format!("there is no stakeholder {code:?}")))
    })?;
    let list = format!("subscriptions {subscriber:?} {stakeholder:?} {}", request.ended);
    let page = Page::parse(request.page_size, &request.page_token, &list)?;
    let mut snapshot = read::open(&api.subscriptions, request.at_least, api.patience).await?;
    let mut sql = QueryBuilder::<Postgres>::new(format!("select row from {} where true", snapshot.table()));
    if let Some(subscriber) = subscriber {
        sql.push(" and subscriber = ").push_bind(subscriber);
    }
    if let Some(stakeholder) = stakeholder {
        sql.push(" and stakeholder = ").push_bind(stakeholder);
    }
    if !request.ended {
        sql.push(" and not ended");
    }
    if let Some(Cursor { number, .. }) = page.after {
        sql.push(" and position > ")
            .push_bind(i64::try_from(number).unwrap_or(i64::MAX));
    }
    sql.push(" order by position limit ").push_bind(page.limit());
    let rows = sql
        .build()
        .fetch_all(snapshot.connection())
        .await
        .map_err(read::unreadable)?;
    let mut entries = rows
        .iter()
        .map(decode::<SubscriptionEntry>)
        .collect::<Result<Vec<_>, _>>()
        .map_err(read::unreadable)?;
    let next_page_token = page.cut(&mut entries, |last| Cursor {
        number: last.position,
        ..Cursor::default()
    });
    Ok(ListSubscriptionsResponse {
        entries,
        next_page_token,
        as_of: snapshot.as_of(),
    })
}
