#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs
)]
use bytes::Bytes;
use ryggrad_eventlog::consumer::{self, Feed, Poison};
use ryggrad_eventlog::projection::*;
use ryggrad_eventlog::relay::Relay;
use ryggrad_eventlog::schema::{self, Role};
use ryggrad_eventlog::*;
use ryggrad_proto::options::v1::PrivacyClass;
use std::str::FromStr;
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

#[derive(Clone, PartialEq, prost::Message)]
struct Tally {
    #[prost(uint64, tag = "1")]
    events: u64,
    #[prost(uint64, tag = "2")]
    last: u64,
    #[prost(string, tag = "3")]
    text: String,
}
struct Simple;
struct Timeline;
struct Cube;
impl Projection for Simple {
    type Row = Tally;
    const NAME: &'static str = "simple";
    const VERSION: i32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::new("kommunenummer", Kind::Text).indexed(),
        Column::new("orgnr", Kind::Text).indexed(),
    ];
    fn keys(&self, e: &Recorded) -> Result<Vec<String>, Poison> {
        Ok(vec![e.organisation_id.to_string()])
    }
    fn fold(&self, _: &str, row: Option<Tally>, e: &Recorded) -> Result<Option<Tally>, Poison> {
        let mut r = row.unwrap_or_default();
        r.events += 1;
        r.last = e.position;
        if r.text.is_empty() {
            r.text = "Some organisation's name AS".into();
        }
        Ok(Some(r))
    }
    fn values(&self, _: &str, r: &Tally) -> Vec<Value> {
        vec![
            Value::Text(Some("4601".into())),
            Value::Text(Some(format!("3150{:05}", r.events))),
        ]
    }
}
impl Projection for Cube {
    type Row = Tally;
    const NAME: &'static str = "cube";
    const VERSION: i32 = 1;
    fn keys(&self, e: &Recorded) -> Result<Vec<String>, Poison> {
        Ok(vec![format!("{:02}", e.partition())])
    }
    fn fold(&self, _: &str, row: Option<Tally>, e: &Recorded) -> Result<Option<Tally>, Poison> {
        let mut r = row.unwrap_or_default();
        r.events += 1;
        r.last = e.position;
        Ok(Some(r))
    }
}
impl Projection for Timeline {
    type Row = Tally;
    const NAME: &'static str = "timeline";
    const VERSION: i32 = 1;
    const APPEND_ONLY: bool = true;
    const COLUMNS: &'static [Column] = &[
        Column::new("organisation", Kind::Uuid),
        Column::new("position", Kind::Bigint),
    ];
    const INDEXES: &'static [&'static str] = &["organisation, position"];
    fn keys(&self, e: &Recorded) -> Result<Vec<String>, Poison> {
        Ok(e.concerned().map(|id| format!("{id}/{:016}", e.position)).collect())
    }
    fn fold(&self, _: &str, _: Option<Tally>, e: &Recorded) -> Result<Option<Tally>, Poison> {
        Ok(Some(Tally {
            events: 1,
            last: e.position,
            text: e.name.to_string(),
        }))
    }
    fn values(&self, k: &str, r: &Tally) -> Vec<Value> {
        vec![Value::Uuid(k[..36].parse().ok()), Value::Bigint(Some(r.last as i64))]
    }
}
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let v: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (v[11].parse::<f64>().unwrap() + v[12].parse::<f64>().unwrap()) / 100.0
}
fn rss() -> u64 {
    std::fs::read_to_string("/proc/self/status")
        .unwrap()
        .lines()
        .find(|l| l.starts_with("VmRSS"))
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        / 1024
}

