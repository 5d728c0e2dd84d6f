//! Following: how soon what is committed is in the stream, with a subscriber and in a view, and how fast one catches up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use async_nats::jetstream;
use async_nats::jetstream::consumer::{DeliverPolicy, pull::OrderedConfig};
use futures::StreamExt as _;
use jiff::Timestamp;
use ryggrad_client::{Client, Filter, Options, Start};
use ryggrad_eventlog::clock::wall;
use ryggrad_eventlog::{Outcome, Writer, relay, stream};
use ryggrad_proto::views::v1::ListTimelineRequest;
use ryggrad_proto::views::v1::views_client::ViewsClient;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::running;
use crate::servers::pool;

use super::backbone::Backbone;
use super::load::{per_second, percentile_ms};
use super::report::Report;
use super::write::new_append;

/// Events a second while latency is measured.
const RATE: u32 = 2_000;
/// Every so manieth event is also asked for in a view.
const ASKED: u64 = 20;

/// When each event was recorded, by the database's clock in the transaction that wrote it, and when it came somewhere. From
/// the first to the second is the whole way, the commit's wait for the disk included.
type Times = Arc<Mutex<HashMap<u64, (Timestamp, Timestamp)>>>;

/// Reads the whole log over gRPC, as a new subscriber does.
pub(super) async fn catch_up(backbone: &Backbone, report: &mut Report) -> anyhow::Result<()> {
    let client = Client::connect(&backbone.http()?).await?;
    let options = Options {
        stop_at_head: true,
        ..Options::default()
    };
    let began = Instant::now();
    let mut subscription = client.subscribe_with(Start::Beginning, Filter::new(), options);
    let mut events = 0;
    while subscription.next_event().await?.is_some() {
        events += 1;
    }
    report.add("subscribe_per_s", per_second(events, began.elapsed()));
    Ok(())
}

/// Writes at a steady rate and watches the events come out.
pub(super) async fn latency(backbone: &Backbone, length: Duration, report: &mut Report) -> anyhow::Result<()> {
    let token = CancellationToken::new();
    let _ended = token.clone().drop_guard();
    let (streamed, subscribed) = (Times::default(), Times::default());
    let nats = stream::connect(&running::nats(&backbone.nats("registration")?, None, "ryggrad-bench")?).await?;
    let mut watching = JoinSet::new();
    watching.spawn(watch_stream(nats.clone(), Arc::clone(&streamed), token.clone()));
    let client = Client::connect(&backbone.http()?).await?;
    watching.spawn(watch_subscription(client, Arc::clone(&subscribed), token.clone()));

    let pool = pool(&backbone.postgres("ryggrad_registration")?, "registration", 4).await?;
    let writer = Writer::spawn(&pool, "registration");
    tokio::spawn(relay::announce(nats, writer.committed(), token.clone()));
    // Without a token, as most who ask: what an authority asks is written down before it is answered.
    let views = ViewsClient::new(backbone.running.channel().await?);

    let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE);
    let began = Instant::now();
    let mut writing = JoinSet::new();
    let mut n = 0_u64;
    while began.elapsed() < length {
        ticks.tick().await;
        n += 1;
        let (writer, views) = (writer.clone(), views.clone());
        writing.spawn(async move { write(writer, n.is_multiple_of(ASKED).then_some(views)).await });
    }
    let rate = per_second(usize::try_from(n)?, began.elapsed());
    let (mut last, mut appends, mut answered) = (0, Vec::new(), Vec::new());
    while let Some(written) = writing.join_next().await {
        let (position, took, seen) = written??;
        last = last.max(position);
        appends.push(took);
        answered.extend(seen.map(|at| (position, at)));
    }
    arrived(last, &streamed).await.context("stream")?;
    arrived(last, &subscribed).await.context("subscriber")?;
    let (streamed, subscribed) = (taken(&streamed), taken(&subscribed));
    let viewed: Vec<_> = answered
        .into_iter()
        .filter_map(|(position, at)| streamed.get(&position).map(|(recorded, _)| between(*recorded, at)))
        .collect();
    let ways = |times: &HashMap<u64, (Timestamp, Timestamp)>| -> Vec<_> {
        times
            .values()
            .map(|(recorded, came)| between(*recorded, *came))
            .collect()
    };
    report.add("latency_rate_per_s", rate);
    report.add("latency_append_p99_ms", percentile_ms(&mut appends, 99));
    for (name, mut latencies) in [
        ("stream", ways(&streamed)),
        ("subscriber", ways(&subscribed)),
        ("view", viewed),
    ] {
        report.add(&format!("commit_to_{name}_p50_ms"), percentile_ms(&mut latencies, 50));
        report.add(&format!("commit_to_{name}_p99_ms"), percentile_ms(&mut latencies, 99));
    }
    Ok(())
}

