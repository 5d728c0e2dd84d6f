//! Servers that die under load, and come back.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::jetstream;
use ryggrad::servers::{Addresses, migrate};
use ryggrad_client::Connection;
use ryggrad_eventlog::Log;
use ryggrad_eventlog::consumer::Feed;
use ryggrad_proto::admin::v1::admin_client::AdminClient;
use ryggrad_proto::admin::v1::{AdvanceClockRequest, ListProjectionsRequest};
use ryggrad_proto::common::v1::{CommandMeta, Receipt};
use ryggrad_proto::registration::v1::registration_service_client::RegistrationServiceClient;
use ryggrad_proto::registration::v1::{GetInitiativeRequest, ProceedToFounding, ReviewOutcome, SearchExisting};
use ryggrad_testkit::eventually;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tonic::Code;
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::harness::{Whole, fresh, sketch, start, views_equal_their_folds, whole};
use crate::operating::caught_up;

/// How many clients send commands at once.
const CLIENTS: usize = 8;
/// How many commands are accepted before and after the server dies.
const ENOUGH: u64 = 200;

/// Sends commands until told to stop, each again and again with its id until it is accepted; every receipt.
async fn load(app: Connection, stop: Arc<AtomicBool>) -> Vec<(Uuid, Receipt)> {
    let mut receipts = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let id = fresh();
        let receipt = eventually(Duration::from_mins(1), || sketch(app.clone(), id)).await;
        receipts.push((id, receipt));
    }
    receipts
}

/// Starts the clients.
fn clients(whole: &Whole) -> (JoinSet<Vec<(Uuid, Receipt)>>, Arc<AtomicBool>) {
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(load(whole.app(), Arc::clone(&stop)));
    }
    (clients, stop)
}

/// Waits until the log has so many events.
async fn grown_to(log: &Log, position: u64) -> u64 {
    eventually(Duration::from_mins(1), || async {
        match log.head().await {
            Ok(head) if head.position >= position => Ok(head.position),
            Ok(head) => Err(format!("the log is at {}", head.position)),
            Err(error) => Err(error.to_string()),
        }
    })
    .await
}

/// Every receipt's event is in the log at its position, every command once, and the stream has the same.
async fn everything_is_there(whole: &Whole, log: &Log, receipts: &[(Uuid, Receipt)]) {
    let head = log.head().await.expect("the log answers").position;
    let events = log.after(0, u32::MAX).await.expect("the log answers");
    let positions: Vec<u64> = events.iter().map(|event| event.position).collect();
    assert_eq!(positions, (1..=head).collect::<Vec<_>>(), "dense");
    let by_command: HashMap<Uuid, u64> = events.iter().map(|event| (event.command_id, event.position)).collect();
    assert_eq!(by_command.len(), events.len(), "every command once");
    for (id, receipt) in receipts {
        assert_eq!(
            by_command.get(id),
            Some(&receipt.position),
            "an acknowledged command is where its receipt says"
        );
    }
    let mut feed = Feed::after(whole.nats.client("views").await, 0);
    let mut streamed = Vec::new();
    while streamed.len() < events.len() {
        tokio::time::timeout(Duration::from_mins(1), feed.next(&mut streamed, events.len()))
            .await
            .expect("the stream has everything");
    }
    assert_eq!(streamed, events, "the stream equals the log");
}

/// Takes an idea to the decision to found, sending each command with its id until it is accepted; the founding's id.
async fn decide_to_found(app: Connection) -> Uuid {
    let (idea, reviewed, decided) = (fresh(), fresh(), fresh());
    let patience = Duration::from_mins(1);
    let initiative_id = eventually(patience, || sketch(app.clone(), idea)).await.aggregate_id;
    let meta = |id: Uuid| {
        Some(CommandMeta {
            command_id: id.to_string(),
            ..CommandMeta::default()
        })
    };
    eventually(patience, || {
        let command = SearchExisting {
            meta: meta(reviewed),
            initiative_id: initiative_id.clone(),
            outcome: ReviewOutcome::Complement.into(),
            reason: Some("Ingen har et tilbud her.".to_owned()),
            ..SearchExisting::default()
        };
        let mut client = RegistrationServiceClient::new(app.clone());
        async move { client.search_existing(command).await }
    })
    .await;
    eventually(patience, || {
        let command = ProceedToFounding {
            meta: meta(decided),
            initiative_id: initiative_id.clone(),
            proposed_form: "FLI".to_owned(),
            ..ProceedToFounding::default()
        };
        let mut client = RegistrationServiceClient::new(app.clone());
        async move { client.proceed_to_founding(command).await }
    })
    .await;
    let initiative = eventually(patience, || {
        let request = GetInitiativeRequest {
            initiative_id: initiative_id.clone(),
            at_least: 0,
        };
        let mut client = RegistrationServiceClient::new(app.clone());
        async move { client.get_initiative(request).await }
    })
    .await
    .into_inner();
    Uuid::try_parse(&initiative.founding_id).expect("the server has made it")
}

