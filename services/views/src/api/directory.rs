//! Queries of `municipality_directory`.

use ryggrad_access::{Gate, Key, View};
use ryggrad_eventlog::projection::decode;
use ryggrad_norway::{Icnpo, KommuneNumber, Language};
use ryggrad_proto::views::v1::{
    DirectoryEntry, GetDirectoryEntryRequest, GetDirectoryEntryResponse, ListMunicipalityDirectoryRequest,
    ListMunicipalityDirectoryResponse,
};
use ryggrad_service::ApiError;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::field::{self, Organisation};
use super::page::{Cursor, Page};
use super::{Api, read};
use crate::municipality_directory::{DELETED, STATUSES, name_key};

/// Most characters of a name's beginning.
const PREFIX: usize = 100;

pub(super) async fn get(api: &Api, request: GetDirectoryEntryRequest) -> Result<GetDirectoryEntryResponse, ApiError> {
    let organisation = field::organisation("organisation", &request.organisation)?;
    let gate = api.authority.gate().await?;
    let mut snapshot = read::open(&api.directory, request.at_least, api.patience).await?;
    let (column, value) = match organisation {
        Organisation::Id(id) => ("key", id.to_string()),
        Organisation::Number(number) => ("orgnr", number.to_string()),
    };
    let sql = format!("select row from {} where {column} = $1 limit 1", snapshot.table());
    let row = sqlx::query(&sql)
        .bind(value)
        .fetch_optional(snapshot.connection())
        .await
        .map_err(read::unreadable)?;
    let entry = row
        .as_ref()
        .map(decode::<DirectoryEntry>)
        .transpose()
        .map_err(read::unreadable)?;
    let mut entry = entry.ok_or(ApiError::NotFound {
        what: "organisation",
        id: request.organisation,
    })?;
    let as_of = snapshot.as_of();
    drop(snapshot);
    note(api, &gate, std::slice::from_ref(&entry)).await?;
    explain(&mut entry);
    Ok(GetDirectoryEntryResponse {
        entry: Some(entry),
        as_of,
    })
}

pub(super) async fn list(
    api: &Api,
    request: ListMunicipalityDirectoryRequest,
) -> Result<ListMunicipalityDirectoryResponse, ApiError> {
    let filter = Filter::parse(&request)?;
    let page = Page::parse(request.page_size, &request.page_token, &format!("directory {filter:?}"))?;
    let gate = api.authority.gate().await?;
    let mut snapshot = read::open(&api.directory, request.at_least, api.patience).await?;
    let mut sql = QueryBuilder::<Postgres>::new(format!(
        "select row, name_key, key from {} where true",
        snapshot.table()
    ));
    filter.push(&mut sql);
    if let Some(Cursor { text, key, .. }) = &page.after {
        sql.push(" and (name_key, key) > (")
            .push_bind(text)
            .push(", ")
            .push_bind(key)
            .push(")");
    }
    sql.push(" order by name_key, key limit ").push_bind(page.limit());
    let rows = sql
        .build()
        .fetch_all(snapshot.connection())
        .await
        .map_err(read::unreadable)?;
    let mut entries = rows
        .iter()
        .map(decode::<DirectoryEntry>)
        .collect::<Result<Vec<_>, _>>()
        .map_err(read::unreadable)?;
    let cursor = |last: &DirectoryEntry| Cursor {
        text: name_key(&last.name),
        key: last.organisation_id.clone(),
        ..Cursor::default()
    };
    let next_page_token = page.cut(&mut entries, cursor);
    let as_of = snapshot.as_of();
    drop(snapshot);
    note(api, &gate, &entries).await?;
    entries.iter_mut().for_each(explain);
    Ok(ListMunicipalityDirectoryResponse {
        entries,
        next_page_token,
        as_of,
    })
}

/// The directory is open, but an authority that looks somebody up leaves a trace.
async fn note(api: &Api, gate: &Gate, entries: &[DirectoryEntry]) -> Result<(), ApiError> {
    let shown = entries.iter().map(|entry| {
        let organisation = Uuid::try_parse(&entry.organisation_id).unwrap_or_default();
        Key::about(organisation, Some(&entry.orgnr), Some(&entry.kommunenummer))
    });
    read::note(api, gate, View::MunicipalityDirectory, shown).await
}

/// Which organisations are wanted.
#[derive(Debug)]
struct Filter {
    kommune: Option<String>,
    county: Option<String>,
    icnpo: Option<Icnpo>,
    form: Option<String>,
    /// By its key.
    name_prefix: Option<String>,
    statuses: Vec<&'static str>,
    in_voluntary_register: Option<bool>,
}

// === impl Filter ===

impl Filter {
    fn parse(request: &ListMunicipalityDirectoryRequest) -> Result<Self, ApiError> {
        if request.name_prefix.chars().count() > PREFIX {
            return Err(ApiError::invalid(
                "name_prefix",
                format!("is longer than {PREFIX} characters"),
            ));
        }
        Ok(Self {
            kommune: field::optional("kommunenummer", &request.kommunenummer, field::kommune)?,
            county: field::optional("fylkesnummer", &request.fylkesnummer, field::county)?,
            icnpo: field::optional("icnpo", &request.icnpo, field::icnpo)?,
            form: field::optional("form", &request.form, field::form)?,
            name_prefix: Some(name_key(&request.name_prefix)).filter(|prefix| !prefix.is_empty()),
            statuses: field::each_of("statuses", &request.statuses, &STATUSES)?,
            in_voluntary_register: request.in_voluntary_register,
        })
    }

    fn push(&self, sql: &mut QueryBuilder<'_, Postgres>) {
        for (column, value) in [
            ("kommunenummer", &self.kommune),
            ("fylkesnummer", &self.county),
            ("form", &self.form),
        ] {
            if let Some(value) = value {
                sql.push(" and ").push(column).push(" = ").push_bind(value.clone());
            }
        }
        if let Some(icnpo) = self.icnpo {
            sql.push(" and icnpo @> array[").push_bind(icnpo.code()).push("]");
        }
        if let Some(prefix) = &self.name_prefix {
            // No name has the last character that there is.
            let end = format!("{prefix}{}", char::MAX);
            sql.push(" and name_key >= ")
                .push_bind(prefix.clone())
                .push(" and name_key < ")
                .push_bind(end);
        }
        if self.statuses.is_empty() {
            sql.push(" and status <> ").push_bind(DELETED);
        } else {
            sql.push(" and status = any(")
                .push_bind(self.statuses.clone())
                .push(")");
        }
        if let Some(is_in) = self.in_voluntary_register {
            sql.push(" and in_voluntary_register = ").push_bind(is_in);
        }
    }
}

/// Adds the names that the code lists have.
pub(super) fn explain(entry: &mut DirectoryEntry) {
    if let Ok(kommune) = KommuneNumber::parse(&entry.kommunenummer) {
        kommune.name().clone_into(&mut entry.kommune);
    }
    for category in &mut entry.icnpo {
        if let Ok(icnpo) = Icnpo::parse(&category.code) {
            icnpo.group().code().clone_into(&mut category.group);
            icnpo.name(Language::Nb).clone_into(&mut category.name_nb);
            icnpo.name(Language::Nn).clone_into(&mut category.name_nn);
            icnpo.name(Language::En).clone_into(&mut category.name_en);
        }
    }
}
