//! Where nothing is ever sent.

use ryggrad_proto::webhooks::v1 as pb;
use ryggrad_testkit::eventually;
use tonic::{Code, Request};

use super::receiver::{Receiver, Reply};
use super::world::{World, id, refused};
use crate::stack::PATIENCE;

async fn create(world: &World, url: &str) -> Result<pb::CreateEndpointResponse, tonic::Status> {
    let request = pb::CreateEndpointRequest {
        url: url.to_owned(),
        start: Some(pb::create_endpoint_request::Start::After(0)),
        ..Default::default()
    };
    world
        .ask(|calls| async move { calls.create_endpoint(Request::new(request)).await })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn private_addresses_are_refused_however_they_are_written() {
    let world = World::with(|options| options.allow_private = false).await;
    let receiver = Receiver::start().await;
    let port = receiver.address.port();
    let hosts = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::]",
        "0.0.0.0",
        "0",
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "2852039166",
        "10.0.0.1",
        "172.16.5.4",
        "192.168.0.1",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[fe80::1]",
        "[fd00::1]",
        "[ff02::1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::1]",
    ];
    for host in hosts {
        let made = create(&world, &format!("https://{host}:{port}/hook")).await;
        refused(made, Code::InvalidArgument, "is not called");
    }
    refused(
        create(&world, &format!("http://localhost:{port}/hook")).await,
        Code::InvalidArgument,
        "https",
    );
    assert!(receiver.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_stands_for_a_private_address_is_found_out_when_it_is_resolved() {
    let world = World::with(|options| options.allow_private = false).await;
    let receiver = Receiver::start().await;
    let made = create(&world, &format!("https://localhost:{}/hook", receiver.address.port()))
        .await
        .unwrap();
    let endpoint = made.endpoint.unwrap();
    assert_eq!(endpoint.state(), pb::EndpointState::Pending);
    assert!(
        endpoint.reason.contains("is not called: loopback"),
        "{}",
        endpoint.reason
    );
    assert!(receiver.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_allowed_once_is_checked_at_every_delivery() {
    let mut world = World::start().await;
    let receiver = Receiver::start().await;
    let id = id(&world.endpoint(&receiver).await);
    world.process.stop().await;
    world.options.allow_private = false;
    world.process = world.another().await;
    world.record(&[1]).await;
    let attempt = eventually(PATIENCE, || async { world.attempts(&id).await.pop().ok_or("none yet") }).await;
    assert!(attempt.error.contains("is not called: loopback"), "{}", attempt.error);
    assert!(receiver.deliveries().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_not_followed() {
    let (world, receiver, inside) = (World::start().await, Receiver::start().await, Receiver::start().await);
    let to = inside.url();
    receiver.answers(move |_, _| Reply::status(307).header("location", to.clone()));
    let id = id(&world.endpoint(&receiver).await);
    world.record(&[1]).await;
    let attempt = eventually(PATIENCE, || async { world.attempts(&id).await.pop().ok_or("none yet") }).await;
    assert_eq!((attempt.status, attempt.outcome.as_str()), (307, "failed"));
    assert_eq!(attempt.error, format!("redirects are not followed: {}", inside.url()));
    // Nor in the handshake.
    let to = inside.url();
    receiver.answers_all(move |_, _| Reply::status(302).header("location", to.clone()));
    let made = create(&world, &receiver.url()).await.unwrap();
    assert_eq!(made.endpoint.unwrap().state(), pb::EndpointState::Pending);
    assert!(inside.requests().is_empty());
}