fn taken(times: &Times) -> HashMap<u64, (Timestamp, Timestamp)> {
    std::mem::take(&mut *times.lock().expect("nobody panics with it"))
}

/// The wall clock may be set back a little meanwhile.
fn between(from: Timestamp, to: Timestamp) -> Duration {
    to.duration_since(from).try_into().unwrap_or_default()
}

/// Commits one event; where asked, reads its timeline as soon as it is there. How long the commit took, and when the view
/// answered.
async fn write(
    writer: Writer,
    views: Option<ViewsClient<tonic::transport::Channel>>,
) -> anyhow::Result<(u64, Duration, Option<Timestamp>)> {
    let append = new_append()?;
    let began = Instant::now();
    let organisation = append.aggregate_id.to_string();
    let Outcome::Appended(appended) = writer.append(append).await? else {
        anyhow::bail!("a new command was not appended");
    };
    let took = began.elapsed();
    let position = appended.last_position;
    let Some(mut views) = views else {
        return Ok((position, took, None));
    };
    let request = ListTimelineRequest {
        organisation,
        at_least: position,
        ..ListTimelineRequest::default()
    };
    // The view waits two seconds at the most; on a busy machine we ask again, and the wait counts.
    loop {
        let answer = views.list_timeline(request.clone()).await?.into_inner();
        if answer.as_of >= position {
            anyhow::ensure!(
                !answer.entries.is_empty(),
                "the view is past the event and does not show it"
            );
            break;
        }
    }
    Ok((position, took, Some(wall())))
}

async fn watch_stream(nats: async_nats::Client, times: Times, token: CancellationToken) -> anyhow::Result<()> {
    let stream = jetstream::new(nats).get_stream_no_info(stream::NAME).await?;
    let config = OrderedConfig {
        deliver_policy: DeliverPolicy::New,
        ..OrderedConfig::default()
    };
    let mut messages = stream.create_consumer(config).await?.messages().await?;
    while let Some(Some(message)) = token.run_until_cancelled(messages.next()).await {
        let message = message?;
        let came = wall();
        let position = message
            .info()
            .map_err(|error| anyhow::anyhow!("{error}"))?
            .stream_sequence;
        let headers = message.message.headers.unwrap_or_default();
        let event = stream::decode(position, &headers, message.message.payload)?;
        times
            .lock()
            .expect("nobody panics with it")
            .insert(position, (event.recorded_at, came));
    }
    Ok(())
}

async fn watch_subscription(client: Client, times: Times, token: CancellationToken) -> anyhow::Result<()> {
    let mut subscription = client.subscribe(Start::Now, Filter::new());
    while let Some(event) = token.run_until_cancelled(subscription.next_event()).await {
        let came = wall();
        let Some(event) = event? else { break };
        times
            .lock()
            .expect("nobody panics with it")
            .insert(event.position(), (recorded_at(&event), came));
    }
    Ok(())
}

fn recorded_at(event: &ryggrad_client::Event) -> Timestamp {
    let recorded = event.envelope.recorded_at.and_then(|at| at.try_into().ok());
    recorded.unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Waits until the last event has come.
async fn arrived(last: u64, times: &Times) -> anyhow::Result<()> {
    let began = Instant::now();
    while !times.lock().expect("nobody panics with it").contains_key(&last) {
        anyhow::ensure!(
            began.elapsed() < Duration::from_secs(30),
            "position {last} did not come"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
