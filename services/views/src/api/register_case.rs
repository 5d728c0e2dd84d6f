//! Queries of `register_case`.

use ryggrad_eventlog::projection::decode;
use ryggrad_proto::views::v1::{
    GetRegisterCaseRequest, GetRegisterCaseResponse, ListRegisterCasesRequest, ListRegisterCasesResponse, RegisterCase,
};
use ryggrad_service::ApiError;
use sqlx::{Postgres, QueryBuilder};

use super::field::{self, Organisation};
use super::page::{Cursor, Page};
use super::{Api, read};
use crate::register_case::STATES;

pub(super) async fn get(api: &Api, request: GetRegisterCaseRequest) -> Result<GetRegisterCaseResponse, ApiError> {
    let id = field::uuid("case_id", &request.case_id)?;
    let mut snapshot = read::open(&api.register_case, request.at_least, api.patience).await?;
    let register_case = snapshot.get(&id.to_string()).await.map_err(read::unreadable)?;
    let register_case = register_case.ok_or_else(|| ApiError::NotFound {
        what: "registration case",
        id: id.to_string(),
    })?;
    Ok(GetRegisterCaseResponse {
        register_case: Some(register_case),
        as_of: snapshot.as_of(),
    })
}

pub(super) async fn list(api: &Api, request: ListRegisterCasesRequest) -> Result<ListRegisterCasesResponse, ApiError> {
    let organisation = field::optional("organisation", &request.organisation, field::organisation)?;
    let states = field::each_of("states", &request.states, &STATES)?;
    let kommune = field::optional("kommunenummer", &request.kommunenummer, field::kommune)?;
    let list = format!("register cases {organisation:?} {states:?} {kommune:?}");
    let page = Page::parse(request.page_size, &request.page_token, &list)?;
    let mut snapshot = read::open(&api.register_case, request.at_least, api.patience).await?;
    let mut sql = QueryBuilder::<Postgres>::new(format!("select row from {} where true", snapshot.table()));
    match organisation {
        Some(Organisation::Id(id)) => _ = sql.push(" and organisation_id = ").push_bind(id),
        Some(Organisation::Number(number)) => _ = sql.push(" and orgnr = ").push_bind(number.to_string()),
        None => {}
    }
    if !states.is_empty() {
        sql.push(" and state = any(").push_bind(states).push(")");
    }
    if let Some(kommune) = kommune {
        sql.push(" and kommunenummer = ").push_bind(kommune);
    }
    if let Some(after) = &page.after {
        sql.push(" and first_position < ")
            .push_bind(i64::try_from(after.number).unwrap_or(i64::MAX));
    }
    sql.push(" order by first_position desc limit ").push_bind(page.limit());
    let rows = sql
        .build()
        .fetch_all(snapshot.connection())
        .await
        .map_err(read::unreadable)?;
    let mut register_cases = rows
        .iter()
        .map(decode::<RegisterCase>)
        .collect::<Result<Vec<_>, _>>()
        .map_err(read::unreadable)?;
    let next_page_token = page.cut(&mut register_cases, |last| Cursor {
        number: last.first_position,
        ..Cursor::default()
    });
    Ok(ListRegisterCasesResponse {
        register_cases,
        next_page_token,
        as_of: snapshot.as_of(),
    })
}
