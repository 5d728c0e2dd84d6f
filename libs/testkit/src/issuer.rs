//! An issuer of tokens in the test's process, whose keys are fetched from a port as Maskinporten's are.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use ryggrad_access::{Parties, Scope, SystemUser};
use ryggrad_issuer::{Grant, Issuer, JWKS_PATH, Key, party, usual_scopes};
use ryggrad_norway::OrgNumber;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// An issuer on a port of its own. It goes with the value.
///
/// ```ignore
/// let issuer = TestIssuer::start().await;
/// // The server under test: of the chassis …
/// let verifier = Verifier::new(Settings::development(issuer.name()))?;
/// Server::new("test").authentication(verifier);
/// // … or every role.
/// let plan = Plan { authentication: Some(Settings::development(issuer.name())), ..Plan::new(addresses) };
/// // The client: ryggrad_client::with_token(channel, token), or `authorization: Bearer <token>`.
/// let token = issuer.token("lottstift", &[Scope::EventsOrgRead]);
/// let token = issuer.usual("kommune:4203");
/// ```
#[derive(Debug)]
pub struct TestIssuer {
    issuer: Issuer,
    port: Arc<Port>,
    task: JoinHandle<()>,
}

/// What the port answers, and how often it was asked.
#[derive(Debug)]
struct Port {
    asked: AtomicU64,
    jwks: watch::Sender<Option<Value>>,
}

// === impl TestIssuer ===

impl TestIssuer {
    /// Starts an issuer on a free port. Those of one process share a key, which takes a moment to make.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start() -> Self {
        static KEY: OnceLock<Arc<Key>> = OnceLock::new();
        let key = KEY.get_or_init(|| Arc::new(Key::make().expect("the machine has randomness")));
        Self::with_key(Arc::clone(key)).await
    }

    /// Starts an issuer with a key.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn with_key(key: Arc<Key>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let issuer = Issuer::new(&format!("http://{address}"), key);
        let port = Arc::new(Port {
            asked: AtomicU64::new(0),
            jwks: watch::Sender::new(Some(issuer.jwks())),
        });
        let answering = Arc::clone(&port);
        let routes = issuer.routes().layer(from_fn(move |request: Request, next: Next| {
            let port = Arc::clone(&answering);
            async move { port.answer(request, next).await }
        }));
        let task = tokio::spawn(async move {
            let _stopped = axum::serve(listener, routes).await;
        });
        Self { issuer, port, task }
    }

    /// Its name, as it stands in `iss`: where its metadata are.
    pub fn name(&self) -> &str {
        self.issuer.name()
    }

    /// The issuer itself, for tokens of every kind.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// A token for a party of the development list (`lottstift`, `kommune:4203`, `org:310028843`), good for ten minutes.
    ///
    /// # Panics
    /// When there is no such party.
    #[track_caller]
    pub fn token(&self, name: &str, scopes: &[Scope]) -> String {
        let (number, _) = party(name, &Parties::development()).expect("a party of the list");
        self.grant(&Grant {
            lifetime: Duration::from_mins(10),
            ..Grant::new(number, scopes.iter().copied())
        })
    }

    /// A token of a party's system as the system user of an organisation, good for ten minutes.
    ///
    /// # Panics
    /// When there is no such party, or the number is none.
    #[track_caller]
    pub fn system_user(&self, name: &str, customer: &str, scopes: &[Scope]) -> String {
        let (number, _) = party(name, &Parties::development()).expect("a party of the list");
        self.grant(&Grant {
            lifetime: Duration::from_mins(10),
            system_user: Some(SystemUser {
                id: format!("user-of-{customer}"),
                organisation: OrgNumber::parse(customer).expect("an organisation number"),
            }),
            ..Grant::new(number, scopes.iter().copied())
        })
    }

    /// A token of a party with everything that it usually asks for.
    ///
    /// # Panics
    /// When there is no such party.
    #[track_caller]
    pub fn usual(&self, name: &str) -> String {
        let (_, stakeholder) = party(name, &Parties::development()).expect("a party of the list");
        self.token(name, &usual_scopes(stakeholder))
    }

    /// A token that says this.
    ///
    /// # Panics
    /// When nothing can be signed.
    pub fn grant(&self, grant: &Grant) -> String {
        self.issuer.token(grant, now()).expect("a signature")
    }

    /// How often it was asked for anything.
    pub fn asked(&self) -> u64 {
        self.port.asked.load(Ordering::SeqCst)
    }

    /// Answers other keys from now on; none: it fails.
    pub fn answer_keys(&self, jwks: Option<Value>) {
        self.port.jwks.send_replace(jwks);
    }
}

impl Drop for TestIssuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

// === impl Port ===

impl Port {
    async fn answer(&self, request: Request, next: Next) -> Response {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let jwks = self.jwks.borrow().clone();
        match jwks {
            None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            Some(jwks) if request.uri().path() == JWKS_PATH => axum::Json(jwks).into_response(),
            Some(_) => next.run(request).await,
        }
    }
}

/// The wall clock, which tokens go by.
#[expect(
    clippy::disallowed_methods,
    reason = "tokens end by the wall clock, and this crate has no other"
)]
pub fn now() -> Timestamp {
    Timestamp::now()
}
