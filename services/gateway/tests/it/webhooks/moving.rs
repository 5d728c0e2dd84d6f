//! Endpoints that get another address: what was agreed with the old one, or comes from it, is not the new one's.

use ryggrad_access::Caller;
use ryggrad_proto::webhooks::v1 as pb;
use ryggrad_testkit::eventually;
use tonic::{Code, Request, Status};

use super::receiver::{Receiver, Reply};
use super::world::{Asker, World, id, refused};
use crate::stack::PATIENCE;

async fn move_to(world: &World, id: &str, receiver: &Receiver) -> Result<pb::Endpoint, Status> {
    let request = pb::UpdateEndpointRequest {
        endpoint_id: id.to_owned(),
        url: Some(receiver.url()),
        ..Default::default()
    };
    world
        .ask(|calls| async move { calls.update_endpoint(Request::new(request)).await })
        .await
}

async fn grant(world: &World, token: &str) -> Result<pb::GrantPermissionResponse, Status> {
    let request = pb::GrantPermissionRequest {
        token: token.to_owned(),
        ..Default::default()
    };
    let nobody = Asker(Caller::ANYBODY);
    world
        .ask_as(&nobody, |calls| async move {
            calls.grant_permission(Request::new(request)).await
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn permission_for_one_address_is_none_for_another() {
    let world = World::with(|options| options.public_url = Some("https://events.example".to_owned())).await;
    let (own, other) = (Receiver::start().await, Receiver::start().await);
    own.answers_all(|_, _| Reply::status(202));
    other.answers_all(|_, _| Reply::status(404));
    let request = pb::CreateEndpointRequest {
        url: own.url(),
        ..Default::default()
    };
    let made = world.ask(|calls| async move { calls.create_endpoint(Request::new(request)).await });
    let id = id(&made.await.unwrap());
    let callback = own.requests()[0].header("webhook-request-callback").to_owned();
    let token = callback.rsplit("token=").next().unwrap();
    // The process dies after the address was changed and before the new one was asked.
    sqlx::raw_sql(
        "create function away() returns trigger language plpgsql as $$ begin raise exception 'away'; end $$; \
         create trigger away before update on webhook_endpoints for each row \
         when (new.grant_hash is not null and new.grant_hash is distinct from old.grant_hash) execute function away()",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    assert_eq!(
        move_to(&world, &id, &other).await.unwrap_err().code(),
        Code::Unavailable
    );
    assert_eq!(world.get(&id).await.url, other.url());
    refused(grant(&world, token).await, Code::NotFound, "handshake");
    assert_eq!(world.get(&id).await.state(), pb::EndpointState::Pending);
    assert!(other.requests().is_empty(), "nobody was asked, and nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_old_address_answers_late_is_not_held_against_the_new_one() {
    let world = World::start().await;
    for reply in [Reply::status(410), Reply::status(503).header("retry-after", "86400")] {
        let (old, new) = (Receiver::start().await, Receiver::start().await);
        let late = reply.clone();
        old.answers(move |_, _| Reply {
            held: true,
            ..late.clone()
        });
        let id = id(&world.endpoint(&old).await);
        let last = world.record(&[1]).await;
        old.delivered(usize::try_from(last).unwrap()).await;
        let moved = move_to(&world, &id, &new).await.unwrap();
        assert_eq!(moved.state(), pb::EndpointState::Active, "{}", moved.reason);
        old.open();
        eventually(PATIENCE, || async {
            let attempts = world.attempts(&id).await;
            let late = attempts
                .iter()
                .filter(|attempt| u32::from(reply.status) == attempt.status);
            (late.count() as u64 == last)
                .then_some(())
                .ok_or(format!("{attempts:?}"))
        })
        .await;
        let endpoint = world
            .until(&id, |endpoint| endpoint.position == last && endpoint.waiting == 0)
            .await;
        assert_eq!(
            (endpoint.state(), endpoint.reason.as_str(), endpoint.not_before),
            (pb::EndpointState::Active, "", None)
        );
        assert_eq!(new.deliveries().len() as u64, last, "each once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_old_address_put_off_the_new_one_gets_at_once() {
    let world = World::start().await;
    let (old, new) = (Receiver::start().await, Receiver::start().await);
    old.answers(|_, _| Reply::status(503).header("retry-after", "86400"));
    let id = id(&world.endpoint(&old).await);
    let last = world.record(&[1]).await;
    world
        .until(&id, |endpoint| endpoint.waiting > 0 && endpoint.not_before.is_some())
        .await;
    move_to(&world, &id, &new).await.unwrap();
    new.delivered(usize::try_from(last).unwrap()).await;
}
