//! gRPC without encoding anything twice: Subscribe is answered with frames as they are, the rest as usual.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BufMut as _;
use futures::{Stream, StreamExt as _};
use prost::Message as _;
use ryggrad_proto::events::v1::SubscribeRequest;
use ryggrad_proto::events::v1::event_stream_server::{EventStreamServer, SERVICE_NAME};
use ryggrad_service::accept;
use tonic::Status;
use tonic::body::Body;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::Service;
use tonic::codegen::http::{Request, Response};
use tonic::server::{Grpc, NamedService, ServerStreamingService};

use crate::api::{Api, format};
use crate::frame::Frame;

/// Path of the call that is answered with frames.
const SUBSCRIBE: &str = "/ryggrad.events.v1.EventStream/Subscribe";
/// Memory that a call begins with, none for one that may have nothing to say for long, and size at which what is ready is sent.
const BUFFER: (usize, usize) = (0, 64 << 10);

/// The gRPC service `ryggrad.events.v1.EventStream`, for a server.
#[derive(Debug, Clone)]
pub struct EventStream {
    api: Api,
    others: EventStreamServer<Api>,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;
type Frames = Pin<Box<dyn Stream<Item = Result<Frame, Status>> + Send>>;

// === impl EventStream ===

impl EventStream {
    pub(crate) fn new(api: Api) -> Self {
        Self {
            others: EventStreamServer::new(api.clone()),
            api,
        }
    }
}

impl NamedService for EventStream {
    const NAME: &'static str = SERVICE_NAME;
}

impl Service<Request<Body>> for EventStream {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        if request.uri().path() != SUBSCRIBE {
            return self.others.call(request);
        }
        let api = self.api.clone();
        Box::pin(async move { Ok(Grpc::new(FrameCodec).server_streaming(Subscribe(api), request).await) })
    }
}

/// The call as tonic wants it.
struct Subscribe(Api);

impl ServerStreamingService<SubscribeRequest> for Subscribe {
    type Response = Frame;
    type ResponseStream = Frames;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<Frames>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<SubscribeRequest>) -> Self::Future {
        let api = self.0.clone();
        Box::pin(async move {
            let request = accept(request)?;
            let format = format(request.format)?;
            let frames = api.frames(request, format).await?;
            let frames = frames.map(|frame| frame.map_err(Status::from));
            Ok(tonic::Response::new(Box::pin(frames) as Frames))
        })
    }
}

/// Frames out, requests in.
#[derive(Debug, Clone, Copy, Default)]
struct FrameCodec;

impl Codec for FrameCodec {
    type Encode = Frame;
    type Decode = SubscribeRequest;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for FrameCodec {
    type Item = Frame;
    type Error = Status;

    fn encode(&mut self, frame: Frame, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.reserve(frame.encoded_len());
        frame.encode(buffer);
        debug_assert!(buffer.has_remaining_mut(), "a buffer grows");
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(BUFFER.0, BUFFER.1)
    }
}

impl Decoder for FrameCodec {
    type Item = SubscribeRequest;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<SubscribeRequest>, Status> {
        let request = SubscribeRequest::decode(buffer).map_err(|error| Status::invalid_argument(error.to_string()))?;
        Ok(Some(request))
    }
}
