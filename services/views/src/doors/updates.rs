//! The change feeds: Enhetsregisteret's own, and the same for Frivillighetsregisteret, which has none.
//!
//! `oppdateringsid` is the position in the log. Who has read up to one goes on with the next number, for as long as there is
//! anything: no page is the last that may be read.

use axum::extract::State;
use axum::response::Response;
use futures::TryStreamExt as _;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use ryggrad_access::{Key, View};
use ryggrad_eventlog::projection::decode;
use ryggrad_norway::OrgNumber;
use ryggrad_proto::views::v1::{Endringstype, RegisterChange, RegisterUnit};
use serde::Serialize;
use sqlx::{Postgres, QueryBuilder, Row as _};

use super::document;
use super::patch::{self, Step};
use super::{Answer, Asked, Linked, PageInfo, Params, Refused, about, answered, open, unreadable};
use crate::api::{Api, read};

/// Changes of a page when nothing is said, and at the most.
const SIZE: (u64, u64) = (20, 10_000);
const KNOWN: [&str; 8] = [
    "oppdateringsid",
    "dato",
    "updatedBefore",
    "organisasjonsnummer",
    "includeChanges",
    "page",
    "size",
    "sort",
];

/// One of the two feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Feed {
    Enheter,
    Frivillige,
}

/// What is asked of a feed.
#[derive(Debug)]
struct Wanted {
    from: i64,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    orgnr: Vec<String>,
    with_changes: bool,
    newest_first: bool,
    page: u64,
    size: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    oppdateringsid: u64,
    dato: String,
    organisasjonsnummer: &'a str,
    endringstype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    endringer: Option<Vec<Step>>,
    /// Nothing is left to link to of what was removed.
    #[serde(rename = "_links", skip_serializing_if = "Option::is_none")]
    links: Option<EntryLinks>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum EntryLinks {
    Enhet(Linked),
    FrivilligOrganisasjon(Linked),
}

#[derive(Serialize)]
struct PageLinks {
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<Linked>,
    #[serde(rename = "self")]
    own: Linked,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Linked>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Linked>,
}

pub(super) async fn units(State(api): State<Api>, asked: Asked) -> Response {
    answered(asked, async |asked: &Asked| list(&api, asked, Feed::Enheter).await).await
}

pub(super) async fn voluntary(State(api): State<Api>, asked: Asked) -> Response {
    answered(asked, async |asked: &Asked| list(&api, asked, Feed::Frivillige).await).await
}

async fn list(api: &Api, asked: &Asked, feed: Feed) -> Answer {
    let mut params = asked.params(&KNOWN);
    let wanted = Wanted::parse(&mut params);
    params.check()?;
    // Before the snapshot: nobody holds one connection while waiting for another.
    let gate = api.authority.gate().await?;
    let mut snapshot = open(&api.register_changes).await?;
    let table = snapshot.table().to_owned();
    let mut sql = QueryBuilder::new(format!("select count(*) from {table}"));
    wanted.push(feed, &mut sql);
    let row = sql.build().fetch_one(snapshot.connection()).await.map_err(unreadable)?;
    let total = row.try_get::<i64, _>(0).map_err(unreadable)?.unsigned_abs();
    let mut sql = QueryBuilder::new(format!("select row from {table}"));
    wanted.push(feed, &mut sql);
    wanted.cut(feed, &mut sql);
    // Written as they come: ten thousand documents before and after are not held at once.
    let (mut body, mut last, mut shown) = (Vec::new(), None, Vec::new());
    let mut rows = sql.build().fetch(snapshot.connection());
    while let Some(row) = rows.try_next().await.map_err(unreadable)? {
        let change: RegisterChange = decode(&row).map_err(unreadable)?;
        let begin = if last.is_none() {
            format!("{{\"_embedded\":{{\"{}\":[", feed.list())
        } else {
            ",".to_owned()
        };
        body.extend_from_slice(begin.as_bytes());
        write(&mut body, &feed.entry(&change, asked, wanted.with_changes)?)?;
        last = Some(change.position);
        if !gate.is_open_only() {
            shown.push(key_of(&change));
        }
    }
    drop(rows);
    let as_of = snapshot.as_of();
    drop(snapshot);
    read::note(api, &gate, View::RegisterChanges, shown.into_iter()).await?;
    body.extend_from_slice(if last.is_some() {
        b"]},\"_links\":"
    } else {
        b"{\"_links\":"
    });
    write(&mut body, &wanted.links(asked, &params, total, last))?;
    body.extend_from_slice(b",\"page\":");
    let page = PageInfo {
        size: wanted.size,
        total_elements: total,
        total_pages: total.div_ceil(wanted.size),
        number: wanted.page,
    };
    write(&mut body, &page)?;
    body.push(b'}');
    Ok(asked.bytes(as_of, body))
}

/// Whose change it is.
fn key_of(change: &RegisterChange) -> Key {
    let organisation = change.after.as_ref().map_or("", |unit| &unit.organisation_id);
    about(organisation, &change.organisasjonsnummer, None)
}

fn write(body: &mut Vec<u8>, part: &impl Serialize) -> Result<(), Refused> {
    serde_json::to_writer(body, part).map_err(unwritable)
}

#[expect(clippy::needless_pass_by_value, reason = "an error is mapped by value")]
fn unwritable(error: serde_json::Error) -> Refused {
    tracing::error!(%error, "a change cannot be written");
    Refused::Broken
}

// === impl Wanted ===

impl Wanted {
    fn parse(params: &mut Params) -> Self {
        let bound = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Self {
            from: params
                .number("oppdateringsid", 0, i64::MAX.unsigned_abs())
                .map_or(0, bound),
            since: params.instant("dato"),
            until: params.instant("updatedBefore"),
            orgnr: params.list("organisasjonsnummer", "Organisasjonsnummer er ugyldig", |text| {
                OrgNumber::parse_tolerant(text).ok().map(|number| number.to_string())
            }),
            with_changes: params.flag("includeChanges").unwrap_or(false),
            newest_first: params
                .sort("sort", "id", |property| {
                    matches!(property, "id" | "oppdateringsid").then_some(())
                })
                .is_some_and(|((), down)| down),
            page: params.number("page", 0, u64::from(u32::MAX)).unwrap_or(0),
            size: params.number("size", 1, SIZE.1).unwrap_or(SIZE.0),
        }
    }

