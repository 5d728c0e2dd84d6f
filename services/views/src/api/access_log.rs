//! Queries of `access_log`.

use ryggrad_access::{Key, View};
use ryggrad_eventlog::projection::decode;
use ryggrad_proto::views::v1::{AccessLogEntry, ListAccessLogRequest, ListAccessLogResponse};
use ryggrad_service::readings::About;
use ryggrad_service::{ApiError, authority};

use super::field::{self, Organisation};
use super::page::{Cursor, Page};
use super::{Api, read};
use crate::org_timeline;

pub(super) async fn list(api: &Api, request: ListAccessLogRequest) -> Result<ListAccessLogResponse, ApiError> {
    let organisation = field::organisation("organisation", &request.organisation)?;
    let page = Page::parse(
        request.page_size,
        &request.page_token,
        &format!("access log {organisation:?}"),
    )?;
    let (id, orgnr) = match organisation {
        Organisation::Id(id) => (Some(id), None),
        Organisation::Number(number) => {
            let known = api.authority.registry().organisation(number).await;
            (known.map_err(read::unreadable)?, Some(number))
        }
    };
    let gate = api.authority.gate().await?;
    let about = Key::about(
        id.unwrap_or_default(),
        orgnr.as_ref().map(ryggrad_norway::OrgNumber::as_str),
        None,
    );
    let verdict = authority::ask(&gate, View::AccessLog, &about)?;
    let mut snapshot = read::open(&api.access_log, request.at_least, api.patience).await?;
    let as_of = snapshot.as_of();
    let Some(id) = id else {
        return Ok(ListAccessLogResponse {
            as_of,
            ..ListAccessLogResponse::default()
        });
    };
    let (from, mut to) = org_timeline::stretch(&id.to_string());
    if let Some(Cursor { number, .. }) = page.after {
        to = org_timeline::key(&id.to_string(), number);
    }
    let sql = format!(
        "select row from {} where key > $1 and key < $2 order by key desc limit $3",
        snapshot.table()
    );
    let rows = sqlx::query(&sql)
        .bind(from)
        .bind(to)
        .bind(page.limit())
        .fetch_all(snapshot.connection())
        .await
        .map_err(read::unreadable)?;
    let mut entries = rows
        .iter()
        .map(decode::<AccessLogEntry>)
        .collect::<Result<Vec<_>, _>>()
        .map_err(read::unreadable)?;
    // Nobody else has to wait for its connection while the access log is written.
    drop(snapshot);
    let next_page_token = page.cut(&mut entries, |last| Cursor {
        number: last.position,
        ..Cursor::default()
    });
    // Who looks at one's own access log leaves no trace in it; who does so by a mandate does.
    let one = About::One {
        id,
        orgnr: orgnr.map(|orgnr| orgnr.to_string()),
    };
    api.readings
        .record(gate.caller().identity(), View::AccessLog.name(), verdict, one)
        .await?;
    Ok(ListAccessLogResponse {
        entries,
        next_page_token,
        as_of,
    })
}

pub(super) fn key_of(entry: &AccessLogEntry) -> Key {
    Key::about(entry.organisation_id.parse().unwrap_or_default(), None, None)
}
