//! Endpoints as their owners make, change and remove them.

use rest_over_grpc::transcoding::TranscodeResponse;
use ryggrad_access::Scope;
use ryggrad_proto::events::v1::EventFilter;
use ryggrad_proto::webhooks::v1 as pb;
use ryggrad_service::auth::answering;
use serde_json::{Value, json};
use tonic::{Code, Request};

use super::receiver::{Receiver, Reply};
use super::world::{Asker, LOTTSTIFT, SKATT, World, id, refused};

fn to(receiver: &Receiver) -> pb::CreateEndpointRequest {
    pb::CreateEndpointRequest {
        url: receiver.url(),
        ..Default::default()
    }
}

async fn create(
    world: &World,
    request: pb::CreateEndpointRequest,
) -> Result<pb::CreateEndpointResponse, tonic::Status> {
    world
        .ask(|calls| async move { calls.create_endpoint(Request::new(request)).await })
        .await
}

async fn validate(world: &World, id: &str) -> pb::Endpoint {
    let request = pb::ValidateEndpointRequest {
        endpoint_id: id.to_owned(),
    };
    let asked = world.ask(|calls| async move { calls.validate_endpoint(Request::new(request)).await });
    asked.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_before_the_endpoint_says_that_it_wants_it() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    receiver.answers_all(|_, _| Reply::ok().header("webhook-allowed-origin", "somebody.else"));
    let made = create(&world, to(&receiver)).await.unwrap();
    let (id, endpoint) = (id(&made), made.endpoint.unwrap());
    assert_eq!(endpoint.state(), pb::EndpointState::Pending);
    assert!(endpoint.reason.contains("somebody.else"), "{}", endpoint.reason);
    let last = world.record(&[1, 2]).await;
    let test = pb::SendTestRequest {
        endpoint_id: id.clone(),
    };
    let test = world.ask(|calls| async move { calls.send_test(Request::new(test)).await });
    refused(test.await, Code::FailedPrecondition, "pending");
    let resume = pb::ResumeEndpointRequest {
        endpoint_id: id.clone(),
    };
    let resume = world.ask(|calls| async move { calls.resume_endpoint(Request::new(resume)).await });
    refused(resume.await, Code::FailedPrecondition, "pending");
    let requests = receiver.requests();
    assert_eq!((requests.len(), requests[0].method.as_str()), (1, "OPTIONS"));
    assert_eq!(requests[0].header("webhook-request-origin"), "ryggrad.no");

    receiver.answers_all(|_, _| Reply::ok().header("webhook-allowed-origin", "ryggrad.no"));
    let endpoint = validate(&world, &id).await;
    assert_eq!(
        (endpoint.state(), endpoint.reason.as_str()),
        (pb::EndpointState::Active, "")
    );
    assert!(endpoint.validated_at.is_some());
    world.until(&id, |endpoint| endpoint.position == last).await;
    assert_eq!(receiver.by_position().into_keys().collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn permission_can_be_given_afterwards_at_the_callback_address() {
    let world = World::with(|options| options.public_url = Some("https://events.example/".to_owned())).await;
    let receiver = Receiver::start().await;
    receiver.answers_all(|request, _| Reply::status(if request.method == "OPTIONS" { 202 } else { 200 }));
    let made = create(&world, to(&receiver)).await.unwrap();
    assert_eq!(made.endpoint.as_ref().unwrap().state(), pb::EndpointState::Pending);
    let callback = receiver.requests()[0].header("webhook-request-callback").to_owned();
    let token = callback
        .strip_prefix("https://events.example/v1/webhooks:grant?token=")
        .unwrap();
    let grant = async |token: &str| {
        let request = pb::GrantPermissionRequest {
            token: token.to_owned(),
            rate: 6_000,
        };
        let nobody = Asker(ryggrad_access::Caller::ANYBODY);
        world
            .ask_as(&nobody, |calls| async move {
                calls.grant_permission(Request::new(request)).await
            })
            .await
    };
    refused(grant("guessed").await, Code::NotFound, "handshake");
    assert_eq!(grant(token).await.unwrap().endpoint_id, id(&made));
    refused(grant(token).await, Code::NotFound, "handshake");
    let last = world.record(&[1]).await;
    world.until(&id(&made), |endpoint| endpoint.position == last).await;
    assert_eq!(receiver.deliveries().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_address_has_to_say_yes_first() {
    let (world, old, new) = (World::start().await, Receiver::start().await, Receiver::start().await);
    let id = id(&world.endpoint(&old).await);
    let first = world.record(&[1]).await;
    world.until(&id, |endpoint| endpoint.position == first).await;
    new.answers_all(|_, _| Reply::status(404));
    let request = pb::UpdateEndpointRequest {
        endpoint_id: id.clone(),
        url: Some(new.url()),
        ..Default::default()
    };
    let moved = world.ask(|calls| async move { calls.update_endpoint(Request::new(request)).await });
    let moved = moved.await.unwrap();
    assert_eq!((moved.state(), moved.url), (pb::EndpointState::Pending, new.url()));
    let last = world.record(&[2]).await;
    new.answers(|_, _| Reply::ok());
    assert_eq!(validate(&world, &id).await.state(), pb::EndpointState::Active);
    world.until(&id, |endpoint| endpoint.position == last).await;
    assert_eq!((old.positions(), new.positions()), (vec![1], vec![2]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_endpoint_gets_nothing_and_loses_nothing() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    let id = id(&world.endpoint(&receiver).await);
    let first = world.record(&[1]).await;
    world.until(&id, |endpoint| endpoint.position == first).await;
    let pause = pb::PauseEndpointRequest {
        endpoint_id: id.clone(),
    };
    let paused = world.ask(|calls| async move { calls.pause_endpoint(Request::new(pause)).await });
    assert_eq!(paused.await.unwrap().state(), pb::EndpointState::Paused);
    // The deliverer has let go of it.
    ryggrad_testkit::eventually(crate::stack::PATIENCE, || async {
        let free: bool = sqlx::query_scalar("select lease_holder is null from webhook_endpoints")
            .fetch_one(&world.pool)
            .await
            .unwrap();
        free.then_some(()).ok_or("still leased")
    })
    .await;
    let last = world.record(&[2, 3]).await;
    let attempt = pb::SendTestRequest {
        endpoint_id: id.clone(),
    };
    let tested = world.ask(|calls| async move { calls.send_test(Request::new(attempt)).await });
    assert_eq!(tested.await.unwrap().event_type, "no.ryggrad.webhooks.Test.v1");
    let test = receiver.deliveries().pop().unwrap();
    assert_eq!(test.header("ce-type"), "no.ryggrad.webhooks.Test.v1");
    assert_eq!(world.get(&id).await.lag, 2);
    let resume = pb::ResumeEndpointRequest {
        endpoint_id: id.clone(),
    };
    let resumed = world.ask(|calls| async move { calls.resume_endpoint(Request::new(resume)).await });
    assert_eq!(resumed.await.unwrap().state(), pb::EndpointState::Active);
    world.until(&id, |endpoint| endpoint.position == last).await;
    assert_eq!(receiver.deliveries().len(), 4, "three events and the test");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_its_owner_sees_an_endpoint() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    let id = id(&world.endpoint(&receiver).await);
    let get = |asker: Asker| {
        let request = pb::GetEndpointRequest {
            endpoint_id: id.clone(),
        };
        let world = &world;
        async move {
            world
                .ask_as(&asker, |calls| async move {
                    calls.get_endpoint(Request::new(request)).await
                })
                .await
        }
    };
    assert!(get(Asker::of(LOTTSTIFT)).await.is_ok());
    refused(get(Asker::of(SKATT)).await, Code::NotFound, &id);
    let without = Asker::with(LOTTSTIFT, [Scope::EventsOrgRead]);
    refused(
        get(without).await,
        Code::PermissionDenied,
        "ryggrad:subscriptions.write",
    );
    refused(
        get(Asker(ryggrad_access::Caller::ANYBODY)).await,
        Code::Unauthenticated,
        "token",
    );
    let stranger = Asker::of(SKATT);
    let list = world.ask_as(&stranger, |calls| async move {
        calls.list_endpoints(Request::new(pb::ListEndpointsRequest {})).await
    });
    assert!(list.await.unwrap().endpoints.is_empty());
    let delete = pb::DeleteEndpointRequest {
        endpoint_id: id.clone(),
    };
    let foreign = world.ask_as(&stranger, |calls| {
        let request = delete.clone();
        async move { calls.delete_endpoint(Request::new(request)).await }
    });
    refused(foreign.await, Code::NotFound, &id);
    let own = world.ask(|calls| async move { calls.delete_endpoint(Request::new(delete)).await });
    own.await.unwrap();
    refused(get(Asker::of(LOTTSTIFT)).await, Code::NotFound, &id);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_by_the_name_of_its_field() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    let cases = [
        (
            pb::CreateEndpointRequest {
                url: "not a url".to_owned(),
                ..Default::default()
            },
            "url:",
        ),
        (
            pb::CreateEndpointRequest {
                filter: Some(EventFilter {
                    types: vec!["NothingHappened".to_owned()],
                    ..Default::default()
                }),
                ..to(&receiver)
            },
            "filter.types[0]:",
        ),
        (
            pb::CreateEndpointRequest {
                rate_per_second: 1_001,
                ..to(&receiver)
            },
            "rate_per_second:",
        ),
        (
            pb::CreateEndpointRequest {
                description: "x".repeat(501),
                ..to(&receiver)
            },
            "description:",
        ),
        (
            pb::CreateEndpointRequest {
                mode: 7,
                ..to(&receiver)
            },
            "mode:",
        ),
        (
            pb::CreateEndpointRequest {
                subscription_id: "mine".to_owned(),
                ..to(&receiver)
            },
            "subscription_id:",
        ),
    ];
    for (request, said) in cases {
        refused(create(&world, request).await, Code::InvalidArgument, said);
    }
    let beyond = pb::CreateEndpointRequest {
        start: Some(pb::create_endpoint_request::Start::After(9)),
        ..to(&receiver)
    };
    refused(create(&world, beyond).await, Code::OutOfRange, "beyond the head");
    let foreign = pb::CreateEndpointRequest {
        subscription_id: super::world::organisation(1).to_string(),
        ..to(&receiver)
    };
    refused(
        create(&world, foreign).await,
        Code::FailedPrecondition,
        "not a subscription of yours",
    );
    assert!(receiver.requests().is_empty(), "nobody was asked anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_has_fifty_endpoints_at_the_most() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    for _ in 0..50 {
        create(&world, to(&receiver)).await.unwrap();
    }
    refused(
        create(&world, to(&receiver)).await,
        Code::FailedPrecondition,
        "50 endpoints",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_there_are_no_webhooks() {
    let world = World::with(|options| options.seal = None).await;
    let receiver = Receiver::start().await;
    refused(
        create(&world, to(&receiver)).await,
        Code::FailedPrecondition,
        "RYGGRAD_WEBHOOK_KEY",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_is_there_over_rest() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    let call = async |method: &str, target: &str, body: Value| {
        let routes = world.process.webhooks.rest();
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let headers = axum::http::HeaderMap::new();
        let body = body.into();
        let answer = answering(Asker::of(LOTTSTIFT).0, routes.answer(method, target, headers, &body)).await;
        let Some(TranscodeResponse::Unary(response)) = answer else {
            panic!("no route: {method} {target}")
        };
        let json: Value = serde_json::from_slice(response.body()).unwrap();
        (response.status().as_u16(), json)
    };
    let wish = json!({ "url": receiver.url(), "after": "0", "ordered": true, "filter": { "types": ["OrganisationRegistered"] } });
    let (status, made) = call("POST", "/v1/webhooks", wish).await;
    assert_eq!(
        (status, &made["endpoint"]["state"]),
        (200, &"ENDPOINT_STATE_ACTIVE".into()),
        "{made}"
    );
    let place = format!("/v1/webhooks/{}", made["endpoint"]["endpointId"].as_str().unwrap());
    let last = world.record(&[1]).await;
    world
        .until(place.rsplit('/').next().unwrap(), |endpoint| endpoint.position == last)
        .await;
    let (_, attempts) = call("GET", &format!("{place}/attempts?page_size=1"), Value::Null).await;
    assert_eq!(attempts["attempts"][0]["outcome"], "delivered", "{attempts}");
    assert!(attempts["nextPageToken"].is_string());
    let (_, dead) = call("GET", &format!("{place}/dead-letters"), Value::Null).await;
    assert_eq!(dead.get("deadLetters"), None);
    let (_, changed) = call("PATCH", &place, json!({ "ratePerSecond": 5 })).await;
    assert_eq!(
        (&changed["ratePerSecond"], &changed["ordered"]),
        (&5.into(), &true.into())
    );
    for verb in ["rotateSecret", "validate", "pause", "resume", "sendTest"] {
        let (status, answer) = call("POST", &format!("{place}:{verb}"), json!({})).await;
        assert_eq!(status, 200, "{verb}: {answer}");
    }
    let (status, answer) = call(
        "POST",
        &format!("{place}:redrive"),
        json!({ "position": "1", "everything": true }),
    )
    .await;
    assert_eq!(
        (status, &answer["from"], &answer["to"]),
        (200, &"1".into(), &"1".into()),
        "{answer}"
    );
    let (_, listed) = call("GET", "/v1/webhooks", Value::Null).await;
    assert_eq!(listed["endpoints"].as_array().map(Vec::len), Some(1));
    assert_eq!(call("DELETE", &place, Value::Null).await.0, 200);
    assert_eq!(call("GET", &place, Value::Null).await.0, 404);
}