    fn push(&self, feed: Feed, sql: &mut QueryBuilder<'_, Postgres>) {
        sql.push(" where ")
            .push(feed.column())
            .push(" >= ")
            .push_bind(self.from);
        if let Some(since) = self.since {
            sql.push(" and dato >= ").push_bind(since.to_sqlx());
        }
        if let Some(until) = self.until {
            sql.push(" and dato <= ").push_bind(until.to_sqlx());
        }
        if !self.orgnr.is_empty() {
            sql.push(" and orgnr = any(").push_bind(self.orgnr.clone()).push(")");
        }
    }

    fn cut(&self, feed: Feed, sql: &mut QueryBuilder<'_, Postgres>) {
        let bound = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        sql.push(" order by ").push(feed.column());
        sql.push(if self.newest_first { " desc" } else { "" });
        sql.push(" limit ").push_bind(bound(self.size));
        sql.push(" offset ").push_bind(bound(self.page * self.size));
    }

    /// The next page begins after the last change of this one, so that it stays the same however much is written meanwhile;
    /// backwards, where nothing can stay, it is the page with the next number.
    fn links(&self, asked: &Asked, params: &Params, total: u64, last: Option<u64>) -> PageLinks {
        let pages = total.div_ceil(self.size);
        let page = |page: u64| asked.link(&params.link(&["page"], &[("page", &page.to_string())]));
        let after = |last: u64| {
            let id = (last + 1).to_string();
            asked.link(&params.link(&["oppdateringsid", "dato", "page"], &[("oppdateringsid", &id)]))
        };
        let last = last.filter(|_| self.page + 1 < pages);
        PageLinks {
            first: (pages > 1).then(|| page(0)),
            own: asked.link(&params.link(&[], &[])),
            next: last.map(|last| {
                if self.newest_first {
                    page(self.page + 1)
                } else {
                    after(last)
                }
            }),
            last: (pages > 1).then(|| page(pages - 1)),
        }
    }
}

// === impl Feed ===

impl Feed {
    /// The column with the positions of its changes.
    const fn column(self) -> &'static str {
        match self {
            Self::Enheter => "er",
            Self::Frivillige => "fr",
        }
    }

