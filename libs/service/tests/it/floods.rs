//! Clients of ill will: the offender is cut off, others are served, and memory stays bounded.
//!
//! Server and clients are one process here, so what memory grows by is an upper bound of what the server needs.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::FutureExt as _;
use h2::client::{self, SendRequest};
use http::{Request, Version};
use ryggrad_service::server::Bounds;
use ryggrad_testkit::eventually;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{http as plain, server};

mod raw;

/// How long it may take until somebody is cut off, here where other tests run beside it.
const PATIENCE: Duration = Duration::from_mins(1);
/// Most megabytes that an attack may cost, its own client included.
// The client, and the tests that run beside this one in the process, are in it: 98 were seen once on a machine with much else to do.
const MOST_MB: u64 = 160;

/// Bounds as in production, except that nobody waits long.
fn impatient() -> Bounds {
    Bounds {
        first_bytes: Duration::from_secs(1),
        head: Duration::from_secs(1),
        keep_alive: Duration::from_secs(1),
        taking: Duration::from_secs(1),
        ..Bounds::default()
    }
}

/// Somebody else is served, and at once.
async fn others_are_served(address: SocketAddr) {
    let began = Instant::now();
    let answer = plain::get(address, "/v1/admin/parked?page_size=10").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

/// Memory of this process that is in RAM, in megabytes.
fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel tells it");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .expect("a line");
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes / 1_024
}

#[track_caller]
fn memory_is_bounded(before: u64) {
    let after = resident_mb();
    assert!(
        after.saturating_sub(before) <= MOST_MB,
        "from {before} MB to {after} MB"
    );
}

/// An HTTP/2 client, whose connection is driven beside it. What ends it is the result.
async fn connect(address: SocketAddr) -> (SendRequest<Bytes>, tokio::task::JoinHandle<Result<(), h2::Error>>) {
    connect_with(address, &client::Builder::new()).await
}

async fn connect_with(
    address: SocketAddr,
    builder: &client::Builder,
) -> (SendRequest<Bytes>, tokio::task::JoinHandle<Result<(), h2::Error>>) {
    let stream = TcpStream::connect(address).await.expect("the server listens");
    let (sender, connection) = builder.handshake(stream).await.expect("a handshake");
    (sender, tokio::spawn(connection))
}

fn get(path: &str) -> Request<()> {
    Request::get(format!("http://test{path}"))
        .version(Version::HTTP_2)
        .body(())
        .expect("a request")
}