#[tokio::main]
async fn main() {
    ryggrad_testkit::init_tracing();
    let n: usize = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(200_000);
    let what = std::env::args().nth(2).unwrap_or_default();
    let roles = [
        Role {
            name: "ryggrad_registration",
            context: Some("registration"),
        },
        Role {
            name: "ryggrad_views",
            context: None,
        },
        Role {
            name: "ryggrad_relay",
            context: None,
        },
    ];
    let pg = ryggrad_testkit::private_postgres().await;
    let nats = ryggrad_testkit::nats().await;
    let owner = sqlx::PgPool::connect(&pg.url().unwrap()).await.unwrap();
    schema::migrate(&owner, &roles).await.unwrap();
    let writer = sqlx::PgPool::connect(&pg.url_as("ryggrad_registration").unwrap())
        .await
        .unwrap();
    let log = Log::new(writer.clone());
    let mut conn = writer.acquire().await.unwrap();
    let t = Instant::now();
    for chunk in (0..n).step_by(2000) {
        let mut appends = Vec::new();
        for _ in (chunk..(chunk + 2000).min(n)).step_by(5) {
            let org = Uuid::now_v7();
            appends.push(Append {
                command_id: Uuid::now_v7(),
                aggregate_type: "Organisation",
                aggregate_id: org,
                expected: 0,
                correlation_id: Uuid::now_v7(),
                causation: None,
                actor: r#"{"kind":"system","ref":"brreg-snapshot"}"#.into(),
                traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
                occurred_at: "2026-05-01T10:00:00Z".parse().unwrap(),
                events: (0..5)
                    .map(|_| NewEvent {
                        id: Uuid::now_v7(),
                        name: "OrganisationRegistered",
                        organisation_id: org,
                        orgnr: Some("315000009".into()),
                        kommunenummer: Some("4601".into()),
                        related: vec![],
                        class: PrivacyClass::Public,
                        data: Bytes::from(vec![b'a'; 220]),
                        payload: r#"{"name":"Some organisation","legalForm":"FLI"}"#.into(),
                    })
                    .collect(),
            });
        }
        append::append(&mut conn, "registration", &appends.iter().collect::<Vec<_>>())
            .await
            .unwrap();
    }
    println!("append {:.0}/s", n as f64 / t.elapsed().as_secs_f64());

    let t = Instant::now();
    let c = cpu();
    let mut at = 0;
    loop {
        let page = log.after(at, 5000).await.unwrap();
        if let Some(l) = page.last() {
            at = l.position
        }
        if page.len() < 5000 {
            break;
        }
    }
    println!(
        "log.after {:.0}/s cpu {:.2}us/event",
        n as f64 / t.elapsed().as_secs_f64(),
        (cpu() - c) * 1e6 / n as f64
    );

    let relay_client = nats.client("relay").await;
    let relay_pool = sqlx::PgPool::connect(&pg.url_as("ryggrad_relay").unwrap())
        .await
        .unwrap();
    let w = Writer::spawn(&writer, "registration");
    let relay = Relay::new(relay_pool, relay_client).woken_by(w.committed());
    let t = Instant::now();
    let c = cpu();
    let client = nats.client("views").await;
    tokio::spawn(async move { relay.run(CancellationToken::new()).await.unwrap() });
    loop {
        if stream::last_sequence(&client).await.unwrap() == n as u64 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!(
        "relay {:.0}/s cpu {:.2}us/event",
        n as f64 / t.elapsed().as_secs_f64(),
        (cpu() - c) * 1e6 / n as f64
    );

    for _ in 0..2 {
        let t = Instant::now();
        let c = cpu();
        let mut feed = Feed::after(client.clone(), 0);
        let mut batch = Vec::new();
        let mut got = 0;
        let mut batches = 0;
        while got < n {
            feed.next(&mut batch, 5000).await;
            got += batch.len();
            batches += 1;
            batch.clear();
        }
        println!(
            "feed {:.0}/s cpu {:.2}us/event batches {batches} rss {} MB",
            n as f64 / t.elapsed().as_secs_f64(),
            (cpu() - c) * 1e6 / n as f64,
            rss()
        );
    }
    let events = log.after(0, 50_000).await.unwrap();
    let t = Instant::now();
    let hs: Vec<_> = events.iter().map(stream::headers).collect();
    println!("encode {:.2}us", t.elapsed().as_secs_f64() * 1e6 / events.len() as f64);
    let t = Instant::now();
    for (e, h) in events.iter().zip(&hs) {
        std::hint::black_box(stream::decode(e.position, h, e.data.clone()).unwrap());
    }
    println!("decode {:.2}us", t.elapsed().as_secs_f64() * 1e6 / events.len() as f64);
    drop(hs);
    drop(events);

    let url = pg.url_as("ryggrad_views").unwrap();
    let options = sqlx::postgres::PgConnectOptions::from_str(&url)
        .unwrap()
        .options([("search_path", "views")]);
    let views = sqlx::postgres::PgPoolOptions::new()
        .max_connections(6)
        .connect_with(options)
        .await
        .unwrap();
    consumer::install(&views).await.unwrap();
    // latency
    if what != "nolat" {
        let mut feed = Feed::after(client.clone(), n as u64);
        let t = tokio::spawn(async move {
            let mut d = Vec::new();
            let mut b = Vec::new();
            while d.len() < 3000 {
                feed.next(&mut b, 5000).await;
                let now = clock::wall();
                d.extend(
                    b.drain(..)
                        .map(|e| now.duration_since(e.recorded_at).as_secs_f64() * 1e3),
                );
            }
            d.sort_by(f64::total_cmp);
            d
        });
        let mut tick = tokio::time::interval(Duration::from_millis(1));
        let appended = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        for _ in 0..3000 {
            tick.tick().await;
            let w = w.clone();
            let a = appended.clone();
            tokio::spawn(async move {
                let org = Uuid::now_v7();
                let s = Instant::now();
                w.append(Append {
                    command_id: Uuid::now_v7(),
                    aggregate_type: "Organisation",
                    aggregate_id: org,
                    expected: 0,
                    correlation_id: Uuid::now_v7(),
                    causation: None,
                    actor: "{}".into(),
                    traceparent: None,
                    occurred_at: clock::wall(),
                    events: vec![NewEvent {
                        id: Uuid::now_v7(),
                        name: "OrganisationRegistered",
                        organisation_id: org,
                        orgnr: None,
                        kommunenummer: None,
                        related: vec![],
                        class: PrivacyClass::Public,
                        data: Bytes::from_static(b"abc"),
                        payload: "{}".into(),
                    }],
                })
                .await
                .unwrap();
                a.lock().unwrap().push(s.elapsed().as_secs_f64() * 1e3);
            });
        }
        let d = t.await.unwrap();
        let mut a = appended.lock().unwrap().clone();
        a.sort_by(f64::total_cmp);
        println!(
            "append p50 {:.2} p99 {:.2}; recorded->feed p50 {:.2}ms p99 {:.2}ms max {:.2}",
            a[1500], a[2970], d[1500], d[2970], d[2999]
        );
    }
    run(&views, &client, Cube, &log).await;
    run(&views, &client, Simple, &log).await;
    run(&views, &client, Timeline, &log).await;
    println!("rss {} MB", rss());
}
async fn run<P: Projection>(views: &sqlx::PgPool, client: &async_nats::Client, p: P, log: &Log) {
    let projector = Projector::new(views.clone(), client.clone(), p);
    let head = log.head().await.unwrap().position;
    let r = projector.clone();
    let token = CancellationToken::new();
    let tk = token.clone();
    let t = Instant::now();
    let c = cpu();
    let h = tokio::spawn(async move { r.run(tk).await });
    projector.view().wait_for(head, Duration::from_secs(120)).await.unwrap();
    println!(
        "{} first {:.0}/s cpu {:.2}us/event",
        P::NAME,
        head as f64 / t.elapsed().as_secs_f64(),
        (cpu() - c) * 1e6 / head as f64
    );
    let t = Instant::now();
    let c = cpu();
    ask_for_rebuild(views, P::NAME).await.unwrap();
    loop {
        let ps = progress(views).await.unwrap();
        if ps
            .iter()
            .any(|x| x.name == P::NAME && x.state == State::Live && x.generation == 2)
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!(
        "{} rebuild {:.0}/s cpu {:.2}us/event",
        P::NAME,
        head as f64 / t.elapsed().as_secs_f64(),
        (cpu() - c) * 1e6 / head as f64
    );
    token.cancel();
    h.await.unwrap();
}
