//! Requests over plain HTTP/1.1.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::stack::Stack;

/// An answer that was read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

// === impl Answer ===

impl Answer {
    /// A header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (other, value) = line.split_once(": ")?;
            other.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The positions of the events in it.
    #[track_caller]
    pub(crate) fn positions(&self) -> Vec<u64> {
        assert_eq!(self.status, 200, "{self:?}");
        let events = self.json();
        let events = events.as_array().expect("an array").iter();
        events
            .map(|event| event["position"].as_str().unwrap().parse().unwrap())
            .collect()
    }

    /// Reason of its ErrorInfo.
    #[track_caller]
    pub(crate) fn reason(&self) -> String {
        self.json()["details"][0]["reason"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The address of the next page.
    pub(crate) fn next(&self) -> String {
        let link = self.header("link").expect("a link");
        link.trim_start_matches('<').split('>').next().unwrap().to_owned()
    }
}

/// Begins a request; what follows is the answer.
pub(crate) async fn begin(stack: &Stack, target: &str, headers: &[(&str, &str)]) -> BufReader<TcpStream> {
    begin_at(stack.door.address, target, headers).await
}

/// The same at an address.
pub(crate) async fn begin_at(address: SocketAddr, target: &str, headers: &[(&str, &str)]) -> BufReader<TcpStream> {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let headers: String = headers
        .iter()
        .flat_map(|(name, value)| [*name, ": ", *value, "\r\n"])
        .collect();
    let text = format!("GET {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}\r\n");
    connection.write_all(text.as_bytes()).await.unwrap();
    BufReader::new(connection)
}

/// Asks and reads the whole answer, which is not chunked.
pub(crate) async fn get_with(stack: &Stack, target: &str, headers: &[(&str, &str)]) -> Answer {
    get_at(stack.door.address, target, headers).await
}

/// The same at an address.
pub(crate) async fn get_at(address: SocketAddr, target: &str, headers: &[(&str, &str)]) -> Answer {
    let mut text = String::new();
    begin_at(address, target, headers)
        .await
        .read_to_string(&mut text)
        .await
        .unwrap();
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
    Answer {
        status: head
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .expect("a status"),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

pub(crate) async fn get(stack: &Stack, target: &str) -> Answer {
    get_with(stack, target, &[]).await
}
