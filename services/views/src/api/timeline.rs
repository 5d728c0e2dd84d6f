//! Queries of `org_timeline`.

use ryggrad_eventlog::projection::{Snapshot, decode};
use ryggrad_norway::OrgNumber;
use ryggrad_proto::views::v1::{ListTimelineRequest, ListTimelineResponse, TimelineEntry};
use ryggrad_proto::{EventType, catalogue, event_type};
use ryggrad_service::ApiError;
use sqlx::{Postgres, QueryBuilder};

use super::field::{self, Organisation};
use super::page::{Cursor, Page};
use super::{Api, read};
use crate::org_timeline;

pub(super) async fn list(api: &Api, request: ListTimelineRequest) -> Result<ListTimelineResponse, ApiError> {
    let organisation = field::organisation("organisation", &request.organisation)?;
    let events = events(&request)?;
    let ListTimelineRequest {
        page_size,
        page_token,
        at_least,
        newest_first,
        ..
    } = request;
    let page = Page::parse(
        page_size,
        &page_token,
        &format!("timeline {organisation:?} {newest_first} {events:?}"),
    )?;
    let mut snapshot = read::open(&api.timeline, at_least, api.patience).await?;
    let as_of = snapshot.as_of();
    let id = match organisation {
        Organisation::Id(id) => Some(id.to_string()),
        Organisation::Number(number) => look_up(&mut snapshot, number).await?,
    };
    let Some(id) = id else {
        return Ok(ListTimelineResponse {
            as_of,
            ..ListTimelineResponse::default()
        });
    };
    let (mut from, mut to) = org_timeline::stretch(&id);
    if let Some(Cursor { number, .. }) = page.after {
        *if newest_first { &mut to } else { &mut from } = org_timeline::key(&id, number);
    }
    let mut sql = QueryBuilder::<Postgres>::new(format!("select row from {} where key > ", snapshot.table()));
    sql.push_bind(from).push(" and key < ").push_bind(to);
    if let Some(events) = events {
        sql.push(" and event = any(").push_bind(events).push(")");
    }
    sql.push(if newest_first {
        " order by key desc limit "
    } else {
        " order by key limit "
    })
    .push_bind(page.limit());
    let rows = sql
        .build()
        .fetch_all(snapshot.connection())
        .await
        .map_err(read::unreadable)?;
    let mut entries = rows
        .iter()
        .map(decode::<TimelineEntry>)
        .collect::<Result<Vec<_>, _>>()
        .map_err(read::unreadable)?;
    let next_page_token = page.cut(&mut entries, |last| Cursor {
        number: last.position,
        ..Cursor::default()
    });
    entries.iter_mut().for_each(explain);
    Ok(ListTimelineResponse {
        entries,
        next_page_token,
        as_of,
    })
}

/// The id behind an organisation number, from the entry of its registration.
async fn look_up(snapshot: &mut Snapshot, number: OrgNumber) -> Result<Option<String>, ApiError> {
    let (from, to) = org_timeline::stretch(number.as_str());
    let sql = format!(
        "select row from {} where key > $1 and key < $2 order by key desc limit 1",
        snapshot.table()
    );
    let row = sqlx::query(&sql)
        .bind(from)
        .bind(to)
        .fetch_optional(snapshot.connection())
        .await
        .map_err(read::unreadable)?;
    let entry = row
        .as_ref()
        .map(decode::<TimelineEntry>)
        .transpose()
        .map_err(read::unreadable)?;
    Ok(entry.map(|entry| entry.organisation_id))
}

/// The names of the events that are asked for, by name and by phase; none when all are.
fn events(request: &ListTimelineRequest) -> Result<Option<Vec<&'static str>>, ApiError> {
    for (n, phase) in request.phases.iter().enumerate() {
        if !(1..=6).contains(phase) {
            return Err(ApiError::invalid(
                format!("phases[{n}]"),
                format!("{phase} is not between 1 and 6"),
            ));
        }
    }
    for (n, name) in request.events.iter().enumerate() {
        if !catalogue().iter().any(|event| event.name == *name) {
            return Err(ApiError::invalid(
                format!("events[{n}]"),
                format!("{name:?} is not an event of the catalogue"),
            ));
        }
    }
    if request.phases.is_empty() && request.events.is_empty() {
        return Ok(None);
    }
    let asked = |event: &&EventType| {
        (request.phases.is_empty() || request.phases.contains(&event.phase))
            && (request.events.is_empty() || request.events.contains(&event.name))
    };
    Ok(Some(
        catalogue()
            .iter()
            .filter(asked)
            .map(|event| event.name.as_str())
            .collect(),
    ))
}

/// Adds what the catalogue says about the event.
pub(super) fn explain(entry: &mut TimelineEntry) {
    if let Some(event) = event_type(&entry.context, &entry.event) {
        entry.norwegian_term.clone_from(&event.norwegian_term);
        entry.phase = event.phase;
    }
}
