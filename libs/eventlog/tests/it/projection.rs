//! I6, I10: a view is the fold of the log, however it was killed, rebuilt or outpaced.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream;
use prost::Message as _;
use rand::{Rng as _, SeedableRng as _};
use ryggrad_eventlog::consumer::Poison;
use ryggrad_eventlog::projection::{self, Column, Kind, Projection, Projector, State, Value, View, verify};
use ryggrad_eventlog::{Log, Recorded, stream};
use ryggrad_testkit::eventually;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use crate::process::{self, Process};
use crate::world::{Fact, World, organisations, pool_in_schema};

const PATIENCE: Duration = Duration::from_mins(1);

/// A row that tells every event's position and their order.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Tally {
    #[prost(uint64, tag = "1")]
    pub(crate) events: u64,
    #[prost(uint64, tag = "2")]
    pub(crate) last: u64,
    #[prost(uint64, tag = "3")]
    pub(crate) order: u64,
}

/// Counts the events of each organisation. What is called `Gone` takes the row away.
struct Ledger<const VERSION: i32>;

impl<const VERSION: i32> Projection for Ledger<VERSION> {
    type Row = Tally;

    const NAME: &'static str = "ledger";
    const VERSION: i32 = VERSION;
    const COLUMNS: &'static [Column] = &[
        Column::new("events", Kind::Bigint).indexed(),
        Column::new("organisation", Kind::Uuid),
        Column::new("marks", Kind::Texts).indexed(),
    ];
    const INDEXES: &'static [&'static str] = &["events, key"];

    fn keys(&self, event: &Recorded) -> Result<Vec<String>, Poison> {
        Ok(event.concerned().map(|id| id.to_string()).collect())
    }

    fn fold(&self, _key: &str, row: Option<Tally>, event: &Recorded) -> Result<Option<Tally>, Poison> {
        if &*event.name == "Gone" {
            return Ok(None);
        }
        let row = row.unwrap_or_default();
        let order = row.order.wrapping_mul(31).wrapping_add(event.position);
        Ok(Some(Tally {
            events: row.events + u64::try_from(VERSION).expect("positive"),
            last: event.position,
            order,
        }))
    }

    fn values(&self, key: &str, row: &Tally) -> Vec<Value> {
        vec![
            Value::Bigint(i64::try_from(row.events).ok()),
            Value::Uuid(key.parse().ok()),
            Value::Texts(vec![format!("{}\"{{,}}\\", row.last % 7), String::new()]),
        ]
    }
}

/// One row an event, under each organisation that it concerns.
struct Timeline;

impl Projection for Timeline {
    type Row = Tally;

    const NAME: &'static str = "timeline";
    const VERSION: i32 = 1;
    const APPEND_ONLY: bool = true;

    fn keys(&self, event: &Recorded) -> Result<Vec<String>, Poison> {
        Ok(event
            .concerned()
            .map(|id| format!("{id}/{:016}", event.position))
            .collect())
    }

    fn fold(&self, _key: &str, row: Option<Tally>, event: &Recorded) -> Result<Option<Tally>, Poison> {
        assert_eq!(row, None);
        Ok(Some(Tally {
            events: 1,
            last: event.position,
            order: 0,
        }))
    }
}

/// Runs a projector until it is dropped, and with it everything that it started.
pub(crate) fn run<P: Projection>(projector: &Projector<P>) -> AbortOnDropHandle<()> {
    let projector = projector.clone();
    AbortOnDropHandle::new(tokio::spawn(
        async move { projector.run(CancellationToken::new()).await },
    ))
}

/// Waits until a view is where the log ends.
#[track_caller]
pub(crate) fn caught_up<'a>(world: &'a World, view: &'a View) -> impl Future<Output = u64> + 'a {
    eventually(PATIENCE, move || async move {
        let (as_of, head) = (view.as_of().await?, world.head().await);
        anyhow::ensure!(as_of == head, "{} is at {as_of} of {head}", view.name());
        anyhow::Ok(head)
    })
}

