//! One unit.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use ryggrad_eventlog::projection::{Snapshot, decode};
use ryggrad_norway::OrgNumber;
use ryggrad_proto::views::v1::RegisterUnit;

use super::document::{self, Unit};
use super::{Asked, Params, Refused, answered, note, open, unreadable};
use crate::api::Api;

pub(super) async fn get(State(api): State<Api>, Path(orgnr): Path<String>, asked: Asked) -> Response {
    answered(asked, async |asked: &Asked| {
        asked.params(&[]).check()?;
        // Before the snapshot: nobody holds one connection while waiting for another.
        let gate = api.authority.gate().await?;
        let mut snapshot = open(&api.register_units).await?;
        let unit = find(&mut snapshot, &orgnr).await?;
        let unit = unit.ok_or_else(|| Refused::Unknown(format!("Ingen enhet med organisasjonsnummer {orgnr}")))?;
        let as_of = snapshot.as_of();
        drop(snapshot);
        note(&api, &gate, [&unit]).await?;
        let document = document::enhet(&unit, &asked.host);
        let is_gone = matches!(document, Unit::Fjernet(_));
        let mut response = asked.json(as_of, &document)?;
        if is_gone {
            *response.status_mut() = StatusCode::GONE;
        }
        Ok(response)
    })
    .await
}

/// The unit with an organisation number; what is no such number is refused.
pub(super) async fn find(snapshot: &mut Snapshot, orgnr: &str) -> Result<Option<RegisterUnit>, Refused> {
    // Read tolerantly: the register's own examples begin with digits that no organisation has.
    if OrgNumber::parse_tolerant(orgnr).is_err() {
        let mut params = Params::parse(None, &[]);
        params.fault("organisasjonsnummer", orgnr, "Organisasjonsnummer er ugyldig");
        params.check()?;
    }
    let sql = format!("select row from {} where orgnr = $1 limit 1", snapshot.table());
    let row = sqlx::query(&sql)
        .bind(orgnr)
        .fetch_optional(snapshot.connection())
        .await
        .map_err(unreadable)?;
    row.as_ref().map(decode).transpose().map_err(unreadable)
}
