//! Queries of the statistics: what is told, and what is not.

use ryggrad_proto::views::v1::{GetStatsRequest, GetStatsResponse, StatsCell};

use crate::world::{Organisation, World, field};

/// In Oslo six associations and five foundations, in Kristiansand seven associations, in Arendal three, in Grimstad eight.
async fn world() -> (World, GetStatsRequest) {
    let world = World::begin().await;
    let groups = [
        ("0301", "FLI", 6),
        ("0301", "STI", 5),
        ("4204", "FLI", 7),
        ("4203", "FLI", 3),
        ("4202", "FLI", 8),
    ];
    let (mut n, mut at_least) = (0, 0);
    for (kommunenummer, form, count) in groups {
        for _ in 0..count {
            at_least = world
                .register(&Organisation {
                    kommunenummer,
                    form,
                    ..Organisation::nth(n)
                })
                .await;
            n += 1;
        }
    }
    (
        world,
        GetStatsRequest {
            at_least,
            ..GetStatsRequest::default()
        },
    )
}

fn by(dimensions: &[&str], request: &GetStatsRequest) -> GetStatsRequest {
    GetStatsRequest {
        by: dimensions.iter().map(ToString::to_string).collect(),
        ..request.clone()
    }
}

async fn ask(world: &mut World, request: GetStatsRequest) -> GetStatsResponse {
    world.client.get_stats(request).await.expect("an answer").into_inner()
}

/// What a cell says: its count, or none when it is not told.
fn told(cells: &[StatsCell], value: impl Fn(&StatsCell) -> String) -> Vec<(String, Option<u64>)> {
    cells
        .iter()
        .map(|cell| (value(cell), (!cell.suppressed).then_some(cell.count)))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn cells_below_five_are_not_told_nor_what_would_tell_them() {
    let (mut world, request) = world().await;
    let total = ask(&mut world, request.clone()).await;
    assert_eq!(told(&total.cells, |_| String::new()), [(String::new(), Some(29))]);
    let counties = ask(&mut world, by(&["fylke"], &request)).await;
    assert_eq!(
        told(&counties.cells, |cell| cell.fylkesnummer.clone()),
        [("03".into(), Some(11)), ("42".into(), Some(18))]
    );
    // Arendal's three would be Agder's 18 less the 8 and the 7, so the smallest other cell of Agder goes with it.
    let municipalities = ask(&mut world, by(&["kommune"], &request)).await;
    let expected = [
        ("0301".into(), Some(11)),
        ("4202".into(), Some(8)),
        ("4203".into(), None),
        ("4204".into(), None),
    ];
    assert_eq!(told(&municipalities.cells, |cell| cell.kommunenummer.clone()), expected);
    assert_eq!((municipalities.threshold, municipalities.suppressed_cells), (5, 2));
    assert!(
        municipalities
            .cells
            .iter()
            .all(|cell| !cell.suppressed || cell.count == 0)
    );
    // Nor does it help to ask for one of them alone.
    let alone = GetStatsRequest {
        kommunenummer: "4204".into(),
        ..request
    };
    assert_eq!(
        told(&ask(&mut world, alone).await.cells, |_| String::new()),
        [(String::new(), None)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn dimensions_come_in_the_order_asked_for() {
    let (mut world, request) = world().await;
    let request = GetStatsRequest {
        kommunenummer: "0301".into(),
        ..request
    };
    let answer = ask(&mut world, by(&["form", "year", "icnpo_group"], &request)).await;
    let cells = told(&answer.cells, |cell| {
        format!("{} {} {} {}", cell.form, cell.month, cell.icnpo, cell.kommunenummer)
    });
    assert_eq!(
        cells,
        [("FLI 2026 1 ".into(), Some(6)), ("STI 2026 1 ".into(), Some(5))]
    );
    let sizes = ask(&mut world, by(&["size"], &request)).await;
    assert_eq!(
        told(&sizes.cells, |cell| cell.size.clone()),
        [("unknown".into(), Some(11))]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn cells_are_paged() {
    let (mut world, request) = world().await;
    let mut request = GetStatsRequest {
        page_size: 1,
        ..by(&["kommune"], &request)
    };
    let mut municipalities = Vec::new();
    loop {
        let answer = ask(&mut world, request.clone()).await;
        municipalities.extend(answer.cells.into_iter().map(|cell| cell.kommunenummer));
        if answer.next_page_token.is_empty() {
            break;
        }
        request.page_token = answer.next_page_token;
    }
    assert_eq!(municipalities, ["0301", "4202", "4203", "4204"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_refused_by_their_field() {
    let mut world = World::begin().await;
    let none = GetStatsRequest::default();
    for (request, expected) in [
        (by(&["kommune", "kommune"], &none), "by[1]"),
        (by(&["colour"], &none), "by[0]"),
        (
            GetStatsRequest {
                kommunenummer: "1".into(),
                ..none.clone()
            },
            "kommunenummer",
        ),
        (
            GetStatsRequest {
                month: "2026-00".into(),
                ..none.clone()
            },
            "month",
        ),
        (
            GetStatsRequest {
                page_size: 10_001,
                ..none.clone()
            },
            "page_size",
        ),
        (
            GetStatsRequest {
                page_token: "1".into(),
                ..none.clone()
            },
            "page_token",
        ),
    ] {
        let refused = world.client.get_stats(request).await.expect_err("refused");
        assert_eq!(field(&refused), expected);
    }
}
