//! A subscription against a server that misbehaves: what it hides, and what it must not.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{Stream, StreamExt as _, stream};
use ryggrad_client::{Client, Cursor, Error, Filter, Message, Options, Start, Subscription};
use ryggrad_proto::common::v1::Envelope;
use ryggrad_proto::events::v1::event_stream_server::{EventStream, EventStreamServer};
use ryggrad_proto::events::v1::subscribe_response::Frame;
use ryggrad_proto::events::v1::{
    AcknowledgeRequest, AcknowledgeResponse, CatalogueRequest, CatalogueResponse, CaughtUp, DeleteDurableRequest,
    DeleteDurableResponse, EventBatch, ExplainRequest, ExplainResponse, GetRequest, GetResponse, HeadRequest,
    HeadResponse, ListDurablesRequest, ListDurablesResponse, ReadRequest, ReadResponse, SubscribeRequest,
    SubscribeResponse,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// What the server does with one subscription.
enum Act {
    /// Sends these positions, then ends with this status.
    Break(Vec<u64>, Status),
    /// Sends these positions, then nothing any more.
    Freeze(Vec<u64>),
    /// Does not take the subscription.
    Refuse(Status),
    /// Says that everything up to here was sent, in a log of this epoch.
    CaughtUp(u64, &'static str),
}

/// Plays one act after another, and notes after which position each subscription began.
#[derive(Clone, Default)]
struct Script {
    acts: Arc<Mutex<VecDeque<Act>>>,
    began: Arc<Mutex<Vec<u64>>>,
}

type Frames = Pin<Box<dyn Stream<Item = Result<SubscribeResponse, Status>> + Send>>;

#[tonic::async_trait]
impl EventStream for Script {
    type SubscribeStream = Frames;

    async fn subscribe(&self, request: Request<SubscribeRequest>) -> Result<Response<Frames>, Status> {
        self.began.lock().unwrap().push(request.get_ref().after);
        let act = self.acts.lock().unwrap().pop_front();
        let frames: Frames = match act.ok_or_else(|| Status::unavailable("the play is over"))? {
            Act::Break(positions, status) => Box::pin(stream::iter([Ok(batch(&positions)), Err(status)])),
            Act::Freeze(positions) => Box::pin(stream::iter([Ok(batch(&positions))]).chain(stream::pending())),
            Act::Refuse(status) => return Err(status),
            Act::CaughtUp(position, epoch) => {
                let said = CaughtUp {
                    position,
                    head: position,
                    epoch: epoch.to_owned(),
                };
                let frame = SubscribeResponse {
                    frame: Some(Frame::CaughtUp(said)),
                };
                Box::pin(stream::iter([Ok(frame)]).chain(stream::pending()))
            }
        };
        Ok(Response::new(frames))
    }

    async fn read(&self, _: Request<ReadRequest>) -> Result<Response<ReadResponse>, Status> {
        Err(Status::unimplemented("not in this play"))
    }

    async fn head(&self, _: Request<HeadRequest>) -> Result<Response<HeadResponse>, Status> {
        Ok(Response::new(HeadResponse {
            position: 100,
            epoch: "e1".to_owned(),
            recorded_at: None,
        }))
    }

    async fn acknowledge(&self, _: Request<AcknowledgeRequest>) -> Result<Response<AcknowledgeResponse>, Status> {
        Err(Status::unimplemented("not played"))
    }

    async fn list_durables(&self, _: Request<ListDurablesRequest>) -> Result<Response<ListDurablesResponse>, Status> {
        Err(Status::unimplemented("not played"))
    }

    async fn delete_durable(
        &self,
        _: Request<DeleteDurableRequest>,
    ) -> Result<Response<DeleteDurableResponse>, Status> {
        Err(Status::unimplemented("not played"))
    }

    async fn get(&self, _: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        Err(Status::unimplemented("not played"))
    }

    async fn catalogue(&self, _: Request<CatalogueRequest>) -> Result<Response<CatalogueResponse>, Status> {
        Err(Status::unimplemented("not played"))
    }

    async fn explain(&self, _: Request<ExplainRequest>) -> Result<Response<ExplainResponse>, Status> {
        Err(Status::unimplemented("not played"))
    }
}

fn batch(positions: &[u64]) -> SubscribeResponse {
    let events = positions
        .iter()
        .map(|position| Envelope {
            position: *position,
            ..Envelope::default()
        })
        .collect();
    SubscribeResponse {
        frame: Some(Frame::Batch(EventBatch { events })),
    }
}

/// A server that plays these acts, and a subscription to it.
async fn play(acts: impl IntoIterator<Item = Act>, start: Start, filter: Filter) -> (Script, Subscription) {
    play_until(acts, start, filter, false).await
}

/// The same, to the head or for ever.
async fn play_until(
    acts: impl IntoIterator<Item = Act>,
    start: Start,
    filter: Filter,
    stop_at_head: bool,
) -> (Script, Subscription) {
    let script = Script::default();
    script.acts.lock().unwrap().extend(acts);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tonic::transport::Server::builder().add_service(EventStreamServer::new(script.clone()));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let options = Options {
        heartbeat: Duration::from_millis(100),
        stop_at_head,
        // Without a filter the play has nothing to hold back.
        gapless: filter.is_everything(),
    };
    let subscription = Client::lazy(&url).unwrap().subscribe_with(start, filter, options);
    (script, subscription)
}

/// The positions of the next events.
async fn positions(subscription: &mut Subscription, count: usize) -> Vec<u64> {
    let mut found = Vec::new();
    while found.len() < count {
        found.push(subscription.next_event().await.unwrap().expect("it goes on").position());
    }
    found
}

#[tokio::test]
async fn a_broken_connection_is_made_again_after_the_last_event() {
    let acts = [
        Act::Break(vec![1, 2], Status::unavailable("stopping")),
        Act::Break(vec![3], Status::unknown("transport error")),
        Act::Freeze(vec![4]),
    ];
    let (script, mut subscription) = play(acts, Start::Beginning, Filter::new()).await;
    assert_eq!(positions(&mut subscription, 4).await, [1, 2, 3, 4]);
    assert_eq!(*script.began.lock().unwrap(), [0, 2, 3]);
    assert_eq!(
        subscription.cursor(),
        &Cursor {
            epoch: "e1".to_owned(),
            position: 4
        }
    );
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left() {
    let (_, mut subscription) = play(
        [Act::Freeze(vec![1]), Act::Freeze(vec![2])],
        Start::Beginning,
        Filter::new(),
    )
    .await;
    assert_eq!(positions(&mut subscription, 2).await, [1, 2]);
}

#[tokio::test]
async fn a_gap_is_an_error_and_the_end() {
    let (_, mut subscription) = play([Act::Freeze(vec![7, 9])], Start::After(6), Filter::new()).await;
    let error = subscription.next_event().await.unwrap_err();
    assert!(matches!(error, Error::Gap { expected: 8, got: 9 }), "{error}");
    assert!(subscription.next().await.is_none(), "nothing comes after an error");
}

#[tokio::test]
async fn with_a_filter_only_a_step_back_is_a_gap() {
    let filter = Filter::new().contexts(["registration"]);
    let (_, mut subscription) = play([Act::Freeze(vec![7, 9, 9])], Start::After(5), filter).await;
    let error = subscription.next_event().await.unwrap_err();
    assert!(matches!(error, Error::Gap { expected: 10, got: 9 }), "{error}");
}

#[tokio::test]
async fn another_epoch_is_an_error() {
    let (_, mut subscription) = play([Act::CaughtUp(0, "e2")], Start::Beginning, Filter::new()).await;
    assert!(matches!(subscription.next().await, Some(Err(Error::Epoch { .. }))));
    let before = Start::From(Cursor {
        epoch: "e0".to_owned(),
        position: 3,
    });
    let (script, mut subscription) = play([], before, Filter::new()).await;
    assert!(matches!(subscription.next().await, Some(Err(Error::Epoch { .. }))));
    assert!(
        script.began.lock().unwrap().is_empty(),
        "it is noticed before anything is asked for"
    );
}

#[tokio::test]
async fn from_now_begins_at_the_head() {
    let (script, mut subscription) = play([Act::CaughtUp(100, "e1")], Start::Now, Filter::new()).await;
    let message = subscription.next().await.unwrap().unwrap();
    assert_eq!(
        message,
        Message::CaughtUp {
            position: 100,
            head: 100
        }
    );
    assert_eq!(*script.began.lock().unwrap(), [100]);
}

#[tokio::test]
async fn only_a_refusal_that_says_so_is_of_another_epoch() {
    let epoch = HashMap::from([("epoch".to_owned(), "e2".to_owned())]);
    let details = ErrorDetails::with_error_info("OTHER_EPOCH", "ryggrad.no", epoch);
    let other = Status::with_error_details(Code::FailedPrecondition, "restored", details);
    let (_, mut subscription) = play([Act::Refuse(other)], Start::Beginning, Filter::new()).await;
    let error = subscription.next_event().await.unwrap_err();
    assert!(matches!(&error, Error::Epoch { got, .. } if got == "e2"), "{error}");

    let refused = Act::Refuse(Status::failed_precondition("no mandate"));
    let (_, mut subscription) = play([refused], Start::Beginning, Filter::new()).await;
    let error = subscription.next_event().await.unwrap_err();
    assert!(
        matches!(&error, Error::Refused(status) if status.message() == "no mandate"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_fails_time_after_time_is_an_error() {
    let faults = |count| (0..count).map(|_| Act::Refuse(Status::internal("broken")));
    let acts = faults(4)
        .chain([Act::Break(vec![1], Status::internal("broken"))])
        .chain(faults(9));
    let (script, mut subscription) = play(acts, Start::Beginning, Filter::new()).await;
    assert_eq!(positions(&mut subscription, 1).await, [1], "four times are forgiven");
    let error = subscription.next_event().await.unwrap_err();
    assert!(
        matches!(&error, Error::Refused(status) if status.message() == "broken"),
        "{error}"
    );
    assert_eq!(script.began.lock().unwrap().len(), 4 + 5);
}

#[tokio::test]
async fn one_that_is_to_stop_at_the_head_does_not_wait_for_ever() {
    // Nobody listens here any more.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let options = Options {
        stop_at_head: true,
        ..Options::default()
    };
    let mut subscription = Client::lazy(&url)
        .unwrap()
        .subscribe_with(Start::Beginning, Filter::new(), options);
    let error = subscription.next_event().await.unwrap_err();
    assert!(
        matches!(&error, Error::Refused(status) if status.code() == Code::Unavailable),
        "{error}"
    );
}
