//! The same queries over REST.

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world::{Organisation, World};

async fn get(world: &World, target: &str) -> (u16, Value) {
    get_as(world, "", target).await
}

async fn get_as(world: &World, authorization: &str, target: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(world.address).await.expect("the server listens");
    let request = format!("GET {target} HTTP/1.1\r\nhost: test\r\n{authorization}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .expect("a status");
    let body = answer
        .find("\r\n\r\n")
        .and_then(|head| answer[head..].find('{').map(|at| &answer[head + at..]))
        .expect("a body");
    (
        status,
        serde_json::from_str(body.trim_end_matches("\r\n0\r\n\r\n").trim_end()).expect("JSON"),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_has_a_route() {
    let world = World::begin().await;
    let organisation = Organisation {
        name: "Ås IL".into(),
        kommunenummer: "3218",
        ..Organisation::nth(1)
    };
    let at_least = world.register(&organisation).await;
    let (status, timeline) = get(
        &world,
        &format!(
            "/v1/timeline/{}?at_least={at_least}&events=OrganisationRegistered",
            organisation.orgnr
        ),
    )
    .await;
    assert_eq!(
        (status, &timeline["entries"][0]["norwegianTerm"]),
        (200, &Value::from("registrert i Enhetsregisteret"))
    );
    let (status, list) = get(
        &world,
        &format!("/v1/directory?kommunenummer=3218&name_prefix=%C3%A5s&in_voluntary_register=true&at_least={at_least}"),
    )
    .await;
    assert_eq!(
        (status, &list["entries"][0]["name"], &list["asOf"]),
        (200, &Value::from("Ås IL"), &Value::from(at_least.to_string()))
    );
    let (status, entry) = get(
        &world,
        &format!("/v1/directory/{}?at_least={at_least}", organisation.id),
    )
    .await;
    assert_eq!(
        (status, &entry["entry"]["orgnr"]),
        (200, &Value::from(organisation.orgnr))
    );
    let (status, counts) = get(&world, &format!("/v1/stats?by=kommune&by=form&at_least={at_least}")).await;
    assert_eq!((status, &counts["threshold"]), (200, &Value::from(5)));
    let cases = "/v1/register-cases?states=draft&states=signed";
    assert_eq!(get(&world, cases).await.0, 401);
    let authorization = format!("authorization: Bearer {}\r\n", world.issuer.usual("platform"));
    let (status, cases) = get_as(&world, &authorization, cases).await;
    assert_eq!(
        (status, cases["registerCases"].as_array().is_none_or(Vec::is_empty)),
        (200, true)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_name_the_field() {
    let world = World::begin().await;
    for (target, field) in [
        ("/v1/directory?kommunenummer=9999", "kommunenummer"),
        ("/v1/directory?page_token=2", "page_token"),
        ("/v1/timeline/club", "organisation"),
        ("/v1/stats?by=colour", "by[0]"),
        ("/v1/register-cases/7", "case_id"),
    ] {
        let (status, refused) = get(&world, target).await;
        assert_eq!(status, 400, "{refused}");
        assert!(
            refused["details"]
                .to_string()
                .contains(&format!("\"field\":\"{field}\"")),
            "{refused}"
        );
    }
    assert_eq!(
        get(&world, &format!("/v1/directory/{}", Organisation::nth(9).orgnr))
            .await
            .0,
        404
    );
}
