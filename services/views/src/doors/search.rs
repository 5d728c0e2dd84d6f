//! Search among the units, with the register's parameters, pages and limit.

use axum::extract::State;
use axum::response::Response;
use ryggrad_eventlog::projection::decode;
use ryggrad_proto::views::v1::RegisterUnit;
use serde::Serialize;
use sqlx::{Postgres, QueryBuilder, Row as _};

use super::document::{self, Unit};
use super::{Asked, Linked, PageInfo, Params, answered, note, open, unreadable};
use crate::api::Api;

mod filter;
mod words;

use filter::Filter;

/// No page ends beyond this hit.
const DEPTH: u64 = 10_000;
/// Hits of a page when nothing is said.
const SIZE: u64 = 20;

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the register's names")]
struct Page<'a> {
    #[serde(rename = "_embedded", skip_serializing_if = "Option::is_none")]
    embedded: Option<Embedded<'a>>,
    #[serde(rename = "_links")]
    links: Links,
    page: PageInfo,
}

#[derive(Serialize)]
struct Embedded<'a> {
    enheter: Vec<Unit<'a>>,
}

#[derive(Serialize)]
struct Links {
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<Linked>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev: Option<Linked>,
    #[serde(rename = "self")]
    own: Linked,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Linked>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Linked>,
}

pub(super) async fn list(State(api): State<Api>, asked: Asked) -> Response {
    answered(asked, async |asked: &Asked| {
        let mut params = asked.params(&filter::known());
        let (cut, filter) = (Cut::parse(&mut params), Filter::parse(&mut params));
        params.check()?;
        // Before the snapshot: nobody holds one connection while waiting for another.
        let gate = api.authority.gate().await?;
        let mut snapshot = open(&api.register_units).await?;
        let mut sql = QueryBuilder::new(format!("select count(*) from {} where true", snapshot.table()));
        filter.push(&mut sql);
        let row = sql.build().fetch_one(snapshot.connection()).await.map_err(unreadable)?;
        let total = row.try_get::<i64, _>(0).map_err(unreadable)?.unsigned_abs();
        let mut sql = QueryBuilder::new(format!("select row from {} where true", snapshot.table()));
        filter.push(&mut sql);
        filter.order(&mut sql);
        cut.push(&mut sql);
        let rows = sql.build().fetch_all(snapshot.connection()).await.map_err(unreadable)?;
        let units = rows
            .iter()
            .map(decode::<RegisterUnit>)
            .collect::<Result<Vec<_>, _>>()
            .map_err(unreadable)?;
        let as_of = snapshot.as_of();
        drop(snapshot);
        note(&api, &gate, &units).await?;
        let enheter: Vec<_> = units.iter().map(|unit| document::enhet(unit, &asked.host)).collect();
        let page = Page {
            embedded: (!enheter.is_empty()).then_some(Embedded { enheter }),
            links: cut.links(asked, &params, total),
            page: cut.info(total),
        };
        asked.json(as_of, &page)
    })
    .await
}

/// The page that is asked for.
#[derive(Debug)]
struct Cut {
    page: u64,
    size: u64,
}

// === impl Cut ===

impl Cut {
    fn parse(params: &mut Params) -> Self {
        let size = params.number("size", 1, DEPTH).unwrap_or(SIZE);
        let page = params.number("page", 0, u64::MAX / DEPTH).unwrap_or(0);
        if (page + 1) * size > DEPTH {
            params.fault(
                "page",
                &page.to_string(),
                format!("Sidetall ganger sidestørrelse kan ikke gå ut over treff nummer {DEPTH}"),
            );
        }
        Self { page, size }
    }

    fn push(&self, sql: &mut QueryBuilder<'_, Postgres>) {
        let bound = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        sql.push(" limit ").push_bind(bound(self.size));
        sql.push(" offset ").push_bind(bound(self.page * self.size));
    }

    fn info(&self, total: u64) -> PageInfo {
        PageInfo {
            size: self.size,
            total_elements: total,
            total_pages: total.div_ceil(self.size),
            number: self.page,
        }
    }

    /// No link leads to a page that would be refused.
    fn links(&self, asked: &Asked, params: &Params, total: u64) -> Links {
        let last = total.div_ceil(self.size).min(DEPTH / self.size).saturating_sub(1);
        let to = |page: u64| {
            let (page, size) = (page.to_string(), self.size.to_string());
            asked.link(&params.link(&["page", "size"], &[("page", &page), ("size", &size)]))
        };
        let is_long = last > 0;
        Links {
            first: is_long.then(|| to(0)),
            prev: (self.page > 0).then(|| to((self.page - 1).min(last))),
            own: asked.link(&params.link(&[], &[])),
            next: (self.page < last).then(|| to(self.page + 1)),
            last: is_long.then(|| to(last)),
        }
    }
}