/// What was decided while the server was away is reacted to, what was set then falls due, and the views are their folds.
async fn life_goes_on(whole: &Whole, founding: Uuid, ideas: usize) {
    let owner = whole.owner();
    let count = |name: &'static str, founding: Option<Uuid>| {
        let owner = owner.clone();
        let sql = "select count(*) from log.events where name = $1 and ($2::uuid is null or aggregate_id = $2)";
        async move {
            let found: Result<i64, _> = sqlx::query_scalar(sql)
                .bind(name)
                .bind(founding)
                .fetch_one(&owner)
                .await;
            found.map_err(|error| error.to_string())
        }
    };
    eventually(Duration::from_mins(1), || async {
        match count("FoundingPlanned", Some(founding)).await? {
            1 => Ok(()),
            n => Err(format!("the decision was reacted to {n} times")),
        }
    })
    .await;

    let half_a_year = AdvanceClockRequest {
        by: "181d".to_owned(),
        to: None,
    };
    let mut admin = AdminClient::new(whole.connect_as("orch"));
    admin.advance_clock(half_a_year).await.expect("the clock moves");
    eventually(Duration::from_mins(2), || async {
        match count("InitiativePaused", None).await? {
            n if usize::try_from(n) == Ok(ideas) => Ok(()),
            n => Err(format!("{n} of {ideas} timers have fallen due")),
        }
    })
    .await;
    caught_up(&admin).await;
    views_equal_their_folds(whole).await;
}

/// What the running roles answer to a GET without a token: the head and the body.
async fn get(whole: &Whole, path: &str) -> Result<String, String> {
    let failed = |error: std::io::Error| error.to_string();
    let address = whole.stack.http();
    let mut stream = TcpStream::connect(address.trim_start_matches("http://"))
        .await
        .map_err(failed)?;
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").as_bytes())
        .await
        .map_err(failed)?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await.map_err(failed)?;
    Ok(text)
}

/// Waits until the roles are ready, or not, with this in the answer.
async fn readiness(whole: &Whole, status: &str, said: &str) {
    eventually(Duration::from_secs(30), || async {
        let answer = get(whole, "/readyz").await?;
        if answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(said) {
            Ok(())
        } else {
            Err(answer)
        }
    })
    .await;
}

