//! The client against a node of a few lines that answers as each test wants.

use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

use super::import::{Import, ImportError, Outcome, Progress, import};
use super::*;
use crate::document::{Options, ScanError};
use crate::types::{Editors, ExportQuery, ImportBatch};

/// A fake node: answers each request's body with what `answer` makes of it, and keeps the requests.
struct Fake {
    home: TempDir,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    fn start(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Self {
        let home = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(home.path().join("node.sock")).unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read_request(&mut stream).await;
                let _ = stream.write_all(&answer(&request)).await;
                kept.lock().unwrap().push(request);
            }
        });
        Self { home, requests }
    }

    fn client(&self) -> Client {
        Client::unix(self.home.path().join("node.sock"))
    }
}

async fn read_request(stream: &mut UnixStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length: ")?
                        .parse()
                        .ok()
                })
                .unwrap_or(0);
            if body.len() >= length {
                return text;
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap() == 0 {
            return text;
        }
    }
}

fn answer(status: u16, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[tokio::test]
async fn an_absent_node_is_unreachable_and_its_socket_is_named() {
    let error = Client::unix("/nowhere/node.sock")
        .status()
        .await
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::Unreachable);
    assert_eq!(error.args["socket"], "/nowhere/node.sock");
}

#[tokio::test]
async fn a_refusal_keeps_its_code_and_values() {
    let body = r#"{"error":{"code":"unknown-group","args":{"name":"cyber"}}}"#;
    let node = Fake::start(move |_| answer(404, body));
    let error = node.client().group_show("cyber crime").await.unwrap_err();
    assert_eq!(
        error,
        ApiError::new(ErrorCode::UnknownGroup).with("name", "cyber")
    );
    let requests = node.requests.lock().unwrap();
    assert!(
        requests[0].starts_with("GET /v1/groups/cyber%20crime HTTP/1.1\r\n"),
        "{requests:?}"
    );
}

#[tokio::test]
async fn what_is_no_answer_of_a_node_is_said_so() {
    for (status, body) in [(500, "<html>"), (200, "<html>"), (200, r#"{"agency":3}"#)] {
        let node = Fake::start(move |_| answer(status, body));
        let error = node.client().status().await.unwrap_err();
        assert_eq!(error.code, ErrorCode::Internal, "{status} {body}");
    }
}

#[tokio::test]
async fn a_node_that_hangs_up_or_falls_silent_is_unreachable() {
    let node = Fake::start(|_| Vec::new());
    assert_eq!(
        node.client().status().await.unwrap_err().code,
        ErrorCode::Unreachable
    );

    let cut = Fake::start(|_| b"HTTP/1.1 200 X\r\ncontent-length: 99\r\n\r\n{".to_vec());
    assert_eq!(
        cut.client().status().await.unwrap_err().code,
        ErrorCode::Unreachable
    );

    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("node.sock");
    let _listening_only = UnixListener::bind(&socket).unwrap();
    let hasty = Client::unix(&socket).with_patience(Duration::from_millis(20));
    assert_eq!(
        hasty.status().await.unwrap_err().code,
        ErrorCode::Unreachable
    );
}

#[tokio::test]
async fn an_answer_beyond_the_bound_is_refused() {
    let node = Fake::start(|_| answer(200, &" ".repeat(ANSWER_BYTES_MAX + 1)));
    assert_eq!(
        node.client().status().await.unwrap_err().code,
        ErrorCode::TooLarge
    );
    let lines = Fake::start(|_| answer(200, &" ".repeat(LINE_BYTES_MAX + 128 * 1024)));
    let mut lines = lines
        .client()
        .export(&ExportQuery::default())
        .await
        .unwrap();
    assert_eq!(lines.next().await.unwrap_err().code, ErrorCode::TooLarge);
}

#[tokio::test]
async fn lines_come_as_they_were_sent_and_a_cut_one_is_an_error() {
    let long = "x".repeat(100_000);
    let body = format!("{{\"a\":1}}\n{long}\n\n");
    let node = Fake::start({
        let body = body.clone();
        move |_| answer(200, &body)
    });
    let mut lines = node.client().export(&ExportQuery::default()).await.unwrap();
    let mut got = Vec::new();
    while let Some(line) = lines.next().await.unwrap() {
        got.push(line);
    }
    assert_eq!(got.len(), 3);
    assert_eq!(got.concat(), body.into_bytes());

    let cut = Fake::start(|_| answer(200, "{\"a\":1}\n{\"b\""));
    let mut lines = cut.client().export(&ExportQuery::default()).await.unwrap();
    assert!(lines.next().await.unwrap().is_some());
    assert_eq!(lines.next().await.unwrap_err().code, ErrorCode::Internal);
}

#[tokio::test]
async fn a_request_beyond_the_bound_is_not_sent() {
    let node = Fake::start(|_| answer(200, "{}"));
    let huge = "x".repeat(REQUEST_BYTES_MAX);
    let error = node.client().inspect_card(huge).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::TooLarge);
    assert!(node.requests.lock().unwrap().is_empty());
}

