//! Views whose rows follow from one another, and tables that are still read when they are replaced.

use std::time::Duration;

use ryggrad_eventlog::Recorded;
use ryggrad_eventlog::consumer::Poison;
use ryggrad_eventlog::projection::{self, Projection, Projector, verify};
use ryggrad_testkit::eventually;
use sqlx::Row as _;

use crate::projection::{Tally, caught_up, run};
use crate::world::{Fact, World, organisations};

const PATIENCE: Duration = Duration::from_mins(1);

/// Keeps a count of each organisation, and beside it what every event made of the count.
struct Steps;

impl Projection for Steps {
    type Row = Tally;

    const NAME: &'static str = "steps";
    const VERSION: i32 = 1;

    fn keys(&self, event: &Recorded) -> Result<Vec<String>, Poison> {
        if &*event.name == "Gone" {
            return Ok(Vec::new());
        }
        Ok(vec![
            event.organisation_id.to_string(),
            format!("{:019}", event.position),
        ])
    }

    fn fold(&self, _key: &str, row: Option<Tally>, event: &Recorded) -> Result<Option<Tally>, Poison> {
        let row = row.unwrap_or_default();
        Ok(Some(Tally {
            events: row.events + 1,
            last: event.position,
            order: row.last,
        }))
    }

    fn fold_all(&self, rows: &mut [(String, Option<Tally>)], event: &Recorded) -> Result<(), Poison> {
        let [(id, kept), (_, step)] = rows else {
            return Err(Poison::new("two keys"));
        };
        *kept = self.fold(id, kept.take(), event)?;
        step.clone_from(kept);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i10_a_row_can_follow_from_another_one() {
    let world = World::begin().await;
    let _relay = world.relay().await;
    let organisations = organisations(7);
    let projector = Projector::new(world.views.clone(), world.client.clone(), Steps);
    let running = run(&projector);
    world.append_many(300, &organisations).await;
    // Nothing to this view, and no poison.
    let gone = organisations.iter().map(|organisation| Fact {
        name: "Gone",
        organisation: *organisation,
        related: vec![],
    });
    world.append(&gone.collect::<Vec<_>>()).await;
    caught_up(&world, &projector.view()).await;
    // What is remembered from the batches before is read again.
    drop(running);
    let projector = Projector::new(world.views.clone(), world.client.clone(), Steps);
    let _running = run(&projector);
    world.append_many(300, &organisations).await;
    caught_up(&world, &projector.view()).await;
    let mut snapshot = projector.view().snapshot().await.expect("a snapshot");
    let mut counts = 0;
    for organisation in &organisations {
        let kept: Tally = (snapshot.get(&organisation.to_string()).await.expect("read")).expect("a row");
        counts += kept.events;
        // Step by step back to the first.
        let mut step = kept.clone();
        for left in (1..kept.events).rev() {
            let before = snapshot.get(&format!("{:019}", step.order)).await.expect("read");
            step = before.expect("the step before");
            assert_eq!(step.events, left);
        }
    }
    assert_eq!(counts, 600);
    assert_eq!(verify(&world.views, &Steps).await.expect("verified"), (607, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_still_read_is_dropped_when_it_has_been() {
    let world = World::begin().await;
    let _relay = world.relay().await;
    let organisations = organisations(5);
    let projector = Projector::new(world.views.clone(), world.client.clone(), Steps).with_grace(Duration::ZERO);
    let _running = run(&projector);
    world.append_many(50, &organisations).await;
    let view = projector.view();
    caught_up(&world, &view).await;
    let mut reading = view.snapshot().await.expect("a snapshot");
    let (old, as_of, version) = (reading.table().to_owned(), reading.as_of(), reading.version());
    assert_eq!((as_of, version), (50, 1));
    let count = format!("select count(*) from {old}");
    let read = sqlx::query(&count).fetch_one(reading.connection()).await.expect("read");
    let before: i64 = read.get(0);

    assert!(projection::ask_for_rebuild(&world.views, "steps").await.expect("asked"));
    eventually(PATIENCE, || async {
        let table = view.snapshot().await?.table().to_owned();
        anyhow::ensure!(table != old, "not rebuilt yet");
        anyhow::Ok(())
    })
    .await;
    // The view goes on, and so does who reads the old table.
    world.append_many(50, &organisations).await;
    caught_up(&world, &view).await;
    let read = sqlx::query(&count).fetch_one(reading.connection()).await.expect("read");
    assert_eq!(read.get::<i64, _>(0), before);
    drop(reading);
    eventually(PATIENCE, || async {
        let left = projection::progress(&world.views).await?.len();
        anyhow::ensure!(left == 1, "{left} tables");
        anyhow::Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_names_the_log_that_its_position_is_of() {
    let world = World::begin().await;
    let projector = Projector::new(world.views.clone(), world.client.clone(), Steps);
    let _running = run(&projector);
    eventually(PATIENCE, || async { projector.view().snapshot().await.map(drop) }).await;
    let mut snapshot = projector.view().snapshot().await.expect("a snapshot");
    let head = ryggrad_eventlog::Log::new(world.writer.clone())
        .head()
        .await
        .expect("the head");
    assert_eq!(snapshot.epoch().await.expect("the epoch"), head.epoch);
}
