//! Tokens from outside: who a good one makes the caller, and how long.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ryggrad_access::{Caller, Scope};
use ryggrad_client::{Bearer, Connection, with_token};
use ryggrad_issuer::{Grant, Key};
use ryggrad_proto::admin::v1::ListParkedRequest;
use ryggrad_proto::admin::v1::admin_client::AdminClient;
use ryggrad_service::auth::{Refused, Settings, Verifier};
use ryggrad_testkit::{TestIssuer, eventually, now};
use serde_json::json;

use crate::{http, server};

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn verifier(issuer: &TestIssuer) -> Verifier {
    Verifier::new(Settings::development(issuer.name())).expect("the settings of a development issuer")
}

/// A request for the test server's one answer that names the caller, with these header lines.
pub(crate) async fn ask(address: SocketAddr, headers: &str) -> http::Answer {
    let head = format!("GET /v1/admin/parked HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\r\n");
    http::send(address, &head, b"").await
}

/// Who the server says that a token makes the caller, over gRPC.
async fn named(connection: Connection) -> String {
    let answer = AdminClient::new(connection)
        .list_parked(ListParkedRequest::default())
        .await
        .expect("an answer");
    answer.into_inner().parked[0].organisation_id.clone()
}

#[tokio::test]
async fn a_token_makes_its_consumer_the_caller_by_either_protocol() {
    let issuer = TestIssuer::start().await;
    let server = server::start_verifying(verifier(&issuer)).await;
    let token = issuer.token("lottstift", &[Scope::EventsOrgRead]);
    assert_eq!(named(with_token(server.channel().await, &*token)).await, "399000203");
    let none = Connection::new(server.channel().await, Bearer::default());
    assert_eq!(named(none).await, "anybody");
    for scheme in ["Bearer", "bearer", "BEARER "] {
        let answer = ask(server.address, &format!("authorization: {scheme} {token}\r\n")).await;
        assert_eq!(answer.json()["parked"][0]["organisationId"], "399000203", "{answer:?}");
    }
    assert_eq!(
        ask(server.address, "").await.json()["parked"][0]["organisationId"],
        "anybody"
    );
}

#[tokio::test]
async fn what_a_token_says_is_what_the_caller_is() {
    let issuer = TestIssuer::start().await;
    let parties = ryggrad_access::Parties::development();
    let number = |name| ryggrad_issuer::party(name, &parties).expect("a party").0;
    let user = ryggrad_access::SystemUser {
        id: "d111dbab-0000-4000-8000-000000000001".to_owned(),
        organisation: number("org:310028843"),
    };
    let grant = Grant {
        supplier: Some(number("platform:2")),
        system_user: Some(user.clone()),
        ..Grant::new(number("platform"), [Scope::CommandsWrite, Scope::ViewsRead])
    };
    let caller = verifier(&issuer)
        .verify(&issuer.grant(&grant))
        .await
        .expect("a good token");
    let identity = caller.identity().expect("an identity");
    assert_eq!((identity.consumer, identity.supplier), (grant.consumer, grant.supplier));
    assert_eq!(identity.system_user, Some(user));
    assert!(caller.has(Scope::CommandsWrite) && caller.has(Scope::ViewsRead) && !caller.has(Scope::AdminWrite));
    assert_eq!(identity.parties[0].name, "Medlemssystemet (oppdiktet)");
    let left = identity.expires.duration_since(now());
    assert!(left.as_secs() > 100 && left.as_secs() <= 120, "{left}");
}

#[tokio::test]
async fn probes_need_no_token_and_look_at_none() {
    let issuer = TestIssuer::start().await;
    let server = server::start_verifying(verifier(&issuer)).await;
    for path in ["/livez", "/readyz", "/metrics"] {
        let head = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\nauthorization: nonsense\r\n\r\n");
        assert_eq!(http::send(server.address, &head, b"").await.status, 200, "{path}");
    }
    assert_eq!(issuer.asked(), 0, "no key was fetched for them");
}

