//! Deadlines fall due by the business clock, in order, once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use ryggrad_decider::timers;
use ryggrad_eventlog::consumer::Poison;
use ryggrad_eventlog::deadline::{self, Action, Deadline, Due, Schedule, Which};
use ryggrad_eventlog::order::{Again, Carried, Order};
use ryggrad_eventlog::{Clock, Recorded};
use ryggrad_testkit::eventually;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use crate::world::{Fact, World, organisations};

const PATIENCE: Duration = Duration::from_mins(1);

/// `Set` sets two deadlines, three days and six weeks after its position in seconds; `Cancel` takes the first away, and
/// `Done` both.
struct Reminders;

impl Schedule for Reminders {
    const NAME: &'static str = "reminders";

    fn plan(&self, event: &Recorded) -> Result<Vec<Action>, Poison> {
        let id = |which: &str| deadline::id(event.organisation_id, &timers::T_2_2, which);
        let set = |which: &str, days: i64| -> Result<Action, Poison> {
            let seconds = i64::try_from(event.position).map_err(Poison::new)?;
            Ok(Action::Set(Deadline {
                id: id(which),
                timer: &timers::T_2_2,
                due_at: start() + SignedDuration::from_hours(24 * days) + SignedDuration::from_secs(seconds),
                aggregate_type: "Initiative",
                aggregate_id: event.organisation_id,
                command: which.as_bytes().to_vec(),
            }))
        };
        Ok(match &*event.name {
            "Set" => vec![set("first", 3)?, set("second", 40)?],
            "Cancel" => vec![Action::Cancel(id("first"))],
            "Done" => vec![Action::CancelAll(event.organisation_id)],
            _ => vec![],
        })
    }
}

fn start() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().expect("an instant")
}

type Sent = Arc<Mutex<Vec<Order<Due>>>>;

fn run(world: &World, clock: &Clock, sent: &Sent) -> AbortOnDropHandle<()> {
    let sent = Arc::clone(sent);
    let execute = move |order: Order<Due>| {
        let sent = Arc::clone(&sent);
        async move {
            let mut sent = sent.lock().expect("whole");
            // Now and then the answer is lost after the command was carried out.
            let is_known = sent.iter().any(|known| known.id == order.id);
            let is_lost = !is_known && order.causation.1.is_multiple_of(7);
            if !is_known {
                sent.push(order);
            }
            if is_lost {
                Err(Again("the answer was lost".into()))
            } else {
                Ok::<_, Again>(Carried::Done)
            }
        }
    };
    running(world, clock, execute)
}

