//! I11: what cannot be digested stops only its own organisation, and is taken in later in order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use ryggrad_eventlog::consumer::Poison;
use ryggrad_eventlog::projection::{Projection, Projector, verify};
use ryggrad_eventlog::{Recorded, parked};
use ryggrad_testkit::eventually;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::projection::{Tally, caught_up, run};
use crate::world::{Fact, World, organisations};

const PATIENCE: Duration = Duration::from_secs(30);

/// Counts, and cannot digest `Bad` and `Worse` until it is mended.
#[derive(Clone)]
struct Delicate {
    mended: Arc<AtomicBool>,
}

impl Projection for Delicate {
    type Row = Tally;

    const NAME: &'static str = "delicate";
    const VERSION: i32 = 1;

    fn keys(&self, event: &Recorded) -> Result<Vec<String>, Poison> {
        Ok(event.concerned().map(|id| id.to_string()).collect())
    }

    fn fold(&self, _key: &str, row: Option<Tally>, event: &Recorded) -> Result<Option<Tally>, Poison> {
        if !self.mended.load(Ordering::SeqCst) {
            assert_ne!(&*event.name, "Worse", "this one panics");
            if &*event.name == "Bad" {
                return Err(Poison::new("it is bad"));
            }
        }
        let row = row.unwrap_or_default();
        Ok(Some(Tally {
            events: row.events + 1,
            last: event.position,
            order: row.order.wrapping_mul(31).wrapping_add(event.position),
        }))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one story, from the poison to the cure")]
async fn i11_poison_parks_its_organisation_and_others_go_on_and_it_comes_back_in_order() {
    let world = World::begin().await;
    let _relay = world.relay().await;
    let [sick, panicking, well, friend] = organisations(4)[..] else {
        unreachable!()
    };
    let mended = Arc::new(AtomicBool::new(false));
    let projector = Projector::new(
        world.views.clone(),
        world.client.clone(),
        Delicate {
            mended: Arc::clone(&mended),
        },
    );
    let running = run(&projector);
    let view = projector.view();
    let good = |organisation| Fact::new("TrialActivityHeld", organisation);
    world
        .append(&[
            good(sick),
            good(well),
            Fact::new("Bad", sick),
            Fact::new("Worse", panicking),
            good(sick),
        ])
        .await;
    // An organisation that has to do with a parked one waits too, from that event on.
    world
        .append(&[
            good(friend),
            Fact {
                related: vec![sick],
                ..good(friend)
            },
            good(friend),
        ])
        .await;
    let since = Instant::now();
    world.append(&[good(well), good(well)]).await;
    caught_up(&world, &view).await;
    assert!(since.elapsed() < Duration::from_secs(1), "others go on");

    assert_eq!(counted(&view, [sick, panicking, well, friend]).await, [1, 0, 3, 1]);
    let list = parked::list(&world.views).await.expect("a list");
    let told: Vec<_> = list
        .iter()
        .map(|p| (p.organisation_id, p.position, &*p.event_name, p.waits_for))
        .collect();
    assert_eq!(
        told,
        [
            (sick, 3, "Bad", None),
            (panicking, 4, "Worse", None),
            (friend, 7, "TrialActivityHeld", Some(sick))
        ]
    );
    assert_eq!(list[0].cause, "it is bad");
    assert!(list[1].cause.contains("this one panics"), "{}", list[1].cause);
    // A view in which somebody waits is still what the log gives.
    assert_eq!(
        verify(
            &world.views,
            &Delicate {
                mended: Arc::clone(&mended)
            }
        )
        .await
        .expect("verified")
        .1,
        None
    );

    // Parked organisations stay parked when the service is started anew, and when they are let out too early.
    drop(running);
    let _running = run(&projector);
    assert!(parked::release(&world.views, "delicate", sick).await.expect("asked"));
    world.append(&[good(sick), good(well)]).await;
    eventually(PATIENCE, || async {
        let list = parked::list(&world.views).await?;
        anyhow::ensure!(list.iter().all(|p| !p.released) && list.len() == 3, "{list:?}");
        Ok(())
    })
    .await;
    caught_up(&world, &view).await;
    assert_eq!(counted(&view, [sick, panicking, well, friend]).await, [1, 0, 4, 1]);

    mended.store(true, Ordering::SeqCst);
    assert!(parked::release(&world.views, "delicate", sick).await.expect("asked"));
    assert!(
        parked::release(&world.views, "delicate", panicking)
            .await
            .expect("asked")
    );
    assert!(
        !parked::release(&world.views, "delicate", well).await.expect("asked"),
        "it is not parked"
    );
    eventually(PATIENCE, || async {
        let list = parked::list(&world.views).await?;
        anyhow::ensure!(list.is_empty(), "{list:?}");
        Ok(())
    })
    .await;
    world.append(&[good(sick), good(friend)]).await;
    caught_up(&world, &view).await;
    // The event about two organisations counts for both.
    assert_eq!(counted(&view, [sick, panicking, well, friend]).await, [6, 1, 4, 4]);
    assert_eq!(
        verify(&world.views, &Delicate { mended }).await.expect("verified").1,
        None,
        "order and all are as the log has it"
    );
}

/// How many events a sick organisation misses, and as many others come.
const MISSED: u64 = 12_500;

/// As the other one, and waits at one event until the test has looked around.
struct Slow {
    delicate: Delicate,
    at: u64,
    /// Says that it is there, and waits for the answer, the first time.
    gate: Mutex<Option<(oneshot::Sender<()>, mpsc::Receiver<()>)>>,
}

impl Projection for Slow {
    type Row = Tally;

    const NAME: &'static str = "slow";
    const VERSION: i32 = 1;

    fn keys(&self, event: &Recorded) -> Result<Vec<String>, Poison> {
        self.delicate.keys(event)
    }

    fn fold(&self, key: &str, row: Option<Tally>, event: &Recorded) -> Result<Option<Tally>, Poison> {
        if event.position == self.at
            && let Some((there, go)) = self.gate.lock().expect("nobody panics with it").take()
        {
            there.send(()).expect("the test waits");
            // A test that failed does not answer.
            let _go = tokio::task::block_in_place(|| go.recv());
        }
        self.delicate.fold(key, row, event)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i11_who_has_missed_much_comes_back_a_page_at_a_time() {
    let world = World::begin().await;
    let _relay = world.relay().await;
    let [sick, well, friend] = organisations(3)[..] else {
        unreachable!()
    };
    let mended = Arc::new(AtomicBool::new(false));
    let slow = |at: u64, gate| Slow {
        delicate: Delicate {
            mended: Arc::clone(&mended),
        },
        at,
        gate: Mutex::new(gate),
    };
    let good = |organisation| Fact::new("TrialActivityHeld", organisation);
    let with_sick = |organisation| Fact {
        related: vec![sick],
        ..good(organisation)
    };
    world.append(&[Fact::new("Bad", sick), with_sick(friend)]).await;
    world
        .append_many(usize::try_from(2 * MISSED).expect("few enough"), &[sick, well])
        .await;
    let end = world.head().await - 1;
    let ((there, is_there), (go, goes)) = (oneshot::channel(), mpsc::channel());
    let projection = slow(end, Some((there, goes)));
    let projector = Projector::new(world.views.clone(), world.client.clone(), projection);
    let view = projector.view();
    let _running = run(&projector);
    caught_up(&world, &view).await;
    assert_eq!(counted(&view, [sick, well, friend]).await, [0, MISSED, 0]);
    let found = async |id| parked::find(&world.views, "slow", id).await.expect("looked for");
    let (of_sick, of_friend) = (found(sick).await.expect("parked"), found(friend).await.expect("parked"));
    assert_eq!(found(well).await, None);
    let waiting = parked::waiting(&world.views, &[&of_friend, &of_sick]).await;
    assert_eq!(waiting.expect("counted"), [1, MISSED + 1]);

    mended.store(true, Ordering::SeqCst);
    assert!(parked::release(&world.views, "slow", sick).await.expect("asked"));
    tokio::time::timeout(PATIENCE, is_there)
        .await
        .expect("it comes to the last event that was missed")
        .expect("it says so");
    let midway = found(sick).await.expect("still parked");
    assert!(midway.released && midway.position > MISSED, "{midway:?}");
    let [taken, others, _] = counted(&view, [sick, well, friend]).await;
    assert!(0 < taken && taken < MISSED, "{taken} are in the view");
    assert_eq!(others, MISSED);
    go.send(()).expect("it waits");
    eventually(PATIENCE, || async {
        let list = parked::list(&world.views).await?;
        anyhow::ensure!(list.is_empty(), "{list:?}");
        Ok(())
    })
    .await;
    world.append(&[good(sick)]).await;
    caught_up(&world, &view).await;
    let verified = verify(&world.views, &slow(0, None)).await.expect("verified");
    assert_eq!(verified.1, None, "order and all are as the log has it");
    assert_eq!(counted(&view, [well, friend]).await, [MISSED, 1]);
}

async fn counted<const N: usize>(view: &ryggrad_eventlog::projection::View, organisations: [Uuid; N]) -> [u64; N] {
    let mut snapshot = view.snapshot().await.expect("a snapshot");
    let mut counted = [0; N];
    for (count, organisation) in counted.iter_mut().zip(organisations) {
        let row: Option<Tally> = snapshot.get(&organisation.to_string()).await.expect("read");
        *count = row.map_or(0, |row| row.events);
    }
    counted
}
