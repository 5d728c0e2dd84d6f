//! I10 and read-your-writes: the views are the fold of the log, however they came to be, and can be waited for.

use std::time::{Duration, Instant};

use ryggrad_eventlog::projection::{self, State};
use ryggrad_proto::registration::v1::organisation_event::Event;
use ryggrad_proto::registration::v1::{AnnualAccountsSubmitted, OrganisationDeleted};
use ryggrad_proto::views::v1::{GetDirectoryEntryRequest, ListMunicipalityDirectoryRequest, ListTimelineRequest};
use ryggrad_testkit::eventually;
use ryggrad_views::{Options, Views};

use crate::world::{Organisation, World};

#[tokio::test(flavor = "multi_thread")]
async fn i10_live_views_equal_the_fold_of_the_log() {
    let world = World::begin().await;
    for n in 0..40 {
        let organisation = Organisation::nth(n);
        world.register(&organisation).await;
        let more: Event = if n % 5 == 0 {
            OrganisationDeleted::default().into()
        } else {
            AnnualAccountsSubmitted {
                year: 2025,
                ..Default::default()
            }
            .into()
        };
        world
            .append("Organisation", organisation.id, 2, &organisation.about(), &[more])
            .await;
    }
    world.caught_up().await;
    world.assert_folded().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_sees_the_receipt_that_it_was_given() {
    let mut world = World::begin().await;
    for n in 0..20 {
        let organisation = Organisation::nth(n);
        let at_least = world.register(&organisation).await;
        let request = GetDirectoryEntryRequest {
            organisation: organisation.id.to_string(),
            at_least,
        };
        let answer = world
            .client
            .get_directory_entry(request)
            .await
            .expect("it is there")
            .into_inner();
        assert!(answer.as_of >= at_least, "{} is before {at_least}", answer.as_of);
        assert_eq!(answer.entry.map(|entry| entry.orgnr), Some(organisation.orgnr));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_answers_with_what_there_is_when_waiting_took_too_long() {
    let patience = Duration::from_millis(200);
    let mut world = World::begin_with(Options {
        patience,
        ..Options::default()
    })
    .await;
    let organisation = Organisation::nth(1);
    let seen = world.register(&organisation).await;
    world.caught_up().await;
    // No view moves on while somebody holds where it is.
    let mut holding = world.pool.begin().await.expect("a transaction");
    let hold = sqlx::query("select from checkpoints for update");
    hold.execute(&mut *holding).await.expect("held");
    let at_least = world.register(&Organisation::nth(2)).await;
    let began = Instant::now();
    let request = ListTimelineRequest {
        organisation: organisation.id.to_string(),
        at_least,
        ..ListTimelineRequest::default()
    };
    let answer = world
        .client
        .list_timeline(request)
        .await
        .expect("an answer")
        .into_inner();
    assert!(began.elapsed() >= patience, "it waited for {:?}", began.elapsed());
    assert_eq!((answer.entries.len(), answer.as_of), (2, seen));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_the_log_does_not_have_is_not_waited_for() {
    let patience = Duration::from_mins(2);
    let mut world = World::begin_with(Options {
        patience,
        ..Options::default()
    })
    .await;
    let organisation = Organisation::nth(1);
    let head = world.register(&organisation).await;
    world.caught_up().await;
    let began = Instant::now();
    let request = ListTimelineRequest {
        organisation: organisation.id.to_string(),
        at_least: 9_999_999_999,
        ..ListTimelineRequest::default()
    };
    let answer = world
        .client
        .list_timeline(request)
        .await
        .expect("an answer")
        .into_inner();
    assert!(began.elapsed() < patience, "it waited for {:?}", began.elapsed());
    assert_eq!((answer.entries.len(), answer.as_of), (2, head));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_served_while_it_is_rebuilt_under_load() {
    let world = World::begin_with(Options {
        grace: Duration::ZERO,
        ..Options::default()
    })
    .await;
    for n in 0..50 {
        world.register(&Organisation::nth(n)).await;
    }
    world.caught_up().await;
    for view in Views::NAMES {
        assert!(
            projection::ask_for_rebuild(&world.pool, view)
                .await
                .expect("it can be asked for"),
            "{view}"
        );
    }
    let (mut last, mut registered) = (0, 50);
    loop {
        world.register(&Organisation::nth(registered)).await;
        registered += 1;
        let request = ListMunicipalityDirectoryRequest {
            page_size: 1_000,
            ..ListMunicipalityDirectoryRequest::default()
        };
        let answer = world
            .anybody()
            .list_municipality_directory(request)
            .await
            .expect("served all the while")
            .into_inner();
        assert!(answer.as_of >= last, "{} after {last}", answer.as_of);
        // Two events for each, the first of which makes the row: rows and position are of one snapshot.
        assert_eq!(answer.entries.len() as u64, answer.as_of.div_ceil(2));
        last = answer.as_of;
        let progress = projection::progress(&world.pool).await.expect("progress");
        if progress.iter().all(|view| view.state != State::Building) {
            break;
        }
    }
    world.caught_up().await;
    world.assert_folded().await;
    eventually(Duration::from_secs(30), || async {
        let progress = projection::progress(&world.pool).await?;
        anyhow::ensure!(
            progress.len() == Views::NAMES.len() && progress.iter().all(|view| view.generation == 2),
            "{progress:?}"
        );
        anyhow::Ok(())
    })
    .await;
}
