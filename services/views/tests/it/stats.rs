//! Queries of the statistics: what is told, and what is not.

use ryggrad_proto::views::v1::{GetStatsRequest, GetStatsResponse, StatsCell};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::world::{Organisation, World, field};

/// Municipality, form and how many there are.
const GROUPS: [(&str, &str, u32); 5] = [
    ("0301", "FLI", 30),
    ("0301", "STI", 20),
    ("4202", "FLI", 24),
    ("4203", "FLI", 3),
    ("4204", "FLI", 17),
];

/// A population, the request that waits for it, and who is where.
async fn world() -> (World, GetStatsRequest, Vec<Organisation>) {
    let world = World::begin().await;
    let (mut organisations, mut at_least) = (Vec::new(), 0);
    for (kommunenummer, form, count) in GROUPS {
        for _ in 0..count {
            let organisation = Organisation {
                kommunenummer,
                form,
                ..Organisation::nth(u32::try_from(organisations.len()).expect("few"))
            };
            at_least = world.register(&organisation).await;
            organisations.push(organisation);
        }
    }
    let request = GetStatsRequest {
        at_least,
        ..GetStatsRequest::default()
    };
    (world, request, organisations)
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

/// Who is in the sample.
async fn sample(world: &World, organisations: Vec<Organisation>) -> Vec<Organisation> {
    let takes = takes(world).await;
    organisations
        .into_iter()
        .filter(|organisation| takes(organisation.id))
        .collect()
}

/// Whether an organisation is in the sample, by the secret of this database.
pub(crate) async fn takes(world: &World) -> impl Fn(Uuid) -> bool + use<> {
    let secret: Vec<u8> = sqlx::query_scalar("select secret from statistics_secret")
        .fetch_one(&world.pool)
        .await
        .expect("a secret");
    move |id: Uuid| {
        let hash = Sha256::digest([secret.as_slice(), id.to_string().as_bytes()].concat());
        u64::from_be_bytes(hash[..8].try_into().expect("eight")) >= u64::MAX / 10
    }
}

/// What has to be told of so many in the sample.
pub(crate) fn expected(sampled: usize) -> Option<u64> {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small"
    )]
    (sampled >= 5).then(|| (sampled as f64 / 0.9 / 5.0).round() as u64 * 5)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_is_told_from_the_same_sample() {
    let (mut world, request, organisations) = world().await;
    let sample = sample(&world, organisations).await;
    let of = |wanted: &dyn Fn(&Organisation) -> bool| sample.iter().filter(|one| wanted(one)).count();
    let total = ask(&mut world, request.clone()).await;
    assert_eq!(
        told(&total.cells, |_| String::new()),
        [(String::new(), expected(sample.len()))]
    );
    assert_eq!((total.threshold, total.suppressed_cells), (5, 0));
    for (dimension, length) in [("kommune", 4), ("fylke", 2)] {
        let answer = ask(&mut world, by(&[dimension], &request)).await;
        let place = |cell: &StatsCell| format!("{}{}", cell.kommunenummer, cell.fylkesnummer);
        let mut places: Vec<_> = sample.iter().map(|one| &one.kommunenummer[..length]).collect();
        places.sort_unstable();
        places.dedup();
        let right: Vec<_> = places
            .into_iter()
            .map(|place| {
                (
                    place.to_owned(),
                    expected(of(&|one| one.kommunenummer.starts_with(place))),
                )
            })
            .collect();
        assert_eq!(told(&answer.cells, place), right, "{dimension}");
        assert!(answer.cells.iter().all(|cell| !cell.suppressed || cell.count == 0));
    }
    // Nor does it help to ask for one of them alone.
    let alone = GetStatsRequest {
        kommunenummer: "4203".into(),
        ..request
    };
    let arendal = ask(&mut world, alone).await;
    assert!(arendal.cells.iter().all(|cell| cell.suppressed), "{arendal:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_tells_the_same() {
    let (mut world, request, _) = world().await;
    let request = by(&["kommune", "form"], &request);
    let first = ask(&mut world, request.clone()).await;
    let mut other = world.beside().await;
    let second = other.get_stats(request).await.expect("an answer").into_inner();
    assert_eq!(first, second);
}

#[tokio::test(flavor = "multi_thread")]
async fn dimensions_come_in_the_order_asked_for() {
    let (mut world, request, _) = world().await;
    let request = GetStatsRequest {
        kommunenummer: "0301".into(),
        ..request
    };
    let answer = ask(&mut world, by(&["form", "year", "icnpo_group"], &request)).await;
    let cells = told(&answer.cells, |cell| {
        format!("{} {} {} {}", cell.form, cell.month, cell.icnpo, cell.kommunenummer)
    });
    let names: Vec<_> = cells.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["FLI 2026 1 ", "STI 2026 1 "]);
    let sizes = ask(&mut world, by(&["size"], &request)).await;
    assert_eq!(sizes.cells.len(), 1);
    assert_eq!(sizes.cells[0].size, "unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn cells_are_paged() {
    let (mut world, request, organisations) = world().await;
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
    let mut expected: Vec<_> = sample(&world, organisations)
        .await
        .iter()
        .map(|one| one.kommunenummer)
        .collect();
    expected.sort_unstable();
    expected.dedup();
    assert_eq!(municipalities, expected);
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
