//! What is signed, as those who receive it verify it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use ryggrad_proto::webhooks::v1 as pb;
use standardwebhooks::Webhook;
use tonic::{Code, Request};

use super::receiver::{Received, Receiver};
use super::world::{World, id, refused};

/// Whether a delivery is signed by the secret of v1.
fn is_v1(delivery: &Received, secret: &str) -> bool {
    Webhook::new(secret)
        .unwrap()
        .verify(&delivery.body, &delivery.headers)
        .is_ok()
}

/// Whether a delivery is signed by the key of v1a.
fn is_v1a(delivery: &Received, public_key: &str) -> bool {
    let key = BASE64_STANDARD
        .decode(public_key.strip_prefix("whpk_").unwrap())
        .unwrap();
    let key = VerifyingKey::from_bytes(&key.try_into().unwrap()).unwrap();
    let head = format!("{}.{}.", delivery.id(), delivery.header("webhook-timestamp"));
    let signed = [head.as_bytes(), &delivery.body].concat();
    let signatures = delivery
        .header("webhook-signature")
        .split(' ')
        .filter_map(|one| one.strip_prefix("v1a,"));
    signatures
        .map(|signature| BASE64_STANDARD.decode(signature).unwrap())
        .any(|signature| {
            key.verify_strict(&signed, &Signature::from_slice(&signature).unwrap())
                .is_ok()
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_signed_both_ways() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    let made = world.endpoint(&receiver).await;
    world.record(&[1]).await;
    let delivery = receiver.delivered(1).await.remove(0);
    let public_key = &made.endpoint.as_ref().unwrap().public_keys[0];
    assert!(made.secret.starts_with("whsec_"));
    assert!(is_v1(&delivery, &made.secret));
    assert!(is_v1a(&delivery, public_key));
    let mut changed = delivery.clone();
    changed.body[0] ^= 1;
    assert!(!is_v1(&changed, &made.secret) && !is_v1a(&changed, public_key));
    let other = world.endpoint(&receiver).await;
    assert!(!is_v1(&delivery, &other.secret));
    // The secret is nowhere but with its owner.
    let id = id(&made);
    let kept: Vec<Vec<u8>> = sqlx::query_scalar("select sealed from webhook_keys")
        .fetch_all(&world.pool)
        .await
        .unwrap();
    let secret = BASE64_STANDARD
        .decode(made.secret.trim_start_matches("whsec_"))
        .unwrap();
    assert!(
        kept.iter()
            .all(|sealed| !sealed.windows(secret.len()).any(|window| window == secret))
    );
    assert!(!format!("{:?}", world.get(&id).await).contains(&made.secret));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_keys_are_changed_the_old_and_the_new_ones_sign() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    let made = world.endpoint(&receiver).await;
    let id = id(&made);
    let rotate = async |overlap: Option<u32>| {
        let request = pb::RotateSecretRequest {
            endpoint_id: id.clone(),
            overlap_seconds: overlap,
        };
        world
            .ask(|calls| async move { calls.rotate_secret(Request::new(request)).await })
            .await
    };
    let test = async || {
        let request = pb::SendTestRequest {
            endpoint_id: id.clone(),
        };
        let sent = world
            .ask(|calls| async move { calls.send_test(Request::new(request)).await })
            .await;
        assert_eq!(sent.unwrap().outcome, "delivered");
        receiver.deliveries().pop().unwrap()
    };
    let second = rotate(Some(3_600)).await.unwrap();
    let delivery = test().await;
    assert!(is_v1(&delivery, &made.secret) && is_v1(&delivery, &second.secret));
    let keys = world.get(&id).await.public_keys;
    assert_eq!((keys.len(), &keys[0]), (2, &second.public_key));
    assert!(keys.iter().all(|key| is_v1a(&delivery, key)));

    // Two at the most: the oldest goes. And those of before go at once when there is no overlap.
    let third = rotate(None).await.unwrap();
    let delivery = test().await;
    assert!(!is_v1(&delivery, &made.secret) && is_v1(&delivery, &second.secret) && is_v1(&delivery, &third.secret));
    let fourth = rotate(Some(0)).await.unwrap();
    let delivery = test().await;
    assert!(!is_v1(&delivery, &third.secret) && is_v1(&delivery, &fourth.secret));
    assert_eq!(world.get(&id).await.public_keys, [fourth.public_key]);
    refused(rotate(Some(604_801)).await, Code::InvalidArgument, "overlap_seconds");

    // Those who deliver take the new keys over.
    let position = world.record(&[1]).await;
    world.until(&id, |endpoint| endpoint.position == position).await;
    assert!(is_v1(&receiver.deliveries().pop().unwrap(), &fourth.secret));
}
