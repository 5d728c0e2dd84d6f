//! The same calls over HTTP/1.1 and JSON.

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::stack::{PATIENCE, Stack};

#[tokio::test(flavor = "multi_thread")]
async fn head_and_pages_are_json() {
    let stack = Stack::start().await;
    stack.append_many(12).await;
    let (status, head) = get(&stack, "/v1/events:head").await;
    assert_eq!((status, &head["position"]), (200, &Value::from("12")));
    let (status, page) = get(
        &stack,
        "/v1/events:read?after=2&limit=5&filter.types=OrganisationRegistered",
    )
    .await;
    assert_eq!(status, 200);
    assert_eq!(page["events"].as_array().unwrap().len(), 5);
    assert_eq!(
        (&page["nextPosition"], &page["epoch"]),
        (&Value::from("7"), &head["epoch"])
    );
    assert_eq!(
        page["events"][0]["type"],
        "no.ryggrad.registration.OrganisationRegistered.v1"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_json_with_their_details() {
    let stack = Stack::start().await;
    let (status, beyond) = get(&stack, "/v1/events:read?after=9").await;
    assert_eq!(status, 400, "{beyond}");
    assert_eq!(beyond["details"][0]["reason"], "CURSOR_BEYOND_HEAD");
    assert_eq!(beyond["details"][0]["metadata"]["head"], "0");
    let (status, unknown) = get(&stack, "/v1/events:read?filter.kommunenummer=9999").await;
    assert_eq!(status, 400, "{unknown}");
    assert!(unknown.to_string().contains("filter.kommunenummer[0]"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_comes_as_lines_of_json_or_as_server_sent_events() {
    let stack = Stack::start().await;
    stack.append_many(3).await;
    for (accept, prefix) in [("application/x-ndjson", ""), ("text/event-stream", "data:")] {
        let before: u64 = stack.log().head().await.unwrap().position;
        let mut lines = request(&stack, "/v1/events:subscribe?heartbeat_ms=100", accept)
            .await
            .lines();
        let mut seen = 0;
        let mut caught_up = false;
        let reading = async {
            while seen < before + 2 {
                let line = lines.next_line().await.unwrap().expect("the stream goes on");
                let Some(frame) = line
                    .strip_prefix(prefix)
                    .and_then(|json| serde_json::from_str::<Value>(json).ok())
                    .filter(Value::is_object)
                else {
                    continue;
                };
                if let Some(events) = frame["batch"]["events"].as_array() {
                    for event in events {
                        seen += 1;
                        assert_eq!(event["position"], seen.to_string());
                    }
                }
                if frame.get("caughtUp").is_some() && !caught_up {
                    caught_up = true;
                    stack.append_many(2).await;
                }
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.expect(accept);
        assert!(caught_up);
    }
}

async fn get(stack: &Stack, target: &str) -> (u16, Value) {
    let mut answer = String::new();
    request(stack, target, "application/json")
        .await
        .read_to_string(&mut answer)
        .await
        .unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .expect("a status");
    (
        status,
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}")),
    )
}

async fn request(stack: &Stack, target: &str, accept: &str) -> BufReader<TcpStream> {
    let mut connection = TcpStream::connect(stack.door.address).await.unwrap();
    let text = format!("GET {target} HTTP/1.1\r\nHost: test\r\nAccept: {accept}\r\nConnection: close\r\n\r\n");
    connection.write_all(text.as_bytes()).await.unwrap();
    BufReader::new(connection)
}
