//! Organisations of Frivillighetsregisteret: one, or page after page.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use ryggrad_eventlog::projection::decode;
use ryggrad_norway::{Language, OrgNumber};
use ryggrad_proto::views::v1::RegisterUnit;
use serde::Serialize;

use super::document::{self, Voluntary};
use super::{Asked, Linked, Params, Refused, answered, note, open, units, unreadable};
use crate::api::Api;
use crate::register_units::THERE;

/// Organisations of a page when nothing is said, and at the most.
const SIZE: (u64, u64) = (20, 100);

#[derive(Serialize)]
struct Page<'a> {
    #[serde(rename = "_embedded", skip_serializing_if = "Option::is_none")]
    embedded: Option<Embedded<'a>>,
    #[serde(rename = "_links")]
    links: Links,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Embedded<'a> {
    frivillige_organisasjoner: Vec<Voluntary<'a>>,
}

#[derive(Serialize)]
struct Links {
    #[serde(rename = "self")]
    own: Linked,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Linked>,
}

pub(super) async fn get(State(api): State<Api>, Path(orgnr): Path<String>, asked: Asked) -> Response {
    answered(asked, async |asked: &Asked| {
        let mut params = asked.params(&["spraak"]);
        let language = language(&mut params);
        params.check()?;
        // Before the snapshot: nobody holds one connection while waiting for another.
        let gate = api.authority.gate().await?;
        let mut snapshot = open(&api.register_units).await?;
        let unit = units::find(&mut snapshot, &orgnr).await?;
        let unknown = || Refused::Unknown(format!("Ingen frivillig organisasjon med organisasjonsnummer {orgnr}"));
        let unit = unit.filter(|unit| unit.frivillig.is_some()).ok_or_else(unknown)?;
        let as_of = snapshot.as_of();
        drop(snapshot);
        note(&api, &gate, [&unit]).await?;
        let Some(document) = document::frivillig(&unit, language) else {
            let mut response = asked.json(as_of, &document::enhet(&unit, &asked.host))?;
            *response.status_mut() = StatusCode::GONE;
            return Ok(response);
        };
        asked.json(as_of, &document)
    })
    .await
}

/// By organisation number, after the last one of the page before. As in the register, deleted ones are not listed: they are
/// in the feed and in the whole file.
pub(super) async fn list(State(api): State<Api>, asked: Asked) -> Response {
    answered(asked, async |asked: &Asked| {
        let mut params = asked.params(&["size", "searchAfter", "spraak"]);
        let size = params.number("size", 1, SIZE.1).unwrap_or(SIZE.0);
        let after = params.value("searchAfter", "searchAfter er ugyldig", |text| {
            OrgNumber::parse_tolerant(text).ok().map(|number| number.to_string())
        });
        let language = language(&mut params);
        params.check()?;
        let gate = api.authority.gate().await?;
        let mut snapshot = open(&api.register_units).await?;
        let sql = format!(
            "select row from {} where fr = $1 and orgnr > $2 order by orgnr limit $3",
            snapshot.table()
        );
        let rows = sqlx::query(&sql)
            .bind(THERE)
            .bind(after.unwrap_or_default())
            .bind(i64::try_from(size + 1).unwrap_or(i64::MAX))
            .fetch_all(snapshot.connection())
            .await
            .map_err(unreadable)?;
        let mut units = rows
            .iter()
            .map(decode::<RegisterUnit>)
            .collect::<Result<Vec<_>, _>>()
            .map_err(unreadable)?;
        let as_of = snapshot.as_of();
        drop(snapshot);
        let is_more = units.len() as u64 > size;
        units.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        note(&api, &gate, &units).await?;
        let next = units.last().filter(|_| is_more).map(|last| {
            let after = [
                ("searchAfter", last.organisasjonsnummer.as_str()),
                ("size", &size.to_string()),
            ];
            asked.link(&params.link(&["searchAfter", "size"], &after))
        });
        let frivillige_organisasjoner: Vec<_> = (units.iter())
            .filter_map(|unit| Some(document::frivillig(unit, language)?.listed()))
            .collect();
        let page = Page {
            embedded: (!frivillige_organisasjoner.is_empty()).then_some(Embedded {
                frivillige_organisasjoner,
            }),
            links: Links {
                own: asked.link(&params.link(&[], &[])),
                next,
            },
        };
        asked.json(as_of, &page)
    })
    .await
}

/// The language of the names of categories, which are told only to who asks for one.
fn language(params: &mut Params) -> Option<Language> {
    params.language("spraak").map(|(_, language)| language)
}
