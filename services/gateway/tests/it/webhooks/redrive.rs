//! Sending again what was given up, or everything.

use std::time::Duration;

use ryggrad_gateway::webhooks::Schedule;
use ryggrad_proto::webhooks::v1::redrive_request::What;
use ryggrad_proto::webhooks::v1::{self as pb, PositionRange};
use ryggrad_testkit::eventually;
use tonic::{Code, Request, Status};

use super::receiver::{Receiver, Reply};
use super::world::{World, id, refused};
use crate::stack::PATIENCE;

async fn redrive(world: &World, id: &str, what: What, everything: bool) -> Result<pb::RedriveResponse, Status> {
    let request = pb::RedriveRequest {
        endpoint_id: id.to_owned(),
        what: Some(what),
        everything,
    };
    world
        .ask(|calls| async move { calls.redrive(Request::new(request)).await })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_sent_again_one_a_range_or_since_a_time() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    receiver.answers(|request, _| Reply::status(if request.position() % 2 == 0 { 500 } else { 200 }));
    let id = id(&world.endpoint(&receiver).await);
    let last = world.record(&[1, 2, 3, 4, 5, 6, 7, 8, 9]).await;
    world
        .until(&id, |endpoint| endpoint.position == last && endpoint.dead_letters == 4)
        .await;
    let before = receiver.deliveries().len();
    receiver.answers(|_, _| Reply::ok());
    let one = redrive(&world, &id, What::Position(4), false).await.unwrap();
    assert_eq!((one.dead_letters, one.from), (1, 0));
    world
        .until(&id, |endpoint| endpoint.dead_letters == 3 && endpoint.waiting == 0)
        .await;
    let range = redrive(&world, &id, What::Range(PositionRange { from: 1, to: 6 }), false)
        .await
        .unwrap();
    assert_eq!(range.dead_letters, 2);
    world
        .until(&id, |endpoint| endpoint.dead_letters == 1 && endpoint.waiting == 0)
        .await;
    let since = world.stack.log().at(8).await.unwrap().unwrap().recorded_at;
    let rest = redrive(&world, &id, What::Since(since.into()), false).await.unwrap();
    assert_eq!(rest.dead_letters, 1);
    world
        .until(&id, |endpoint| endpoint.dead_letters == 0 && endpoint.waiting == 0)
        .await;
    let mut again = receiver.positions().split_off(before);
    again.sort_unstable();
    assert_eq!(again, [2, 4, 6, 8]);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_sent_again_up_to_where_the_endpoint_is() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    let id = id(&world.endpoint(&receiver).await);
    let last = world.record(&[1, 2, 3, 4, 5]).await;
    world.until(&id, |endpoint| endpoint.position == last).await;
    let answer = redrive(&world, &id, What::Range(PositionRange { from: 2, to: 0 }), true)
        .await
        .unwrap();
    assert_eq!((answer.from, answer.to), (2, 5));
    receiver.delivered(9).await;
    let mut again = receiver.positions().split_off(5);
    again.sort_unstable();
    assert_eq!(again, [2, 3, 4, 5]);
    let by_position = receiver.by_position();
    assert!(
        by_position[&2]
            .iter()
            .all(|delivery| delivery.id() == by_position[&2][0].id())
    );
    // Since a time: the third event's.
    let since = world.stack.log().at(3).await.unwrap().unwrap().recorded_at;
    let answer = redrive(&world, &id, What::Since(since.into()), true).await.unwrap();
    assert_eq!((answer.from, answer.to), (3, 5));
    receiver.delivered(12).await;
    ryggrad_testkit::eventually(crate::stack::PATIENCE, || async {
        let left: i64 = sqlx::query_scalar("select count(*) from webhook_redrives")
            .fetch_one(&world.pool)
            .await
            .unwrap();
        (left == 0).then_some(()).ok_or("not done yet")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redrive_says_which_events() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    let id = id(&world.endpoint(&receiver).await);
    let request = pb::RedriveRequest {
        endpoint_id: id.clone(),
        ..Default::default()
    };
    let asked = world.ask(|calls| async move { calls.redrive(Request::new(request)).await });
    refused(asked.await, Code::InvalidArgument, "position, range or since");
    let backwards = redrive(&world, &id, What::Range(PositionRange { from: 5, to: 2 }), true);
    refused(backwards.await, Code::InvalidArgument, "range.to");
    // Nothing has happened yet: there is nothing to send again.
    let nothing = redrive(&world, &id, What::Range(PositionRange { from: 1, to: 0 }), true)
        .await
        .unwrap();
    assert_eq!(nothing, pb::RedriveResponse::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_ordered_endpoint_what_waits_for_another_attempt_goes_on_waiting_for_it() {
    let world = World::with(|options| options.schedule = Schedule::new([Duration::from_secs(1); 10])).await;
    let receiver = Receiver::start().await;
    receiver.answers(|request, _| Reply::status(if request.position() == 2 { 500 } else { 200 }));
    let made = world.create_ordered(receiver.url()).await;
    let id = id(&made);
    let last = world.record(&[1, 2, 2]).await;
    world
        .until(&id, |endpoint| endpoint.position == last && endpoint.waiting == 2)
        .await;
    let range = PositionRange { from: 1, to: last };
    redrive(&world, &id, What::Range(range), true).await.unwrap();
    // The first one came a second time: the span is being gone through.
    eventually(PATIENCE, || async {
        let first = receiver.by_position()[&1].len();
        if first == 2 {
            Ok(())
        } else {
            Err(format!("{first} deliveries"))
        }
    })
    .await;
    receiver.answers(|_, _| Reply::ok());
    world.until(&id, |endpoint| endpoint.waiting == 0).await;
    assert!(receiver.by_position().keys().copied().eq(1..=last));
}
