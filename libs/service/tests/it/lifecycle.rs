//! A role from its port to its last answer.

use ryggrad_service::listen;

use crate::{http, server};

#[tokio::test]
async fn nothing_but_loopback_is_listened_on() {
    for address in ["0.0.0.0:0", "192.0.2.1:0", "[::]:0"] {
        let refused = listen::bind(address.parse().unwrap()).await.expect_err(address);
        assert!(
            refused.to_string().contains("nobody could prove who they are"),
            "{refused}"
        );
    }
    assert!(listen::bind("127.0.0.1:0".parse().unwrap()).await.is_ok());
    let everywhere = listen::bind_anywhere("0.0.0.0:0".parse().unwrap()).await;
    assert!(everywhere.is_ok(), "where tokens are verified");
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = listen::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = taken.local_addr().unwrap();
    let refused = listen::bind(address).await.expect_err("taken");
    assert!(refused.to_string().contains(&address.to_string()), "{refused}");
}

#[tokio::test]
async fn an_open_request_is_answered_before_the_role_stops() {
    let server = server::start().await;
    let address = server.address;
    let open = tokio::spawn(async move { http::get(address, "/v1/admin/clock").await });
    server.entered.notified().await;
    server.shutdown.cancel();
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!server.task.is_finished(), "it waits for the open request");
    server.gate.notify_one();
    assert_eq!(open.await.unwrap().json()["simulated"], true);
    server.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn readiness_names_the_check_that_fails() {
    let good = server::start().await;
    assert_eq!(http::get(good.address, "/livez").await.status, 200);
    assert_eq!(
        http::get(good.address, "/readyz").await.json()["checks"]["weather"],
        "ok"
    );
    let bad = server::start_with(Err("rain".to_owned())).await;
    let answer = http::get(bad.address, "/readyz").await;
    assert_eq!(
        (answer.status, answer.json()["checks"]["weather"].as_str()),
        (503, Some("rain"))
    );
    assert_eq!(http::get(bad.address, "/livez").await.status, 200, "alive all the same");
}
