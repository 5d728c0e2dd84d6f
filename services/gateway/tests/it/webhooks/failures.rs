//! What happens to what fails.

use std::time::Duration;

use ryggrad_gateway::webhooks::Schedule;
use ryggrad_proto::webhooks::v1 as pb;
use ryggrad_testkit::eventually;

use super::receiver::{Received, Receiver, Reply};
use super::world::{World, id, organisation};
use crate::stack::PATIENCE;

fn ordered(receiver: &Receiver) -> pb::CreateEndpointRequest {
    pb::CreateEndpointRequest {
        url: receiver.url(),
        ordered: true,
        start: Some(pb::create_endpoint_request::Start::After(0)),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_tried_again_with_the_same_id() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    receiver.answers(|_, before| Reply::status(if before < 3 { 500 } else { 204 }));
    let id = id(&world.endpoint(&receiver).await);
    let last = world.record(&[1]).await;
    world
        .until(&id, |endpoint| endpoint.position == last && endpoint.waiting == 0)
        .await;
    let deliveries = receiver.delivered(4).await;
    assert!(deliveries.iter().all(|delivery| delivery.id() == deliveries[0].id()));
    let mut attempts = world.attempts(&id).await;
    attempts.reverse();
    let told: Vec<_> = attempts
        .iter()
        .map(|attempt| (attempt.number, attempt.outcome.as_str(), attempt.status))
        .collect();
    assert_eq!(
        told,
        [
            (1, "failed", 500),
            (2, "failed", 500),
            (3, "failed", 500),
            (4, "delivered", 204)
        ]
    );
    for pair in attempts.windows(2) {
        assert_eq!(pair[0].error, "answered 500");
        let next = pair[0].next_attempt_at.unwrap();
        let began = pair[1].at.unwrap();
        assert!(
            (began.seconds, began.nanos) >= (next.seconds, next.nanos),
            "not before it was due"
        );
    }
    assert_eq!(attempts[3].next_attempt_at, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_organisation_holds_back_its_own_events_only() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    let bad = organisation(1).to_string();
    receiver.answers(move |request, before| {
        let fails = before < 9 && request.header("ce-subject") == bad && request.position() == 1;
        Reply::status(if fails { 500 } else { 200 })
    });
    // The first event of organisation 1 fails at first; 20 of others come between and after its own.
    let organisations: Vec<u128> = (0..30).map(|n| if n % 3 == 0 { 1 } else { 2 + n % 3 }).collect();
    let last = world.record(&organisations).await;
    let made = world.create(ordered(&receiver)).await;
    world
        .until(&id(&made), |endpoint| {
            endpoint.position == last && endpoint.waiting == 0
        })
        .await;
    let deliveries = receiver.deliveries();
    let of = |number: u128| {
        let subject = organisation(number).to_string();
        let of = deliveries
            .iter()
            .filter(move |delivery| delivery.header("ce-subject") == subject);
        of.map(Received::position).collect::<Vec<_>>()
    };
    for number in [1, 3, 4] {
        assert!(of(number).is_sorted(), "{number}: {:?}", of(number));
    }
    let mut own = of(1);
    own.dedup();
    assert_eq!(
        own,
        (0..10).map(|n| 1 + 3 * n).collect::<Vec<u64>>(),
        "all of them, in order"
    );
    assert_eq!(deliveries.len() - of(1).len(), 20, "others were not sent twice");
    let others = |delivery: &&Received| delivery.header("ce-subject") != organisation(1).to_string();
    let second_own = deliveries.iter().position(|delivery| delivery.position() == 4).unwrap();
    let before = deliveries[..second_own].iter().filter(others).count();
    assert!(before > 0, "others did not wait");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_last_attempt_an_event_is_a_dead_letter_and_the_next_goes_on() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    receiver.answers(|request, _| {
        let status = if request.position() == 2 { 400 } else { 200 };
        Reply {
            body: "x".repeat(5_000),
            ..Reply::status(status)
        }
    });
    let made = world.create(ordered(&receiver)).await;
    let id = id(&made);
    let last = world.record(&[5, 5, 5]).await;
    let endpoint = world
        .until(&id, |endpoint| endpoint.dead_letters == 1 && endpoint.waiting == 0)
        .await;
    assert_eq!((endpoint.position, endpoint.state()), (last, pb::EndpointState::Active));
    let dead = world.dead_letters(&id).await.remove(0);
    assert_eq!(
        (dead.position, dead.attempts, dead.error.as_str()),
        (2, 5, "answered 400")
    );
    assert_eq!(dead.organisation_id, organisation(5).to_string());
    assert_eq!(receiver.positions(), [1, 2, 2, 2, 2, 2, 3]);
    let attempts = world.attempts(&id).await;
    let last = attempts.iter().find(|attempt| attempt.position == 2).unwrap();
    assert_eq!(
        (last.number, last.outcome.as_str(), last.next_attempt_at),
        (5, "dead", None)
    );
    assert_eq!(last.answer, "x".repeat(1_024), "the beginning of the answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_honoured_for_the_whole_endpoint_whatever_the_failure() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    receiver.answers(|_, before| match before {
        0 => Reply::status(502).header("retry-after", "1"),
        _ => Reply::ok(),
    });
    let id = id(&world.endpoint(&receiver).await);
    world.record(&[1]).await;
    let endpoint = world.until(&id, |endpoint| endpoint.waiting == 1).await;
    assert!(endpoint.not_before.is_some());
    let last = world.record(&[2, 3]).await;
    world
        .until(&id, |endpoint| endpoint.position == last && endpoint.waiting == 0)
        .await;
    let deliveries = receiver.deliveries();
    let pause = deliveries[1].at.duration_since(deliveries[0].at);
    assert!(pause >= Duration::from_millis(990), "{pause:?}");
    assert_eq!(deliveries.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_gone_is_not_called_again_until_it_says_so() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    receiver.answers(|_, before| Reply::status(if before == 0 { 410 } else { 200 }));
    let id = id(&world.endpoint(&receiver).await);
    world.record(&[1]).await;
    let endpoint = world
        .until(&id, |endpoint| endpoint.state() == pb::EndpointState::Disabled)
        .await;
    assert!(endpoint.reason.contains("410"), "{}", endpoint.reason);
    let last = world.record(&[2]).await;
    assert_eq!(world.attempts(&id).await[0].outcome, "gone");
    assert_eq!(receiver.deliveries().len(), 1);
    let request = pb::ValidateEndpointRequest {
        endpoint_id: id.clone(),
    };
    let validated = world.ask(|calls| async move { calls.validate_endpoint(tonic::Request::new(request)).await });
    assert_eq!(validated.await.unwrap().state(), pb::EndpointState::Active);
    world
        .until(&id, |endpoint| endpoint.position == last && endpoint.waiting == 0)
        .await;
    let mut positions = receiver.positions();
    positions.sort_unstable();
    assert_eq!(positions, [1, 1, 2], "what was answered 410 as well");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_down_costs_a_few_rows_and_gets_everything_when_it_is_back() {
    let world = World::with(|options| {
        options.window = 4;
        options.schedule = Schedule::new([Duration::from_millis(100); 10]);
    })
    .await;
    let receiver = Receiver::start().await;
    receiver.answers(|_, _| Reply::status(503));
    let id = id(&world.endpoint(&receiver).await);
    let last = world.stack.append_many(600).await;
    // Long enough to be sure that it is known to be down: attempts of new events have become probes.
    receiver.delivered(20).await;
    let endpoint = world.get(&id).await;
    assert!(endpoint.waiting + endpoint.dead_letters < 60, "{endpoint:?}");
    assert!(endpoint.lag > 500, "{endpoint:?}");
    receiver.answers(|_, _| Reply::ok());
    // Some may be dead letters by now, or the endpoint disabled: its attempts end within a second here.
    let request = pb::ValidateEndpointRequest {
        endpoint_id: id.clone(),
    };
    let validated = world.ask(|calls| async move { calls.validate_endpoint(tonic::Request::new(request)).await });
    validated.await.unwrap();
    let endpoint = world
        .until(&id, |endpoint| endpoint.position == last && endpoint.waiting == 0)
        .await;
    let delivered = world.attempts_of(&id, "delivered").await;
    assert_eq!(delivered + endpoint.dead_letters, last, "nothing is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_takes_nothing_for_a_whole_schedule_is_disabled() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    receiver.answers(|_, _| Reply::status(500));
    let id = id(&world.endpoint(&receiver).await);
    world.record(&[1, 2]).await;
    let endpoint = world
        .until(&id, |endpoint| endpoint.state() == pb::EndpointState::Disabled)
        .await;
    assert!(
        endpoint.reason.contains("nothing was delivered since"),
        "{}",
        endpoint.reason
    );
    assert!(endpoint.dead_letters >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_a_failure_with_its_reason() {
    let world = World::with(|options| {
        options.patience = Duration::from_millis(300);
        options.schedule = Schedule::new([Duration::from_hours(1)]);
    })
    .await;
    let (silent, closed) = (Receiver::start().await, Receiver::start().await);
    silent.answers(|_, _| Reply::held());
    let (silent_id, closed_id) = (id(&world.endpoint(&silent).await), id(&world.endpoint(&closed).await));
    closed.close();
    world.record(&[1]).await;
    for (id, said) in [(silent_id, "no answer within 300ms"), (closed_id, "onnection")] {
        let attempt = eventually(PATIENCE, || async {
            world.attempts(&id).await.pop().ok_or("no attempt yet")
        })
        .await;
        assert_eq!((attempt.status, attempt.outcome.as_str()), (0, "failed"));
        assert!(attempt.error.contains(said), "{}", attempt.error);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_end_is_read_only_so_far() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    receiver.answers(|_, _| Reply {
        body: "y".repeat(20 << 20),
        ..Reply::ok()
    });
    let id = id(&world.endpoint(&receiver).await);
    let last = world.record(&[1]).await;
    world.until(&id, |endpoint| endpoint.position == last).await;
    assert_eq!(world.attempts(&id).await[0].answer.len(), 1_024);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_attempts_are_cleared_away() {
    let world = World::with(|options| options.keep = Duration::ZERO).await;
    let receiver = Receiver::start().await;
    let id = id(&world.endpoint(&receiver).await);
    let last = world.record(&[1]).await;
    world.until(&id, |endpoint| endpoint.position == last).await;
    assert_eq!(world.attempts(&id).await.len(), 1);
    // The next process clears at its start.
    let _next = world.another().await;
    eventually(PATIENCE, || async {
        let left = world.attempts(&id).await.len();
        (left == 0).then_some(()).ok_or(format!("{left} left"))
    })
    .await;
}