#[tokio::test]
async fn a_token_is_refused_when_it_has_ended_also_one_that_was_good_a_moment_ago() {
    let issuer = TestIssuer::start().await;
    let settings = Settings {
        leeway: Duration::ZERO,
        ..Settings::development(issuer.name())
    };
    let verifier = Verifier::new(settings).expect("settings");
    let grant = Grant {
        lifetime: Duration::from_secs(2),
        ..Grant::new("399000203".parse().expect("a number"), [])
    };
    let token = issuer.grant(&grant);
    let first = verifier.verify(&token).await.expect("a good token");
    assert_eq!(verifier.verify(&token).await, Ok(first), "from memory");
    eventually(PATIENCE, || async {
        match verifier.verify(&token).await {
            Err(Refused::Invalid(_)) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

#[tokio::test]
async fn keys_are_fetched_once_and_go_on_working_while_the_issuer_is_away() {
    let issuer = TestIssuer::start().await;
    let verifier = verifier(&issuer);
    let grant = |name: &str| issuer.token(name, &[]);
    assert!(verifier.verify(&grant("brreg")).await.is_ok());
    assert_eq!(issuer.asked(), 2, "the metadata and the keys");
    issuer.answer_keys(None);
    for name in ["skatt", "kommune:4203", "brreg"] {
        assert!(verifier.verify(&grant(name)).await.is_ok(), "{name}");
    }
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn an_issuer_that_was_never_reached_is_not_the_tokens_fault() {
    let issuer = TestIssuer::start().await;
    issuer.answer_keys(None);
    let verifier = verifier(&issuer);
    let token = issuer.token("brreg", &[]);
    assert_eq!(verifier.verify(&token).await, Err(Refused::NoKeys));
    assert!(verifier.ready().await.is_err());
    let server = server::start_verifying(verifier).await;
    let answer = ask(server.address, &format!("authorization: Bearer {token}\r\n")).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.head.contains("retry-after: 30"), "{answer:?}");
    assert_eq!(issuer.asked(), 1, "one look in 30 s, whatever comes in");
}

#[tokio::test]
async fn a_flood_of_unknown_keys_is_one_look_at_the_issuer() {
    let issuer = TestIssuer::start().await;
    let verifier = verifier(&issuer);
    let stranger = ryggrad_issuer::Issuer::new(issuer.name(), Key::make().expect("a key"));
    let token = stranger
        .token(&Grant::new("399000203".parse().expect("a number"), []), now())
        .expect("a token");
    let flood = (0..500).map(|n| {
        let (verifier, token) = (verifier.clone(), token.clone());
        tokio::spawn(async move {
            let header = json!({ "alg": "RS256", "kid": format!("unknown-{n}") }).to_string();
            let rest = token.split_once('.').expect("three parts").1;
            let forged = format!("{}.{rest}", base64url(&header));
            verifier.verify(&forged).await
        })
    });
    for answer in futures::future::join_all(flood).await {
        assert!(matches!(answer.expect("no panic"), Err(Refused::Invalid(_))));
    }
    assert_eq!(issuer.asked(), 2, "the metadata and the keys, once");
    assert!(
        verifier.verify(&issuer.token("brreg", &[])).await.is_ok(),
        "others are served"
    );
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_take_the_keys_along() {
    let issuer = TestIssuer::start().await;
    let verifier = verifier(&issuer);
    let token = issuer.token("brreg", &[]);
    {
        let mut gone = Box::pin(verifier.verify(&token));
        assert!(futures::poll!(&mut gone).is_pending(), "the keys are on their way");
    }
    eventually(PATIENCE, || async { verifier.ready().await }).await;
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn a_new_key_is_found_and_an_old_one_forgotten() {
    let first = Arc::new(Key::make().expect("a key"));
    let issuer = TestIssuer::with_key(Arc::clone(&first)).await;
    let second = Key::make().expect("a key");
    let both = json!({ "keys": [first.jwk(), second.jwk()] });
    issuer.answer_keys(Some(both));
    let verifier = verifier(&issuer);
    let successor = ryggrad_issuer::Issuer::new(issuer.name(), second);
    let grant = Grant::new("399000203".parse().expect("a number"), []);
    for of in [issuer.issuer(), &successor] {
        let token = of.token(&grant, now()).expect("a token");
        assert!(matches!(verifier.verify(&token).await, Ok(caller) if caller != Caller::ANYBODY));
    }
}

#[tokio::test]
async fn keys_that_make_no_sense_are_no_keys() {
    let key = Arc::new(Key::make().expect("a key"));
    for (name, jwks) in [
        ("no list", json!({ "keys": "none" })),
        (
            "an encrypting key",
            json!({ "keys": [{ "kty": "RSA", "use": "enc", "kid": "a", "n": "AA", "e": "AQAB" }] }),
        ),
        (
            "more than is sensible",
            json!({ "keys": [key.jwk()], "padding": "x".repeat(300 * 1024) }),
        ),
    ] {
        let issuer = TestIssuer::with_key(Arc::clone(&key)).await;
        issuer.answer_keys(Some(jwks));
        let verified = verifier(&issuer).verify(&issuer.token("brreg", &[])).await;
        assert!(verified.is_err(), "{name}");
        assert_eq!(issuer.asked(), 2, "{name}");
    }
}

#[tokio::test]
async fn metadata_of_another_issuer_lead_nowhere() {
    let (theirs, ours) = (TestIssuer::start().await, TestIssuer::start().await);
    // Its metadata are found at our address, and name theirs.
    let name = ours.name().replace("127.0.0.1", "localhost");
    let verifier = Verifier::new(Settings::development(&name)).expect("settings");
    assert_eq!(verifier.verify(&theirs.token("brreg", &[])).await, Err(Refused::NoKeys));
    assert_eq!((ours.asked(), theirs.asked()), (1, 0));
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_holds_nobody_up_for_long() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = silent.local_addr().expect("it is bound");
    let issuer = TestIssuer::start().await;
    let settings = Settings {
        jwks_url: Some(format!("http://{address}/jwks.json")),
        ..Settings::development(issuer.name())
    };
    let verifier = Verifier::new(settings).expect("settings");
    let began = std::time::Instant::now();
    assert_eq!(verifier.verify(&issuer.token("brreg", &[])).await, Err(Refused::NoKeys));
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    let began = std::time::Instant::now();
    assert_eq!(verifier.verify(&issuer.token("skatt", &[])).await, Err(Refused::NoKeys));
    assert!(began.elapsed() < Duration::from_secs(2), "the next one does not wait");
}

#[tokio::test]
async fn a_token_that_was_verified_costs_next_to_nothing() {
    let issuer = TestIssuer::start().await;
    let verifier = verifier(&issuer);
    let token = issuer.usual("brreg");
    verifier.verify(&token).await.expect("a good token");
    let began = std::time::Instant::now();
    for _ in 0..10_000 {
        verifier.verify(&token).await.expect("a good token");
    }
    let each = began.elapsed() / 10_000;
    println!("a verified token costs {each:?} in this build");
    assert!(each < Duration::from_micros(200), "{each:?}");
}

/// Base64url without padding, as tokens are written.
pub(crate) fn base64url(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}
