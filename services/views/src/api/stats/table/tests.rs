//! What requests ask for, and which are refused.

use super::*;

fn table(by: &[&str], request: GetStatsRequest) -> Result<Table, ApiError> {
    Table::parse(&GetStatsRequest {
        by: by.iter().map(ToString::to_string).collect(),
        ..request
    })
}

#[test]
fn levels_come_in_the_order_asked_for_beside_what_is_wanted() {
    let request = GetStatsRequest {
        icnpo: "1".into(),
        kommunenummer: "4203".into(),
        month: "2026".into(),
        ..GetStatsRequest::default()
    };
    let table = table(&["form", "fylke"], request).expect("a table");
    assert_eq!(table.by, [Level::Form, Level::Fylke]);
    let only = [
        (Level::Kommune, "4203"),
        (Level::IcnpoGroup, "1"),
        (Level::Year, "2026"),
    ];
    assert_eq!(table.only, only.map(|(level, value)| (level, value.to_owned())));
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
