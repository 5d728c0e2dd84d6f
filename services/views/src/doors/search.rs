//! Search among the units, with the register's parameters, pages and limit.

use axum::extract::State;
use axum::response::Response;
use ryggrad_eventlog::projection::decode;
use ryggrad_norway::{KommuneNumber, LegalForm, Nace, OrgNumber, PostalCode, Sector};
use ryggrad_proto::views::v1::RegisterUnit;
use serde::Serialize;
use sqlx::{Postgres, QueryBuilder, Row as _};

use super::document::{self, Unit};
use super::{Asked, Doors, Linked, PageInfo, Params, answered, open, unreadable};
use crate::municipality_directory::name_key;
use crate::register_units::THERE;

/// No page ends beyond this hit.
const DEPTH: u64 = 10_000;
/// Hits of a page when nothing is said.
const SIZE: u64 = 20;

/// Parameters that take days: name, column and comparison.
const DAYS: [(&str, &str, &str); 4] = [
    ("fraRegistreringsdatoEnhetsregisteret", "registreringsdato", ">="),
    ("tilRegistreringsdatoEnhetsregisteret", "registreringsdato", "<="),
    ("fraStiftelsesdato", "stiftelsesdato", ">="),
    ("tilStiftelsesdato", "stiftelsesdato", "<="),
];
/// Parameters that take yes or no, and what is asked of the row.
const FLAGS: [(&str, &str); 8] = [
    (
        "registrertIFrivillighetsregisteret",
        "(fr is not distinct from 'there')",
    ),
    ("registrertIMvaregisteret", "('MVA' = any(registre))"),
    ("registrertIForetaksregisteret", "('FOR' = any(registre))"),
    ("registrertIStiftelsesregisteret", "('STI' = any(registre))"),
    ("registrertIPartiregisteret", "('PARTI' = any(registre))"),
    ("konkurs", "konkurs"),
    ("underAvvikling", "under_avvikling"),
    ("underTvangsavviklingEllerTvangsopplosning", "under_tvang"),
];
/// What can be sorted by, and its column.
const ORDERS: [(&str, &str); 7] = [
    ("navn", "name_key"),
    ("navn.norwegian", "name_key"),
    ("organisasjonsnummer", "orgnr"),
    ("organisasjonsform.kode", "form"),
    ("antallAnsatte", "ansatte"),
    ("registreringsdatoEnhetsregisteret", "registreringsdato"),
    ("stiftelsesdato", "stiftelsesdato"),
];
const OTHERS: [&str; 19] = [
    "navn",
    "navnMetodeForSoek",
    "organisasjonsnummer",
    "organisasjonsform",
    "kommunenummer",
    "forretningsadresse.kommunenummer",
    "forretningsadresse.postnummer",
    "postadresse.kommunenummer",
    "postadresse.postnummer",
    "naeringskode",
    "institusjonellSektorkode",
    "overordnetEnhet",
    "hjemmeside",
    "sisteInnsendteAarsregnskap",
    "fraAntallAnsatte",
    "tilAntallAnsatte",
    "page",
    "size",
    "sort",
];

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

pub(super) async fn list(State(doors): State<Doors>, asked: Asked) -> Response {
    answered(asked, async |asked: &Asked| {
        let mut params = asked.params(&known());
        let search = Search::parse(&mut params);
        params.check()?;
        let mut snapshot = open(&doors.units).await?;
        let mut sql = QueryBuilder::new(format!("select count(*) from {} where true", snapshot.table()));
        search.push(&mut sql);
        let row = sql.build().fetch_one(snapshot.connection()).await.map_err(unreadable)?;
        let total: i64 = row.try_get(0).map_err(unreadable)?;
        let mut sql = QueryBuilder::new(format!("select row from {} where true", snapshot.table()));
        search.push(&mut sql);
        search.order(&mut sql);
        let rows = sql.build().fetch_all(snapshot.connection()).await.map_err(unreadable)?;
        let units = rows
            .iter()
            .map(decode::<RegisterUnit>)
            .collect::<Result<Vec<_>, _>>()
            .map_err(unreadable)?;
        let enheter: Vec<_> = units.iter().map(|unit| document::enhet(unit, &asked.host)).collect();
        let page = Page {
            embedded: (!enheter.is_empty()).then_some(Embedded { enheter }),
            links: search.links(asked, &params, total.unsigned_abs()),
            page: search.info(total.unsigned_abs()),
        };
        asked.json(snapshot.as_of(), &page)
    })
    .await
}

fn known() -> Vec<&'static str> {
    let days = DAYS.iter().map(|(name, ..)| *name);
    let flags = FLAGS.iter().map(|(name, _)| *name);
    OTHERS.into_iter().chain(days).chain(flags).collect()
}