/// Plans and sends until it is dropped.
fn running<F, Fut>(world: &World, clock: &Clock, execute: F) -> AbortOnDropHandle<()>
where
    F: Fn(Order<Due>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Carried, Again>> + Send + 'static,
{
    let running = deadline::run(
        world.views.clone(),
        world.client.clone(),
        clock.clone(),
        Reminders,
        execute,
        CancellationToken::new(),
    );
    AbortOnDropHandle::new(tokio::spawn(running))
}

/// Waits until so many deadlines are pending.
#[track_caller]
fn pending(world: &World, count: usize) -> impl Future<Output = Vec<deadline::Listed>> {
    eventually(PATIENCE, move || async move {
        let pending = deadline::list(&world.views, Which::Pending, None, 10_000).await?;
        anyhow::ensure!(pending.len() == count, "{} are pending, not {count}", pending.len());
        Ok(pending)
    })
}

/// All deadlines of an organisation.
async fn of(world: &World, organisation: Uuid) -> Result<Vec<deadline::Listed>, sqlx::Error> {
    deadline::list(&world.views, Which::Of(organisation), None, 10).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_deadlines_fall_due_at_once_when_the_clock_is_moved_and_each_is_sent_once_in_order() {
    let world = World::begin().await;
    let _relay = world.relay().await;
    let clock = Clock::stored(world.writer.clone(), start()).await.expect("a clock");
    let sent = Sent::default();
    let running = run(&world, &clock, &sent);
    let organisations = organisations(1_500);
    let facts: Vec<_> = organisations.iter().map(|id| Fact::new("Set", *id)).collect();
    world.append(&facts).await;
    let next = pending(&world, 3_000).await;
    assert_eq!(
        (next[0].aggregate_id, &*next[0].timer, &*next[0].nature),
        (organisations[0], timers::T_2_2.id, timers::T_2_2.nature.as_str())
    );
    world
        .append(&[
            Fact::new("Cancel", organisations[0]),
            Fact::new("Done", organisations[1]),
        ])
        .await;
    pending(&world, 2_997).await;
    assert!(sent.lock().expect("whole").is_empty(), "nothing is due yet");

    clock.advance(4.days()).await.expect("moved");
    pending(&world, 1_499).await;
    assert_eq!(sent.lock().expect("whole").len(), 1_498);

    // A process that is started anew goes on, and another one that follows the clock moves it.
    drop(running);
    let other = Clock::stored(world.writer.clone(), start()).await.expect("a clock");
    assert_eq!(other.now(), clock.now());
    let following = AbortOnDropHandle::new(tokio::spawn({
        let clock = clock.clone();
        async move { clock.follow(CancellationToken::new()).await }
    }));
    let _running = run(&world, &clock, &sent);
    other.advance(6.weeks()).await.expect("moved");
    pending(&world, 0).await;
    drop(following);
    let sent = sent.lock().expect("whole").clone();
    assert_eq!(sent.len(), 2_997);
    for organisation in &organisations[2..] {
        let of: Vec<_> = sent
            .iter()
            .filter(|order| order.command.aggregate_id == *organisation)
            .map(|order| &*order.command.command)
            .collect();
        assert_eq!(of, [b"first".as_slice(), b"second"]);
    }
    let listed = of(&world, organisations[0]).await.expect("listed");
    assert_eq!(
        listed.iter().map(|d| &*d.state).collect::<Vec<_>>(),
        ["cancelled", "done"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_that_is_set_anew_is_another_one_and_a_refusal_is_noted() {
    let world = World::begin().await;
    let _relay = world.relay().await;
    let clock = Clock::simulated(start());
    let ids = Arc::new(Mutex::new(Vec::<Uuid>::new()));
    let execute = {
        let ids = Arc::clone(&ids);
        move |order: Order<Due>| {
            ids.lock().expect("whole").push(order.id);
            async move { Ok(Carried::Refused("the club is gone".into())) }
        }
    };
    let _running = running(&world, &clock, execute);
    let [organisation] = organisations(1)[..] else {
        unreachable!()
    };
    world.append(&[Fact::new("Set", organisation)]).await;
    pending(&world, 2).await;
    clock.advance(4.days()).await.expect("moved");
    pending(&world, 1).await;
    // Set anew, the first one is due already.
    world.append(&[Fact::new("Set", organisation)]).await;
    eventually(PATIENCE, || async {
        let sent = ids.lock().expect("whole").len();
        let listed = of(&world, organisation).await?;
        anyhow::ensure!(
            sent == 2 && listed[0].state == "refused",
            "{sent} were sent, {listed:?}"
        );
        Ok(())
    })
    .await;
    let listed = of(&world, organisation).await.expect("listed");
    assert_eq!(
        (&*listed[0].state, listed[0].note.as_deref()),
        ("refused", Some("the club is gone"))
    );
    let ids = ids.lock().expect("whole");
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_fails_is_tried_again_and_what_comes_after_it_waits() {
    let world = World::begin().await;
    let _relay = world.relay().await;
    let clock = Clock::simulated(start());
    let (sent, is_mended) = (Sent::default(), Arc::new(AtomicBool::new(false)));
    let [broken, other] = organisations(2)[..] else {
        unreachable!()
    };
    let execute = {
        let (sent, is_mended) = (Arc::clone(&sent), Arc::clone(&is_mended));
        move |order: Order<Due>| {
            let is_broken = order.command.aggregate_id == broken && !is_mended.load(Ordering::SeqCst);
            if !is_broken {
                sent.lock().expect("whole").push(order);
            }
            std::future::ready(Ok(if is_broken {
                Carried::Failed("an event of a later version".into())
            } else {
                Carried::Done
            }))
        }
    };
    let _running = running(&world, &clock, execute);
    world.append(&[Fact::new("Set", broken), Fact::new("Set", other)]).await;
    pending(&world, 4).await;
    clock.advance(6.weeks()).await.expect("moved");
    let waiting = pending(&world, 2).await;
    assert!(
        waiting.iter().all(|deadline| deadline.aggregate_id == broken),
        "the other goes on: {waiting:?}"
    );
    let failing = deadline::list(&world.views, Which::Failing, None, 10)
        .await
        .expect("listed");
    assert_eq!(failing.len(), 2, "{failing:?}");
    assert_eq!(failing[0].note.as_deref(), Some("an event of a later version"));
    assert!(failing[0].attempts > 0 && failing[1].attempts == 0, "{failing:?}");
    let rest = deadline::list(
        &world.views,
        Which::Failing,
        Some((failing[0].due_at, failing[0].id)),
        10,
    )
    .await;
    assert_eq!(rest.expect("listed")[0].id, failing[1].id);

    is_mended.store(true, Ordering::SeqCst);
    pending(&world, 0).await;
    let sent = sent.lock().expect("whole");
    let of_broken: Vec<_> = sent
        .iter()
        .filter(|order| order.command.aggregate_id == broken)
        .map(|order| &*order.command.command)
        .collect();
    assert_eq!(of_broken, [b"first".as_slice(), b"second"]);
}
