//! Bad input gives a clear error that names the field or the byte, over both protocols.

use ryggrad_proto::admin::v1::AdvanceClockRequest;
use ryggrad_proto::admin::v1::admin_client::AdminClient;
use tonic::Code;
use tonic_types::StatusExt;

use crate::{http, server};

const ADVANCE: &str = "/v1/admin/clock:advance";

#[tokio::test]
async fn a_body_over_one_mebibyte_is_refused_before_it_is_parsed() {
    let server = server::start().await;
    let big = vec![b'x'; 1024 * 1024 + 1];
    let rest = http::post(server.address, ADVANCE, &big).await;
    assert_eq!(rest.status, 413, "{rest:?}");
    assert_eq!(rest.json()["code"], Code::ResourceExhausted as i32);
    for size in [1024 * 1024 + 1, 8 * 1024 * 1024] {
        let mut client = AdminClient::new(server.channel().await);
        let request = AdvanceClockRequest {
            by: "x".repeat(size),
            to: None,
        };
        let refused = client.advance_clock(request).await.expect_err("too large");
        assert_eq!(refused.code(), Code::ResourceExhausted, "{refused:?}");
    }
}

#[tokio::test]
async fn a_chunked_body_over_the_limit_is_refused_too() {
    let server = server::start().await;
    let head = format!(
        "POST {ADVANCE} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    let mut body = b"200000\r\n".to_vec();
    body.extend(vec![b' '; 0x0020_0000]);
    body.extend(b"\r\n0\r\n\r\n");
    assert_eq!(http::send(server.address, &head, &body).await.status, 413);
}

#[tokio::test]
async fn malformed_json_names_the_byte() {
    let server = server::start().await;
    let refused = http::post(server.address, ADVANCE, b"{\"by\": \"1d\",}").await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.body.contains("at byte 13"), "{refused:?}");
}

#[tokio::test]
async fn an_unknown_field_is_refused_by_name() {
    let server = server::start().await;
    let refused = http::post(server.address, ADVANCE, b"{\"by\":\"1d\",\"fast\":true}").await;
    assert_eq!((refused.status, refused.field().as_str()), (400, "fast"), "{refused:?}");
    let refused = http::get(server.address, "/v1/events:read?filter.colours=red").await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.body.contains("colours"), "{refused:?}");
}

#[tokio::test]
async fn a_wrong_type_and_a_date_that_does_not_exist_name_their_field() {
    let server = server::start().await;
    let refused = http::post(server.address, ADVANCE, b"{\"by\":7}").await;
    assert_eq!((refused.status, refused.field().as_str()), (400, "by"), "{refused:?}");
    let refused = http::post(server.address, ADVANCE, b"{\"to\":\"2026-02-30T00:00:00Z\"}").await;
    assert_eq!((refused.status, refused.field().as_str()), (400, "to"), "{refused:?}");
}

#[tokio::test]
async fn a_nul_character_is_refused_by_field_over_both_protocols() {
    let server = server::start().await;
    let refused = http::post(server.address, ADVANCE, b"{\"by\":\"a\\u0000b\"}").await;
    assert_eq!((refused.status, refused.field().as_str()), (400, "by"), "{refused:?}");
    let mut client = AdminClient::new(server.channel().await);
    let request = AdvanceClockRequest {
        by: "a\0b".to_owned(),
        to: None,
    };
    let refused = client.advance_clock(request).await.expect_err("a NUL");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(
        refused.get_details_bad_request().unwrap().field_violations[0].field,
        "by"
    );
}

#[tokio::test]
async fn bytes_that_are_no_utf8_are_refused() {
    let server = server::start().await;
    let refused = http::post(server.address, ADVANCE, b"{\"by\":\"\xff\xfe\"}").await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.body.contains("byte"), "{refused:?}");
}

#[tokio::test]
async fn a_body_that_is_not_json_by_its_type_is_refused() {
    let server = server::start().await;
    let head = format!(
        "POST {ADVANCE} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 4\r\n\r\n"
    );
    assert_eq!(http::send(server.address, &head, b"by=1").await.status, 415);
}

#[tokio::test]
async fn an_unknown_path_is_404_and_a_wrong_method_405_with_allow() {
    let server = server::start().await;
    let unknown = http::get(server.address, "/v1/nothing-here").await;
    assert_eq!((unknown.status, unknown.json()["code"].as_i64()), (404, Some(5)));
    let wrong = http::get(server.address, ADVANCE).await;
    assert_eq!(wrong.status, 405, "{wrong:?}");
    assert!(wrong.head.contains("allow: post"), "{wrong:?}");
}

#[tokio::test]
async fn a_refusal_reads_the_same_over_rest_as_over_grpc() {
    let server = server::start().await;
    let rest = http::post(server.address, ADVANCE, b"{\"by\":\"refuse\"}").await;
    assert_eq!(rest.status, 400, "FAILED_PRECONDITION: {rest:?}");
    let json = rest.json();
    assert_eq!(json["code"], Code::FailedPrecondition as i32);
    let details = json["details"].as_array().unwrap();
    let kind = |name: &str| {
        details
            .iter()
            .filter(|detail| detail["@type"].as_str().unwrap().ends_with(name))
            .collect::<Vec<_>>()
    };
    assert_eq!(kind("google.rpc.ErrorInfo")[0]["reason"], "ClockBack");
    assert_eq!(kind("google.rpc.LocalizedMessage").len(), 3);
    let own = kind("ryggrad.common.v1.Refusal")[0];
    assert_eq!(
        (own["rule"].as_str(), own["nature"].as_str()),
        (Some("R-0.99"), Some("design"))
    );
    assert_eq!(own["textNn"], "Klokka går ikkje bakover.");
}

#[tokio::test]
async fn other_errors_keep_their_meaning() {
    let server = server::start().await;
    let range = http::get(server.address, "/v1/events:head").await;
    assert_eq!((range.status, range.json()["code"].as_i64()), (400, Some(11)));
    let missing = http::post(server.address, "/v1/admin/parked/views/x:unpark", b"{}").await;
    assert_eq!(missing.status, 404, "{missing:?}");
    assert!(missing.body.contains("views/x"), "{missing:?}");
    let later = http::post(server.address, "/v1/admin/projections/p:rebuild", b"{}").await;
    assert_eq!(later.status, 503);
    assert!(later.head.contains("retry-after: 3"), "{later:?}");
    let fault = http::get(server.address, "/v1/admin/projections").await;
    assert_eq!(fault.status, 500);
    assert!(!fault.body.contains("secret"), "{fault:?}");
}

#[tokio::test]
async fn a_panic_answers_its_own_request_and_nobody_elses() {
    let server = server::start().await;
    let rest = http::post(server.address, ADVANCE, b"{\"by\":\"panic\"}").await;
    assert_eq!(rest.status, 500, "{rest:?}");
    let mut client = AdminClient::new(server.channel().await);
    let request = AdvanceClockRequest {
        by: "panic".to_owned(),
        to: None,
    };
    assert_eq!(
        client.advance_clock(request).await.expect_err("a panic").code(),
        Code::Internal
    );
    let request = AdvanceClockRequest {
        by: "1d".to_owned(),
        to: None,
    };
    assert!(client.advance_clock(request).await.is_ok(), "the connection goes on");
}
