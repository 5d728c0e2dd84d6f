//! The open connections: taken in, bounded, served, drained.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::dispatch::{self, App};
use crate::metrics;

/// Most connections at once; further ones wait to be accepted.
const CONNECTIONS: usize = 4_096;
/// Most requests at once on one HTTP/2 connection.
const STREAMS: u32 = 4_096;
/// Time that a client gets for the head of an HTTP/1.1 request, also between two.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);
/// A silent HTTP/2 connection is asked for a sign of life so often, and closed when none comes.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// The open connections.
pub(crate) struct Connections {
    app: Arc<App>,
    builder: Builder<TokioExecutor>,
    graceful: GracefulShutdown,
    tasks: JoinSet<()>,
    places: Arc<Semaphore>,
}

// === impl Connections ===

impl Connections {
    pub(crate) fn new(app: Arc<App>) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_PATIENCE);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE / 2);
        Self {
            app,
            builder,
            graceful: GracefulShutdown::new(),
            tasks: JoinSet::new(),
            places: Arc::new(Semaphore::new(CONNECTIONS)),
        }
    }

    /// Takes the next connection and serves it in a task of its own.
    pub(crate) async fn accept(&mut self, listener: &TcpListener) {
        let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                // Out of file descriptors, most likely: without a pause this would spin.
                tokio::time::sleep(Duration::from_millis(50)).await;
                return;
            }
        };
        while self.tasks.try_join_next().is_some() {}
        let connection = self.serve(stream);
        self.tasks.spawn(async move {
            ::metrics::gauge!(metrics::CONNECTIONS).increment(1);
            connection.await;
            ::metrics::gauge!(metrics::CONNECTIONS).decrement(1);
            drop(place);
        });
    }

    fn serve(&self, stream: TcpStream) -> impl Future<Output = ()> + Send + 'static {
        // Without it a unary call takes 44 ms instead of 0.1 ms.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let app = Arc::clone(&self.app);
        let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let app = Arc::clone(&app);
            async move { Ok::<_, Infallible>(dispatch::answer(app, request.map(Body::new)).await) }
        });
        let connection = self
            .builder
            .serve_connection(TokioIo::new(stream), service)
            .into_owned();
        let connection = self.graceful.watch(connection);
        async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        }
    }

    /// Lets what is open finish, then cuts it.
    pub(crate) async fn drain(self, patience: Duration) {
        let Self {
            graceful, mut tasks, ..
        } = self;
        if tokio::time::timeout(patience, graceful.shutdown()).await.is_err() {
            tracing::warn!("open requests were cut at the end of the drain time");
        }
        tasks.shutdown().await;
    }
}