async fn rows(view: &View) -> BTreeMap<String, Tally> {
    let mut snapshot = view.snapshot().await.expect("a snapshot");
    let sql = format!("select key, row from {}", snapshot.table());
    let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(&sql)
        .fetch_all(snapshot.connection())
        .await
        .expect("rows");
    rows.into_iter()
        .map(|(key, row)| (key, Tally::decode(&*row).expect("a row")))
        .collect()
}

/// The fold of the log, in the plainest way.
async fn folded<P: Projection<Row = Tally>>(pool: &PgPool, projection: &P) -> BTreeMap<String, Tally> {
    let mut rows = BTreeMap::new();
    for event in Log::new(pool.clone()).after(0, 1_000_000).await.expect("the log") {
        for key in projection.keys(&event).expect("keys") {
            match projection.fold(&key, rows.remove(&key), &event).expect("folds") {
                Some(row) => rows.insert(key, row),
                None => None,
            };
        }
    }
    rows
}

/// Facts of all sorts, many of them about two organisations.
fn mixed(rng: &mut impl rand::Rng, count: usize, organisations: &[Uuid]) -> Vec<Fact> {
    let mut fact = || {
        let any = |rng: &mut dyn FnMut() -> usize| organisations[rng() % organisations.len()];
        let mut pick = || rng.random_range(0..usize::MAX);
        let organisation = any(&mut pick);
        let related = if pick() % 5 == 0 { vec![any(&mut pick)] } else { vec![] };
        let name = if pick() % 20 == 0 { "Gone" } else { "TrialActivityHeld" };
        Fact {
            name,
            organisation,
            related: related.into_iter().filter(|id| *id != organisation).collect(),
        }
    };
    (0..count).map(|_| fact()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i6_i10_a_projection_killed_at_random_points_is_the_fold_of_the_log() {
    let world = World::begin().await;
    let _relay = world.relay().await;
    let organisations = organisations(200);
    let mut rng = rand::rngs::StdRng::seed_from_u64(6);
    let view = View::new(world.views.clone(), "ledger");
    for _ in 0..25 {
        let _killed = Process::start("projection::process", &world, "ryggrad_views", "views");
        world.append(&mixed(&mut rng, 400, &organisations)).await;
        let head = world.head().await;
        let enough = head - rng.random_range(0..400);
        view.wait_for(enough, PATIENCE).await.expect("a position");
    }
    let (ledger, timeline) = projectors(&world);
    let _running = (run(&ledger), run(&timeline));
    caught_up(&world, &ledger.view()).await;
    caught_up(&world, &timeline.view()).await;
    assert_eq!(rows(&ledger.view()).await, folded(&world.writer, &Ledger::<1>).await);
    assert_eq!(rows(&timeline.view()).await, folded(&world.writer, &Timeline).await);
    assert_eq!(
        verify(&world.views, &Ledger::<1>).await.expect("verified"),
        (10_000, None)
    );
    assert_eq!(verify(&world.views, &Timeline).await.expect("verified"), (10_000, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the other process of the test above"]
async fn process() {
    let (database, client) = process::told().await;
    let pool = pool_in_schema(&database, "views").await;
    let ledger = Projector::new(pool.clone(), client.clone(), Ledger::<1>);
    let timeline = Projector::new(pool, client, Timeline);
    let token = CancellationToken::new();
    tokio::join!(ledger.run(token.clone()), timeline.run(token));
}

fn projectors(world: &World) -> (Projector<Ledger<1>>, Projector<Timeline>) {
    let (pool, client) = (&world.views, &world.client);
    (
        Projector::new(pool.clone(), client.clone(), Ledger),
        Projector::new(pool.clone(), client.clone(), Timeline),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i2_a_live_projection_goes_on_when_the_stream_is_deleted_under_it() {
    let mut world = World::begin().await;
    let _relay = world.relay().await;
    let organisations = organisations(50);
    let (ledger, timeline) = projectors(&world);
    let _running = (run(&ledger), run(&timeline));
    let admin = jetstream::new(world.nats.client("admin").await);
    for _ in 0..3 {
        world.append_many(700, &organisations).await;
        ledger
            .view()
            .wait_for(world.head().await - 350, PATIENCE)
            .await
            .expect("a position");
        // The view reads the log while there is no stream, and may be faster than the relay that makes it.
        eventually(PATIENCE, || admin.delete_stream(stream::NAME)).await;
        world.append_many(300, &organisations).await;
    }
    world.nats.kill().await.expect("killed");
    world.append_many(200, &organisations).await;
    world.nats.restart().await.expect("restarted");
    caught_up(&world, &ledger.view()).await;
    caught_up(&world, &timeline.view()).await;
    assert_eq!(rows(&ledger.view()).await, folded(&world.writer, &Ledger::<1>).await);
    assert_eq!(rows(&timeline.view()).await, folded(&world.writer, &Timeline).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i10_the_old_rows_serve_while_the_view_is_rebuilt_and_the_new_ones_are_the_same() {
    let world = World::begin().await;
    let _relay = world.relay().await;
    let organisations = organisations(100);
    let mut rng = rand::rngs::StdRng::seed_from_u64(10);
    let projector = Projector::new(world.views.clone(), world.client.clone(), Ledger::<1>).with_grace(Duration::ZERO);
    let _running = run(&projector);
    let view = projector.view();
    world.append(&mixed(&mut rng, 4_000, &organisations)).await;
    caught_up(&world, &view).await;
    let blue = view.snapshot().await.expect("a snapshot").table().to_owned();

    assert!(
        projection::ask_for_rebuild(&world.views, "ledger")
            .await
            .expect("asked")
    );
    assert!(
        !projection::ask_for_rebuild(&world.views, "ledger")
            .await
            .expect("asked"),
        "one at a time"
    );
    let mut last = 0;
    let green = loop {
        world.append(&mixed(&mut rng, 50, &organisations)).await;
        let snapshot = view.snapshot().await.expect("it serves all the time");
        assert!(snapshot.as_of() >= last, "it never goes back");
        last = snapshot.as_of();
        if snapshot.table() != blue {
            break snapshot.table().to_owned();
        }
    };
    caught_up(&world, &view).await;
    assert_eq!(rows(&view).await, folded(&world.writer, &Ledger::<1>).await);
    assert_eq!(verify(&world.views, &Ledger::<1>).await.expect("verified").1, None);

    let before = rows(&view).await;
    assert!(
        projection::ask_for_rebuild(&world.views, "ledger")
            .await
            .expect("asked")
    );
    eventually(PATIENCE, || async {
        let progress = projection::progress(&world.views).await?;
        let [live] = &progress[..] else {
            anyhow::bail!("the retired ones are not dropped yet: {progress:?}")
        };
        anyhow::ensure!(live.state == State::Live && live.table != green, "{progress:?}");
        anyhow::ensure!(
            live.position == live.head && live.eta == Some(Duration::ZERO),
            "{progress:?}"
        );
        Ok(())
    })
    .await;
    assert_eq!(rows(&view).await, before, "blue equals green");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i10_a_take_over_that_did_not_come_to_pass_is_made_again() {
    let world = World::begin().await;
    let _relay = world.relay().await;
    let first = Projector::new(world.views.clone(), world.client.clone(), Ledger::<1>);
    let first_running = run(&first);
    world.append_many(200, &organisations(10)).await;
    caught_up(&world, &first.view()).await;
    drop(first_running);
    let second = Projector::new(world.views.clone(), world.client.clone(), Ledger::<2>);
    let _second = run(&second);
    let took_over = || async {
        let progress = projection::progress(&world.views).await?;
        let live = progress.iter().find(|p| p.state == State::Live);
        anyhow::ensure!(live.is_some_and(|live| live.version == 2), "{progress:?}");
        anyhow::Ok(())
    };
    eventually(PATIENCE, took_over).await;
    // As a database is that crashed before it knew.
    let owner = world.database.pool();
    for sql in [
        "update views.projections set state = 'retired'",
        "update views.projections set state = case version when 2 then 'building' else 'live' end",
        "select pg_terminate_backend(pid) from pg_stat_activity
          where usename = 'ryggrad_views' and datname = current_database()",
    ] {
        sqlx::query(sql).execute(&owner).await.expect(sql);
    }
    eventually(PATIENCE, took_over).await;
    world.append_many(50, &organisations(10)).await;
    caught_up(&world, &second.view()).await;
    assert_eq!(rows(&second.view()).await, folded(&world.writer, &Ledger::<2>).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i10_a_new_version_fills_its_own_table_and_takes_over() {
    let world = World::begin().await;
    let _relay = world.relay().await;
    let organisations = organisations(30);
    let first = Projector::new(world.views.clone(), world.client.clone(), Ledger::<1>);
    let _first = run(&first);
    world.append_many(1_000, &organisations).await;
    caught_up(&world, &first.view()).await;
    let second = Projector::new(world.views.clone(), world.client.clone(), Ledger::<2>);
    let _second = run(&second);
    eventually(PATIENCE, || async {
        let progress = projection::progress(&world.views).await?;
        anyhow::ensure!(
            progress.iter().any(|p| p.version == 2 && p.state == State::Live),
            "{progress:?}"
        );
        Ok(())
    })
    .await;
    world.append_many(100, &organisations).await;
    caught_up(&world, &second.view()).await;
    assert_eq!(rows(&second.view()).await, folded(&world.writer, &Ledger::<2>).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verification_names_the_first_row_that_differs() {
    let world = World::begin().await;
    let _relay = world.relay().await;
    let organisations = organisations(5);
    let (ledger, _) = projectors(&world);
    let _running = run(&ledger);
    world.append_many(20, &organisations).await;
    caught_up(&world, &ledger.view()).await;
    let table = ledger.view().snapshot().await.expect("a snapshot").table().to_owned();
    let tampered = format!("update {table} set row = ''::bytea where organisation = $1");
    sqlx::query(&tampered)
        .bind(organisations[2])
        .execute(&world.views)
        .await
        .expect("updated");
    let (_, difference) = verify(&world.views, &Ledger::<1>).await.expect("verified");
    match difference.expect("a difference") {
        projection::Difference::Row { key, live, folded } => {
            assert_eq!((key, live), (organisations[2].to_string(), Some(Vec::new())));
            assert!(folded.is_some_and(|row| !row.is_empty()));
        }
        other @ projection::Difference::Parked { .. } => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_waits_for_its_own_write_and_not_for_ever() {
    let world = World::begin().await;
    let _relay = world.relay().await;
    let (ledger, _) = projectors(&world);
    let _running = run(&ledger);
    let [organisation] = organisations(1)[..] else {
        unreachable!()
    };
    world.append_many(1, &[organisation]).await;
    for view in [ledger.view(), View::new(world.views.clone(), "ledger")] {
        assert_eq!(view.wait_for(1, PATIENCE).await.expect("a position"), 1);
    }
    // No view moves on while somebody holds where it is.
    let mut holding = world.views.begin().await.expect("a transaction");
    let hold = sqlx::query("select from checkpoints for update");
    hold.execute(&mut *holding).await.expect("held");
    world.append_many(1, &[organisation]).await;
    for view in [ledger.view(), View::new(world.views.clone(), "ledger")] {
        let late = view.wait_for(2, Duration::from_millis(20)).await;
        assert_eq!(late.expect("a position"), 1);
        let beyond = tokio::time::timeout(PATIENCE, view.wait_for(3, PATIENCE * 2)).await;
        assert_eq!(beyond.expect("at once").expect("a position"), 1, "the log ends at 2");
    }
    holding.rollback().await.expect("let go");
    for view in [ledger.view(), View::new(world.views.clone(), "ledger")] {
        assert_eq!(view.wait_for(2, PATIENCE).await.expect("a position"), 2);
    }
    let mut snapshot = ledger.view().snapshot().await.expect("a snapshot");
    let row: Option<Tally> = snapshot.get(&organisation.to_string()).await.expect("read");
    assert_eq!(row.map(|row| row.last), Some(2));
}
