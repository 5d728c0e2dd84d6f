//! The stream RYGGRAD in NATS JetStream: the log once more, at the same numbers, for everybody who follows.

use std::path::PathBuf;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::context::{CreateStreamError, GetStreamErrorKind, RequestError};
use async_nats::jetstream::stream::{Config, DiscardPolicy, Info, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, ErrorCode};
use async_nats::{Client, ConnectError, ConnectOptions, Event};
use ryggrad_proto::options::v1::PrivacyClass;

use crate::event::Recorded;

mod decode;
mod durability;
mod encode;
mod percent;

pub use decode::{DecodeError, Draft, decode};
pub use durability::{Durability, durability};
pub use encode::headers;
pub use percent::encode as percent_encode;

/// The name of the stream.
pub const NAME: &str = "RYGGRAD";
/// The subjects that the stream takes. Only the relay's user may publish to them.
pub const SUBJECTS: &str = "ryggrad.v1.>";
/// Core NATS subject that says that the log has grown.
pub const WAKE: &str = "wake.log";
/// How far back the broker looks for repeated message ids. Nothing relies on it: the expected sequence does the work.
const DUPLICATES: Duration = Duration::from_secs(1);
/// How long a request to the broker may take.
const REQUEST: Duration = Duration::from_secs(3);

/// How to reach the broker.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Each server's `nats://host:port`; one that answers is enough.
    pub servers: Vec<String>,
    /// Who we are to it.
    pub credentials: Credentials,
    /// What the connection is called in the broker's lists.
    pub name: String,
}

/// Proof of identity for the broker.
#[derive(Clone)]
pub enum Credentials {
    /// The broker asks for none.
    None,
    /// User and password.
    User {
        /// Name of the user.
        user: String,
        /// The password.
        password: String,
    },
    /// A credentials file (user JWT and seed).
    File(PathBuf),
}

/// Why the broker was not reached.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The credentials file cannot be read.
    #[error("the credentials file {path} cannot be read")]
    Credentials {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: std::io::Error,
    },
    /// The broker does not answer, or refuses.
    #[error("the broker cannot be reached")]
    Connect(#[from] ConnectError),
}

