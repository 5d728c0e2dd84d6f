//! I11: what cannot be digested stops only its own organisation, and is taken in later in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ryggrad_eventlog::consumer::Poison;
use ryggrad_eventlog::projection::{Projection, Projector, verify};
use ryggrad_eventlog::{Recorded, parked};
use ryggrad_testkit::eventually;
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

async fn counted<const N: usize>(view: &ryggrad_eventlog::projection::View, organisations: [Uuid; N]) -> [u64; N] {
    let mut snapshot = view.snapshot().await.expect("a snapshot");
    let mut counted = [0; N];
    for (count, organisation) in counted.iter_mut().zip(organisations) {
        let row: Option<Tally> = snapshot.get(&organisation.to_string()).await.expect("read");
        *count = row.map_or(0, |row| row.events);
    }
    counted
}
