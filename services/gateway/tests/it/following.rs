//! Following the stream when nothing goes wrong.

use std::time::Duration;

use futures::StreamExt as _;
use ryggrad_client::{Checkpoint as _, Cursor, Filter, MemoryCheckpoint, Message, Options as Follow, Start};
use ryggrad_gateway::Options;
use ryggrad_proto::common::v1::Envelope;
use ryggrad_proto::events::v1::SubscribeRequest;
use ryggrad_proto::events::v1::subscribe_response::Frame;
use ryggrad_testkit::eventually;
use tonic::{Code, Streaming};

use crate::stack::{PATIENCE, Stack, follow, positions, until_caught_up};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_comes_in_order_and_then_what_is_new() {
    let stack = Stack::start().await;
    stack.append_many(1_000).await;
    let mut subscription = follow(&stack.client().await, Start::Beginning, Filter::new());
    assert_eq!(
        until_caught_up(&mut subscription).await,
        (1..=1_000).collect::<Vec<_>>()
    );
    stack.append_many(10).await;
    assert_eq!(
        positions(&mut subscription, 10).await,
        (1_001..=1_010).collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_goes_on_from_its_checkpoint() {
    let stack = Stack::start().await;
    stack.append_many(30).await;
    let client = stack.client().await;
    let checkpoint = MemoryCheckpoint::default();
    let mut first = follow(&client, Start::Beginning, Filter::new());
    positions(&mut first, 12).await;
    checkpoint.store(first.cursor()).await.unwrap();
    drop(first);
    let start = Start::From(checkpoint.load().await.unwrap().unwrap());
    assert_eq!(
        until_caught_up(&mut follow(&client, start, Filter::new())).await,
        (13..=30).collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn from_now_brings_only_what_is_new() {
    let stack = Stack::start().await;
    stack.append_many(5).await;
    let mut subscription = follow(&stack.client().await, Start::Now, Filter::new());
    assert!(until_caught_up(&mut subscription).await.is_empty());
    stack.append_many(1).await;
    assert_eq!(positions(&mut subscription, 1).await, [6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_stops_at_the_head_ends_there() {
    let stack = Stack::start().await;
    stack.append_many(7).await;
    let options = Follow {
        stop_at_head: true,
        ..Follow::default()
    };
    let messages: Vec<_> = stack
        .client()
        .await
        .subscribe_with(Start::After(2), Filter::new(), options)
        .collect()
        .await;
    let messages: Vec<_> = messages.into_iter().map(Result::unwrap).collect();
    assert_eq!(messages.len(), 6, "five events and the word that it was all");
    assert_eq!(messages[5], Message::CaughtUp { position: 7, head: 7 });
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_move_the_cursor_past_what_the_filter_held_back() {
    let stack = Stack::start().await;
    let mut subscription = follow(
        &stack.client().await,
        Start::Beginning,
        Filter::new().types(["InitiativeSketched"]),
    );
    assert!(until_caught_up(&mut subscription).await.is_empty());
    let last = stack.append_many(20).await;
    let epoch = stack.log().head().await.unwrap().epoch.to_string();
    while subscription.cursor().position < last {
        let message = tokio::time::timeout(PATIENCE, subscription.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert!(!matches!(message, Message::Event(_)), "{message:?}");
    }
    assert_eq!(subscription.cursor(), &Cursor { epoch, position: last });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wire_carries_what_the_log_has_by_either_way() {
    let stack = Stack::start().await;
    stack.append_many(300).await;
    let request = |after| SubscribeRequest {
        after,
        ..Default::default()
    };
    // From the log, because the ring begins later or at its leisure; then by the stream.
    let mut old = stack.stub().await.subscribe(request(0)).await.unwrap().into_inner();
    let mut received = envelopes(&mut old, 300).await;
    stack.append_many(300).await;
    received.extend(envelopes(&mut old, 300).await);
    let recorded: Vec<Envelope> = stack
        .log()
        .after(0, 600)
        .await
        .unwrap()
        .iter()
        .map(ryggrad_eventlog::Recorded::envelope)
        .collect();
    assert_eq!(received, recorded);
    // And from the middle of a block in memory.
    let mut middle = stack.stub().await.subscribe(request(555)).await.unwrap().into_inner();
    assert_eq!(envelopes(&mut middle, 45).await, recorded[555..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_subscriber_slows_nobody_and_misses_nothing() {
    let stack = Stack::with(Options {
        ring_events: 256,
        ring_bytes: 1 << 20,
    })
    .await;
    let mut slow = stack
        .stub()
        .await
        .subscribe(SubscribeRequest::default())
        .await
        .unwrap()
        .into_inner();
    let mut fast = follow(&stack.client().await, Start::Beginning, Filter::new());
    // Nobody reads the slow one meanwhile; what does not fit on its way is left in the log.
    let last = stack.append_many(20_000).await;
    assert_eq!(positions(&mut fast, last).await, (1..=last).collect::<Vec<_>>());
    let received = envelopes(&mut slow, usize::try_from(last).unwrap()).await;
    assert!(
        received.iter().map(|envelope| envelope.position).eq(1..=last),
        "dense, in order"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_stops_says_so_and_the_client_goes_on_with_the_next() {
    let mut stack = Stack::start().await;
    stack.append_many(10).await;
    let mut bare = stack
        .stub()
        .await
        .subscribe(SubscribeRequest::default())
        .await
        .unwrap()
        .into_inner();
    let mut subscription = follow(&stack.client().await, Start::Beginning, Filter::new());
    assert_eq!(until_caught_up(&mut subscription).await.len(), 10);
    stack.replace_gateway().await;
    let goodbye = loop {
        match bare.message().await {
            Ok(frame) => assert!(frame.is_some(), "the stream ends with a status"),
            Err(status) => break status,
        }
    };
    assert_eq!(goodbye.code(), Code::Unavailable);
    let details = tonic_types::StatusExt::get_error_details(&goodbye);
    assert_eq!(
        details.retry_info().and_then(|info| info.retry_delay),
        Some(Duration::from_secs(1))
    );
    stack.append_many(10).await;
    assert_eq!(positions(&mut subscription, 10).await, (11..=20).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_is_ready_when_it_follows_the_stream() {
    let stack = Stack::start().await;
    eventually(PATIENCE, || async { stack.door.gateway.ready() }).await;
    let last = stack.append_many(3).await;
    eventually(PATIENCE, || async {
        if stack.door.gateway.position() == last {
            Ok(())
        } else {
            Err("behind")
        }
    })
    .await;
}

/// The next events of a bare stream of frames.
async fn envelopes(
    frames: &mut Streaming<ryggrad_proto::events::v1::SubscribeResponse>,
    count: usize,
) -> Vec<Envelope> {
    let mut found = Vec::new();
    while found.len() < count {
        let response = tokio::time::timeout(PATIENCE, frames.message())
            .await
            .expect("a frame")
            .unwrap()
            .expect("no end");
        if let Some(Frame::Batch(batch)) = response.frame {
            found.extend(batch.events);
        }
    }
    found
}