    const fn list(self) -> &'static str {
        match self {
            Self::Enheter => "oppdaterteEnheter",
            Self::Frivillige => "oppdaterteFrivilligeOrganisasjoner",
        }
    }

    fn kind(self, change: &RegisterChange) -> Endringstype {
        match self {
            Self::Enheter => change.enhetsregisteret(),
            Self::Frivillige => change.frivillighetsregisteret(),
        }
    }

    fn link(self, host: &str, orgnr: &str) -> EntryLinks {
        match self {
            Self::Enheter => EntryLinks::Enhet(Linked {
                href: format!("{host}/enhetsregisteret/api/enheter/{orgnr}"),
            }),
            Self::Frivillige => EntryLinks::FrivilligOrganisasjon(Linked {
                href: format!("{host}/frivillighetsregisteret/api/frivillige-organisasjoner/{orgnr}"),
            }),
        }
    }

    fn entry<'a>(self, change: &'a RegisterChange, asked: &Asked, with_changes: bool) -> Result<Entry<'a>, Refused> {
        let kind = self.kind(change);
        let dato = change
            .dato
            .and_then(|dato| Timestamp::try_from(dato).ok())
            .unwrap_or_default();
        let endringer = with_changes
            .then(|| self.steps(change, kind))
            .transpose()
            .map_err(unwritable)?;
        Ok(Entry {
            oppdateringsid: change.position,
            dato: format!("{dato:.3}"),
            organisasjonsnummer: &change.organisasjonsnummer,
            endringstype: word(kind),
            endringer,
            links: (kind != Endringstype::Fjernet).then(|| self.link(&asked.host, &change.organisasjonsnummer)),
        })
    }

    /// What is new is told whole; of what was deleted the day, for the rest of the document goes with it.
    fn steps(self, change: &RegisterChange, kind: Endringstype) -> Result<Vec<Step>, serde_json::Error> {
        let Some(after) = &change.after else {
            return Ok(Vec::new());
        };
        match kind {
            Endringstype::Ny => self.compare(None, after),
            Endringstype::Endring => self.compare(change.before.as_ref(), after),
            Endringstype::Sletting => Ok(match self {
                Self::Enheter => patch::added("/slettedato", &after.slettedato),
                Self::Frivillige => patch::added(
                    "/slettetDato",
                    after.frivillig.as_ref().map_or("", |entry| &entry.slettet_dato),
                ),
            }),
            Endringstype::Fjernet | Endringstype::Unspecified => Ok(Vec::new()),
        }
    }

    fn compare(self, before: Option<&RegisterUnit>, after: &RegisterUnit) -> Result<Vec<Step>, serde_json::Error> {
        match self {
            Self::Enheter => patch::steps(
                &before.map(|unit| document::enhet(unit, "")),
                &document::enhet(after, ""),
            ),
            Self::Frivillige => patch::steps(
                &before.and_then(|unit| document::frivillig(unit, None)),
                &document::frivillig(after, None),
            ),
        }
    }
}

const fn word(kind: Endringstype) -> &'static str {
    match kind {
        Endringstype::Ny => "Ny",
        Endringstype::Endring => "Endring",
        Endringstype::Sletting => "Sletting",
        Endringstype::Fjernet => "Fjernet",
        Endringstype::Unspecified => "Ukjent",
    }
}
