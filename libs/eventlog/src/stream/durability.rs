//! Whether the broker writes through to disk. Nothing is lost when it does not, the relay refills; but it is slower to come back.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What the broker says about writing to disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Every message is on disk before it is acknowledged.
    Always,
    /// Messages are on disk after a while.
    Interval,
    /// The broker does not say: it has no monitoring port, or does not answer there.
    Unknown,
}

/// Asks the broker's monitoring port (`host:port`), and warns when it does not sync always.
pub async fn durability(monitor: Option<&str>) -> Durability {
    let answer = match monitor {
        Some(address) => tokio::time::timeout(Duration::from_secs(2), ask(address))
            .await
            .ok()
            .and_then(Result::ok),
        None => None,
    };
    match answer.as_deref().map(always) {
        Some(true) => Durability::Always,
        Some(false) => {
            tracing::warn!(
                "the broker does not sync every message to disk; after a power cut the relay refills what is missing"
            );
            Durability::Interval
        }
        None => {
            tracing::info!("whether the broker syncs every message to disk is not known here");
            Durability::Unknown
        }
    }
}

async fn ask(address: &str) -> std::io::Result<String> {
    let mut connection = TcpStream::connect(address).await?;
    connection
        .write_all(format!("GET /varz HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes())
        .await?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn always(answer: &str) -> bool {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Varz {
        jetstream: JetStream,
    }
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct JetStream {
        config: Config,
    }
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Config {
        sync_always: bool,
    }
    let body = answer.split_once("\r\n\r\n").map_or(answer, |(_, body)| body);
    serde_json::from_str::<Varz>(body).is_ok_and(|varz| varz.jetstream.config.sync_always)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_broker_says_whether_it_syncs_always() {
        assert!(super::always(
            "HTTP/1.0 200 OK\r\n\r\n{\"jetstream\":{\"config\":{\"sync_always\":true}}}"
        ));
        assert!(!super::always(
            "HTTP/1.0 200 OK\r\n\r\n{\"jetstream\":{\"config\":{\"sync_interval\":120000000000}}}"
        ));
    }
}
