//! How long the word of a token counts.

use ryggrad_access::Scope;
use ryggrad_proto::webhooks::v1 as pb;
use ryggrad_testkit::eventually;
use tonic::Request;

use super::receiver::Receiver;
use super::world::{Asker, LOTTSTIFT, World, id};
use crate::stack::PATIENCE;

const NARROW: [Scope; 1] = [Scope::SubscriptionsWrite];

/// Lets time pass for every endpoint's proof.
async fn age(world: &World, days: u32) {
    sqlx::query("update webhook_endpoints set proved_at = now() - $1 * interval '1 day'")
        .bind(f64::from(days))
        .execute(&world.pool)
        .await
        .unwrap();
}

/// Waits until nobody delivers any more.
async fn until_free(world: &World) {
    eventually(PATIENCE, || async {
        let free: bool = sqlx::query_scalar("select bool_and(lease_holder is null) from webhook_endpoints")
            .fetch_one(&world.pool)
            .await
            .unwrap();
        free.then_some(()).ok_or("still leased")
    })
    .await;
}

async fn scopes(world: &World) -> String {
    let scopes = sqlx::query_scalar("select scopes from webhook_endpoints");
    scopes.fetch_one(&world.pool).await.unwrap()
}

async fn seen_by(world: &World, asker: Asker, id: &str) -> pb::Endpoint {
    let request = pb::GetEndpointRequest {
        endpoint_id: id.to_owned(),
    };
    let seen = world.ask_as(&asker, |calls| async move {
        calls.get_endpoint(Request::new(request)).await
    });
    seen.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_wait_for_a_token_once_the_last_one_is_long_ago() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    let id = id(&world.endpoint(&receiver).await);
    let first = world.record(&[1]).await;
    world.until(&id, |endpoint| endpoint.position == first).await;
    age(&world, 91).await;
    until_free(&world).await;
    let last = world.record(&[2, 3]).await;
    // A token without the scopes that the endpoint was made with proves nothing about them.
    let narrow = || Asker::with(LOTTSTIFT, NARROW);
    let endpoint = seen_by(&world, narrow(), &id).await;
    assert_eq!((endpoint.state(), endpoint.lag), (pb::EndpointState::Paused, 2));
    assert!(
        endpoint.reason.contains("ryggrad:events.pers.read"),
        "{}",
        endpoint.reason
    );
    assert_eq!(receiver.positions(), [1]);
    // One that has them all brings everything back.
    let endpoint = world
        .until(&id, |endpoint| endpoint.position == last && endpoint.waiting == 0)
        .await;
    assert_eq!(
        (endpoint.state(), endpoint.reason.as_str()),
        (pb::EndpointState::Active, "")
    );
    let (until, made) = (endpoint.proved_until.unwrap(), endpoint.created_at.unwrap());
    assert!(until.seconds >= made.seconds + 90 * 86_400);
    let mut positions = receiver.positions();
    positions.sort_unstable();
    assert_eq!(positions, [1, 2, 3], "nothing is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_goes_on_with_fewer_scopes_when_its_owner_says_so() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    let id = id(&world.endpoint(&receiver).await);
    let before = scopes(&world).await;
    let resume = async || {
        let request = pb::ResumeEndpointRequest {
            endpoint_id: id.clone(),
        };
        let asker = Asker::with(LOTTSTIFT, NARROW);
        let resumed = world.ask_as(&asker, |calls| async move {
            calls.resume_endpoint(Request::new(request)).await
        });
        resumed.await.unwrap()
    };
    // While the proof is good, a token with less takes nothing away.
    assert_eq!(resume().await.state(), pb::EndpointState::Active);
    assert_eq!(scopes(&world).await, before);
    age(&world, 91).await;
    until_free(&world).await;
    assert_eq!(resume().await.state(), pb::EndpointState::Active);
    assert_eq!(scopes(&world).await, Scope::SubscriptionsWrite.name());
    let last = world.record(&[1]).await;
    world.until(&id, |endpoint| endpoint.position == last).await;
    assert_eq!(receiver.positions(), [1], "what is open");
}
