//! Queries of `register_case`.

use ryggrad_access::{Key, View};
use ryggrad_eventlog::projection::decode;
use ryggrad_proto::views::v1::{
    GetRegisterCaseRequest, GetRegisterCaseResponse, ListRegisterCasesRequest, ListRegisterCasesResponse, RegisterCase,
};
use ryggrad_service::readings::About;
use ryggrad_service::{ApiError, authority};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::field::{self, Organisation};
use super::page::{Cursor, Page};
use super::{Api, read};
use crate::register_case::STATES;

pub(super) async fn get(api: &Api, request: GetRegisterCaseRequest) -> Result<GetRegisterCaseResponse, ApiError> {
    let id = field::uuid("case_id", &request.case_id)?;
    let gate = api.authority.gate().await?;
    let mut snapshot = read::open(&api.register_case, request.at_least, api.patience).await?;
    let register_case = snapshot.get(&id.to_string()).await.map_err(read::unreadable)?;
    let as_of = snapshot.as_of();
    drop(snapshot);
    // Who may not see a case is not told whether it exists.
    let about = register_case
        .as_ref()
        .map_or_else(|| Key::about(Uuid::nil(), None, None), key_of);
    let verdict = authority::ask(&gate, View::RegisterCase, &about)?;
    let register_case: RegisterCase = register_case.ok_or_else(|| ApiError::NotFound {
        what: "registration case",
        id: id.to_string(),
    })?;
    let one = About::One {
        id: about.organisation,
        orgnr: Some(register_case.orgnr.clone()).filter(|orgnr| !orgnr.is_empty()),
    };
    let view = View::RegisterCase.name();
    api.readings
        .record(gate.caller().identity(), view, verdict, one)
        .await?;
    Ok(GetRegisterCaseResponse {
        register_case: Some(register_case),
        as_of,
    })
}

pub(super) async fn list(api: &Api, request: ListRegisterCasesRequest) -> Result<ListRegisterCasesResponse, ApiError> {
    let organisation = field::optional("organisation", &request.organisation, field::organisation)?;
    let states = field::each_of("states", &request.states, &STATES)?;
    let kommune = field::optional("kommunenummer", &request.kommunenummer, field::kommune)?;
    let list = format!("register cases {organisation:?} {states:?} {kommune:?}");
    let page = Page::parse(request.page_size, &request.page_token, &list)?;
    let gate = api.authority.gate().await?;
    let bounds = gate.bounds(View::RegisterCase);
    let bounds = bounds.map_err(|verdict| authority::refused(View::RegisterCase, verdict))?;
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
    read::within(&mut sql, bounds);
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
    let as_of = snapshot.as_of();
    drop(snapshot);
    let shown = register_cases.iter().map(key_of);
    read::note(api, &gate, View::RegisterCase, shown).await?;
    Ok(ListRegisterCasesResponse {
        register_cases,
        next_page_token,
        as_of,
    })
}

pub(super) fn key_of(case: &RegisterCase) -> Key {
    let organisation = Uuid::try_parse(&case.organisation_id).unwrap_or_default();
    Key::about(organisation, Some(&case.orgnr), Some(&case.kommunenummer))
}
