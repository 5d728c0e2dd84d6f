//! The open connections: taken in, bounded, served, drained.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Bounds;
use super::activity::Activity;
use super::answers::Answers;
use super::dispatch::{self, App};
use super::frames::Watched;
use super::peers::Peers;
use crate::metrics;

/// Most bytes of a request's head: room for the largest token and what is sent beside it.
const HEAD_LIMIT: u32 = 48 * 1024;
/// Most streams on one HTTP/2 connection that the client has reset before they were taken in.
const RESETS: usize = 64;
/// Most streams on one HTTP/2 connection that were reset for being wrong.
const ERRORS: usize = 256;

/// The open connections.
pub(crate) struct Connections {
    app: Arc<App>,
    bounds: Bounds,
    builder: Builder<TokioExecutor>,
    /// Ends those who have not said anything yet, and lets the others finish.
    stopping: CancellationToken,
    tasks: JoinSet<()>,
    places: Arc<Semaphore>,
    peers: Peers,
}

// === impl Connections ===

impl Connections {
    pub(crate) fn new(app: Arc<App>, bounds: Bounds) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .max_buf_size(HEAD_LIMIT as usize)
            .header_read_timeout(bounds.head);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(bounds.streams)
            .max_header_list_size(HEAD_LIMIT)
            .max_pending_accept_reset_streams(RESETS)
            .max_local_error_reset_streams(ERRORS)
            .keep_alive_interval(bounds.keep_alive)
            .keep_alive_timeout(bounds.keep_alive / 2);
        Self {
            app,
            bounds,
            builder,
            stopping: CancellationToken::new(),
            tasks: JoinSet::new(),
            places: Arc::new(Semaphore::new(bounds.connections)),
            peers: Peers::default(),
        }
    }

    /// Takes the next connection and serves it in a task of its own.
    pub(crate) async fn accept(&mut self, listener: &TcpListener) {
        let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
            return;
        };
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                // Out of file descriptors, most likely: without a pause this would spin.
                tokio::time::sleep(Duration::from_millis(50)).await;
                return;
            }
        };
        while self.tasks.try_join_next().is_some() {}
        let Some(counted) = self.peers.count(address.ip(), self.bounds.per_peer) else {
            cut("peer");
            return;
        };
        let connection = self.serve(stream);
        self.tasks.spawn(async move {
            ::metrics::gauge!(metrics::CONNECTIONS).increment(1);
            connection.await;
            ::metrics::gauge!(metrics::CONNECTIONS).decrement(1);
            drop((place, counted));
        });
    }

    fn serve(&self, stream: TcpStream) -> impl Future<Output = ()> + Send + 'static {
        // Without it a unary call takes 44 ms instead of 0.1 ms.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let (app, bounds, builder) = (Arc::clone(&self.app), self.bounds, self.builder.clone());
        let stopping = self.stopping.clone();
        async move {
            let opened = tokio::select! {
                opened = Watched::open(stream, bounds.first_bytes) => opened,
                () = stopping.cancelled() => return,
            };
            match opened {
                Ok(stream) => talk(app, bounds, builder, stopping, stream).await,
                Err(error) => {
                    cut("silent");
                    tracing::debug!(%error, "a connection said nothing");
                }
            }
        }
    }

    /// Lets what is open finish, then cuts it.
    pub(crate) async fn drain(self, patience: Duration) {
        let Self {
            mut tasks, stopping, ..
        } = self;
        stopping.cancel();
        let finish = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, finish).await.is_err() {
            tracing::warn!("open requests were cut at the end of the drain time");
        }
        tasks.shutdown().await;
    }
}

/// Answers the requests of a connection until it ends, has not been used for long, or has to be cut.
async fn talk(
    app: Arc<App>,
    bounds: Bounds,
    builder: Builder<TokioExecutor>,
    stopping: CancellationToken,
    stream: Watched,
) {
    let answers = Answers::new(bounds.answers, bounds.taking);
    let activity = Activity::default();
    let (stalled, used) = (answers.clone(), activity.clone());
    let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let open = activity.begin();
        // What it takes to answer must not be kept for as long as the answer goes on.
        let answer = Box::pin(dispatch::answer(
            Arc::clone(&app),
            answers.clone(),
            request.map(Body::new),
        ));
        async move { Ok::<_, Infallible>(answer.await.map(|body| open.around(body))) }
    });
    let builder = if stream.is_http2() {
        builder.http2_only()
    } else {
        builder.http1_only()
    };
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service).into_owned());
    let over = async {
        tokio::select! {
            () = stopping.cancelled() => std::future::pending().await,
            () = used.idle(bounds.idle) => {}
        }
    };
    let mut over = pin!(over);
    let mut finishing = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    cut("broken");
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            () = stalled.stall() => {
                cut("stalled");
                tracing::debug!("a connection did not take its answers");
                return;
            }
            () = stopping.cancelled(), if !finishing => {
                finishing = true;
                connection.as_mut().graceful_shutdown();
            }
            () = over.as_mut() => {
                cut("idle");
                // It is told, and has time to go: what it asks for meanwhile it asks for elsewhere.
                connection.as_mut().graceful_shutdown();
                let _ = tokio::time::timeout(bounds.keep_alive, connection.as_mut()).await;
                return;
            }
        }
    }
}

fn cut(reason: &'static str) {
    ::metrics::counter!(metrics::CONNECTIONS_CUT, "reason" => reason).increment(1);
}
