//! Named durable subscriptions: resumed, acknowledged, taken over, forgotten.

use ryggrad_access::Scope;
use ryggrad_client::{Connection, with_token};
use ryggrad_proto::events::v1::event_stream_client::EventStreamClient;
use ryggrad_proto::events::v1::subscribe_response::Frame;
use ryggrad_proto::events::v1::{
    AcknowledgeRequest, DeleteDurableRequest, EventFilter, ListDurablesRequest, Started, SubscribeRequest,
    SubscribeResponse,
};
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;

use crate::stack::{PATIENCE, Stack};

type Stub = EventStreamClient<Connection>;

async fn stub(stack: &Stack) -> Stub {
    stack.stub_as("org:310000019", &[Scope::SubscriptionsWrite]).await
}

fn wanted(types: &[&str]) -> SubscribeRequest {
    SubscribeRequest {
        durable: "payouts".to_owned(),
        filter: Some(EventFilter {
            types: types.iter().map(ToString::to_string).collect(),
            ..Default::default()
        }),
        heartbeat_ms: 100,
        ..Default::default()
    }
}

/// Opens it; where it began, and its frames.
async fn open(stub: &mut Stub, request: SubscribeRequest) -> Result<(Started, Streaming<SubscribeResponse>), Status> {
    let mut frames = stub.subscribe(request).await?.into_inner();
    match frames.message().await?.expect("a frame").frame.expect("something") {
        Frame::Started(started) => Ok((started, frames)),
        other => panic!("{other:?}"),
    }
}

/// The next positions.
async fn positions(frames: &mut Streaming<SubscribeResponse>, count: usize) -> Vec<u64> {
    let mut found = Vec::new();
    while found.len() < count {
        let frame = tokio::time::timeout(PATIENCE, frames.message()).await.expect("a frame");
        if let Some(Frame::Batch(batch)) = frame.unwrap().expect("no end").frame {
            found.extend(batch.events.iter().map(|event| event.position));
        }
    }
    found
}

async fn acknowledge(stub: &mut Stub, position: u64, rewind: bool) -> Result<u64, Status> {
    let request = AcknowledgeRequest {
        durable: "payouts".to_owned(),
        position,
        rewind,
        ..Default::default()
    };
    Ok(stub.acknowledge(request).await?.into_inner().position)
}

