//! Bad tokens, by either protocol: all refused alike, to the byte, and the issuer left in peace.

use std::collections::BTreeSet;
use std::time::Instant;

use prost::Message as _;
use ryggrad_proto::admin::v1::ListParkedRequest;
use ryggrad_proto::admin::v1::admin_client::AdminClient;
use ryggrad_testkit::TestIssuer;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Code, Request};
use tonic_types::pb;

use crate::server;
use crate::tokens::{ask, verifier};

mod corpus;

/// What is told of a refusal over HTTP, the date left out.
async fn over_http(server: &server::Running, values: &[String]) -> String {
    let lines: Vec<String> = values
        .iter()
        .map(|value| format!("authorization: {value}\r\n"))
        .collect();
    let answer = ask(server.address, &lines.concat()).await;
    let head: Vec<_> = answer.head.lines().filter(|line| !line.starts_with("date:")).collect();
    format!("{}\n\n{}", head.join("\n"), answer.body)
}

/// What is told of a refusal over gRPC, the date left out.
async fn over_grpc(channel: &Channel, values: &[String]) -> (Code, String, Vec<u8>, BTreeSet<String>) {
    let mut request = Request::new(ListParkedRequest::default());
    for value in values {
        let value: MetadataValue<Ascii> = value.parse().expect("a header's value");
        request.metadata_mut().append("authorization", value);
    }
    let refused = AdminClient::new(channel.clone())
        .list_parked(request)
        .await
        .expect_err("a bad token");
    let headers = refused.metadata().clone().into_headers();
    let told = headers.iter().filter(|(name, _)| *name != "date");
    (
        refused.code(),
        refused.message().to_owned(),
        refused.details().to_vec(),
        told.map(|(name, value)| format!("{name}: {value:?}")).collect(),
    )
}

#[tokio::test]
async fn bad_tokens_are_refused_alike_and_the_issuer_is_left_in_peace() {
    let began = Instant::now();
    let issuer = TestIssuer::start().await;
    let server = server::start_verifying(verifier(&issuer)).await;
    let channel = server.channel().await;
    let corpus = corpus::rows(&issuer);
    assert!(corpus.len() >= 80, "{}", corpus.len());

    let (mut http, mut grpc) = (None, None);
    for (name, values) in &corpus {
        let told = over_http(&server, values).await;
        assert_eq!(http.get_or_insert_with(|| told.clone()), &told, "{name}");
        let told = over_grpc(&channel, values).await;
        assert_eq!(grpc.get_or_insert_with(|| told.clone()), &told, "{name}");
    }

    let http = http.expect("rows");
    assert!(http.starts_with("http/1.1 401 "), "{http}");
    assert!(
        http.contains("www-authenticate: bearer error=\"invalid_token\""),
        "{http}"
    );
    let (code, message, details, _) = grpc.expect("rows");
    assert_eq!(
        (code, message.as_str()),
        (Code::Unauthenticated, "the token is not valid here")
    );
    let status = pb::Status::decode(&*details).expect("google.rpc.Status");
    let info = pb::ErrorInfo::decode(&*status.details[0].value).expect("google.rpc.ErrorInfo");
    assert_eq!(
        (info.reason.as_str(), info.metadata.len()),
        ("TOKEN_INVALID", 0),
        "no hint"
    );

    // The metadata and the keys at first; then once in 30 s at the most, for the keys that nobody has.
    let most = 2 + began.elapsed().as_secs() / 30;
    assert!(
        issuer.asked() <= most,
        "{} looks, and {most} are allowed",
        issuer.asked()
    );
    let good = format!("authorization: Bearer {}\r\n", issuer.token("brreg", &[]));
    assert_eq!(ask(server.address, &good).await.status, 200, "a good one among them");
}

#[tokio::test]
async fn a_token_of_a_megabyte_does_not_get_as_far_as_that() {
    let issuer = TestIssuer::start().await;
    let server = server::start_verifying(verifier(&issuer)).await;
    let channel = server.channel().await;
    let huge = vec![format!("Bearer {}", "a".repeat(1 << 20))];
    // Not as other bad tokens are: a head over 48 KiB is refused before it is known what is in it.
    let told = over_http(&server, &huge).await;
    assert!(told.starts_with("http/1.1 431 "), "{told}");
    // Cut while it is read: more pieces (CONTINUATION) than a head within the limit can have end the connection
    // (ENHANCE_YOUR_CALM), and no token is looked at.
    assert_eq!(over_grpc(&channel, &huge).await.0, Code::ResourceExhausted);
    assert_eq!(issuer.asked(), 0);
    let good = format!("authorization: Bearer {}\r\n", issuer.token("brreg", &[]));
    assert_eq!(ask(server.address, &good).await.status, 200);
}
