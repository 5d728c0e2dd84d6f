//! Requests as simple clients of the registers send them: HTTP/1.1, one at a time.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::SocketAddr;

use flate2::read::GzDecoder;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// Asks for a path, or for a link that points to the host asked.
pub(crate) async fn get(address: SocketAddr, target: &str) -> Answer {
    get_with(address, target, &[]).await
}

/// The same with more headers; `host` takes the place of the usual one.
pub(crate) async fn get_with(address: SocketAddr, target: &str, headers: &[(&str, &str)]) -> Answer {
    let target = target.strip_prefix(&format!("http://{address}")).unwrap_or(target);
    assert!(target.starts_with('/'), "{target} is on another host");
    let own = address.to_string();
    let host = (!headers.iter().any(|(name, _)| *name == "host")).then_some(("host", own.as_str()));
    let head: String = (host.iter().chain(headers))
        .map(|(name, value)| [name, ": ", value, "\r\n"].concat())
        .collect();
    let request = format!("GET {target} HTTP/1.1\r\nconnection: close\r\n{head}\r\n");
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.expect("an answer");
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = std::str::from_utf8(&bytes[..end]).expect("ASCII");
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status");
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let body = &bytes[end + 4..];
    let body = if headers
        .get("transfer-encoding")
        .is_some_and(|coding| coding == "chunked")
    {
        unchunked(body)
    } else {
        body.to_vec()
    };
    Answer {
        status: status.parse().expect("a number"),
        headers,
        body,
    }
}

/// Panics when the last chunk is missing: the answer was cut.
fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let line = rest
            .windows(2)
            .position(|two| two == b"\r\n")
            .expect("the length of a chunk");
        let length = std::str::from_utf8(&rest[..line]).expect("hexadecimal digits");
        let length = usize::from_str_radix(length, 16).expect("a length");
        rest = &rest[line + 2..];
        if length == 0 {
            return whole;
        }
        whole.extend_from_slice(&rest[..length]);
        rest = &rest[length + 2..];
    }
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// What was compressed.
    pub(crate) fn unzipped(&self) -> Vec<u8> {
        let mut whole = Vec::new();
        GzDecoder::new(self.body.as_slice())
            .read_to_end(&mut whole)
            .expect("a whole gzip file");
        whole
    }
}
