//! An endpoint that remembers what it was sent and answers as the test wants.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use ryggrad_testkit::eventually;
use serde_json::Value;
use tokio::sync::watch;

use crate::stack::PATIENCE;

/// A request that came in.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) at: std::time::Instant,
}

/// How a request is answered.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
    /// Waits with the answer until the gate is opened.
    pub(super) held: bool,
}

type Script = Box<dyn Fn(&Received, usize) -> Reply + Send>;

/// A server on loopback.
pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    inner: Arc<Inner>,
    server: tokio::task::JoinHandle<()>,
}

struct Inner {
    received: Mutex<Vec<Received>>,
    script: Mutex<Script>,
    gate: watch::Sender<bool>,
    /// Requests being answered now, and the most there ever were.
    busy: Mutex<(usize, usize)>,
}

// === impl Reply ===

impl Reply {
    pub(super) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
            held: false,
        }
    }

    pub(super) fn ok() -> Self {
        Self::status(200)
    }

    pub(super) fn held() -> Self {
        Self {
            held: true,
            ..Self::ok()
        }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// As everybody who wants to be called answers OPTIONS.
    pub(super) fn welcome() -> Self {
        Self::ok().header("webhook-allowed-origin", "*")
    }
}

// === impl Received ===

impl Received {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_else(|| panic!("no {name} in {:?}", self.headers))
    }

    pub(super) fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub(super) fn position(&self) -> u64 {
        match self.headers.get("ce-position") {
            Some(position) => position.to_str().unwrap().parse().unwrap(),
            None => self.json()["position"].as_str().unwrap().parse().unwrap(),
        }
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

// === impl Receiver ===

impl Receiver {
    /// Answers 200 to everything, and yes to the handshake.
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner {
            received: Mutex::default(),
            script: Mutex::new(Box::new(|_, _| Reply::ok())),
            gate: watch::Sender::new(false),
            busy: Mutex::default(),
        });
        let answering = Arc::clone(&inner);
        let router = Router::new().fallback(move |request| answer(Arc::clone(&answering), request));
        let server = tokio::spawn(async move { serve(listener, router).await });
        let receiver = Self { address, inner, server };
        receiver.answers(|_, _| Reply::ok());
        receiver
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers every delivery by this from now on; it is told how many came before. The handshake is answered yes.
    pub(super) fn answers(&self, script: impl Fn(&Received, usize) -> Reply + Send + 'static) {
        self.answers_all(move |request, before| {
            if request.method == Method::OPTIONS {
                Reply::welcome()
            } else {
                script(request, before)
            }
        });
    }

    /// Answers everything by this from now on, the handshake as well.
    pub(super) fn answers_all(&self, script: impl Fn(&Received, usize) -> Reply + Send + 'static) {
        *self.inner.script.lock().unwrap() = Box::new(script);
    }

    /// Lets everything go that is held.
    pub(super) fn open(&self) {
        self.inner.gate.send_replace(true);
    }

    /// Every request so far.
    pub(super) fn requests(&self) -> Vec<Received> {
        self.lock().clone()
    }

    /// Every delivery so far.
    pub(super) fn deliveries(&self) -> Vec<Received> {
        self.lock()
            .iter()
            .filter(|request| request.method == Method::POST)
            .cloned()
            .collect()
    }

    /// Positions of the deliveries so far, in the order in which they came.
    pub(super) fn positions(&self) -> Vec<u64> {
        self.deliveries().iter().map(Received::position).collect()
    }

    /// Deliveries by event, in the order in which they came.
    pub(super) fn by_position(&self) -> BTreeMap<u64, Vec<Received>> {
        let mut by_position: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for delivery in self.deliveries() {
            by_position.entry(delivery.position()).or_default().push(delivery);
        }
        by_position
    }

    /// Waits until there are so many deliveries, and answers them.
    #[track_caller]
    pub(super) fn delivered(&self, count: usize) -> impl Future<Output = Vec<Received>> + '_ {
        eventually(PATIENCE, move || async move {
            let deliveries = self.deliveries();
            if deliveries.len() >= count {
                Ok(deliveries)
            } else {
                Err(format!("{} of {count} deliveries", deliveries.len()))
            }
        })
    }

    /// The most requests that were being answered at once.
    pub(super) fn most(&self) -> usize {
        self.inner.busy.lock().unwrap().1
    }

    /// Stops answering: the port is closed.
    pub(super) fn close(&self) {
        self.server.abort();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Received>> {
        self.inner.received.lock().unwrap()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: tokio::net::TcpListener, router: Router) {
    // Connections are tasks of this one: whoever aborts it closes them.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service = hyper_util::service::TowerToHyperService::new(router.clone());
        let stream = hyper_util::rt::TokioIo::new(stream);
        connections.spawn(async move {
            let served = hyper_util::server::conn::auto::Builder::new(hyper_util::rt::TokioExecutor::new())
                .serve_connection(stream, service)
                .await;
            drop(served);
        });
    }
}

async fn answer(inner: Arc<Inner>, request: Request) -> Result<Response, Infallible> {
    let (parts, body) = request.into_parts();
    let received = Received {
        method: parts.method,
        headers: parts.headers,
        body: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
        at: std::time::Instant::now(),
    };
    let reply = {
        let mut log = inner.received.lock().unwrap();
        let before = log.iter().filter(|other| other.method == received.method).count();
        let reply = (inner.script.lock().unwrap())(&received, before);
        log.push(received);
        reply
    };
    {
        let mut busy = inner.busy.lock().unwrap();
        busy.0 += 1;
        busy.1 = busy.1.max(busy.0);
    }
    if reply.held {
        let mut gate = inner.gate.subscribe();
        let _ = tokio::time::timeout(Duration::from_mins(2), gate.wait_for(|open| *open)).await;
    }
    inner.busy.lock().unwrap().0 -= 1;
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap();
    for (name, value) in reply.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    Ok(response)
}
