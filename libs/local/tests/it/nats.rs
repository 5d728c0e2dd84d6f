//! A private nats-server through its life, and who may do what in it.

use std::time::Duration;

use async_nats::jetstream::consumer::pull::OrderedConfig;
use async_nats::jetstream::{self, stream};
use futures::StreamExt;
use ryggrad_local::nats::{Options, RELAY, SERVICES};
use ryggrad_local::{Nats, StateFolder};

async fn jetstream(nats: &Nats, user: &str) -> jetstream::Context {
    let credentials = async_nats::ConnectOptions::with_user_and_password(user.into(), nats.password(user).unwrap());
    let client = credentials.connect(nats.address()).await.unwrap();
    let mut jetstream = jetstream::new(client);
    jetstream.set_timeout(Duration::from_secs(5));
    jetstream
}

async fn make_stream(nats: &Nats) -> jetstream::Context {
    let relay = jetstream(nats, RELAY).await;
    let config = stream::Config {
        name: "RYGGRAD".into(),
        subjects: vec!["ryggrad.v1.>".into()],
        allow_direct: true,
        ..stream::Config::default()
    };
    relay.create_stream(config).await.unwrap();
    relay
}

#[tokio::test]
async fn lets_services_read_the_stream_and_the_relay_alone_write_it() {
    let state = StateFolder::temporary().unwrap();
    let nats = Nats::start(&state, Options::default()).await.unwrap();
    let relay = make_stream(&nats).await;
    relay
        .publish("ryggrad.v1.public.x", "one".into())
        .await
        .unwrap()
        .await
        .unwrap();
    for user in SERVICES {
        let service = jetstream(&nats, user).await;
        let stream = service.get_stream("RYGGRAD").await.unwrap();
        assert_eq!(stream.cached_info().state.messages, 1);
        assert_eq!(&stream.direct_get(1).await.unwrap().payload[..], b"one");
        let ordered = stream.create_consumer(OrderedConfig::default()).await.unwrap();
        let first = ordered.messages().await.unwrap().next().await.unwrap();
        assert_eq!(&first.unwrap().payload[..], b"one");

        // Who may not ask gets no answer.
        let mut refused = service.clone();
        refused.set_timeout(Duration::from_millis(150));
        let published = refused.publish("ryggrad.v1.public.x", "two".into()).await;
        published.unwrap().await.unwrap_err();
        let bare = refused.get_stream_no_info("RYGGRAD").await.unwrap();
        bare.purge().await.unwrap_err();
        bare.delete_message(1).await.unwrap_err();
        assert!(refused.delete_stream("RYGGRAD").await.is_err());
        let smaller = stream::Config {
            max_messages: 1,
            ..stream.cached_info().config.clone()
        };
        refused.update_stream(smaller).await.unwrap_err();
    }
    assert_eq!(
        relay.get_stream("RYGGRAD").await.unwrap().cached_info().state.messages,
        1
    );
}

#[tokio::test]
async fn keeps_the_stream_over_a_stop_and_a_kill() {
    let state = StateFolder::temporary().unwrap();
    let mut nats = Nats::start(
        &state,
        Options {
            sync: ryggrad_local::nats::Sync::Always,
            ..Options::default()
        },
    )
    .await
    .unwrap();
    let port = nats.port();
    let relay = make_stream(&nats).await;
    relay
        .publish("ryggrad.v1.public.x", "one".into())
        .await
        .unwrap()
        .await
        .unwrap();
    nats.stop().await.unwrap();
    nats.restart().await.unwrap();
    nats.kill().await.unwrap();
    assert_eq!(nats.pid(), None);
    drop(nats);
    let nats = Nats::start(&state, Options::default()).await.unwrap();
    assert_eq!(nats.port(), port);
    let stream = jetstream(&nats, RELAY).await.get_stream("RYGGRAD").await.unwrap();
    assert_eq!(stream.cached_info().state.last_sequence, 1);
}

#[tokio::test]
async fn refuses_who_has_no_password() {
    let state = StateFolder::temporary().unwrap();
    let nats = Nats::start(&state, Options::default()).await.unwrap();
    async_nats::connect(nats.address()).await.unwrap_err();
}