/// What is looked for.
#[derive(Debug)]
struct Search {
    /// Beginnings of words of the name, as patterns.
    words: Vec<String>,
    /// Column, and values of which it has to be one.
    any_of: Vec<(&'static str, Vec<String>)>,
    industries: Vec<String>,
    website: Option<String>,
    employees: (Option<i64>, Option<i64>),
    year: Option<i64>,
    days: Vec<(&'static str, &'static str, String)>,
    flags: Vec<(&'static str, bool)>,
    order: Option<(&'static str, bool)>,
    page: u64,
    size: u64,
}

// === impl Search ===

impl Search {
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
        let kommune = |text: &str| KommuneNumber::parse(text).ok().map(|k| k.code().to_owned());
        let postal = |text: &str| PostalCode::parse(text).ok().map(|code| code.code().to_owned());
        let orgnr = |text: &str| OrgNumber::parse_tolerant(text).ok().map(|number| number.to_string());
        let mut kommuner = params.list("kommunenummer", "Kommunenummer er ugyldig", kommune);
        kommuner.extend(params.list("forretningsadresse.kommunenummer", "Kommunenummer er ugyldig", kommune));
        let any_of = vec![
            (
                "orgnr",
                params.list("organisasjonsnummer", "Organisasjonsnummer er ugyldig", orgnr),
            ),
            (
                "form",
                params.list("organisasjonsform", "Organisasjonsform er ugyldig", |text| {
                    LegalForm::parse(text).ok().map(|form| form.code().to_owned())
                }),
            ),
            ("kommunenummer", kommuner),
            (
                "postnummer",
                params.list("forretningsadresse.postnummer", "Postnummer er ugyldig", postal),
            ),
            (
                "post_kommunenummer",
                params.list("postadresse.kommunenummer", "Kommunenummer er ugyldig", kommune),
            ),
            (
                "post_postnummer",
                params.list("postadresse.postnummer", "Postnummer er ugyldig", postal),
            ),
            (
                "sektorkode",
                params.list(
                    "institusjonellSektorkode",
                    "Institusjonell sektorkode er ugyldig",
                    |text| Sector::parse(text).ok().map(|sector| sector.code().to_owned()),
                ),
            ),
            (
                "overordnet",
                params.list("overordnetEnhet", "Organisasjonsnummer er ugyldig", orgnr),
            ),
        ];
        let employees = |params: &mut Params, name| {
            params
                .number(name, 0, i64::MAX.unsigned_abs())
                .and_then(|number| i64::try_from(number).ok())
        };
        Self {
            words: words(params),
            any_of,
            industries: params.list("naeringskode", "Næringskode er ugyldig", |text| {
                Nace::parse(text).ok().map(|code| code.as_str().to_owned())
            }),
            website: params.text("hjemmeside").map(|text| text.to_lowercase()),
            employees: (
                employees(params, "fraAntallAnsatte"),
                employees(params, "tilAntallAnsatte"),
            ),
            year: params
                .number("sisteInnsendteAarsregnskap", 1900, 9999)
                .and_then(|year| i64::try_from(year).ok()),
            days: DAYS
                .into_iter()
                .filter_map(|(name, column, compared)| Some((column, compared, params.date(name)?)))
                .collect(),
            flags: FLAGS
                .into_iter()
                .filter_map(|(name, asked)| Some((asked, params.flag(name)?)))
                .collect(),
            order: params.value("sort", "Sortering støttes ikke", order),
            page,
            size,
        }
    }

    fn push(&self, sql: &mut QueryBuilder<'_, Postgres>) {
        sql.push(" and er = ").push_bind(THERE);
        for pattern in &self.words {
            sql.push(" and (' ' || name_key) like ").push_bind(pattern.clone());
        }
        for (column, values) in &self.any_of {
            if !values.is_empty() {
                sql.push(" and ")
                    .push(column)
                    .push(" = any(")
                    .push_bind(values.clone())
                    .push(")");
            }
        }
        if !self.industries.is_empty() {
            sql.push(" and naeringskoder && ").push_bind(self.industries.clone());
        }
        if let Some(website) = &self.website {
            sql.push(" and hjemmeside = ").push_bind(website.clone());
        }
        for (compared, number) in [(" >= ", self.employees.0), (" <= ", self.employees.1)] {
            if let Some(number) = number {
                sql.push(" and ansatte").push(compared).push_bind(number);
            }
        }
        if let Some(year) = self.year {
            sql.push(" and regnskapsaar = ").push_bind(year);
        }
        for (column, compared, day) in &self.days {
            sql.push(" and ")
                .push(column)
                .push(" ")
                .push(compared)
                .push(" ")
                .push_bind(day.clone());
        }
        for (asked, wanted) in &self.flags {
            sql.push(" and ").push(asked).push(" = ").push_bind(*wanted);
        }
    }

    fn order(&self, sql: &mut QueryBuilder<'_, Postgres>) {
        let (column, down) = self.order.unwrap_or(("name_key", false));
        sql.push(" order by ").push(column);
        sql.push(if down {
            " desc nulls last, key"
        } else {
            " asc nulls last, key"
        });
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

/// Patterns that a name has to match: every word at the beginning of a word, or all of them in a row.
fn words(params: &mut Params) -> Vec<String> {
    let in_a_row = params.value("navnMetodeForSoek", "Verdien må være FORTLOEPENDE", |method| {
        (method == "FORTLOEPENDE").then_some(())
    });
    let Some(name) = params.text("navn") else {
        return Vec::new();
    };
    if name.chars().count() > 180 {
        params.fault("navn", &name, "Navn må være fra 1 til 180 tegn");
    }
    let key = name_key(&name)
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    let pattern = |text: &str| format!("% {text}%");
    match in_a_row {
        Some(()) => vec![pattern(&key)],
        None => key.split_whitespace().map(pattern).collect(),
    }
}

/// `property`, `property,ASC` or `property,DESC`.
fn order(text: &str) -> Option<(&'static str, bool)> {
    let (property, direction) = text.split_once(',').unwrap_or((text, "asc"));
    let (_, column) = ORDERS.into_iter().find(|(name, _)| *name == property)?;
    match direction.to_ascii_lowercase().as_str() {
        "asc" => Some((column, false)),
        "desc" => Some((column, true)),
        _ => None,
    }
}
