//! Many subscribers at once: how much the gateway hands out, how late, and how fast its feed is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use ryggrad_eventlog::relay;
use ryggrad_eventlog::stream;
use ryggrad_eventlog::{Append, Outcome, Writer};
use ryggrad_proto::events::v1::SubscribeRequest;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

use super::backbone::Backbone;
use super::load::per_second;
use super::report::Report;
use super::write::new_append;
use crate::running;
use crate::servers::pool;

mod tally;

use tally::{Counting, Tally};

/// Subscribers when it is measured how much is handed out, and how late.
const SUBSCRIBERS: (u64, u64) = (100, 1_000);
/// Subscriptions on one connection.
const ON_ONE: u64 = 50;
/// Events of a commit when it is measured how much, and events a second when it is measured how late.
const COMMIT: usize = 200;
const RATE: u32 = 1_000;
/// How long the last event may take to reach everybody.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often it is looked at whether it has.
const LOOK: Duration = Duration::from_millis(2);
/// Stretches in which a slow one reads beside them, and as many in which none does: in turns, so that whatever else the machine
/// does falls on both. The one in the middle counts.
const STRETCHES: usize = 5;
/// Subscribers that have nothing to read, and how many of them there are before memory is looked at: what grows once, has.
const IDLE: (u64, u64) = (16_000, 4_000);
/// Idle subscriptions on one connection, so that their memory is not that of sockets.
const IDLE_ON_ONE: u64 = 1_000;
/// How long it takes until everybody idle was told so: two signs of life.
const SETTLED: Duration = Duration::from_secs(11);
/// Buckets of a tenth of a millisecond: ten seconds.
const BUCKETS: usize = 100_000;

/// What a hundred subscribers get when as much as possible is written.
pub(super) async fn throughput(backbone: &Backbone, length: Duration, report: &mut Report) -> anyhow::Result<()> {
    let token = CancellationToken::new();
    let _ended = token.clone().drop_guard();
    let writer = writer(backbone, &token).await?;
    let watch = Arc::new(Watch::new(1));
    let mut following = follow(backbone, SUBSCRIBERS.0, &watch, &token).await?;
    let began = Instant::now();
    let mut written = 0;
    let mut ahead = JoinSet::new();
    while began.elapsed() < length {
        let writer = writer.clone();
        ahead.spawn(async move { write(&writer, COMMIT).await });
        // Two commits under way keep the log busy.
        if ahead.len() > 1
            && let Some(position) = ahead.join_next().await
        {
            position??;
            written += COMMIT as u64;
        }
    }
    while let Some(position) = ahead.join_next().await {
        position??;
        written += COMMIT as u64;
    }
    let handed_out = written * SUBSCRIBERS.0;
    watch.all_came(handed_out, &mut following).await?;
    report.add(
        "fanout_events_per_s",
        per_second(usize::try_from(handed_out)?, began.elapsed()),
    );
    Ok(())
}

/// How long events take to a thousand subscribers, at a steady rate; and what one beside them changes that takes an event a
/// second of all that there is.
pub(super) async fn latency(backbone: &Backbone, length: Duration, report: &mut Report) -> anyhow::Result<()> {
    let token = CancellationToken::new();
    let _ended = token.clone().drop_guard();
    let writer = writer(backbone, &token).await?;
    let most = usize::try_from(length.as_secs() * 2 * u64::from(RATE)).context("too long")?;
    let watch = Arc::new(Watch::new(most + 1));
    let mut following = follow(backbone, SUBSCRIBERS.1, &watch, &token).await?;
    steadily(&writer, length, &watch, &mut following).await?;
    report.add("fanout_p50_ms", watch.percentile_ms(50));
    report.add("fanout_p99_ms", watch.percentile_ms(99));
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..STRETCHES {
        let slow = slowly(backbone).await?;
        watch.clear();
        steadily(&writer, length / 2, &watch, &mut following).await?;
        with.push(watch.percentile_ms(99));
        drop(slow);
        watch.clear();
        steadily(&writer, length / 2, &watch, &mut following).await?;
        without.push(watch.percentile_ms(99));
    }
    let (with, without) = (middle(with), middle(without));
    report.add("fanout_slow_p99_ms", with);
    report.add("fanout_slow_ratio", with / without);
    Ok(())
}

/// The one in the middle.
fn middle(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Writes at a steady rate, and waits until everybody has everything, once.
async fn steadily(
    writer: &Writer,
    length: Duration,
    watch: &Arc<Watch>,
    following: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE);
    let (began, before) = (Instant::now(), watch.events.load(Ordering::Acquire));
    let mut writing = JoinSet::new();
    while began.elapsed() < length {
        ticks.tick().await;
        let (writer, watch) = (writer.clone(), Arc::clone(watch));
        writing.spawn(async move {
            let position = write(&writer, 1).await?;
            watch.committed(position);
            anyhow::Ok(())
        });
    }
    let mut written = 0;
    while let Some(done) = writing.join_next().await {
        done??;
        written += 1;
    }
    watch.all_came(before + written * SUBSCRIBERS.1, following).await
}