/// A gauge as the running roles show it.
async fn gauge(whole: &Whole, name: &str) -> Result<f64, String> {
    get(whole, "/metrics")
        .await?
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
        .ok_or_else(|| format!("{name} is not shown"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_killed_under_load_loses_no_acknowledged_command() {
    let mut postgres = ryggrad_testkit::private_postgres().await;
    let nats = ryggrad_testkit::nats().await;
    let addresses = Addresses::new(
        |role| postgres.url_as(role).expect("an address"),
        |user| nats.url_as(user).expect("an address"),
    );
    migrate(addresses.postgres("ryggrad")).await.expect("the schema");
    let whole = start(addresses, nats).await;
    let log = Log::new(whole.owner());
    let (clients, stop) = clients(&whole);
    let before = grown_to(&log, ENOUGH).await;

    let founding = tokio::spawn(decide_to_found(whole.app()));
    postgres.kill().await.expect("killed");
    postgres.restart().await.expect("started again");

    grown_to(&log, before + ENOUGH).await;
    stop.store(true, Ordering::Relaxed);
    let receipts: Vec<_> = clients.join_all().await.into_iter().flatten().collect();
    let founding = founding.await.expect("decided");
    life_goes_on(&whole, founding, receipts.len()).await;
    everything_is_there(&whole, &log, &receipts).await;
    whole.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_without_postgresql_is_answered_that_it_may_be_sent_again() {
    let mut postgres = ryggrad_testkit::private_postgres().await;
    let nats = ryggrad_testkit::nats().await;
    let addresses = Addresses::new(
        |role| postgres.url_as(role).expect("an address"),
        |user| nats.url_as(user).expect("an address"),
    );
    migrate(addresses.postgres("ryggrad")).await.expect("the schema");
    let whole = start(addresses, nats).await;
    whole.sketch().await.expect("accepted");
    postgres.kill().await.expect("killed");
    // More than there are connections: they wait for one, or find theirs dead.
    let ids: Vec<Uuid> = (0..CLIENTS).map(|_| fresh()).collect();
    let asked: JoinSet<_> = ids.iter().map(|id| sketch(whole.app(), *id)).collect();
    for refused in asked.join_all().await {
        let refused = refused.expect_err("PostgreSQL is away");
        assert_eq!(refused.code(), Code::Unavailable, "{refused}");
        let retry = refused.get_details_retry_info().expect("RetryInfo");
        assert!(retry.retry_delay.is_some());
    }
    postgres.restart().await.expect("started again");
    for id in ids {
        eventually(Duration::from_mins(1), || sketch(whole.app(), id)).await;
    }
    whole.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i2_nats_down_refuses_no_command_and_up_again_everything_arrives() {
    let mut whole = whole().await;
    let log = Log::new(whole.owner());
    whole.sketch().await.expect("accepted");
    whole.nats.kill().await.expect("killed");

    let mut receipts = Vec::new();
    for _ in 0..50 {
        let id = fresh();
        receipts.push((id, sketch(whole.app(), id).await.expect("accepted without the broker")));
    }
    let founding = decide_to_found(whole.app()).await;
    eventually(Duration::from_secs(30), || async {
        let (events, seconds) = (
            gauge(&whole, "ryggrad_relay_lag_events").await?,
            gauge(&whole, "ryggrad_relay_lag_seconds").await?,
        );
        if events >= 50.0 && seconds > 0.5 {
            Ok(())
        } else {
            Err(format!("the relay shows {events} events and {seconds} s"))
        }
    })
    .await;

    whole.nats.restart().await.expect("started again");
    // The one from before the outage, too.
    life_goes_on(&whole, founding, receipts.len() + 1).await;
    everything_is_there(&whole, &log, &receipts).await;
    eventually(Duration::from_secs(30), || async {
        match gauge(&whole, "ryggrad_relay_lag_events").await? {
            0.0 => Ok(()),
            events => Err(format!("the relay is still {events} behind")),
        }
    })
    .await;
    whole.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_message_in_the_stream_stops_the_relay_and_nobody_else() {
    let mut whole = whole().await;
    let log = Log::new(whole.owner());
    let mut receipts = Vec::new();
    for _ in 0..3 {
        let id = fresh();
        receipts.push((id, sketch(whole.app(), id).await.expect("accepted")));
    }
    everything_is_there(&whole, &log, &receipts).await;
    let admin = AdminClient::new(whole.connect_as("orch"));
    caught_up(&admin).await;
    readiness(&whole, "200", "").await;

    // Only who has the relay's own password can.
    let foreign = jetstream::new(whole.nats.client("relay").await);
    let publish = foreign.publish("ryggrad.v1.public.registration.Foreign.00", "".into());
    let foreign_at = publish.await.expect("sent").await.expect("stored").sequence;
    readiness(&whole, "503", "delete the stream RYGGRAD").await;
    assert_eq!(gauge(&whole, "ryggrad_relay_mismatch").await, Ok(1.0));

    // Commands are taken, and those who read the log and the views are answered.
    for _ in 0..3 {
        let id = fresh();
        receipts.push((id, sketch(whole.app(), id).await.expect("accepted")));
    }
    let head = log.head().await.expect("the log answers").position;
    let answer = get(&whole, "/v1/events/head").await.expect("answered");
    assert!(answer.contains(&format!("\"position\":\"{head}\"")), "{answer}");
    let initiative = GetInitiativeRequest {
        initiative_id: receipts[0].1.aggregate_id.clone(),
        at_least: receipts[0].1.position,
    };
    let mut asked = RegistrationServiceClient::new(whole.app());
    asked.get_initiative(initiative).await.expect("answered");
    let listed = admin.clone().list_projections(ListProjectionsRequest {}).await;
    let listed = listed.expect("answered").into_inner().projections;
    assert!(listed.iter().all(|view| view.state == "serving"), "{listed:?}");
    // The log has an event at the foreign message's number now, and it is not taken for that.
    readiness(&whole, "503", "another message at").await;
    assert_eq!(stream_end(&whole).await, foreign_at, "nothing follows it");
    let ended = tokio::time::timeout(Duration::ZERO, whole.stack.broken()).await;
    assert!(ended.is_err(), "{ended:?}");

    // What the message says to do.
    let operator = jetstream::new(whole.nats.client("admin").await);
    operator.delete_stream("RYGGRAD").await.expect("deleted");
    readiness(&whole, "200", "").await;
    everything_is_there(&whole, &log, &receipts).await;
    caught_up(&admin).await;
    views_equal_their_folds(&whole).await;
    assert_eq!(gauge(&whole, "ryggrad_relay_mismatch").await, Ok(0.0));
    whole.stack.stop().await;
}

/// The number of the stream's last message.
async fn stream_end(whole: &Whole) -> u64 {
    let client = whole.nats.client("views").await;
    ryggrad_eventlog::stream::last_sequence(&client)
        .await
        .expect("the broker answers")
}
