//! The feed and its neighbours over HTTP.

use std::time::Duration;

use ryggrad_proto::options::v1::PrivacyClass;
use serde_json::Value;

use crate::http::{get, get_with};
use crate::stack::{Fact, PATIENCE, Stack};

const CLUB: &str = "310000019";

#[tokio::test(flavor = "multi_thread")]
async fn pages_lead_from_the_beginning_to_the_head_and_wait_there() {
    let stack = Stack::start().await;
    stack.append_many(25).await;
    let mut target = "/v1/events?limit=10&types=OrganisationRegistered".to_owned();
    let mut found = Vec::new();
    loop {
        let page = get(&stack, &target).await;
        assert_eq!(page.header("content-type"), Some("application/cloudevents-batch+json"));
        assert_eq!(page.header("ryggrad-head"), Some("25"));
        found.extend(page.positions());
        target = page.next();
        if page.header("ryggrad-next") == Some("25") {
            break;
        }
    }
    assert_eq!(found, (1..=25).collect::<Vec<_>>());
    assert!(get(&stack, &target).await.positions().is_empty());
    // Whoever waits gets what comes next, and nobody else's events.
    let target = format!("{target}&wait=25");
    let waiting = get(&stack, &target);
    let recording = async {
        stack
            .append(vec![
                Fact {
                    name: "DissolutionReported",
                    ..Fact::default()
                },
                Fact::default(),
            ])
            .await
    };
    let (page, last) = tokio::time::timeout(PATIENCE, async { tokio::join!(waiting, recording) })
        .await
        .unwrap();
    assert_eq!((page.positions(), last), (vec![27], 27));
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_ends_empty_when_nothing_comes() {
    let stack = Stack::start().await;
    stack.append_many(3).await;
    let begun = std::time::Instant::now();
    let page = get(&stack, "/v1/events?after=3&wait=1").await;
    assert!(page.positions().is_empty());
    assert!(begun.elapsed() >= Duration::from_secs(1), "it waited");
    assert_eq!(page.header("ryggrad-next"), Some("3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_page_already_is_not_sent_it_again() {
    let stack = Stack::start().await;
    stack.append_many(20).await;
    let epoch = get(&stack, "/v1/events/head").await.json()["epoch"]
        .as_str()
        .unwrap()
        .to_owned();
    let full = format!("/v1/events?after=0&epoch={epoch}&limit=10");
    let page = get(&stack, &full).await;
    let kept = page.header("cache-control").unwrap();
    assert!(kept.contains("immutable") && kept.contains("public"), "{kept}");
    let tag = page.header("etag").unwrap();
    let again = get_with(&stack, &full, &[("If-None-Match", tag)]).await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    assert_eq!(again.header("etag"), Some(tag));
    // The last page grows.
    let last = get(&stack, "/v1/events?after=15").await;
    assert_eq!(last.header("cache-control"), Some("no-cache"));
    stack.append_many(1).await;
    let tag = last.header("etag").unwrap().to_owned();
    let grown = ryggrad_testkit::eventually(PATIENCE, || async {
        let page = get_with(&stack, "/v1/events?after=15", &[("If-None-Match", &tag)]).await;
        if page.status == 200 { Ok(page) } else { Err(page.status) }
    });
    let grown = grown.await;
    assert_eq!(grown.positions(), (16..=21).collect::<Vec<_>>());
    // What somebody sees who has a token is nobody else's.
    let token = stack.issuer.token(&format!("org:{CLUB}"), &[]);
    let own = get_with(&stack, &full, &[("Authorization", &format!("Bearer {token}"))]).await;
    assert_eq!(own.header("cache-control"), Some("private, no-cache"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_cursor_and_parameter_is_told_what_is_wrong() {
    let stack = Stack::start().await;
    stack.append_many(5).await;
    let unknown = stack.id();
    let other = "01900000-0000-7000-8000-00000000000e";
    for (target, status, reason, field) in [
        ("/v1/events?after=6".to_owned(), 400, "CURSOR_BEYOND_HEAD", None),
        (format!("/v1/events?after={unknown}"), 404, "NOT_FOUND", None),
        (format!("/v1/events?after=2&epoch={other}"), 400, "OTHER_EPOCH", None),
        ("/v1/events?after=last".to_owned(), 400, "INVALID_FIELD", Some("after")),
        (
            "/v1/events?after=1&after=2".to_owned(),
            400,
            "INVALID_FIELD",
            Some("after"),
        ),
        (
            "/v1/events?after=1&from_now".to_owned(),
            400,
            "INVALID_FIELD",
            Some("from_now"),
        ),
        ("/v1/events?colour=red".to_owned(), 400, "INVALID_FIELD", Some("colour")),
        (
            "/v1/events?types=Nothing".to_owned(),
            400,
            "INVALID_FIELD",
            Some("types[0]"),
        ),
        (
            "/v1/events?kommunenummer=0301,1".to_owned(),
            400,
            "INVALID_FIELD",
            Some("kommunenummer[1]"),
        ),
        (
            "/v1/events?classes=GREEN".to_owned(),
            400,
            "INVALID_FIELD",
            Some("classes[0]"),
        ),
        ("/v1/events?limit=0".to_owned(), 400, "INVALID_FIELD", Some("limit")),
        ("/v1/events?limit=5001".to_owned(), 400, "INVALID_FIELD", Some("limit")),
        ("/v1/events?wait=26".to_owned(), 400, "INVALID_FIELD", Some("wait")),
        (format!("/v1/events?subscription={other}"), 401, "TOKEN_MISSING", None),
        ("/v1/events/head?x=1".to_owned(), 400, "INVALID_FIELD", Some("x")),
        ("/v1/events/6".to_owned(), 400, "CURSOR_BEYOND_HEAD", None),
        (format!("/v1/events/{unknown}"), 404, "NOT_FOUND", None),
        ("/v1/events/none".to_owned(), 404, "NO_ROUTE", None),
        ("/v1/events/stream?after=6".to_owned(), 400, "CURSOR_BEYOND_HEAD", None),
        (
            "/v1/events/stream?limit=6".to_owned(),
            400,
            "INVALID_FIELD",
            Some("limit"),
        ),
        ("/v1/events/stream?durable=x".to_owned(), 401, "TOKEN_MISSING", None),
    ] {
        let answer = get(&stack, &target).await;
        assert_eq!((answer.status, answer.reason().as_str()), (status, reason), "{target}");
        let said = answer.json();
        let details = said["details"].as_array().unwrap();
        let of = |name: &'static str| {
            details
                .iter()
                .filter(move |any| any["@type"].as_str().unwrap().ends_with(name))
        };
        let languages: Vec<_> = of("LocalizedMessage")
            .map(|any| any["locale"].as_str().unwrap())
            .collect();
        assert_eq!(languages, ["nb", "nn", "en"], "{target}");
        if let Some(field) = field {
            let violation = of("BadRequest").next().expect("a violation");
            assert_eq!(violation["fieldViolations"][0]["field"], field, "{target}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_is_found_by_its_position_and_by_its_id() {
    let stack = Stack::start().await;
    stack.append_many(3).await;
    stack
        .append(vec![Fact {
            class: PrivacyClass::Org,
            orgnr: Some(CLUB),
            ..Fact::default()
        }])
        .await;
    let second = get(&stack, "/v1/events/2").await;
    assert_eq!(second.header("content-type"), Some("application/cloudevents+json"));
    let event = second.json();
    assert_eq!(event["position"], "2");
    let id = event["id"].as_str().unwrap();
    assert_eq!(get(&stack, &format!("/v1/events/{id}")).await.json(), event);
    assert_eq!(get(&stack, &format!("/v1/events?after={id}")).await.positions(), [3]);
    // One that may not be seen is not there.
    assert_eq!(get(&stack, "/v1/events/4").await.status, 404);
    let token = stack
        .issuer
        .token(&format!("org:{CLUB}"), &[ryggrad_access::Scope::EventsOrgRead]);
    let own = get_with(&stack, "/v1/events/4", &[("Authorization", &format!("Bearer {token}"))]).await;
    assert_eq!(own.json()["privacyclass"], "org");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_begins_at_an_instant_or_now() {
    let stack = Stack::start().await;
    stack.append_many(3).await;
    let recorded = stack.log().at(2).await.unwrap().unwrap().recorded_at;
    let since = get(&stack, &format!("/v1/events?from_time={recorded}"))
        .await
        .positions();
    assert_eq!(since.last(), Some(&3));
    let first = stack.log().at(since[0]).await.unwrap().unwrap();
    assert!(first.recorded_at >= recorded);
    if since[0] > 1 {
        let before = stack.log().at(since[0] - 1).await.unwrap().unwrap();
        assert!(before.recorded_at < recorded);
    }
    let now = get(&stack, "/v1/events?from_now").await;
    assert!(now.positions().is_empty());
    assert_eq!(now.header("ryggrad-next"), Some("3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_tells_what_there_is() {
    let stack = Stack::start().await;
    let all = get(&stack, "/v1/events/catalogue").await.json();
    let types = all["types"].as_array().unwrap();
    let one = types
        .iter()
        .find(|event| event["name"] == "OrganisationRegistered")
        .expect("it is there");
    assert_eq!(one["class"], "PUBLIC");
    assert_eq!(
        one["jsonSchema"]["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert!(one["example"]["orgnr"].is_string(), "{one}");
    let path = one["dataschema"].as_str().unwrap().split("ryggrad.no").nth(1).unwrap();
    assert_eq!(get(&stack, path).await.json(), one["jsonSchema"]);
    let some = get(&stack, "/v1/events/catalogue?contexts=ecosystem&classes=public&brief")
        .await
        .json();
    let some = some["types"].as_array().unwrap();
    assert!(!some.is_empty() && some.len() < types.len());
    assert!(
        some.iter()
            .all(|event| event["class"] == "PUBLIC" && event.get("example").is_none())
    );
    let wrong = get(&stack, "/v1/events/catalogue?types=Nothing").await;
    assert_eq!(wrong.status, 400);
    // The descriptions name every route and every event.
    let asyncapi = get(&stack, "/asyncapi.json").await.json();
    assert_eq!(asyncapi["asyncapi"], "3.0.0");
    let openapi: Value = get(&stack, "/openapi.json").await.json();
    assert!(openapi["paths"]["/v1/events"]["get"]["responses"]["default"].is_object());
    assert!(openapi["components"]["parameters"]["events.after"].is_object());
}