/// One that follows everything from the beginning and takes an event a second, until it is dropped.
async fn slowly(backbone: &Backbone) -> anyhow::Result<AbortOnDropHandle<()>> {
    let endpoint = Endpoint::from_shared(backbone.http()?)?.initial_stream_window_size(64 << 10);
    let mut frames = subscribe(endpoint.connect().await?, SubscribeRequest::default()).await?;
    frames.message().await?.context("no end")?;
    Ok(AbortOnDropHandle::new(tokio::spawn(async move {
        while let Ok(Some(tally)) = frames.message().await {
            tokio::time::sleep(Duration::from_secs(tally.events)).await;
        }
    })))
}

/// What a thousand subscribers take in memory that have nothing to read.
pub(super) async fn idle(backbone: &Backbone, report: &mut Report) -> anyhow::Result<()> {
    let mut frames = Vec::new();
    let mut channel = None;
    let mut before = 0.0;
    for number in 0..IDLE.1 + IDLE.0 {
        if number == IDLE.1 {
            tokio::time::sleep(SETTLED).await;
            before = backbone.memory_mb("VmRSS")?;
        }
        if number % IDLE_ON_ONE == 0 {
            channel = Some(Endpoint::from_shared(backbone.http()?)?.connect().await?);
        }
        let channel = channel.clone().context("the first one connects")?;
        let mut begun = subscribe(channel, from_now()).await?;
        begun.message().await?.context("no end")?;
        // It reads on, or it would not be idle but full.
        frames.push(AbortOnDropHandle::new(tokio::spawn(async move {
            while let Ok(Some(_)) = begun.message().await {}
        })));
    }
    tokio::time::sleep(SETTLED).await;
    let after = backbone.memory_mb("VmRSS")?;
    anyhow::ensure!(
        !frames.iter().any(AbortOnDropHandle::is_finished),
        "a subscription ended"
    );
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    let thousands = IDLE.0 as f64 / 1_000.0;
    report.add("idle_subscriber_mb_per_1000", (after - before) / thousands);
    Ok(())
}

/// Reads the whole log by the feed, page after page on one connection.
pub(super) async fn feed(backbone: &Backbone, report: &mut Report) -> anyhow::Result<()> {
    let url = backbone.http()?;
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut connection = BufReader::new(TcpStream::connect(address).await?);
    connection.get_ref().set_nodelay(true)?;
    let (mut after, mut events) = (0, 0);
    let began = Instant::now();
    loop {
        let request = format!("GET /v1/events?after={after}&limit=5000 HTTP/1.1\r\nhost: {address}\r\n\r\n");
        connection.write_all(request.as_bytes()).await?;
        let (next, head, body) = answer(&mut connection).await?;
        events += body.matches("{\"specversion\":").count();
        after = next;
        if next >= head {
            break;
        }
    }
    report.add("feed_per_s", per_second(events, began.elapsed()));
    Ok(())
}

/// One answer with its length said: where the next page begins, where the log ends, and the page.
async fn answer(connection: &mut BufReader<TcpStream>) -> anyhow::Result<(u64, u64, String)> {
    let (mut next, mut head, mut length) = (0, 0, 0);
    let mut line = String::new();
    connection.read_line(&mut line).await?;
    anyhow::ensure!(line.contains(" 200 "), "the feed answers {}", line.trim());
    loop {
        line.clear();
        connection.read_line(&mut line).await?;
        let Some((name, value)) = line.trim().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "ryggrad-next" => next = value.parse()?,
            "ryggrad-head" => head = value.parse()?,
            "content-length" => length = value.parse()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await?;
    Ok((next, head, String::from_utf8(body)?))
}

async fn writer(backbone: &Backbone, token: &CancellationToken) -> anyhow::Result<Writer> {
    let pool = pool(&backbone.postgres("ryggrad_registration")?, "registration", 4).await?;
    let writer = Writer::spawn(&pool, "registration");
    let nats = stream::connect(&running::nats(&backbone.nats("registration")?, None, "ryggrad-bench")?).await?;
    tokio::spawn(relay::announce(nats, writer.committed(), token.clone()));
    Ok(writer)
}

/// Commits events; answers the last position.
async fn write(writer: &Writer, count: usize) -> anyhow::Result<u64> {
    let Append { events, .. } = new_append()?;
    let event = events.into_iter().next().context("an append has an event")?;
    let mut append = new_append()?;
    append.events.clear();
    for _ in 0..count {
        let mut event = event.clone();
        event.id = Uuid::now_v7();
        append.events.push(event);
    }
    match writer.append(append).await? {
        Outcome::Appended(appended) => Ok(appended.last_position),
        _ => anyhow::bail!("a new command was not appended"),
    }
}

/// Follows from now on, so many at once.
async fn follow(
    backbone: &Backbone,
    count: u64,
    watch: &Arc<Watch>,
    token: &CancellationToken,
) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
    let mut following = JoinSet::new();
    let mut channel = None;
    for number in 0..count {
        if number % ON_ONE == 0 {
            let endpoint = Endpoint::from_shared(backbone.http()?)?.tcp_nodelay(true);
            channel = Some(endpoint.connect().await?);
        }
        let channel = channel.clone().context("the first one connects")?;
        let mut frames = subscribe(channel, from_now()).await?;
        // The first frame says that it has begun.
        frames.message().await?.context("no end")?;
        let (watch, token) = (Arc::clone(watch), token.clone());
        following.spawn(async move {
            while let Some(frame) = token.run_until_cancelled(frames.message()).await {
                let tally = frame?.context("the stream ended")?;
                watch.came(tally);
            }
            Ok(())
        });
    }
    Ok(following)
}

