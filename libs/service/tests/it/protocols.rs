//! One port speaks gRPC, REST, reflection, health and metrics.

use ryggrad_proto::admin::v1::ListParkedRequest;
use ryggrad_proto::admin::v1::admin_client::AdminClient;
use ryggrad_proto::events::v1::SubscribeRequest;
use ryggrad_proto::events::v1::event_stream_client::EventStreamClient;
use tokio_stream::StreamExt;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::{http, server};

/// What stays of the parent when spans of our own are sent, as another test of this binary does.
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn grpc_and_rest_give_the_same_answer_on_one_port() {
    let server = server::start().await;
    let mut client = AdminClient::new(server.channel().await);
    let request = ListParkedRequest {
        consumer: "views".to_owned(),
        ..ListParkedRequest::default()
    };
    let grpc = client.list_parked(request).await.unwrap().into_inner();
    let rest = http::get(server.address, "/v1/admin/parked?consumer=views").await;
    assert_eq!(grpc.parked[0].consumer, "views");
    assert_eq!(rest.json(), serde_json::to_value(&grpc).unwrap());
    assert_eq!(
        rest.json()["parked"][0]["position"],
        (1_u64 << 60).to_string(),
        "64-bit numbers are strings in JSON"
    );
}

#[tokio::test]
async fn a_server_stream_reaches_grpc_and_rest_clients() {
    let server = server::start().await;
    let mut client = EventStreamClient::new(server.channel().await);
    let request = SubscribeRequest {
        after: 4,
        ..SubscribeRequest::default()
    };
    let frames: Vec<_> = client.subscribe(request).await.unwrap().into_inner().collect().await;
    assert_eq!(frames.len(), 3);
    let rest = http::send(
        server.address,
        "GET /v1/events:subscribe?after=4 HTTP/1.1\r\nhost: test\r\naccept: application/x-ndjson\r\nconnection: close\r\n\r\n",
        b"",
    )
    .await;
    let lines: Vec<_> = rest.body.lines().collect();
    assert_eq!(lines.len(), 3, "{rest:?}");
    assert_eq!(lines[0], serde_json::to_string(frames[0].as_ref().unwrap()).unwrap());
}

#[tokio::test]
async fn reflection_lists_what_is_served_and_nothing_else() {
    let server = server::start().await;
    let mut client = ServerReflectionClient::new(server.channel().await);
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers = client
        .server_reflection_info(tokio_stream::once(request))
        .await
        .unwrap()
        .into_inner();
    let answer = answers.next().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else {
        panic!("{answer:?}")
    };
    let mut names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    names.retain(|name| name.starts_with("ryggrad."));
    names.sort();
    assert_eq!(names, ["ryggrad.admin.v1.Admin", "ryggrad.events.v1.EventStream"]);
}

#[tokio::test]
async fn health_says_that_each_service_is_serving() {
    let server = server::start().await;
    let mut client = HealthClient::new(server.channel().await);
    for service in ["", "ryggrad.admin.v1.Admin"] {
        let answer = client
            .check(HealthCheckRequest {
                service: service.to_owned(),
            })
            .await
            .unwrap();
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving, "{service}");
    }
}

#[tokio::test]
async fn the_clients_trace_reaches_the_service_over_both_protocols() {
    let server = server::start().await;
    let mut client = AdminClient::new(server.channel().await);
    let mut request = tonic::Request::new(ListParkedRequest::default());
    request.metadata_mut().insert("traceparent", PARENT.parse().unwrap());
    let grpc = client.list_parked(request).await.unwrap().into_inner();
    assert!(grpc.parked[0].cause.starts_with(TRACE), "{grpc:?}");
    let head =
        format!("GET /v1/admin/parked HTTP/1.1\r\nhost: test\r\ntraceparent: {PARENT}\r\nconnection: close\r\n\r\n");
    let rest = http::send(server.address, &head, b"").await;
    let parent = rest.json()["parked"][0]["cause"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(parent.starts_with(TRACE), "{rest:?}");
}

#[tokio::test]
async fn openapi_describes_the_mounted_routes() {
    let server = server::start().await;
    let document = http::get(server.address, "/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/v1/admin/clock:advance"]["post"].is_object());
    assert!(document["paths"]["/v1/events:read"]["get"]["responses"]["default"].is_object());
    assert!(
        document["paths"]["/v1/directory"].is_null(),
        "views are not mounted here"
    );
    let text = document.to_string();
    for reference in text
        .split("\"$ref\":\"#/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
    {
        let target = document.pointer(&format!("/{reference}"));
        assert!(target.is_some(), "{reference} is not in the document");
    }
}

#[tokio::test]
async fn metrics_count_requests_by_protocol_and_outcome() {
    let server = server::start().await;
    http::get(server.address, "/v1/nothing-here").await;
    let metrics = http::get(server.address, "/metrics").await;
    assert!(metrics.head.contains("text/plain; version=0.0.4"), "{}", metrics.head);
    assert!(
        metrics
            .body
            .contains("ryggrad_request_seconds_bucket{protocol=\"http\",outcome=\"refused\",le=\"0.001\"}"),
        "{}",
        metrics.body
    );
    assert!(metrics.body.contains("ryggrad_connections"), "{}", metrics.body);
}
