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
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::stack::PATIENCE;

/// A request that came in.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) at: std::time::Instant,
    /// How often the receiver had died before.
    pub(crate) life: usize,
}

/// How a request is answered.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
    /// Waits with the answer until the gate is opened.
    pub(crate) held: bool,
}

/// How often a receiver has died, and whether it lives.
#[derive(Debug, Clone, Copy)]
struct Life {
    number: usize,
    is_up: bool,
}

type Script = Box<dyn Fn(&Received, usize) -> Reply + Send>;

/// A server on loopback.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    inner: Arc<Inner>,
    server: tokio::task::JoinHandle<()>,
}

struct Inner {
    received: Mutex<Vec<Received>>,
    script: Mutex<Script>,
    gate: watch::Sender<bool>,
    life: watch::Sender<Life>,
    /// At which deliveries it dies, the next one last.
    deaths: Mutex<Vec<usize>>,
    /// Requests being answered now, and the most there ever were.
    busy: Mutex<(usize, usize)>,
}

// === impl Reply ===

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
            held: false,
        }
    }

    pub(crate) fn ok() -> Self {
        Self::status(200)
    }

    pub(crate) fn held() -> Self {
        Self {
            held: true,
            ..Self::ok()
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// As everybody who wants to be called answers OPTIONS.
    pub(crate) fn welcome() -> Self {
        Self::ok().header("webhook-allowed-origin", "*")
    }
}

// === impl Received ===

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_else(|| panic!("no {name} in {:?}", self.headers))
    }

    pub(crate) fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub(crate) fn position(&self) -> u64 {
        match self.headers.get("ce-position") {
            Some(position) => position.to_str().unwrap().parse().unwrap(),
            None => self.json()["position"].as_str().unwrap().parse().unwrap(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

// === impl Inner ===

impl Inner {
    /// Whether it dies of this delivery.
    fn dies(&self, delivery: usize) -> bool {
        let mut deaths = self.deaths.lock().unwrap();
        let dies = deaths.pop_if(|next| *next == delivery).is_some();
        if dies {
            self.life.send_modify(|life| {
                life.number += 1;
                life.is_up = false;
            });
        }
        dies
    }
}

// === impl Receiver ===

impl Receiver {
    /// Answers 200 to everything, and yes to the handshake.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner {
            received: Mutex::default(),
            script: Mutex::new(Box::new(|_, _| Reply::ok())),
            gate: watch::Sender::new(false),
            life: watch::Sender::new(Life { number: 0, is_up: true }),
            deaths: Mutex::default(),
            busy: Mutex::default(),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&inner)));
        let receiver = Self { address, inner, server };
        receiver.answers(|_, _| Reply::ok());
        receiver
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers every delivery by this from now on; it is told how many came before. The handshake is answered yes.
    pub(crate) fn answers(&self, script: impl Fn(&Received, usize) -> Reply + Send + 'static) {
        self.answers_all(move |request, before| {
            if request.method == Method::OPTIONS {
                Reply::welcome()
            } else {
                script(request, before)
            }
        });
    }

    /// Answers everything by this from now on, the handshake as well.
    pub(crate) fn answers_all(&self, script: impl Fn(&Received, usize) -> Reply + Send + 'static) {
        *self.inner.script.lock().unwrap() = Box::new(script);
    }

    /// Lets everything go that is held.
    pub(crate) fn open(&self) {
        self.inner.gate.send_replace(true);
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Received> {
        self.lock().clone()
    }

    /// Every delivery so far.
    pub(crate) fn deliveries(&self) -> Vec<Received> {
        self.lock()
            .iter()
            .filter(|request| request.method == Method::POST)
            .cloned()
            .collect()
    }

    /// Positions of the deliveries so far, in the order in which they came.
    pub(crate) fn positions(&self) -> Vec<u64> {
        self.deliveries().iter().map(Received::position).collect()
    }

    /// Deliveries by event, in the order in which they came.
    pub(crate) fn by_position(&self) -> BTreeMap<u64, Vec<Received>> {
        let mut by_position: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for delivery in self.deliveries() {
            by_position.entry(delivery.position()).or_default().push(delivery);
        }
        by_position
    }

    /// Waits until there are so many deliveries, and answers them.
    #[track_caller]
    pub(crate) fn delivered(&self, count: usize) -> impl Future<Output = Vec<Received>> + '_ {
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
    pub(crate) fn most(&self) -> usize {
        self.inner.busy.lock().unwrap().1
    }

    /// How often it began to live.
    pub(crate) fn lives(&self) -> usize {
        self.inner.life.borrow().number + 1
    }

    /// Dies at these deliveries, counted from 1, as a process behind a proxy does: nothing that is on its way is answered,
    /// and who calls is hung up on. It comes back when it was called once.
    pub(crate) fn dies_at(&self, mut deliveries: Vec<usize>) {
        deliveries.sort_unstable_by(|one, other| other.cmp(one));
        *self.inner.deaths.lock().unwrap() = deliveries;
    }

    /// Stops answering: the port is closed.
    pub(crate) fn close(&self) {
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

async fn serve(listener: TcpListener, inner: Arc<Inner>) {
    // Connections are tasks of this one: whoever aborts it closes them.
    let mut connections = JoinSet::new();
    let mut lives = inner.life.subscribe();
    loop {
        let stream = tokio::select! {
            biased;
            _ = lives.changed() => None,
            accepted = listener.accept() => Some(accepted.unwrap().0),
        };
        let life = *lives.borrow_and_update();
        if !life.is_up {
            connections.shutdown().await;
            if stream.is_some() {
                inner.life.send_modify(|life| life.is_up = true);
            }
            continue;
        }
        let Some(stream) = stream else { continue };
        let answering = Arc::clone(&inner);
        let router = Router::new().fallback(move |request| answer(Arc::clone(&answering), life.number, request));
        let service = hyper_util::service::TowerToHyperService::new(router);
        let stream = hyper_util::rt::TokioIo::new(stream);
        connections.spawn(async move {
            let served = hyper_util::server::conn::auto::Builder::new(hyper_util::rt::TokioExecutor::new())
                .serve_connection(stream, service)
                .await;
            drop(served);
        });
    }
}

async fn answer(inner: Arc<Inner>, life: usize, request: Request) -> Result<Response, Infallible> {
    let (parts, body) = request.into_parts();
    let received = Received {
        method: parts.method,
        headers: parts.headers,
        body: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
        at: std::time::Instant::now(),
        life,
    };
    let (reply, dies) = {
        let mut log = inner.received.lock().unwrap();
        let before = log.iter().filter(|other| other.method == received.method).count();
        let reply = (inner.script.lock().unwrap())(&received, before);
        let dies = received.method == Method::POST && inner.dies(before + 1);
        log.push(received);
        (reply, dies)
    };
    if dies {
        // It goes with its connection.
        std::future::pending::<()>().await;
    }
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
