//! The stream against the log: every event at its own number, with the same id, envelope and bytes, and nothing else.

use std::time::Duration;

use anyhow::Context as _;
use async_nats::{Client, jetstream};
use indicatif::ProgressBar;
use ryggrad_eventlog::consumer::Feed;
use ryggrad_eventlog::stream;
use ryggrad_eventlog::{Log, Recorded};

use super::{Checked, Difference};
use crate::running;

/// How many events are compared at once.
const PAGE: u32 = 5_000;
/// How long the stream may be silent before it is asked for the one message that does not come.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn check(log: &Log, nats: &str, head: u64, bar: &ProgressBar) -> anyhow::Result<Checked> {
    let client = stream::connect(&running::nats(nats, None, "ryggrad-verify")?).await?;
    client.flush().await.context("cannot reach NATS")?;
    let Some(info) = stream::info(&client).await.context("cannot look at the stream")? else {
        return Ok(Err(Difference::in_all("there is no stream RYGGRAD")));
    };
    // Later, the log can only be longer than what the stream was now.
    let (messages, end) = (info.state.messages, info.state.last_sequence);
    if info.state.last_sequence < head && !grows_to(&client, head).await? {
        return Ok(Err(Difference::in_all(format!(
            "the log ends at {head}, the stream at {}",
            stream::last_sequence(&client).await?
        ))));
    }
    let mut feed = Feed::after(client.clone(), 0);
    let mut position = 0;
    let (mut logged, mut streamed) = (Vec::new(), Vec::new());
    while position < head {
        logged = log.after(position, PAGE).await?;
        logged.retain(|event| event.position <= head);
        let Some(end) = logged.last().map(|event| event.position) else {
            return Ok(Err(Difference::at(position + 1, "the log has no such event")));
        };
        streamed.clear();
        while streamed.len() < logged.len() {
            let left = logged.len() - streamed.len();
            if tokio::time::timeout(PATIENCE, feed.next(&mut streamed, left))
                .await
                .is_err()
            {
                let missing = position + u64::try_from(streamed.len())? + 1;
                return Ok(Err(missing_at(&client, missing).await?));
            }
        }
        if let Some(difference) = logged
            .iter()
            .zip(&streamed)
            .find_map(|(log, stream)| differ(log, stream))
        {
            return Ok(Err(difference));
        }
        position = end;
        bar.set_position(position);
    }
    drop(logged);
    if messages != end {
        let what = format!("the stream has {messages} messages up to {end}");
        return Ok(Err(Difference::in_all(what)));
    }
    let head_now = log.head().await?.position;
    if end > head_now {
        let what = "the stream goes on here, and the log does not: something else published to it";
        return Ok(Err(Difference::at(head_now + 1, what)));
    }
    Ok(Ok(format!(
        "{head} messages, each at its own number with the log's id and bytes"
    )))
}

/// Waits a moment for the relay to catch up with what has just been written.
async fn grows_to(client: &Client, head: u64) -> anyhow::Result<bool> {
    let begun = std::time::Instant::now();
    while begun.elapsed() < PATIENCE {
        if stream::last_sequence(client).await? >= head {
            return Ok(true);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(false)
}

fn differ(log: &Recorded, stream: &Recorded) -> Option<Difference> {
    if log == stream {
        return None;
    }
    let what = if log.event_id != stream.event_id {
        format!("the log has event {}, the stream {}", log.event_id, stream.event_id)
    } else if log.data == stream.data {
        format!("the envelope of event {} is not the same", log.event_id)
    } else {
        format!("the bytes of event {} are not the same", log.event_id)
    };
    Some(Difference::at(log.position, what))
}

/// Why a message does not come.
async fn missing_at(client: &Client, sequence: u64) -> anyhow::Result<Difference> {
    let stream = jetstream::new(client.clone()).get_stream(stream::NAME).await?;
    Ok(match stream.direct_get(sequence).await {
        Ok(message) => match stream::decode(sequence, &message.headers, message.payload) {
            Ok(_) => Difference::at(sequence, "the stream is too slow to be read"),
            Err(error) => Difference::at(sequence, error.to_string()),
        },
        Err(_) => Difference::at(sequence, "the stream has no such message"),
    })
}

#[cfg(test)]
mod tests {
    use ryggrad_testkit::Database;

    use super::*;
    use crate::servers;

    #[tokio::test]
    async fn a_stream_that_is_longer_than_the_log_is_different() {
        let database = Database::create("verify", |owner| async move {
            servers::migrate_in(&owner).await.map_err(std::io::Error::other)
        })
        .await;
        let nats = ryggrad_testkit::nats().await;
        let relay = nats.client("relay").await;
        stream::ensure(&relay, 1).await.expect("the relay makes the stream");
        let subject = "ryggrad.v1.public.registration.Foreign.00";
        let publisher = jetstream::new(relay);
        let sent = publisher.publish(subject, "not of the log".into()).await;
        sent.expect("sent").await.expect("taken");
        let log = Log::new(database.pool_as("ryggrad_views"));
        let url = nats.url_as("views").expect("an address");
        let checked = check(&log, &url, 0, &ProgressBar::hidden())
            .await
            .expect("both can be read");
        let difference = checked.expect_err("it is longer");
        assert_eq!(difference.position, Some(1));
        assert!(
            difference.what.contains("something else published"),
            "{}",
            difference.what
        );
    }
}
