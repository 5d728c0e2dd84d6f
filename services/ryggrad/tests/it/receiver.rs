//! A webhook's receiver: it wants to be called, says 204 to everything, and remembers it.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long deliveries may take in all, where other tests run beside them.
const PATIENCE: Duration = Duration::from_mins(3);

/// A delivery.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A receiver on a port of its own. It goes with the value.
pub(crate) struct Receiver {
    address: SocketAddr,
    deliveries: watch::Sender<Vec<Delivery>>,
    server: JoinHandle<()>,
}

// === impl Delivery ===

impl Delivery {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_else(|| panic!("no {name} in {:?}", self.headers))
    }

    pub(crate) fn position(&self) -> u64 {
        self.header("ce-position").parse().expect("a position")
    }
}

// === impl Receiver ===

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let deliveries = watch::Sender::new(Vec::new());
        let remembered = deliveries.clone();
        let router = Router::new().fallback(move |method, headers, body| {
            let answer = answer(&remembered, &method, headers, body);
            std::future::ready(answer)
        });
        let server = tokio::spawn(async move {
            let _stopped = axum::serve(listener, router).await;
        });
        Self {
            address,
            deliveries,
            server,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Every delivery so far.
    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.deliveries.borrow().clone()
    }

    /// Waits until the deliveries are so, and answers them.
    pub(crate) async fn until(&self, so: impl Fn(&[Delivery]) -> bool) -> Vec<Delivery> {
        let mut deliveries = self.deliveries.subscribe();
        let there = tokio::time::timeout(PATIENCE, deliveries.wait_for(|all| so(all))).await;
        let there =
            there.unwrap_or_else(|_| panic!("{} deliveries, and not what was waited for", self.deliveries().len()));
        there.expect("the receiver is there").clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn answer(deliveries: &watch::Sender<Vec<Delivery>>, method: &Method, headers: HeaderMap, body: Bytes) -> Response {
    if *method == Method::OPTIONS {
        return [("webhook-allowed-origin", "*")].into_response();
    }
    deliveries.send_modify(|all| all.push(Delivery { headers, body }));
    StatusCode::NO_CONTENT.into_response()
}
