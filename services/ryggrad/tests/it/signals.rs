//! A role that is told to stop, and told again by somebody who does not wait for it.

use std::time::Duration;

use ryggrad::servers;
use ryggrad_testkit::{Database, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::program::{Process, command, free_port};

const PATIENCE: Duration = Duration::from_mins(1);

/// A request whose body does not come.
const HALF: &[u8] = b"POST /v1/admin/clock:advance HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n\
    content-length: 100\r\nexpect: 100-continue\r\n\r\n";

#[tokio::test]
async fn a_second_signal_ends_a_role_that_waits_for_open_requests() {
    let database = Database::create("the log of a role that is told twice", |owner| async move {
        servers::migrate_in(&owner).await
    })
    .await;
    let nats = ryggrad_testkit::nats().await;
    for (drain, again, code) in [("0", None, 0), ("600", Some("INT"), 130)] {
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = command(&["serve", "relay", "--listen", &address, "--drain-seconds", drain]);
        command.env("RYGGRAD_DATABASE_URL", database.url_as("ryggrad_relay"));
        command.env("RYGGRAD_NATS_URL", nats.url_as("relay").expect("an address"));
        let process = Process::spawn(&mut command, None);
        let mut open = eventually(PATIENCE, || TcpStream::connect(&address)).await;
        open.write_all(HALF).await.expect("sent");
        let mut told = [0; 12];
        open.read_exact(&mut told).await.expect("it waits for the body");
        assert_eq!(&told, b"HTTP/1.1 100");
        process.send("TERM");
        // It has heard the first when it takes nobody in any more.
        eventually(PATIENCE, || async {
            match TcpStream::connect(&address).await {
                Ok(_) => Err("it still listens"),
                Err(_) => Ok(()),
            }
        })
        .await;
        if let Some(again) = again {
            process.send(again);
        }
        assert_eq!(process.wait(), Some(code));
    }
}
