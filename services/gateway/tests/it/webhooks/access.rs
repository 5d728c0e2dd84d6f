//! An endpoint gets what its owner may see, at every moment.

use ryggrad_eventlog::{Append, NewEvent, Outcome, Writer};
use ryggrad_proto::EventPayload;
use ryggrad_proto::ecosystem::v1::{SubscriptionApproved, SubscriptionEnded, subscription_event};
use ryggrad_proto::options::v1::PrivacyClass;
use ryggrad_proto::webhooks::v1 as pb;
use tonic::Request;
use uuid::Uuid;

use super::receiver::Receiver;
use super::world::{LOTTSTIFT, World, fact, id};
use crate::stack::Fact;

const SUBSCRIPTION: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_aaaa);

/// Records facts of class ORG that the catalogue lists for the lottery authority.
async fn internal(world: &World, count: usize) -> u64 {
    let fact = Fact {
        name: "AnnualAccountsSubmitted",
        class: PrivacyClass::Org,
        ..fact(1)
    };
    // In one commit: what is sent of the first leaves a trace in the log, which is not to come between.
    world.stack.append(vec![fact; count]).await
}

/// Records what happens to the subscription.
async fn happens(world: &World, expected: u64, name: &'static str, event: subscription_event::Event) -> u64 {
    sqlx::query("select log.admit_writer('ryggrad_ecosystem', 'ecosystem', null)")
        .execute(&world.stack.database.pool())
        .await
        .unwrap();
    let writer = Writer::spawn(&world.stack.database.pool_as("ryggrad_ecosystem"), "ecosystem");
    let number = u128::from(expected) + 1;
    let append = Append {
        command_id: Uuid::from_u128(SUBSCRIPTION.as_u128() + 0x1_0000 * number),
        aggregate_type: "Subscription",
        aggregate_id: SUBSCRIPTION,
        expected,
        correlation_id: SUBSCRIPTION,
        causation: None,
        actor: r#"{"kind":"system","ref":"test"}"#.to_owned(),
        traceparent: None,
        occurred_at: "2026-03-01T12:00:00Z".parse().unwrap(),
        events: vec![NewEvent {
            id: Uuid::from_u128(SUBSCRIPTION.as_u128() + 0x1000_0000 * number),
            name,
            organisation_id: SUBSCRIPTION,
            orgnr: None,
            kommunenummer: None,
            related: vec![],
            class: PrivacyClass::Public,
            data: EventPayload::encode(&event).into(),
            payload: event.json().unwrap(),
        }],
    };
    match writer.append(append).await.unwrap() {
        Outcome::Appended(appended) => appended.last_position,
        other => panic!("{other:?}"),
    }
}

async fn approve(world: &World, first_position: u64, until: Option<&str>) -> u64 {
    let approved = SubscriptionApproved {
        subscription_id: SUBSCRIPTION.to_string(),
        subscriber: LOTTSTIFT.to_owned(),
        stakeholder: "LOTTSTIFT".to_owned(),
        legal_basis: "pengespilloven".to_owned(),
        first_position,
        until: until.map(str::to_owned),
        ..Default::default()
    };
    let event = subscription_event::Event::SubscriptionApproved(approved);
    happens(world, 0, "SubscriptionApproved", event).await
}

async fn end(world: &World) -> u64 {
    let ended = SubscriptionEnded {
        subscription_id: SUBSCRIPTION.to_string(),
        subscriber: LOTTSTIFT.to_owned(),
        reason: "no longer needed".to_owned(),
    };
    happens(
        world,
        1,
        "SubscriptionEnded",
        subscription_event::Event::SubscriptionEnded(ended),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_open_comes_from_its_approval_on_and_not_after_its_end() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    let id = id(&world.endpoint(&receiver).await);
    internal(&world, 2).await;
    let approved = approve(&world, 4, None).await;
    let allowed = internal(&world, 3).await;
    world.until(&id, |endpoint| endpoint.position >= allowed).await;
    let ended = end(&world).await;
    let denied = internal(&world, 2).await;
    let open = world.record(&[2]).await;
    world.until(&id, |endpoint| endpoint.position >= open).await;
    let mut positions = receiver.positions();
    positions.sort_unstable();
    // What was written to the access log meanwhile is somewhere between.
    let [first, covered @ .., end, last] = positions.as_slice() else {
        panic!("{positions:?}")
    };
    assert_eq!(
        (approved, *first, *end, *last),
        (3, 3, ended, open),
        "none of those until {denied}"
    );
    assert_eq!(covered.len(), 3, "{positions:?}");
    assert!(
        covered.iter().all(|position| (4..=allowed).contains(position)),
        "{positions:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_rests_on_a_subscription_ends_with_it() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    let approved = approve(&world, 1, None).await;
    let made = world
        .create(pb::CreateEndpointRequest {
            url: receiver.url(),
            subscription_id: SUBSCRIPTION.to_string(),
            start: Some(pb::create_endpoint_request::Start::After(approved)),
            ..Default::default()
        })
        .await;
    let id = id(&made);
    let last = internal(&world, 2).await;
    world.until(&id, |endpoint| endpoint.position >= last).await;
    end(&world).await;
    let endpoint = world
        .until(&id, |endpoint| endpoint.state() == pb::EndpointState::Disabled)
        .await;
    assert!(endpoint.reason.contains("subscription"), "{}", endpoint.reason);
    world.record(&[1]).await;
    internal(&world, 1).await;
    assert_eq!(receiver.by_position().into_keys().collect::<Vec<_>>(), [2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_with_an_end_date_ends_with_the_business_day() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    approve(&world, 1, Some("2026-03-01")).await;
    let made = world
        .create(pb::CreateEndpointRequest {
            url: receiver.url(),
            subscription_id: SUBSCRIPTION.to_string(),
            ..Default::default()
        })
        .await;
    let last = internal(&world, 1).await;
    world.until(&id(&made), |endpoint| endpoint.position >= last).await;
    world
        .clock
        .move_to("2026-03-02T00:30:00+01:00".parse().unwrap())
        .await
        .unwrap();
    internal(&world, 1).await;
    world
        .until(&id(&made), |endpoint| endpoint.state() == pb::EndpointState::Disabled)
        .await;
    assert_eq!(receiver.positions(), [2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_queue_is_asked_about_again() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    approve(&world, 1, None).await;
    let id = id(&world.endpoint(&receiver).await);
    let open = world.until(&id, |endpoint| endpoint.position == 1).await.position;
    receiver.answers(|_, _| super::receiver::Reply::status(503).header("retry-after", "3600"));
    internal(&world, 1).await;
    world.until(&id, |endpoint| endpoint.waiting == 1).await;
    end(&world).await;
    receiver.answers(|_, _| super::receiver::Reply::ok());
    let pause = pb::PauseEndpointRequest {
        endpoint_id: id.clone(),
    };
    world
        .ask(|calls| async move { calls.pause_endpoint(Request::new(pause)).await })
        .await
        .unwrap();
    let resume = pb::ResumeEndpointRequest {
        endpoint_id: id.clone(),
    };
    world
        .ask(|calls| async move { calls.resume_endpoint(Request::new(resume)).await })
        .await
        .unwrap();
    let last = world.record(&[2]).await;
    world
        .until(&id, |endpoint| endpoint.position >= last && endpoint.waiting == 0)
        .await;
    let internal: Vec<_> = receiver
        .positions()
        .into_iter()
        .filter(|position| *position == 2)
        .collect();
    assert_eq!(internal.len(), 1, "the attempt before the end, from {open}");
}
