//! Who may come in, and what is said to those who may not or who miss the way.

use std::os::unix::fs::PermissionsExt;

use diwan_api::types::Status;
use serde_json::json;

use super::*;

#[tokio::test]
async fn whoever_is_no_officer_gets_nothing_on_any_path() {
    let uid = rustix::process::getuid().as_raw();
    let node = Node::start_for("tn", uid + 1).await;
    for path in [
        "/v1/status",
        "/v1/records",
        "/v1/export",
        "/v1/nowhere",
        "/",
    ] {
        let answer = node.client.get::<Status>(path).await;
        let expected = (ErrorCode::NotAnOfficer, uid.to_string());
        assert_eq!(refusal(answer, "uid"), expected, "{path}");
    }
    let answer = node
        .client
        .post::<_, Status>("/v1/records", &json!({}))
        .await;
    assert_eq!(answer.unwrap_err().code, ErrorCode::NotAnOfficer);
}

#[tokio::test]
async fn what_does_not_read_is_refused_with_its_place() {
    let node = Node::start("tn").await;
    for path in [
        "/",
        "/v1",
        "/v1/records/",
        "/v1/records/abcdef/x",
        "/v2/status",
    ] {
        let answer = node.client.get::<Status>(path).await;
        assert_eq!(
            refusal(answer, "path"),
            (ErrorCode::UnknownPath, path.to_owned())
        );
    }
    let wrong_method = node
        .client
        .post::<_, Status>("/v1/status", &json!({}))
        .await;
    assert_eq!(wrong_method.unwrap_err().code, ErrorCode::UnknownPath);
    let wrong_type = node
        .client
        .post::<_, Status>("/v1/records", &json!({"group": 7}))
        .await;
    let (code, expected) = refusal(wrong_type, "expected");
    assert_eq!(code, ErrorCode::InvalidValue);
    assert!(expected.contains("line 1 column 10"), "{expected}");
    for path in ["/v1/records?limit=many", "/v1/records/%FF"] {
        let answer = node.client.get::<Status>(path).await;
        assert_eq!(answer.unwrap_err().code, ErrorCode::InvalidValue, "{path}");
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let node = Node::start("tn").await;
    let mut stream = tokio::net::UnixStream::connect(node.socket())
        .await
        .unwrap();
    let length = diwan_api::types::REQUEST_BYTES_MAX + 1;
    let head =
        format!("POST /v1/import HTTP/1.1\r\nhost: diwan\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn the_socket_comes_and_goes_with_the_node() {
    let node = Node::start("tn").await;
    let socket = node.socket();
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    assert_eq!(node.client.status().await.unwrap().short, "tn");

    // A crash leaves the socket behind; the next start takes its place.
    let uid = rustix::process::getuid().as_raw();
    let again = ApiServer::bind(
        node.api.clone(),
        &socket,
        Officers::new(node.api.engine.clone(), uid),
    );
    drop(again.unwrap());
    let other = node.dir.path().join("notes.txt");
    std::fs::write(&other, "mine").unwrap();
    let refused = ApiServer::bind(
        node.api.clone(),
        &other,
        Officers::new(node.api.engine.clone(), uid),
    );
    assert!(matches!(refused, Err(ApiServerError::Bind { .. })));
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "mine");

    node.stop.send(()).unwrap();
    node.serving.await.unwrap().unwrap();
    assert!(!socket.exists());
}

#[tokio::test]
async fn status_says_what_there_is() {
    let node = Node::start("tn").await;
    let before = node.client.status().await.unwrap();
    assert_eq!((before.records, before.entries, before.groups), (0, 0, 1));
    assert_eq!(
        (before.name.as_str(), before.country.as_str()),
        ("Police tn", "TN")
    );
    assert_eq!(before.listen, node.api.peers.listening());
    let written = node.guideline("own", &[("fr", "Saisie")], &[]).await;
    node.search(words("saisie")).await;
    let after = node.client.status().await.unwrap();
    assert_eq!((after.records, after.entries), (1, 1));
    assert_eq!(
        (after.store_seq, after.index.seq, after.index.lag),
        (written.seq, written.seq, 0)
    );
}
