//! `GET /metrics`: what is counted, and that Prometheus' own checker has nothing to say.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use ledger_proto::v1::{GetPaymentRequest, SubmitRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Books, Running, accepted};

#[tokio::test(flavor = "multi_thread")]
async fn events_calls_and_refusals_are_counted() {
    let (_books, running, page) = loaded().await;
    for sample in [
        "ledger_events_total{outcome=\"accepted\"} 3",
        "ledger_events_total{outcome=\"refused\"} 1",
        "ledger_refusals_total{code=\"INSUFFICIENT_FUNDS\"} 1",
        "ledger_events_batch_size_count",
        "ledger_append_duration_seconds_bucket",
        "ledger_blocks_total",
        "ledger_storage_size_bytes",
        "ledger_grpc_requests_total{method=\"Submit\",status=\"OK\"} 2",
        "ledger_grpc_requests_total{method=\"GetPayment\",status=\"INVALID_ARGUMENT\"} 1",
        "ledger_grpc_events_received_total 4",
        "ledger_grpc_connections 1",
    ] {
        assert!(page.contains(&format!("\n{sample}")), "{sample} is missing in\n{page}");
    }
    assert!(!page.contains("# EOF") && !page.contains("# UNIT"));
    let open = get(&running, "application/openmetrics-text; version=1.0.0").await;
    assert!(open.ends_with("# EOF\n"));
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn promtool_finds_nothing() {
    if Command::new("promtool").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "promtool is missing");
        eprintln!("skipped: promtool is missing");
        return;
    }
    let (_books, running, page) = loaded().await;
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let checked = promtool.wait_with_output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_are_few_and_short() {
    let books = Books::create();
    let keys = [("server.max_scrapes", "2"), ("server.scrape_timeout", "200ms")];
    let running = books.serve_with(&keys).await;
    let address = running.server.metrics();
    let mut silent = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
    // Bytes that never become a request.
    silent[1].write_all(b"GET /metrics HTTP/1.1\r\nhost: ledger\r\nx: ").await.unwrap();
    let mut refused = TcpStream::connect(address).await.unwrap();
    assert_eq!(refused.read(&mut [0]).await.unwrap_or(0), 0, "the third connection is closed");
    for stream in &mut silent {
        let mut received = Vec::new();
        // A reset is a close as well.
        let _ =
            timeout(Duration::from_secs(20), stream.read_to_end(&mut received)).await.expect("it is closed");
        assert_eq!(received, b"");
    }
    assert!(get(&running, "text/plain").await.contains("ledger_grpc_connections"));
    running.server.stop().await.unwrap();
}

/// A server after three accepted events, a refused one and a malformed read; its metrics.
async fn loaded() -> (Books, Running, String) {
    let mut books = Books::create();
    let mut running = books.serve().await;
    let mut events = books.accounts(&["alice"]);
    events.push(books.transfer("world", "alice", 5));
    accepted(&mut running.client, events).await;
    let overdraft = books.transfer("alice", "world", 6);
    running.client.submit(SubmitRequest { events: vec![overdraft] }).await.unwrap();
    running.client.get_payment(GetPaymentRequest { payment_id: vec![1], as_of: None }).await.unwrap_err();
    let page = get(&running, "text/plain").await;
    (books, running, page)
}

async fn get(running: &Running, accept: &str) -> String {
    let mut stream = TcpStream::connect(running.server.metrics()).await.unwrap();
    let request =
        format!("GET /metrics HTTP/1.1\r\nhost: ledger\r\naccept: {accept}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    body.to_owned()
}