/// Waits until the server has closed a connection on which raw bytes were sent.
async fn cut_off(mut stream: TcpStream) {
    let mut sink = vec![0; 64 * 1024];
    let closed = async {
        loop {
            match stream.read(&mut sink).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    };
    let closed = tokio::time::timeout(PATIENCE, closed).await;
    assert!(closed.is_ok(), "the offender was not cut off");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rapid_reset_is_cut_off() {
    let server = server::start().await;
    let before = resident_mb();
    let (mut sender, connection) = connect(server.address).await;
    let mut sent = 0_u32;
    let flood = async {
        while sent < 200_000 {
            let Ok(ready) = sender.clone().ready().await else {
                return;
            };
            sender = ready;
            // It would wait for its gate; it is reset at once.
            match sender.send_request(get("/v1/admin/clock"), true) {
                Ok((answer, _)) => drop(answer),
                Err(_) => return,
            }
            sent += 1;
        }
    };
    let (ended, ()) = tokio::join!(tokio::time::timeout(PATIENCE, flood), others_are_served(server.address));
    assert!(ended.is_ok() && sent < 200_000, "{sent} requests were begun and reset");
    connection.abort();
    others_are_served(server.address).await;
    memory_is_bounded(before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_streams_are_not_let_in() {
    let server = server::start().await;
    let before = resident_mb();
    let stream = TcpStream::connect(server.address).await.expect("the server listens");
    let (mut reading, mut writing) = stream.into_split();
    let flood = tokio::spawn(async move {
        let mut bytes = raw::preface(&[]);
        for n in 0..10_000_u32 {
            raw::get(&mut bytes, 2 * n + 1, b"/v1/admin/clock");
        }
        // The server may have hung up before all is sent.
        let _cut = writing.write_all(&bytes).await;
        writing
    });
    let mut frames = raw::Frames::default();
    let mut piece = vec![0; 64 * 1024];
    let gone = async {
        while frames.refused < 8_000 && !frames.goaway {
            match reading.read(&mut piece).await {
                Ok(0) | Err(_) => return,
                Ok(read) => frames.take(&piece[..read]),
            }
        }
    };
    let gone = tokio::time::timeout(PATIENCE, gone).await;
    assert!(
        gone.is_ok(),
        "refused {} and told to go: {}",
        frames.refused,
        frames.goaway
    );
    others_are_served(server.address).await;
    memory_is_bounded(before);
    drop(flood);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_of_frames_that_only_cost_are_cut_off() {
    let server = server::start().await;
    let before = resident_mb();
    for (name, frame) in [
        ("pings", raw::frame(6, 0, 0, &[0; 8])),
        ("settings", raw::frame(4, 0, 0, &[])),
        ("priorities", raw::frame(2, 0, 1, &[0, 0, 0, 3, 1])),
        ("what does not exist", raw::frame(99, 0, 0, &[0; 16])),
    ] {
        let mut stream = TcpStream::connect(server.address).await.expect("the server listens");
        stream.write_all(&raw::preface(&[])).await.expect("a handshake");
        let flood = frame.repeat(1_000);
        let (mut reading, mut writing) = stream.split();
        let mut sink = vec![0; 64 * 1024];
        let cut = async {
            loop {
                tokio::select! {
                    sent = writing.write_all(&flood) => if sent.is_err() { return },
                    read = reading.read(&mut sink) => if matches!(read, Ok(0) | Err(_)) { return },
                }
            }
        };
        let cut = tokio::time::timeout(PATIENCE, cut).await;
        assert!(cut.is_ok(), "{name}: the offender was not cut off");
    }
    others_are_served(server.address).await;
    memory_is_bounded(before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_never_ends_is_cut_off() {
    let server = server::start().await;
    let before = resident_mb();
    let mut stream = TcpStream::connect(server.address).await.expect("the server listens");
    let mut bytes = raw::preface(&[]);
    // HEADERS without END_HEADERS, and CONTINUATION after CONTINUATION.
    bytes.extend(raw::frame(1, 0, 1, &raw::head(b"/v1/admin/clock")));
    stream.write_all(&bytes).await.expect("a handshake");
    let (mut reading, mut writing) = stream.split();
    let mut sink = vec![0; 64 * 1024];
    let flood = async {
        let mut field = vec![0x00, 0x01, b'a', 0x7f, 0x81, 0x7d];
        field.resize(6 + 16_000, b'b');
        let continuation = raw::frame(9, 0, 1, &field[..16_000]);
        loop {
            tokio::select! {
                sent = writing.write_all(&continuation) => if sent.is_err() { return },
                read = reading.read(&mut sink) => if matches!(read, Ok(0) | Err(_)) { return },
            }
        }
    };
    let cut = tokio::time::timeout(PATIENCE, flood).await;
    assert!(cut.is_ok(), "the offender was not cut off");
    others_are_served(server.address).await;
    memory_is_bounded(before);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let server = server::start().await;
    let (sender, _connection) = connect(server.address).await;
    let mut sender = sender.ready().await.expect("a connection");
    let mut request = get("/v1/admin/parked");
    let value = "b".repeat(64 * 1024).parse().expect("a value");
    request.headers_mut().insert("x-large", value);
    let (answer, _) = sender.send_request(request, true).expect("it is sent");
    if let Ok(answer) = answer.await {
        assert_eq!(answer.status(), 431);
    }
    let head = format!(
        "GET / HTTP/1.1\r\nhost: test\r\nx-large: {}\r\n\r\n",
        "b".repeat(64 * 1024)
    );
    assert_eq!(plain::send(server.address, &head, b"").await.status, 431);
    others_are_served(server.address).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_slow_to_say_what_it_wants_is_cut_off() {
    let server = server::start_within(impatient()).await;
    let mut slow = Vec::new();
    // Nothing at all; half of a preface; half of a head; and half of a head over HTTP/2.
    let mut half = raw::preface(&[]);
    half.extend(&raw::frame(1, 4, 1, &raw::head(b"/v1/admin/clock"))[..12]);
    for bytes in [
        Vec::new(),
        b"PRI * HTTP/2.0\r\n".to_vec(),
        b"GET /livez HTTP/1.1\r\nhost: te".to_vec(),
        half,
    ] {
        let mut stream = TcpStream::connect(server.address).await.expect("the server listens");
        stream.write_all(&bytes).await.expect("it is taken");
        slow.push(stream);
    }
    others_are_served(server.address).await;
    for stream in slow {
        cut_off(stream).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_drips_its_head_is_cut_off() {
    let server = server::start_within(impatient()).await;
    let mut stream = TcpStream::connect(server.address).await.expect("the server listens");
    stream.write_all(b"GET /livez HTTP/1.1\r\n").await.expect("it is taken");
    let began = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    // A header line every now and then: never silent, never done.
    while stream.write_all(b"x: y\r\n").await.is_ok() {
        ticks.tick().await;
        assert!(began.elapsed() < PATIENCE, "the offender was not cut off");
    }
    others_are_served(server.address).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_nobody_takes_end_with_their_connection() {
    let server = server::start_within(Bounds {
        answers: 32,
        ..impatient()
    })
    .await;
    let before = resident_mb();
    let mut builder = client::Builder::new();
    builder.initial_window_size(0).max_concurrent_reset_streams(0);
    let (mut sender, connection) = connect_with(server.address, &builder).await;
    let mut answers = Vec::new();
    for _ in 0..500 {
        sender = sender.ready().await.expect("a connection");
        // A megabyte each, and no room for a byte of it.
        let (answer, _) = sender
            .send_request(get("/v1/admin/parked?page_size=1000000"), true)
            .expect("it is sent");
        answers.push(answer);
    }
    others_are_served(server.address).await;
    let ended = tokio::time::timeout(PATIENCE, connection).await;
    assert!(ended.is_ok(), "the offender was not cut off");
    others_are_served(server.address).await;
    memory_is_bounded(before);
    drop(answers);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_of_http_1_is_cut_off_and_a_quick_one_gets_all() {
    let server = server::start_within(impatient()).await;
    let mut slow = TcpStream::connect(server.address).await.expect("the server listens");
    // More than the system's own buffers hold.
    let size = 32 << 20;
    let head = format!("GET /v1/admin/parked?page_size={size} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    slow.write_all(head.as_bytes()).await.expect("it is taken");
    let quick = plain::send(server.address, &head, b"").await;
    assert_eq!((quick.status, quick.body.len() > size), (200, true));
    eventually(PATIENCE, || async {
        // Once the server has closed it, the system refuses to send.
        let sent = slow.try_write(b"x");
        let open = sent.is_ok() || sent.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        if open { Err("nobody was cut off") } else { Ok(()) }
    })
    .await;
    let mut rest = Vec::new();
    let read = tokio::time::timeout(PATIENCE, slow.read_to_end(&mut rest)).await;
    assert!(
        read.is_ok() && rest.len() < size,
        "it got {} of {size} bytes",
        rest.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_does_not_get_every_place() {
    let bounds = Bounds {
        per_peer: 3,
        ..impatient()
    };
    let server = server::start_within(bounds).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(server.address).await.expect("the server listens");
        stream.write_all(&raw::preface(&[])).await.expect("a handshake");
        let mut byte = [0];
        stream.read_exact(&mut byte).await.expect("the server's own preface");
        held.push(stream);
    }
    let fourth = TcpStream::connect(server.address).await.expect("the system accepts it");
    cut_off(fourth).await;
    drop(held);
    eventually(PATIENCE, || async {
        let mut stream = TcpStream::connect(server.address)
            .await
            .map_err(|error| error.to_string())?;
        let question = b"GET /livez HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
        stream.write_all(question).await.map_err(|error| error.to_string())?;
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .await
            .map_err(|error| error.to_string())?;
        if answer.contains("200 OK") { Ok(()) } else { Err(answer) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_not_used_makes_room_and_a_subscription_keeps_its_own() {
    let server = server::start_within(Bounds {
        idle: Duration::from_millis(500),
        ..impatient()
    })
    .await;
    let (sender, following) = connect(server.address).await;
    let mut sender = sender.ready().await.expect("a connection");
    // It never answers here: a request that is open, as a subscription is.
    let (mut open, _) = sender.send_request(get("/v1/admin/clock"), true).expect("it is sent");
    let idle = tokio::spawn(connect(server.address).await.1);
    // The client answers pings, and is closed nevertheless.
    let ended = tokio::time::timeout(PATIENCE, idle).await;
    assert!(ended.is_ok(), "it was kept");
    assert!(!following.is_finished(), "somebody waits for an answer on it");
    assert!((&mut open).now_or_never().is_none());
    let (_, again) = connect(server.address).await;
    assert!(tokio::time::timeout(PATIENCE, again).await.is_ok());
    assert!(!following.is_finished(), "however long it takes");
}
