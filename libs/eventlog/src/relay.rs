//! The relay: publishes the log to the stream, every event at its own number.
//!
//! It keeps no checkpoint. The stream's last sequence says where it is, and the sequence that every message is expected
//! to get makes it impossible to lose, repeat or move one: not by a crash at any point, not by a second relay. One leads
//! at a time, by an advisory lock, so that two do not do the work twice; nothing but that depends on the lock.

use std::mem::discriminant;
use std::time::Duration;

use async_nats::Client;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::stream;

mod acks;
mod lag;
mod leader;
mod reading;
mod session;
mod start;

/// How often the log is looked at when nobody says that it has grown.
const POLL: Duration = Duration::from_millis(50);
/// How long to wait after a failure, at first and at the most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// What a relay works with.
#[derive(Debug, Clone)]
pub struct Relay {
    pool: PgPool,
    client: Client,
    replicas: usize,
    committed: Option<watch::Receiver<u64>>,
    mismatch: watch::Sender<Option<Mismatch>>,
}

/// The stream does not carry this log. Nothing can be published until a person has looked: a database was restored from
/// a backup, somebody else published, or messages were deleted. The text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The stream goes on after the end of the log.
    #[error(
        "the stream ends at {stream} and the log already at {log}: somebody else has published, or the database was restored from a \
         backup or is another one; delete the stream RYGGRAD, and it is refilled from the log; a restored database needs another \
         epoch first (docs/operating.md, Backup and restore)"
    )]
    Ahead {
        /// Last sequence of the stream.
        stream: u64,
        /// Last position of the log.
        log: u64,
    },
    /// Another event stands at a number than in the log.
    #[error(
        "the stream has another message at {position} than event {event_id} of the log: delete the stream RYGGRAD, and it is refilled \
         from the log; a restored database needs another epoch first (docs/operating.md, Backup and restore)"
    )]
    Other {
        /// Where they differ.
        position: u64,
        /// The event that the log has there.
        event_id: Uuid,
    },
    /// Messages of the stream are gone while later ones are still there.
    #[error(
        "the stream has lost messages between {first} and {last}: delete the stream RYGGRAD, and it is refilled from the log"
    )]
    Gone {
        /// First sequence that it should have.
        first: u64,
        /// Last sequence of the stream.
        last: u64,
    },
}

/// How one turn at relaying ended.
#[derive(Debug, thiserror::Error)]
enum Interrupted {
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    #[error("another relay was faster")]
    Overtaken,
    #[error("the stream is not there")]
    NoStream,
    #[error("the broker is away: {0}")]
    Broker(String),
    #[error("the broker does not acknowledge")]
    Silent,
    #[error("the lead was lost")]
    LeadLost,
    #[error("the log cannot be read")]
    Log(#[from] sqlx::Error),
}

// === impl Relay ===

impl Relay {
    /// A relay from a database whose role may read the log to a broker whose user may publish it.
    pub fn new(pool: PgPool, client: Client) -> Self {
        Self {
            pool,
            client,
            replicas: 1,
            committed: None,
            mismatch: watch::Sender::new(None),
        }
    }

    /// How many brokers of a cluster keep each message.
    #[must_use]
    pub fn with_replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas;
        self
    }

    /// Lets it be woken by a writer of the same process ([`crate::Writer::committed`]).
    #[must_use]
    pub fn woken_by(mut self, committed: watch::Receiver<u64>) -> Self {
        self.committed = Some(committed);
        self
    }

    /// Why the last run ended, until a later one has found the stream as the log.
    pub fn mismatch(&self) -> watch::Receiver<Option<Mismatch>> {
        self.mismatch.subscribe()
    }

    /// Relays until the token ends. Outages of database and broker are waited out. May be run again after a mismatch: it
    /// publishes nothing unless the stream has become the log's again.
    ///
    /// # Errors
    /// A [`Mismatch`] between stream and log; it is also shown by the metric `ryggrad_relay_mismatch`.
    pub async fn run(&self, token: CancellationToken) -> Result<(), Mismatch> {
        if self.mismatch.borrow().is_none() {
            metrics::gauge!("ryggrad_relay_mismatch").set(0);
        }
        let lag = lag::Lag::new();
        let relaying = async {
            tokio::select! {
                mismatch = self.relay(&lag) => mismatch,
                () = lag.measure(&self.pool) => unreachable!("it measures for ever"),
            }
        };
        let ended = token.run_until_cancelled(relaying).await;
        metrics::gauge!("ryggrad_relay_leader").set(0);
        match ended {
            None => Ok(()),
            Some(mismatch) => {
                metrics::gauge!("ryggrad_relay_mismatch").set(1);
                let known = self.mismatch.send_replace(Some(mismatch.clone()));
                // Told once, although positions move on.
                if known.as_ref().map(discriminant) != Some(discriminant(&mismatch)) {
                    tracing::error!(%mismatch, "the relay has stopped: the stream does not carry this log");
                }
                Err(mismatch)
            }
        }
    }

    /// Stream and log are the same where the stream ends.
    fn agrees(&self) {
        if self.mismatch.send_if_modified(|known| known.take().is_some()) {
            metrics::gauge!("ryggrad_relay_mismatch").set(0);
            tracing::info!("the stream carries this log again");
        }
    }

    /// Takes turns at leading, for ever; the answer is why it cannot go on.
    async fn relay(&self, lag: &lag::Lag) -> Mismatch {
        let mut pause = PAUSE.0;
        loop {
            let mut lead = leader::Lead::take(&self.pool).await;
            lag.leads(true);
            loop {
                let began = std::time::Instant::now();
                match self.turn(&mut lead, lag).await {
                    Interrupted::Mismatch(mismatch) => return mismatch,
                    Interrupted::LeadLost => break,
                    Interrupted::Overtaken | Interrupted::NoStream => tokio::time::sleep(PAUSE.0).await,
                    error @ (Interrupted::Broker(_) | Interrupted::Silent | Interrupted::Log(_)) => {
                        pause = if began.elapsed() > PAUSE.1 * 2 {
                            PAUSE.0
                        } else {
                            (pause * 2).min(PAUSE.1)
                        };
                        tracing::warn!(%error, "the relay was interrupted; it goes on");
                        tokio::time::sleep(pause).await;
                    }
                }
                if !lead.is_held().await {
                    break;
                }
            }
            lag.leads(false);
        }
    }

    /// One turn: find out where the stream is, then publish from there until something comes in between.
    async fn turn(&self, lead: &mut leader::Lead, lag: &lag::Lag) -> Interrupted {
        let published = match start::position(&self.pool, &self.client, self.replicas).await {
            Ok(position) => position,
            Err(interrupted) => return interrupted,
        };
        self.agrees();
        lag.published(published);
        tracing::debug!(published, "the relay goes on");
        let wake = reading::Wake::new(&self.client, self.committed.clone()).await;
        let reading = reading::Reading::after(self.pool.clone(), published, wake);
        session::Session::new(&self.client, lead, lag, published)
            .run(reading)
            .await
    }
}

/// Tells relays in other processes what this process's writer commits, over core NATS, until the token ends.
/// At most every half millisecond; the relay reads all there is anyway.
pub async fn announce(client: Client, mut committed: watch::Receiver<u64>, token: CancellationToken) {
    let announcing = async {
        while committed.changed().await.is_ok() {
            let position = *committed.borrow_and_update();
            if stream::is_connected(&client) && client.publish(stream::WAKE, position.to_string().into()).await.is_err()
            {
                return;
            }
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
    };
    token.run_until_cancelled(announcing).await;
}
