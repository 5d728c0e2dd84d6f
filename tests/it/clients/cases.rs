//! The example "tell the municipality's case system", with a case system that is not always there.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use ryggrad::trigger::Scenario;
use ryggrad_norway::KommuneNumber;
use ryggrad_testkit::eventually;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::Command;

use super::{PATIENCE, bring, clients, kill, node, register, well};
use crate::harness::whole;

/// What was told: key and content, in the order that it was taken in; and how often something was sent.
#[derive(Debug, Default)]
struct Cases {
    taken: Vec<(String, Value)>,
    sent: usize,
}

type Shared = Arc<Mutex<Cases>>;

/// Takes every fact in once, and is not there every third time.
async fn take(State(cases): State<Shared>, headers: HeaderMap, body: String) -> StatusCode {
    let mut cases = cases.lock().expect("nobody panics");
    cases.sent += 1;
    if cases.sent % 3 == 0 {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let key = headers["idempotency-key"].to_str().expect("a key").to_owned();
    if cases.taken.iter().any(|(known, _)| *known == key) {
        return StatusCode::CONFLICT;
    }
    cases.taken.push((key, serde_json::from_str(&body).expect("JSON")));
    StatusCode::CREATED
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_system_hears_of_each_fact_of_its_municipality_once_and_in_order() {
    let clients = clients().await;
    let whole = whole().await;
    let register = register(&whole).await;
    let cases = Shared::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}/hendelser", listener.local_addr().expect("an address"));
    let router = Router::new()
        .route("/hendelser", post(take))
        .with_state(Arc::clone(&cases));
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });

    let folder = tempfile::tempdir().expect("a folder");
    let example = || -> Command {
        let mut command = node(clients, "tell-case-system.js");
        command.args(["--url", &whole.stack.http(), "--cases", &address, "--kommune", "4203"]);
        command.arg("--checkpoint").arg(folder.path().join("told.json"));
        command
    };
    let following = example().spawn().expect("it starts");
    for scenario in [Scenario::Registered, Scenario::DetailsChanged, Scenario::Deleted] {
        bring(&register, scenario).await;
        let elsewhere = KommuneNumber::parse("0301").expect("Oslo");
        register.bring(scenario, elsewhere).await.expect("it happens");
    }
    let count = || cases.lock().expect("nobody panics").taken.len();
    eventually(PATIENCE, || {
        let found = count();
        std::future::ready(if found >= 3 {
            Ok(())
        } else {
            Err(format!("{found} facts"))
        })
    })
    .await;
    kill(following).await;
    bring(&register, Scenario::Dissolved).await;
    well(&example().arg("--once").output().await.expect("it starts"));

    let expected: Vec<(i64, String)> = sqlx::query_as(
        "select position, name from log.events
         where kommunenummer = '4203'
           and name in ('OrganisationRegistered', 'OrganisationDetailsChanged', 'VoluntaryRegistrationEntered',
                        'DissolutionReported', 'OrganisationDeleted')
         order by position",
    )
    .fetch_all(&whole.owner())
    .await
    .expect("the log");
    let (sent, taken): (_, Vec<_>) = {
        let cases = cases.lock().expect("nobody panics");
        let told = cases.taken.iter().map(|(_, told)| {
            let position = told["sekvensnummer"].as_i64().expect("a position");
            (position, told["hendelse"].as_str().expect("a name").to_owned())
        });
        (cases.sent, told.collect())
    };
    assert_eq!(taken, expected);
    assert!(taken.len() >= 7, "{taken:?}");
    assert!(sent > taken.len(), "it was away sometimes");
    serving.abort();
    whole.stack.stop().await;
}
