//! The connection to a gateway, and the calls that are answered at once.

use std::time::Duration;

use ryggrad_proto::Timestamp;
use ryggrad_proto::events::v1::event_stream_client::EventStreamClient;
use ryggrad_proto::events::v1::{AcknowledgeRequest, DeleteDurableRequest, HeadRequest, ReadRequest};
use tonic::transport::{Channel, Endpoint};

use crate::session::Session;
use crate::{Bearer, Connection, Cursor, Error, Event, Filter, Subscription};

/// Bytes under way to a subscription before the server waits for us: of one subscription, and of all on one connection.
const WINDOW: (u32, u32) = (1 << 20, 4 << 20);
/// Most bytes of one frame.
const FRAME: usize = 16 << 20;
/// How long to try to connect.
const CONNECT: Duration = Duration::from_secs(5);
/// How often a silent connection is asked for a sign of life.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// A connection to a gateway, made again by itself when it breaks. Cheap to clone; clones share it.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) stub: EventStreamClient<Connection>,
    channel: Channel,
}

/// Where to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// With the first event there ever was.
    Beginning,
    /// With the event after this position.
    After(u64),
    /// With the event after a cursor, if the log is still the same.
    From(Cursor),
    /// With the next event that is recorded.
    Now,
}

/// How to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Time between signs of life when there is nothing to send, 100 ms to 60 s. After three of them without one the
    /// connection is made anew.
    pub heartbeat: Duration,
    /// Ends the subscription when everything recorded until now has come.
    pub stop_at_head: bool,
    /// Takes an event that is not the one after the last for a gap, which ends the subscription. For those who ask for
    /// everything and may see everything; for all others what is held back leaves gaps.
    pub gapless: bool,
}

/// Where the log ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// The last position, in which log.
    pub cursor: Cursor,
    /// When the last event was recorded, by the wall clock; none when there is no event.
    pub recorded_at: Option<Timestamp>,
}

/// One page of events.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The events, positions rising.
    pub events: Vec<Event>,
    /// Where the next page begins.
    pub next: Cursor,
    /// Position of the last event of the log. When `next` is there, there is no more for now.
    pub head: u64,
}

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(5),
            stop_at_head: false,
            gapless: false,
        }
    }
}

// === impl Client ===

impl Client {
    /// Connects to a gateway: `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// When the address is not one, or nobody answers.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        let channel = endpoint(url)?.connect().await.map_err(|source| Error::Connect {
            url: url.to_owned(),
            source,
        })?;
        Ok(Self::on(channel))
    }

    /// A client that connects when it is first used, and waits for a server that is not there yet.
    ///
    /// # Errors
    /// When the address is not one.
    pub fn lazy(url: &str) -> Result<Self, Error> {
        Ok(Self::on(endpoint(url)?.connect_lazy()))
    }

    /// Sends tokens from now on: the same always, or whatever a function has at the moment of each call.
    ///
    /// A subscription that is made anew after an interruption sends the token of that moment.
    #[must_use]
    pub fn with_tokens(self, tokens: impl Into<Bearer>) -> Self {
        Self::over(self.channel, tokens.into())
    }

    fn on(channel: Channel) -> Self {
        Self::over(channel, Bearer::default())
    }

    fn over(channel: Channel, bearer: Bearer) -> Self {
        let connection = Connection::new(channel.clone(), bearer);
        Self {
            stub: EventStreamClient::new(connection).max_decoding_message_size(FRAME),
            channel,
        }
    }

    /// Where the log ends.
    ///
    /// # Errors
    /// When the server does not answer, or says no.
    pub async fn head(&self) -> Result<Head, Error> {
        let head = self.stub.clone().head(HeadRequest {}).await?.into_inner();
        Ok(Head {
            cursor: Cursor {
                epoch: head.epoch,
                position: head.position,
            },
            recorded_at: head.recorded_at,
        })
    }

    /// Reads one page after a cursor: up to `limit` events, 5,000 at the most. An epoch in the cursor is checked.
    ///
    /// # Errors
    /// When the server does not answer, or says no.
    pub async fn read(&self, after: &Cursor, filter: Filter, limit: u32) -> Result<Page, Error> {
        let request = ReadRequest {
            after: after.position,
            epoch: after.epoch.clone(),
            limit,
            filter: Some(filter.into()),
        };
        let page = self.stub.clone().read(request).await?.into_inner();
        Ok(Page {
            events: page.events.into_iter().map(Event::from).collect(),
            next: Cursor {
                epoch: page.epoch,
                position: page.next_position,
            },
            head: page.head,
        })
    }

    /// Follows the stream; needs to be called within a tokio runtime. Whatever goes wrong shows in the stream of messages.
    pub fn subscribe(&self, start: Start, filter: Filter) -> Subscription {
        self.subscribe_with(start, filter, Options::default())
    }

    /// Follows the stream with other than the usual options.
    pub fn subscribe_with(&self, start: Start, filter: Filter, options: Options) -> Subscription {
        Subscription::spawn(|messages| Session::new(self.clone(), start, filter, options, None, messages).run())
    }

    /// Follows a durable subscription of the token's organisation, which the server remembers by its name: it begins at
    /// `start` when it is new, and after what was [acknowledged](Self::acknowledge) last when it is not. One consumer at a
    /// time: this one takes over from another, and ends with ABORTED when another takes over.
    pub fn subscribe_durable(
        &self,
        name: impl Into<String>,
        start: Start,
        filter: Filter,
        options: Options,
    ) -> Subscription {
        let name = Some(name.into());
        Subscription::spawn(|messages| Session::new(self.clone(), start, filter, options, name, messages).run())
    }

    /// Tells the server that everything up to a cursor has been dealt with; answers where the durable subscription stands.
    ///
    /// # Errors
    /// When the server does not answer, or says no: it was not delivered yet, or there is no such subscription.
    pub async fn acknowledge(&self, name: impl Into<String>, cursor: &Cursor) -> Result<Cursor, Error> {
        self.stand(name.into(), cursor, false).await
    }

    /// Moves a durable subscription back to a cursor: what comes after it will be delivered again.
    ///
    /// # Errors
    /// As [`acknowledge`](Self::acknowledge).
    pub async fn rewind(&self, name: impl Into<String>, cursor: &Cursor) -> Result<Cursor, Error> {
        self.stand(name.into(), cursor, true).await
    }

    async fn stand(&self, durable: String, cursor: &Cursor, rewind: bool) -> Result<Cursor, Error> {
        let request = AcknowledgeRequest {
            durable,
            position: cursor.position,
            epoch: cursor.epoch.clone(),
            rewind,
        };
        let stands = self.stub.clone().acknowledge(request).await?.into_inner();
        Ok(Cursor {
            epoch: stands.epoch,
            position: stands.position,
        })
    }

    /// Forgets a durable subscription.
    ///
    /// # Errors
    /// When the server does not answer, or says no.
    pub async fn delete_durable(&self, name: impl Into<String>) -> Result<(), Error> {
        let durable = name.into();
        self.stub
            .clone()
            .delete_durable(DeleteDurableRequest { durable })
            .await?;
        Ok(())
    }
}

fn endpoint(url: &str) -> Result<Endpoint, Error> {
    let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|source| Error::Url {
        url: url.to_owned(),
        source,
    })?;
    Ok(endpoint
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .initial_stream_window_size(WINDOW.0)
        .initial_connection_window_size(WINDOW.1)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_while_idle(true))
}
