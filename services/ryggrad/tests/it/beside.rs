//! Two backbones on one machine, where somebody else has the usual ports.

use std::net::{Ipv4Addr, TcpListener};

use crate::program::{Up, complained, folder, ryggrad, said};

#[tokio::test]
async fn two_run_side_by_side_where_the_usual_ports_are_taken() {
    // Whoever has one of them already takes it for us.
    let _others: Vec<_> = [8080, 5432, 4222]
        .map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok())
        .into();
    let folders = [folder(), folder()];
    let start = |n: usize| Up::start_usually(folders[n].path(), &["--no-sample"]);
    let (one, other) = tokio::join!(start(0), start(1));
    assert_ne!(one.endpoints.http, other.endpoints.http);
    for (up, folder) in [(&one, &folders[0]), (&other, &folders[1])] {
        assert!(!up.endpoints.http.ends_with(":8080"), "{}", up.endpoints.http);
        let said_at_start = Up::said(folder.path());
        assert!(
            said_at_start.contains("port 8080 is taken by somebody else"),
            "{said_at_start}"
        );
        let state = folder.path().to_str().expect("a plain path");
        let output = ryggrad(&["verify", "--state", state]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}{}",
            said(&output),
            complained(&output)
        );
    }
    for up in [one, other] {
        assert_eq!(up.end("TERM"), Some(0));
    }
}
