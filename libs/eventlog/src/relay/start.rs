//! Where the relay goes on: the stream's end, once it is known that stream and log are the same there.

use std::time::Duration;

use async_nats::Client;
use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream;
use async_nats::jetstream::stream::{RawMessageErrorKind, State};
use sqlx::PgPool;

use crate::log::Log;
use crate::relay::{Interrupted, Mismatch};
use crate::stream;

/// Makes the stream if need be, and answers the last position that it has.
pub(super) async fn position(pool: &PgPool, client: &Client, replicas: usize) -> Result<u64, Interrupted> {
    connected(client).await?;
    let info = stream::ensure(client, replicas).await.map_err(|e| broker(&e))?;
    let State {
        last_sequence,
        first_sequence,
        messages,
        ..
    } = info.state;
    if last_sequence == 0 {
        return Ok(0);
    }
    if first_sequence > 1 || messages < last_sequence {
        return Err(Mismatch::Gone {
            first: if first_sequence > 1 { 1 } else { first_sequence },
            last: last_sequence,
        }
        .into());
    }
    let log = Log::new(pool.clone());
    let Some(event) = log.at(last_sequence).await? else {
        return Err(Mismatch::Ahead {
            stream: last_sequence,
            log: log.head().await?.position,
        }
        .into());
    };
    let stream = jetstream::new(client.clone())
        .get_stream_no_info(stream::NAME)
        .await
        .map_err(|e| broker(&e))?;
    let message = stream
        .get_raw_message(last_sequence)
        .await
        .map_err(|e| match e.kind() {
            RawMessageErrorKind::NoMessageFound | RawMessageErrorKind::JetStream(_) => Interrupted::NoStream,
            RawMessageErrorKind::InvalidSubject | RawMessageErrorKind::Other => broker(&e),
        })?;
    if message
        .headers
        .get(NATS_MESSAGE_ID)
        .is_none_or(|id| id.as_str() != event.event_id.to_string())
    {
        return Err(Mismatch::Other {
            position: last_sequence,
            event_id: event.event_id,
        }
        .into());
    }
    Ok(last_sequence)
}

/// Waits a while for the broker to come back.
async fn connected(client: &Client) -> Result<(), Interrupted> {
    for _ in 0..100 {
        if stream::is_connected(client) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(Interrupted::Broker("no connection".to_owned()))
}

pub(super) fn broker(error: &impl std::fmt::Display) -> Interrupted {
    Interrupted::Broker(error.to_string())
}
