//! I6: what happens leads to each command once, however often the reaction is killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ryggrad_eventlog::consumer::Poison;
use ryggrad_eventlog::order::{Again, Carried, Order, carried};
use ryggrad_eventlog::reaction::{self, Reaction};
use ryggrad_eventlog::{Executor, Recorded, Request, parked};
use ryggrad_proto::common::v1::Actor;
use ryggrad_testkit::eventually;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use crate::support::{Count, Counter, process};
use crate::world::{Fact, World, organisations};

const PATIENCE: Duration = Duration::from_mins(1);

/// Answers every `Call` by counting on the organisation's counter, and every third one twice.
#[derive(Clone)]
struct Answering;

#[derive(Clone, PartialEq, prost::Message)]
struct Calls {
    #[prost(uint64, tag = "1")]
    calls: u64,
}

impl Reaction for Answering {
    type State = Calls;
    type Command = Uuid;

    const NAME: &'static str = "answering";

    fn key(&self, event: &Recorded) -> Option<Uuid> {
        (&*event.name == "Call" || &*event.name == "Bad").then_some(event.organisation_id)
    }

    fn react(&self, state: &mut Calls, event: &Recorded) -> Result<Vec<Uuid>, Poison> {
        if &*event.name == "Bad" {
            return Err(Poison::new("it is bad"));
        }
        state.calls += 1;
        Ok(vec![
            event.organisation_id;
            if state.calls.is_multiple_of(3) { 2 } else { 1 }
        ])
    }
}

fn run(world: &World, executor: &Executor<Counter>, fails: &Arc<AtomicBool>) -> AbortOnDropHandle<()> {
    let (executor, fails) = (executor.clone(), Arc::clone(fails));
    let execute = move |order: Order<Uuid>| {
        let (executor, fails) = (executor.clone(), Arc::clone(&fails));
        async move {
            if fails.load(Ordering::SeqCst) {
                return Ok(Carried::Failed("it is broken".into()));
            }
            let request = Request {
                command: Count {
                    events: 1,
                    limit: u64::MAX,
                },
                aggregate_id: order.command,
                command_id: order.id,
                expected_version: None,
                actor: Actor::default(),
                correlation_id: Some(order.correlation_id),
                causation: Some(order.causation),
                traceparent: None,
            };
            carried(executor.execute(request).await)
        }
    };
    let running = reaction::run(
        world.views.clone(),
        world.client.clone(),
        Answering,
        execute,
        CancellationToken::new(),
    );
    AbortOnDropHandle::new(tokio::spawn(running))
}

/// Waits until a counter is at a number, and sees that it stays there until later events are through.
#[track_caller]
fn counted(executor: &Executor<Counter>, organisation: Uuid, count: u64) -> impl Future<Output = ()> {
    eventually(PATIENCE, move || async move {
        let (is, _) = executor.state(organisation).await?;
        anyhow::ensure!(is == count, "{organisation} was answered {is} times of {count}");
        Ok(())
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i6_a_reaction_killed_at_random_points_sends_each_command_once() {
    let world = World::begin().await;
    let _relay = world.relay().await;
    let executor = process(world.writer.clone());
    let organisations = organisations(20);
    let never = Arc::new(AtomicBool::new(false));
    for round in 0..15 {
        let _running = run(&world, &executor, &never);
        let facts: Vec<_> = organisations
            .iter()
            .cycle()
            .take(60)
            .map(|id| Fact::new("Call", *id))
            .collect();
        world.append(&facts).await;
        // Killed somewhere in the middle.
        counted_at_least(&executor, organisations[round % 20], round as u64).await;
    }
    let _running = run(&world, &executor, &never);
    for organisation in &organisations {
        // 45 calls, every third answered twice.
        counted(&executor, *organisation, 60).await;
    }
}

#[track_caller]
fn counted_at_least(executor: &Executor<Counter>, organisation: Uuid, count: u64) -> impl Future<Output = ()> {
    eventually(PATIENCE, move || async move {
        let (is, _) = executor.state(organisation).await?;
        anyhow::ensure!(is >= count, "{is} of {count}");
        Ok(())
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i11_a_reaction_parks_what_it_cannot_digest_or_carry_out_and_takes_it_up_again() {
    let world = World::begin().await;
    let _relay = world.relay().await;
    let executor = process(world.writer.clone());
    let fails = Arc::new(AtomicBool::new(false));
    let _running = run(&world, &executor, &fails);
    let [sick, well, broken] = organisations(3)[..] else {
        unreachable!()
    };
    let call = |organisation| Fact::new("Call", organisation);
    world
        .append(&[call(sick), Fact::new("Bad", sick), call(sick), call(well)])
        .await;
    counted(&executor, well, 1).await;
    counted(&executor, sick, 1).await;
    fails.store(true, Ordering::SeqCst);
    world.append(&[call(broken), call(broken), call(broken)]).await;
    let list = eventually(PATIENCE, || async {
        let list = parked::list(&world.views).await?;
        anyhow::ensure!(list.len() == 2, "{list:?}");
        Ok(list)
    })
    .await;
    assert_eq!(
        list.iter().map(|p| (p.organisation_id, &*p.cause)).collect::<Vec<_>>(),
        [(sick, "it is bad"), (broken, "it is broken")]
    );
    fails.store(false, Ordering::SeqCst);
    assert!(parked::release(&world.views, "answering", broken).await.expect("asked"));
    counted(&executor, broken, 4).await;
    counted(&executor, sick, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reaction_stops_while_the_log_is_away_for_those_that_it_lets_out() {
    let world = World::begin().await;
    let _relay = world.relay().await;
    let (is_away, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (away, tried) = (Arc::clone(&is_away), Arc::clone(&count));
    let execute = move |_: Order<Uuid>| {
        tried.fetch_add(1, Ordering::SeqCst);
        std::future::ready(if away.load(Ordering::SeqCst) {
            Err(Again("the log is away".to_owned()))
        } else {
            Ok(Carried::Failed("it is broken".to_owned()))
        })
    };
    let token = CancellationToken::new();
    let running = reaction::run(
        world.views.clone(),
        world.client.clone(),
        Answering,
        execute,
        token.clone(),
    );
    let running = AbortOnDropHandle::new(tokio::spawn(running));
    let [broken] = organisations(1)[..] else { unreachable!() };
    world.append(&[Fact::new("Call", broken)]).await;
    eventually(PATIENCE, || async {
        let list = parked::list(&world.views).await?;
        anyhow::ensure!(list.len() == 1, "{list:?}");
        Ok(())
    })
    .await;
    is_away.store(true, Ordering::SeqCst);
    let before = count.load(Ordering::SeqCst);
    assert!(parked::release(&world.views, "answering", broken).await.expect("asked"));
    eventually(PATIENCE, || {
        let again = count.load(Ordering::SeqCst) - before;
        std::future::ready(if again > 1 {
            Ok(())
        } else {
            Err("it was not tried again")
        })
    })
    .await;
    token.cancel();
    let ended = tokio::time::timeout(PATIENCE, running).await;
    ended.expect("it stops").expect("in order");
    let list = parked::list(&world.views).await.expect("a list");
    assert_eq!(list.len(), 1, "it is as it was: {list:?}");
}