/// Why the stream is not as it must be.
#[derive(Debug, thiserror::Error)]
pub enum EnsureError {
    /// It could not be looked up.
    #[error("the stream could not be looked up")]
    Look(#[source] jetstream::context::GetStreamError),
    /// It could not be made, or is there with another configuration that could not be changed.
    #[error("the stream could not be configured")]
    Configure(#[from] CreateStreamError),
}

// === impl Credentials ===

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::User { user, .. } => f.debug_struct("User").field("user", user).finish_non_exhaustive(),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// Connects to the broker, and goes on connecting for as long as the client lives: a broker that is away now, or later,
/// is waited for.
///
/// # Errors
/// When the credentials are unreadable or an address is wrong.
pub async fn connect(settings: &Settings) -> Result<Client, OpenError> {
    let options = match &settings.credentials {
        Credentials::None => ConnectOptions::new(),
        Credentials::User { user, password } => ConnectOptions::with_user_and_password(user.clone(), password.clone()),
        Credentials::File(path) => {
            ConnectOptions::with_credentials_file(path)
                .await
                .map_err(|source| OpenError::Credentials {
                    path: path.clone(),
                    source,
                })?
        }
    };
    let client = options
        .name(&settings.name)
        .retry_on_initial_connect()
        .request_timeout(Some(REQUEST))
        .read_buffer_capacity(u16::MAX)
        .reconnect_delay_callback(|attempts| {
            Duration::from_millis(match attempts {
                0 | 1 => 0,
                2..=20 => 50,
                _ => 500,
            })
        })
        .event_callback(report)
        .connect(&settings.servers)
        .await?;
    Ok(client)
}

async fn report(event: Event) {
    match event {
        Event::Connected => tracing::info!("broker connected"),
        Event::Disconnected => tracing::warn!("broker disconnected"),
        Event::SlowConsumer(subscription) => tracing::warn!(subscription, "messages of the broker were dropped"),
        Event::ServerError(error) => tracing::warn!(%error, "broker reports an error"),
        Event::ClientError(error) => tracing::debug!(%error, "broker connection failed"),
        Event::LameDuckMode | Event::Draining | Event::Closed => tracing::info!(%event, "broker connection ends"),
    }
}

/// Whether the broker is there now.
pub fn is_connected(client: &Client) -> bool {
    client.connection_state() == State::Connected
}

/// Makes the stream, or brings its configuration up to date, and tells its state. Only the relay's user may.
///
/// # Errors
/// When the broker is away or refuses.
pub async fn ensure(client: &Client, replicas: usize) -> Result<Info, EnsureError> {
    let context = jetstream::new(client.clone());
    let config = config(replicas);
    let stream = match context.get_stream(NAME).await {
        Ok(stream) => stream,
        Err(error) if is_missing(&error.kind()) => {
            return Ok(context.create_stream(config).await?.cached_info().clone());
        }
        Err(error) => return Err(EnsureError::Look(error)),
    };
    let info = stream.cached_info();
    let is = &info.config;
    if is.subjects == config.subjects
        && is.num_replicas == config.num_replicas
        && is.deny_delete
        && is.deny_purge
        && is.allow_direct
        && is.duplicate_window == DUPLICATES
    {
        return Ok(info.clone());
    }
    Ok(context.update_stream(config).await?)
}

/// The state of the stream; none when it does not exist.
///
/// # Errors
/// When the broker is away.
pub async fn info(client: &Client) -> Result<Option<Info>, jetstream::context::GetStreamError> {
    match jetstream::new(client.clone()).get_stream(NAME).await {
        Ok(stream) => Ok(Some(stream.cached_info().clone())),
        Err(error) if is_missing(&error.kind()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The last sequence of the stream; 0 when it is empty or does not exist. Costs the broker less than [`info`].
///
/// # Errors
/// When the broker is away.
pub async fn last_sequence(client: &Client) -> Result<u64, RequestError> {
    #[derive(serde::Deserialize)]
    struct Reply {
        state: Option<Tail>,
    }
    #[derive(serde::Deserialize)]
    struct Tail {
        last_seq: u64,
    }
    let reply: Reply = jetstream::new(client.clone())
        .request(format!("STREAM.INFO.{NAME}"), &())
        .await?;
    Ok(reply.state.map_or(0, |tail| tail.last_seq))
}

/// The subject of an event: `ryggrad.v1.public.registration.OrganisationRegistered.07`.
pub fn subject(event: &Recorded) -> String {
    format!(
        "ryggrad.v1.{}.{}.{}.{:02}",
        class_token(event.class),
        event.context,
        event.name,
        event.partition()
    )
}

/// The privacy class as it is written in subjects and headers.
pub const fn class_token(class: PrivacyClass) -> &'static str {
    match class {
        PrivacyClass::Public => "public",
        PrivacyClass::Org => "org",
        PrivacyClass::Pers => "pers",
        // An event without a class is never stored; should one come along, it reaches nobody.
        PrivacyClass::Conf | PrivacyClass::Unspecified => "conf",
    }
}

fn class_of(token: &str) -> Option<PrivacyClass> {
    [
        PrivacyClass::Public,
        PrivacyClass::Org,
        PrivacyClass::Pers,
        PrivacyClass::Conf,
    ]
    .into_iter()
    .find(|class| class_token(*class) == token)
}

fn is_missing(error: &GetStreamErrorKind) -> bool {
    matches!(error, GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

fn config(replicas: usize) -> Config {
    Config {
        name: NAME.to_owned(),
        description: Some("The log of Ryggrad: sequence = position.".to_owned()),
        subjects: vec![SUBJECTS.to_owned()],
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        max_bytes: -1,
        max_messages: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        max_message_size: -1,
        num_replicas: replicas,
        duplicate_window: DUPLICATES,
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        ..Config::default()
    }
}