/// A node that creates every draft, but refuses those whose title says so.
fn importing(request: &str) -> Vec<u8> {
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let batch: ImportBatch = serde_json::from_str(body).unwrap();
    let outcomes: Vec<_> = batch
        .drafts
        .iter()
        .map(|draft| {
            let title = draft.title.values().next().unwrap();
            if title.contains("refuse") {
                r#"{"outcome":"skipped","error":{"code":"unknown-record"}}"#.to_owned()
            } else {
                format!(r#"{{"outcome":"created","record":"{title}"}}"#)
            }
        })
        .collect();
    answer(
        200,
        &format!(
            r#"{{"outcomes":[{}],"seq":{}}}"#,
            outcomes.join(","),
            batch.drafts.len()
        ),
    )
}

fn request(paths: Vec<PathBuf>) -> Import {
    Import {
        paths,
        group: "cyber".to_owned(),
        kind: None,
        options: Options {
            lang: Some("en".to_owned()),
            ..Options::default()
        },
        editors: Editors::Group,
        dry_run: false,
        override_reason: None,
    }
}

#[tokio::test]
async fn an_import_makes_batches_and_gathers_what_became_of_each_file() {
    let folder = tempfile::tempdir().unwrap();
    let filler = "a line of text.\n".repeat(60_000);
    for name in ["a", "b", "c", "d", "e", "refuse"] {
        let text = format!("# {name}\n\n{filler}");
        std::fs::write(folder.path().join(format!("{name}.md")), text).unwrap();
    }
    std::fs::write(folder.path().join("empty.md"), "").unwrap();

    let node = Fake::start(importing);
    let mut last = (0, 0);
    let mut found = 0;
    let report = import(
        &node.client(),
        &request(vec![folder.path().to_owned()]),
        &mut |progress| match progress {
            Progress::Found { documents, .. } => found = documents,
            Progress::Batch { documents, bytes } => last = (documents, bytes),
            Progress::Imported(_) | Progress::Skipped(_) => {}
        },
    )
    .await
    .unwrap();

    let titles: Vec<_> = report.records.iter().map(|r| r.record.as_str()).collect();
    assert_eq!(titles, ["a", "b", "c", "d", "e"]);
    assert!(
        report
            .records
            .iter()
            .all(|r| r.outcome == Outcome::Created && r.sources.len() == 1)
    );
    assert_eq!(
        (report.created, report.updated, report.unchanged),
        (5, 0, 0)
    );
    let mut reasons: Vec<_> = report.skipped.iter().map(|s| s.reason.code()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["empty", "unknown-record"]);
    // Nearly 1 MB a document: four of the six fit the 4 MiB of a batch.
    assert_eq!(node.requests.lock().unwrap().len(), 2);
    assert_eq!(last.0, found);
    assert!(last.1 > 5_700_000);
}

#[tokio::test]
async fn two_batches_of_an_import_are_on_their_way_at_once() {
    let home = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(home.path().join("node.sock")).unwrap();
    // A node that answers the first request once it has the second: with one at a time nobody goes on.
    let node = tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        let one = read_request(&mut first).await;
        let (mut second, _) = listener.accept().await.unwrap();
        let other = read_request(&mut second).await;
        second.write_all(&importing(&other)).await.unwrap();
        first.write_all(&importing(&one)).await.unwrap();
    });
    let folder = tempfile::tempdir().unwrap();
    let filler = "a line of text.\n".repeat(60_000);
    for name in ["a", "b", "c", "d", "e", "f"] {
        let text = format!("# {name}\n\n{filler}");
        std::fs::write(folder.path().join(format!("{name}.md")), text).unwrap();
    }
    let client = Client::unix(home.path().join("node.sock"));
    let asked = request(vec![folder.path().to_owned()]);
    let mut ignore = |_: Progress<'_>| {};
    let imported = import(&client, &asked, &mut ignore);
    let imported = tokio::time::timeout(std::time::Duration::from_secs(30), imported);
    let report = imported.await.unwrap().unwrap();
    // In the order of the documents, whichever was answered first.
    let titles: Vec<_> = report.records.iter().map(|r| r.record.as_str()).collect();
    assert_eq!(titles, ["a", "b", "c", "d", "e", "f"]);
    node.await.unwrap();
}

#[tokio::test]
async fn an_import_of_a_missing_path_or_into_an_unknown_group_fails_as_a_whole() {
    let node = Fake::start(|_| answer(404, r#"{"error":{"code":"unknown-group"}}"#));
    let missing = import(
        &node.client(),
        &request(vec!["/no/such".into()]),
        &mut |_| {},
    )
    .await;
    assert!(
        matches!(missing, Err(ImportError::Scan(ScanError::Missing { .. }))),
        "{missing:?}"
    );
    assert!(node.requests.lock().unwrap().is_empty());

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.md"), "# a\n\ntext").unwrap();
    let refused = import(
        &node.client(),
        &request(vec![folder.path().to_owned()]),
        &mut |_| {},
    )
    .await;
    let expected = ImportError::Node(ApiError::new(ErrorCode::UnknownGroup));
    assert_eq!(refused.unwrap_err(), expected);
}
