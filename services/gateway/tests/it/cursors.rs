//! Requests that cannot be answered as asked are answered with what is wrong.

use ryggrad_client::{Client, Cursor, Error, Filter, Start};
use ryggrad_proto::events::v1::{EventFilter, ReadRequest, SubscribeRequest};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::stack::Stack;

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_beyond_the_head_is_told_the_head() {
    let stack = Stack::start().await;
    stack.append_many(3).await;
    let mut stub = stack.stub().await;
    let subscribe = stub
        .subscribe(SubscribeRequest {
            after: 4,
            ..Default::default()
        })
        .await
        .unwrap_err();
    let read = stub
        .read(ReadRequest {
            after: 4,
            ..Default::default()
        })
        .await
        .unwrap_err();
    for status in [subscribe, read] {
        assert_eq!(status.code(), Code::OutOfRange);
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!(
            (info.reason.as_str(), info.metadata["head"].as_str()),
            ("CURSOR_BEYOND_HEAD", "3")
        );
    }
    let error = stack
        .client()
        .await
        .subscribe(Start::After(4), Filter::new())
        .next_event()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Refused(status) if status.code() == Code::OutOfRange));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_log_is_told_the_epoch() {
    let stack = Stack::start().await;
    stack.append_many(3).await;
    let other = "01900000-0000-7000-8000-00000000000e".to_owned();
    let mut stub = stack.stub().await;
    let status = stub
        .subscribe(SubscribeRequest {
            epoch: other.clone(),
            ..Default::default()
        })
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    let epoch = stack.log().head().await.unwrap().epoch.to_string();
    assert_eq!(
        status.get_error_details().error_info().unwrap().metadata["epoch"],
        epoch
    );
    let start = Start::From(Cursor {
        epoch: other,
        position: 1,
    });
    let error = stack
        .client()
        .await
        .subscribe(start, Filter::new())
        .next_event()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Epoch { got, .. } if got == epoch));
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_do_not_exist_are_named_by_their_field() {
    let stack = Stack::start().await;
    let mut stub = stack.stub().await;
    let filter = |types: &str, kommune: &str| {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        Some(EventFilter {
            types: words(types),
            kommunenummer: words(kommune),
            ..Default::default()
        })
    };
    for (filter, field) in [
        (filter("OrganisationRegistered Nothing", ""), "filter.types[1]"),
        (filter("", "1"), "filter.kommunenummer[0]"),
        (filter("A\0", ""), "filter.types[0]"),
    ] {
        let subscribe = stub
            .subscribe(SubscribeRequest {
                filter: filter.clone(),
                ..Default::default()
            })
            .await
            .unwrap_err();
        assert_eq!(violated(&subscribe), field);
        assert_eq!(
            violated(
                &stub
                    .read(ReadRequest {
                        filter,
                        ..Default::default()
                    })
                    .await
                    .unwrap_err()
            ),
            field
        );
    }
    let heartbeat = SubscribeRequest {
        heartbeat_ms: 99,
        ..Default::default()
    };
    assert_eq!(violated(&stub.subscribe(heartbeat).await.unwrap_err()), "heartbeat_ms");
    let limit = ReadRequest {
        limit: 5_001,
        ..Default::default()
    };
    assert_eq!(violated(&stub.read(limit).await.unwrap_err()), "limit");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_to_the_head() {
    let stack = Stack::start().await;
    stack.append_many(250).await;
    let client = stack.client().await;
    let (mut cursor, mut found) = (Cursor::default(), Vec::new());
    loop {
        let page = client.read(&cursor, Filter::new(), 100).await.unwrap();
        found.extend(page.events.iter().map(ryggrad_client::Event::position));
        cursor = page.next;
        if cursor.position == page.head {
            break;
        }
    }
    assert_eq!(found, (1..=250).collect::<Vec<_>>());
    assert_eq!(client.head().await.unwrap().cursor, cursor);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_log_has_a_head_too() {
    let stack = Stack::start().await;
    let client: Client = stack.client().await;
    let head = client.head().await.unwrap();
    assert_eq!((head.cursor.position, head.recorded_at), (0, None));
    assert!(
        client
            .read(&Cursor::default(), Filter::new(), 10)
            .await
            .unwrap()
            .events
            .is_empty()
    );
}

#[track_caller]
fn violated(status: &Status) -> String {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let details = status.get_error_details();
    details.bad_request().expect("a violation").field_violations[0]
        .field
        .clone()
}