#[track_caller]
fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    details.error_info().expect("a reason").reason.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_acknowledged_comes_again() {
    let mut stack = Stack::start().await;
    stack.append_many(10).await;
    let mut one = stub(&stack).await;
    let (started, mut frames) = open(&mut one, wanted(&[])).await.unwrap();
    assert_eq!(
        (started.after, started.first_position, started.head, started.resumed),
        (0, 1, 10, false)
    );
    assert_eq!(positions(&mut frames, 10).await, (1..=10).collect::<Vec<_>>());
    assert_eq!(acknowledge(&mut one, 6, false).await.unwrap(), 6);
    assert_eq!(
        acknowledge(&mut one, 4, false).await.unwrap(),
        6,
        "never back by itself"
    );
    let beyond = acknowledge(&mut one, 11, false).await.unwrap_err();
    assert_eq!(beyond.code(), Code::OutOfRange);
    drop(frames);
    // Another process remembers it.
    stack.replace_gateway().await;
    let mut one = stub(&stack).await;
    let (started, mut frames) = open(&mut one, wanted(&[])).await.unwrap();
    assert_eq!((started.after, started.resumed), (6, true));
    assert_eq!(positions(&mut frames, 4).await, [7, 8, 9, 10]);
    assert_eq!(
        acknowledge(&mut one, 2, true).await.unwrap(),
        2,
        "back when it is asked for"
    );
    let (started, _) = open(&mut one, wanted(&[])).await.unwrap();
    assert_eq!(started.after, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_was_not_delivered_is_not_acknowledged() {
    let stack = Stack::start().await;
    let mut one = stub(&stack).await;
    let (_, mut frames) = open(&mut one, wanted(&[])).await.unwrap();
    drop(frames.message().await);
    drop(frames);
    stack.append_many(3).await;
    let refused = acknowledge(&mut one, 3, false).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::OutOfRange, "NOT_DELIVERED")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_filter_that_it_was_made_with() {
    let stack = Stack::start().await;
    let mut one = stub(&stack).await;
    open(&mut one, wanted(&["DissolutionReported", "OrganisationRegistered"]))
        .await
        .unwrap();
    let turned = open(&mut one, wanted(&["OrganisationRegistered", "DissolutionReported"]))
        .await
        .unwrap();
    assert!(turned.0.resumed, "the order of values says nothing");
    let refused = open(&mut one, wanted(&["DissolutionReported"])).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::FailedPrecondition, "DURABLE_DIFFERS")
    );
    let without = SubscribeRequest {
        filter: None,
        ..wanted(&[])
    };
    open(&mut one, without).await.unwrap();
    let listed = one
        .list_durables(ListDurablesRequest {})
        .await
        .unwrap()
        .into_inner()
        .durables;
    assert_eq!(listed[0].filter.as_ref().unwrap().types.len(), 2);
    let anew = SubscribeRequest {
        replace: true,
        from_now: true,
        ..wanted(&["DissolutionReported"])
    };
    assert!(!open(&mut one, anew).await.unwrap().0.resumed);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_consumer_takes_over() {
    let stack = Stack::start().await;
    let mut one = stub(&stack).await;
    let (_, mut first) = open(&mut one, wanted(&[])).await.unwrap();
    let (_, mut second) = open(&mut one, wanted(&[])).await.unwrap();
    let end = async {
        loop {
            if let Err(status) = first.message().await {
                return status;
            }
        }
    };
    let end = tokio::time::timeout(PATIENCE, end).await.unwrap();
    assert_eq!(
        (end.code(), reason(&end).as_str()),
        (Code::Aborted, "DURABLE_TAKEN_OVER")
    );
    stack.append_many(1).await;
    assert_eq!(positions(&mut second, 1).await, [1]);
    let gone = DeleteDurableRequest {
        durable: "payouts".to_owned(),
    };
    one.delete_durable(gone.clone()).await.unwrap();
    assert_eq!(one.delete_durable(gone).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(
        acknowledge(&mut one, 1, false).await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_needs_a_token_with_its_scope_and_is_nobody_elses() {
    let stack = Stack::start().await;
    let refused = stack.stub().await.subscribe(wanted(&[])).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::Unauthenticated, "TOKEN_MISSING")
    );
    let mut poor = stack.stub_as("org:310000019", &[Scope::EventsOrgRead]).await;
    let refused = poor.subscribe(wanted(&[])).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::PermissionDenied, "SCOPE_MISSING")
    );
    let mut one = stub(&stack).await;
    open(&mut one, wanted(&[])).await.unwrap();
    let mut other = stack.stub_as("org:310000027", &[Scope::SubscriptionsWrite]).await;
    assert_eq!(
        acknowledge(&mut other, 0, false).await.unwrap_err().code(),
        Code::NotFound
    );
    assert!(
        other
            .list_durables(ListDurablesRequest {})
            .await
            .unwrap()
            .into_inner()
            .durables
            .is_empty()
    );
    let unnamed = SubscribeRequest {
        durable: "a b".to_owned(),
        ..wanted(&[])
    };
    assert_eq!(one.subscribe(unnamed).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_customer_of_a_platform_has_its_own_of_the_same_name() {
    let stack = Stack::start().await;
    stack.append_many(3).await;
    let channel = Channel::from_shared(stack.url()).unwrap().connect().await.unwrap();
    let as_user_of = |customer: &str| {
        let token = stack
            .issuer
            .system_user("platform", customer, &[Scope::SubscriptionsWrite]);
        EventStreamClient::new(with_token(channel.clone(), token))
    };
    let mut one = as_user_of("310000019");
    let (_, mut frames) = open(&mut one, wanted(&[])).await.unwrap();
    assert_eq!(positions(&mut frames, 3).await, [1, 2, 3]);
    assert_eq!(acknowledge(&mut one, 3, false).await.unwrap(), 3);
    let mut itself = stack.stub_as("platform", &[Scope::SubscriptionsWrite]).await;
    for other in [&mut as_user_of("310000027"), &mut itself] {
        let (started, mut frames) = open(other, wanted(&[])).await.unwrap();
        assert_eq!((started.after, started.resumed), (0, false), "nothing was missed");
        assert_eq!(positions(&mut frames, 3).await, [1, 2, 3]);
        let gone = DeleteDurableRequest {
            durable: "payouts".to_owned(),
        };
        other.delete_durable(gone).await.unwrap();
    }
    let listed = one.list_durables(ListDurablesRequest {}).await.unwrap().into_inner();
    assert_eq!(listed.durables.len(), 1, "the others forgot their own");
    let (started, _) = open(&mut one, wanted(&[])).await.unwrap();
    assert_eq!((started.after, started.resumed), (3, true));
}
