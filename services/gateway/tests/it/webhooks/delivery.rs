//! When nothing goes wrong.

use std::time::{Duration, Instant};

use ryggrad_proto::events::v1::EventFilter;
use ryggrad_proto::webhooks::v1 as pb;
use ryggrad_testkit::eventually;
use tonic::Request;

use super::receiver::{Receiver, Reply};
use super::world::{Asker, SKATT, World, id, organisation};
use crate::stack::PATIENCE;

#[tokio::test(flavor = "multi_thread")]
async fn every_event_comes_once_as_a_cloudevent() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    let last = world.record(&[1, 2, 3, 1, 2, 3]).await;
    let made = world.endpoint(&receiver).await;
    assert_eq!(made.first_position, 1);
    let settled = world.until(&id(&made), |endpoint| endpoint.position == last).await;
    assert_eq!((settled.lag, settled.waiting, settled.dead_letters), (0, 0, 0));
    let by_position = receiver.by_position();
    assert!(by_position.keys().copied().eq(1..=last));
    assert!(
        by_position.values().all(|deliveries| deliveries.len() == 1),
        "each once"
    );
    for recorded in world.stack.log().after(0, 100).await.unwrap() {
        let delivery = &by_position[&recorded.position][0];
        assert_eq!(delivery.id(), recorded.event_id.to_string());
        for (name, value) in [
            ("ce-specversion", "1.0"),
            ("ce-id", delivery.id()),
            ("ce-type", "no.ryggrad.registration.OrganisationRegistered.v1"),
            ("ce-source", "/ryggrad/registration"),
            ("ce-subject", &recorded.organisation_id.to_string()),
            ("ce-sequence", &recorded.sequence.to_string()),
            ("ce-privacyclass", "public"),
            ("content-type", "application/json"),
        ] {
            assert_eq!(delivery.header(name), value, "{name}");
        }
        assert!(!delivery.headers.contains_key("ce-datacontenttype"));
        assert_eq!(delivery.json()["organisationId"], recorded.organisation_id.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_structured_mode_the_body_is_the_whole_event() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    world.record(&[7]).await;
    let request = pb::CreateEndpointRequest {
        url: receiver.url(),
        start: Some(pb::create_endpoint_request::Start::After(0)),
        mode: pb::ContentMode::Structured.into(),
        ..Default::default()
    };
    world.create(request).await;
    let delivery = &receiver.delivered(1).await[0];
    assert_eq!(delivery.header("content-type"), "application/cloudevents+json");
    assert!(!delivery.headers.contains_key("ce-id"));
    let event = delivery.json();
    assert_eq!((&event["id"], &event["position"]), (&delivery.id().into(), &"1".into()));
    assert_eq!(event["data"]["organisationId"], organisation(7).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_new_comes_within_a_second_and_only_what_is_wanted() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    world.record(&[1, 2]).await;
    let filter = EventFilter {
        organisations: vec![organisation(2).to_string()],
        ..Default::default()
    };
    let made = world
        .create(pb::CreateEndpointRequest {
            url: receiver.url(),
            filter: Some(filter.clone()),
            start: Some(pb::create_endpoint_request::Start::FromNow(true)),
            ..Default::default()
        })
        .await;
    assert_eq!(made.first_position, 3);
    assert_eq!(made.endpoint.as_ref().unwrap().filter, Some(filter));
    // Until it is taken up, time passes that is not the delivery's.
    world.record(&[2]).await;
    receiver.delivered(1).await;
    let began = Instant::now();
    let last = world.record(&[1, 2, 1]).await;
    let deliveries = receiver.delivered(2).await;
    let took = deliveries[1].at.duration_since(began);
    assert!(took < Duration::from_secs(1), "{took:?}");
    world.until(&id(&made), |endpoint| endpoint.position == last).await;
    assert_eq!(receiver.by_position().into_keys().collect::<Vec<_>>(), [3, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_endpoints_delay_no_other() {
    const SLOW: usize = 35;
    // Half of them are one organisation's at the most; the other half is more than the other endpoint asks for.
    let world = World::with(|options| (options.extras, options.window) = (60, 16)).await;
    let (slow, fast) = (Receiver::start().await, Receiver::start().await);
    slow.answers(|_, _| Reply::held());
    fast.answers(|_, _| Reply::held());
    let mut slow_ids = Vec::new();
    for _ in 0..SLOW {
        slow_ids.push(id(&world.endpoint(&slow).await));
    }
    let last = world.record(&[1; 40]).await;
    slow.delivered(SLOW + 30).await;
    let other = Asker::of(SKATT);
    let request = pb::CreateEndpointRequest {
        url: fast.url(),
        start: Some(pb::create_endpoint_request::Start::After(0)),
        ..Default::default()
    };
    let made = world.ask_as(&other, |calls| async move {
        calls.create_endpoint(Request::new(request)).await
    });
    let fast_id = id(&made.await.unwrap());
    // Its whole window at once, and everything in the end.
    fast.delivered(16).await;
    assert_eq!(fast.most(), 16);
    fast.open();
    world
        .until_of(other, &fast_id, |endpoint| endpoint.position == last)
        .await;
    assert_eq!(fast.by_position().len(), 40);
    assert_eq!(
        slow.deliveries().len(),
        SLOW + 30,
        "each one's own place, and half of the others"
    );
    assert_eq!(slow.most(), SLOW + 30, "and none of them has been answered");
    for id in &slow_ids {
        assert_eq!((world.get(id).await.position, world.attempts(id).await.len()), (0, 0));
    }
    slow.open();
    for id in &slow_ids {
        world.until(id, |endpoint| endpoint.position == last).await;
    }
    assert_eq!(slow.deliveries().len(), SLOW * 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn ordered_means_one_after_the_other_in_every_organisation() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    let organisations: Vec<u128> = (0..120).map(|n| n % 4).collect();
    let last = world.record(&organisations).await;
    let made = world
        .create(pb::CreateEndpointRequest {
            url: receiver.url(),
            ordered: true,
            start: Some(pb::create_endpoint_request::Start::After(0)),
            ..Default::default()
        })
        .await;
    world.until(&id(&made), |endpoint| endpoint.position == last).await;
    let deliveries = receiver.deliveries();
    assert_eq!(deliveries.len(), 120);
    for number in 0..4 {
        let subject = organisation(number).to_string();
        let of = deliveries
            .iter()
            .filter(|delivery| delivery.header("ce-subject") == subject);
        assert!(
            of.map(super::receiver::Received::position).is_sorted(),
            "organisation {number}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_gets_no_more_a_second_than_it_wants() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    world.record(&[1; 12]).await;
    world
        .create(pb::CreateEndpointRequest {
            url: receiver.url(),
            rate_per_second: 10,
            start: Some(pb::create_endpoint_request::Start::After(0)),
            ..Default::default()
        })
        .await;
    let deliveries = receiver.delivered(12).await;
    // Eleven intervals of a tenth of a second.
    let took = deliveries[11].at.duration_since(deliveries[0].at);
    assert!(took >= Duration::from_millis(950), "{took:?}");
    let asked = receiver.requests();
    assert_eq!(asked[0].header("webhook-request-rate"), "600");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_filter_counts_from_then_on() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    let id = id(&world.endpoint(&receiver).await);
    world.record(&[1, 2]).await;
    receiver.delivered(2).await;
    let request = pb::UpdateEndpointRequest {
        endpoint_id: id.clone(),
        filter: Some(EventFilter {
            organisations: vec![organisation(2).to_string()],
            ..Default::default()
        }),
        description: Some("only one".to_owned()),
        ..Default::default()
    };
    let changed = world.ask(|calls| async move { calls.update_endpoint(Request::new(request)).await });
    let changed = changed.await.unwrap();
    assert_eq!(
        (changed.description.as_str(), changed.state()),
        ("only one", pb::EndpointState::Active)
    );
    // Whatever was looked at before the change reached the deliverer may still come; in the end nothing else does.
    eventually(PATIENCE, || async {
        let before = receiver.positions();
        let other = world.record(&[1]).await;
        let wanted = world.record(&[2]).await;
        world.until(&id, |endpoint| endpoint.position >= wanted).await;
        let after = receiver.positions();
        if after.contains(&wanted) && !after.contains(&other) {
            Ok(())
        } else {
            Err(format!("{before:?} {after:?}"))
        }
    })
    .await;
}
