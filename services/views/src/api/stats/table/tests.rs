//! Which table a request is a part of, and which requests are of none.

use super::*;

fn table(by: &[&str], request: GetStatsRequest) -> Result<Table, ApiError> {
    Table::parse(&GetStatsRequest {
        by: by.iter().map(ToString::to_string).collect(),
        ..request
    })
}

#[test]
fn a_filter_is_a_dimension_of_the_table() {
    let request = GetStatsRequest {
        form: "FLI".into(),
        kommunenummer: "4203".into(),
        ..GetStatsRequest::default()
    };
    let table = table(&["kommune"], request).expect("a table");
    assert_eq!(
        table.sql("t"),
        "select kommunenummer, form, count(*) from t group by 1, 2"
    );
    let cell = |kommune: &str| Cell {
        values: vec![kommune.into(), "FLI".into()],
        count: 1,
        suppressed: false,
    };
    assert!(table.has(&cell("4203")) && !table.has(&cell("4204")));
}

#[test]
fn a_fine_filter_makes_a_coarse_dimension_fine() {
    let request = GetStatsRequest {
        kommunenummer: "4203".into(),
        ..GetStatsRequest::default()
    };
    let table = table(&["fylke"], request).expect("a table");
    assert_eq!(table.sql("t"), "select kommunenummer, count(*) from t group by 1");
}

#[test]
fn no_dimension_gives_one_number() {
    let table = table(&[], GetStatsRequest::default()).expect("a table");
    assert_eq!(table.sql("t"), "select count(*) from t having count(*) > 0");
}

#[test]
fn a_group_is_what_its_categories_begin_with() {
    for icnpo in ryggrad_norway::Icnpo::all() {
        assert_eq!(Level::IcnpoGroup.of(icnpo.code()), icnpo.group().code(), "{icnpo}");
    }
}

#[track_caller]
fn refuses(by: &[&str], request: GetStatsRequest, field: &str) {
    let refused = table(by, request).expect_err("refused");
    assert!(refused.to_string().starts_with(&format!("{field}:")), "{refused}");
}

#[test]
fn what_is_not_there_is_refused_by_its_field() {
    refuses(&["kommune", "colour"], GetStatsRequest::default(), "by[1]");
    refuses(&["kommune", "fylke"], GetStatsRequest::default(), "by[1]");
    refuses(
        &[],
        GetStatsRequest {
            month: "2026-13".into(),
            ..GetStatsRequest::default()
        },
        "month",
    );
    refuses(
        &[],
        GetStatsRequest {
            size: "7".into(),
            ..GetStatsRequest::default()
        },
        "size",
    );
    refuses(
        &[],
        GetStatsRequest {
            kommunenummer: "0000".into(),
            ..GetStatsRequest::default()
        },
        "kommunenummer",
    );
    let both = GetStatsRequest {
        kommunenummer: "4203".into(),
        fylkesnummer: "42".into(),
        ..GetStatsRequest::default()
    };
    refuses(&[], both, "fylkesnummer");
}
