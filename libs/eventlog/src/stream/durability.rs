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
    match answer.as_deref().and_then(always) {
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

/// What the answer says; none when it is not one of a nats-server with JetStream.
fn always(answer: &str) -> Option<bool> {
    #[derive(serde::Deserialize)]
    struct Varz {
        jetstream: JetStream,
    }
    #[derive(serde::Deserialize)]
    struct JetStream {
        config: Config,
    }
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Config {
        sync_always: bool,
    }
    let body = answer.split_once("\r\n\r\n").map_or(answer, |(_, body)| body);
    let varz: Varz = serde_json::from_str(body).ok()?;
    Some(varz.jetstream.config.sync_always)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// A monitoring port that answers with this; its address.
    async fn monitor(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        tokio::spawn(async move {
            let (mut asked, _) = listener.accept().await.expect("a question");
            let mut question = [0; 1024];
            let _read = asked.read(&mut question).await.expect("a question");
            let answer = format!("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{answer}");
            asked.write_all(answer.as_bytes()).await.expect("an answer");
        });
        address
    }

    #[tokio::test]
    async fn the_broker_says_whether_it_syncs_always() {
        let always = monitor(
            r#"{"server_id":"N","jetstream":{"config":{"max_memory":1,"sync_interval":120000000000,"sync_always":true}}}"#,
        );
        assert_eq!(durability(Some(&always.await)).await, Durability::Always);
        let seldom =
            monitor(r#"{"server_id":"N","jetstream":{"config":{"max_memory":1,"sync_interval":120000000000}}}"#);
        assert_eq!(durability(Some(&seldom.await)).await, Durability::Interval);
    }

    #[tokio::test]
    async fn who_does_not_answer_does_not_say() {
        assert_eq!(durability(None).await, Durability::Unknown);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        drop(listener);
        assert_eq!(durability(Some(&address)).await, Durability::Unknown);
        assert_eq!(durability(Some(&monitor("no JSON").await)).await, Durability::Unknown);
    }
}
