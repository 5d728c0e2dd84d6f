//! Where a subscription begins, by what the log has.

use jiff::Timestamp;
use ryggrad_access::{Caller, Identity, Parties, Scope, Stakeholder};
use ryggrad_ecosystem::Ecosystem;
use ryggrad_eventlog::Clock;
use ryggrad_eventlog::schema::{self, Role};
use ryggrad_proto::ecosystem::v1 as pb;
use ryggrad_proto::ecosystem::v1::ecosystem_service_server::EcosystemService as _;
use ryggrad_service::auth;
use ryggrad_testkit::Database;
use tonic::{Code, Request, Status};

const ROLE: Role<'static> = Role::writer("ryggrad_ecosystem", "ecosystem");

fn lottstift() -> Caller {
    let parties = Parties::development();
    let consumer = parties.who_is(Stakeholder::Lottstift)[0].orgnr;
    Caller::proved(Identity {
        consumer,
        supplier: None,
        system_user: None,
        scopes: [Scope::SubscriptionsWrite].into_iter().collect(),
        parties: parties.of(consumer).to_vec(),
        expires: Timestamp::MAX,
    })
}

async fn subscribe(service: &Ecosystem, after: u64, from_now: bool) -> Result<u64, Status> {
    let asked = pb::Subscribe {
        legal_basis: "pengespilloven".into(),
        purpose: "stanse utbetalinger til lag som er slettet".into(),
        after,
        from_now,
        ..pb::Subscribe::default()
    };
    let answer = auth::answering(lottstift(), service.subscribe(Request::new(asked))).await?;
    Ok(answer.into_inner().first_position)
}

#[tokio::test]
async fn it_begins_in_the_log_and_never_beyond_its_head() {
    let database = Database::create("ecosystem", |pool| async move { schema::migrate(&pool, &[ROLE]).await }).await;
    let service = Ecosystem::new(database.pool_as("ryggrad_ecosystem"), Clock::system());
    let refused = subscribe(&service, 1, false).await.expect_err("the log is empty");
    assert_eq!(refused.code(), Code::OutOfRange);
    assert!(refused.message().starts_with("after: "), "{}", refused.message());
    assert_eq!(subscribe(&service, 0, false).await.expect("all of history"), 1);
    assert_eq!(
        subscribe(&service, 1, false).await.expect("what is approved is a fact"),
        2
    );
    assert_eq!(subscribe(&service, 99, true).await.expect("after is ignored"), 3);
    let refused = subscribe(&service, 4, false).await.expect_err("there are three");
    assert_eq!(refused.code(), Code::OutOfRange);
}