fn from_now() -> SubscribeRequest {
    SubscribeRequest {
        from_now: true,
        ..SubscribeRequest::default()
    }
}

async fn subscribe(channel: Channel, request: SubscribeRequest) -> anyhow::Result<tonic::Streaming<Tally>> {
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await?;
    let path = PathAndQuery::from_static("/ryggrad.events.v1.EventStream/Subscribe");
    let answer = grpc
        .server_streaming(tonic::Request::new(request), path, Counting)
        .await?;
    Ok(answer.into_inner())
}

/// What came to all subscribers together.
struct Watch {
    began: Instant,
    events: AtomicU64,
    /// Microseconds at which positions were acknowledged, from the first one on.
    committed: Vec<AtomicU64>,
    first: AtomicU64,
    buckets: Vec<AtomicU64>,
}

// === impl Watch ===

impl Watch {
    fn new(positions: usize) -> Self {
        let zeros = |count: usize| std::iter::repeat_with(AtomicU64::default).take(count).collect();
        Self {
            began: Instant::now(),
            events: AtomicU64::new(0),
            committed: zeros(positions),
            first: AtomicU64::new(u64::MAX),
            buckets: zeros(BUCKETS),
        }
    }

    /// Forgets when what came, and not how much.
    fn clear(&self) {
        self.first.store(u64::MAX, Ordering::Release);
        for zero in self.committed.iter().chain(&self.buckets) {
            zero.store(0, Ordering::Release);
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn committed(&self, position: u64) {
        let first = self.first.fetch_min(position, Ordering::AcqRel).min(position);
        if let Some(at) = self.slot(position, first) {
            at.store(self.now(), Ordering::Release);
        }
    }

    fn slot(&self, position: u64, first: u64) -> Option<&AtomicU64> {
        self.committed.get(usize::try_from(position.checked_sub(first)?).ok()?)
    }

    /// A frame came to somebody.
    fn came(&self, tally: Tally) {
        if tally.events == 0 {
            return;
        }
        let first = self.first.load(Ordering::Acquire);
        if first != u64::MAX {
            let now = self.now();
            for position in tally.last + 1 - tally.events..=tally.last {
                let at = self.slot(position, first).map_or(0, |at| at.load(Ordering::Acquire));
                // What comes before its acknowledgement is not late.
                let late = if at == 0 { 0 } else { now.saturating_sub(at) };
                let bucket = usize::try_from(late / 100).unwrap_or(BUCKETS).min(BUCKETS - 1);
                self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
            }
        }
        // Last: whoever has waited for it finds when it came.
        self.events.fetch_add(tally.events, Ordering::AcqRel);
    }

    /// Waits until exactly so many events have come to all together.
    async fn all_came(&self, wanted: u64, following: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            if let Some(ended) = following.try_join_next() {
                ended??;
            }
            let events = self.events.load(Ordering::Acquire);
            anyhow::ensure!(
                events <= wanted,
                "{events} events came, and {wanted} were to come: some came twice"
            );
            if events == wanted {
                return Ok(());
            }
            anyhow::ensure!(
                began.elapsed() < PATIENCE,
                "{events} of {wanted} events came: the others are lost, or late by more than {PATIENCE:?}"
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "figures are rounded anyway")]
    fn percentile_ms(&self, percent: u64) -> f64 {
        let counts: Vec<u64> = self
            .buckets
            .iter()
            .map(|bucket| bucket.load(Ordering::Relaxed))
            .collect();
        let wanted = counts.iter().sum::<u64>() * percent / 100;
        let mut seen = 0;
        let bucket = counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        bucket.unwrap_or(BUCKETS) as f64 / 10.0
    }
}
