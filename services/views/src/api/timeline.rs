//! Queries of `org_timeline`.

use ryggrad_access::{Gate, Key, UNKNOWN, Verdict, View, Vocabulary};
use ryggrad_eventlog::projection::{Snapshot, decode};
use ryggrad_norway::OrgNumber;
use ryggrad_proto::views::v1::{ListTimelineRequest, ListTimelineResponse, TimelineEntry};
use ryggrad_proto::{EventType, catalogue, event_type};
use ryggrad_service::ApiError;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

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
    // Before the snapshot: nobody holds one connection while waiting for another.
    let gate = api.authority.gate().await?;
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
    let mut stretch = org_timeline::stretch(&id);
    if let Some(Cursor { number, .. }) = page.after {
        narrow(&mut stretch, &id, number, newest_first);
    }
    let mut entries: Vec<TimelineEntry> = Vec::new();
    let mut verdicts = Vec::new();
    loop {
        let some = read_some(&mut snapshot, &stretch, events.as_deref(), newest_first, page.limit()).await?;
        let Some(last) = some.last() else { break };
        narrow(&mut stretch, &id, last.position, newest_first);
        let more = i64::try_from(some.len()) == Ok(page.limit());
        for entry in some {
            let verdict = verdict(&gate, &entry);
            if verdict.allows() {
                entries.push(entry);
                verdicts.push(verdict);
            }
        }
        if !more || entries.len() > page.size {
            break;
        }
    }
    // Nobody else has to wait for its connection while the access log is written.
    drop(snapshot);
    let next_page_token = page.cut(&mut entries, |last| Cursor {
        number: last.position,
        ..Cursor::default()
    });
    if let Ok(id) = Uuid::try_parse(&id) {
        let mut trace = read::Trace::default();
        for (entry, verdict) in entries.iter().zip(verdicts) {
            trace.leave(&gate, verdict, whose(entry, verdict).unwrap_or(id));
        }
        let orgnr = entries
            .iter()
            .rev()
            .find(|entry| !entry.related && !entry.orgnr.is_empty());
        let orgnr = orgnr.map(|entry| entry.orgnr.clone());
        trace.record_one(api, &gate, View::OrgTimeline, (id, orgnr)).await?;
    }
    entries.iter_mut().for_each(explain);
    Ok(ListTimelineResponse {
        entries,
        next_page_token,
        as_of,
    })
}

/// Leaves out what comes up to a position.
fn narrow((from, to): &mut (String, String), id: &str, position: u64, newest_first: bool) {
    *if newest_first { to } else { from } = org_timeline::key(id, position);
}

async fn read_some(
    snapshot: &mut Snapshot,
    (from, to): &(String, String),
    events: Option<&[&'static str]>,
    newest_first: bool,
    limit: i64,
) -> Result<Vec<TimelineEntry>, ApiError> {
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
    .push_bind(limit);
    let rows = sql
        .build()
        .fetch_all(snapshot.connection())
        .await
        .map_err(read::unreadable)?;
    let entries = rows.iter().map(decode::<TimelineEntry>).collect::<Result<Vec<_>, _>>();
    entries.map_err(read::unreadable)
}

/// Whose fact an entry shows; of open data it is told who was looked up, and not whom it leads to.
fn whose(entry: &TimelineEntry, verdict: Verdict<'_>) -> Option<Uuid> {
    match verdict {
        Verdict::Open => None,
        _ => Uuid::try_parse(&entry.owner_id).ok(),
    }
}

/// Whether a caller sees an entry.
pub(super) fn verdict<'a>(gate: &'a Gate, entry: &TimelineEntry) -> Verdict<'a> {
    gate.shows(View::OrgTimeline, entry.position, &key_of(entry))
}

/// What the gate looks at: the entry as the event that it is.
fn key_of(entry: &TimelineEntry) -> Key {
    let words = Vocabulary::get();
    let owner = Uuid::try_parse(&entry.owner_id).unwrap_or_default();
    // A related entry carries the number of the one whose event it is.
    let about = Key::about(owner, Some(&entry.orgnr), Some(&entry.kommunenummer));
    Key {
        event_type: words.event_type(&entry.context, &entry.event).unwrap_or(UNKNOWN),
        context: words.context(&entry.context).unwrap_or(UNKNOWN),
        aggregate: words.aggregate(&entry.aggregate_type).unwrap_or(UNKNOWN),
        class: u8::try_from(entry.class).unwrap_or(u8::MAX),
        ..about
    }
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
        if *phase > 6 {
            return Err(ApiError::invalid(
                format!("phases[{n}]"),
                format!("{phase} is not between 0 and 6"),
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
