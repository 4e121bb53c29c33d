//! Every limit: one more is refused, with a status that says what to do.

use std::time::{Duration, Instant};

use ledger_proto::v1::get_statement_request::Range;
use ledger_proto::v1::{
    GetStatementRequest, ListAccountsRequest, RecordedRange, SubmitAtomicRequest, SubmitRequest,
    SubmitStreamRequest, SubmittedEvent,
};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::Code;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Endpoint;
use tonic_types::StatusExt;

use crate::raw::RawCodec;
use crate::support::{Books, Client, Running, accepted, channel, connect};

/// Longer than anything here takes, shorter than a person waits.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn a_request_has_at_least_one_event_and_at_most_the_limit() {
    let books = Books::create();
    let mut running = books.serve().await;
    for count in [0, 8_193] {
        let events = vec![SubmittedEvent::default(); count];
        let singles = running.client.submit(SubmitRequest { events: events.clone() }).await.unwrap_err();
        let group = SubmitAtomicRequest { events: events.clone() };
        let group = running.client.submit_atomic(group).await.unwrap_err();
        let streamed = tokio_stream::once(SubmitStreamRequest { number: 1, events });
        let mut answers = running.client.submit_stream(streamed).await.unwrap().into_inner();
        let streamed = answers.message().await.unwrap_err();
        for status in [singles, group, streamed] {
            assert_eq!(status.code(), Code::InvalidArgument);
            assert_eq!(status.message(), format!("events: found {count}, expected 1 to 8192"));
        }
    }
    let answered =
        running.client.submit(SubmitRequest { events: vec![SubmittedEvent::default(); 8_192] }).await;
    assert_eq!(answered.unwrap().into_inner().results.len(), 8_192);
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_above_the_byte_limit_is_refused_whole() {
    let books = Books::create();
    let small = [("request.max_bytes", "65536"), ("unit.max_bytes", "65536")];
    let mut running = books.serve_with(&small).await;
    let event = SubmittedEvent { payload: vec![0; 65_537], ..SubmittedEvent::default() };
    let single = running.client.submit(SubmitRequest { events: vec![event.clone()] }).await.unwrap_err();
    let streamed = tokio_stream::once(SubmitStreamRequest { number: 1, events: vec![event] });
    let mut answers = running.client.submit_stream(streamed).await.unwrap().into_inner();
    let streamed = answers.message().await.unwrap_err();
    for status in [single, streamed] {
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert!(status.message().contains("the limit is: 65536 bytes"), "{}", status.message());
    }
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_of_a_stream_ascend_and_what_came_before_is_answered() {
    let mut books = Books::create();
    let mut running = books.serve().await;
    let opening = books.accounts(&["alice"]);
    accepted(&mut running.client, opening).await;
    let messages: Vec<_> = [3, 4, 4]
        .map(|number| SubmitStreamRequest { number, events: vec![books.transfer("world", "alice", 1)] })
        .into();
    let mut answers = running.client.submit_stream(tokio_stream::iter(messages)).await.unwrap().into_inner();
    for number in [3, 4] {
        assert_eq!(answers.message().await.unwrap().unwrap().number, number);
    }
    let status = answers.message().await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(status.message(), "number: found 4, expected more than 4, the one before");
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_a_limit_and_a_cursor_a_form() {
    let books = Books::create();
    let mut running = books.serve_with(&[("page.max", "10")]).await;
    let too_many = ListAccountsRequest { limit: 11, ..Default::default() };
    let status = running.client.list_accounts(too_many).await.unwrap_err();
    assert_eq!(status.message(), "limit: found 11, expected 0 to 10");
    let invented = ListAccountsRequest { cursor: vec![0; 16], ..Default::default() };
    assert_eq!(running.client.list_accounts(invented).await.unwrap_err().code(), Code::InvalidArgument);
    running.server.stop().await.unwrap();
}

/// The place of a stream is free a moment after its end was told.
async fn a_stream_is_taken(client: &mut Client) {
    let message = || tokio_stream::once(SubmitStreamRequest { number: 1, events: vec![Default::default()] });
    let taken = async { while client.submit_stream(message()).await.is_err() {} };
    timeout(SOON, taken).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_stream_too_many_is_told_when_to_come_back() {
    let books = Books::create();
    let mut running = books.serve_with(&[("server.max_streams", "1")]).await;
    let (open, messages) = mpsc::channel(1);
    let first = running.client.submit_stream(ReceiverStream::new(messages)).await.unwrap().into_inner();
    let second = tokio_stream::once(SubmitStreamRequest::default());
    let status = running.client.submit_stream(second).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let details = status.get_error_details();
    assert!(details.retry_info().unwrap().retry_delay.is_some());
    assert_eq!(details.error_info().unwrap().metadata["code"], "101");

    drop(open);
    assert_eq!(first.collect::<Vec<_>>().await.len(), 0);
    a_stream_is_taken(&mut running.client).await;
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_keeps_its_place_until_it_is_taken() {
    let mut books = Books::create();
    let mut running = books.serve_with(&[("server.max_streams", "1"), ("page.max", "10")]).await;
    let opening = books.accounts(&["alice"]);
    accepted(&mut running.client, opening).await;
    let transfers = (0..2_000).map(|_| books.transfer("world", "alice", 1)).collect();
    accepted(&mut running.client, transfers).await;
    let range = Some(Range::Recorded(RecordedRange { from_nanos: 0, to_nanos: u64::MAX }));
    let request = GetStatementRequest { account: "alice".to_owned(), range };
    let mut deaf = deaf(&running).await;
    let unread = deaf.get_statement(request.clone()).await.unwrap();
    let status = running.client.get_statement(request.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.get_error_details().retry_info().unwrap().retry_delay.is_some());
    drop((unread, deaf));
    let taken = async { while running.client.get_statement(request.clone()).await.is_err() {} };
    timeout(SOON, taken).await.unwrap();
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_request_does_not_come_gives_its_place_back() {
    let mut books = Books::create();
    let keys = [("server.max_submits", "1"), ("server.request_timeout", "200ms")];
    let mut running = books.serve_with(&keys).await;
    let mut grpc = Grpc::new(channel(&running.server.grpc().to_string()).await);
    grpc.ready().await.unwrap();
    let path = PathAndQuery::from_static("/ledger.v1.LedgerService/Submit");
    let silent = tonic::Request::new(tokio_stream::pending());
    let answered = timeout(SOON, grpc.client_streaming(silent, path, RawCodec)).await.unwrap();
    let status = answered.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(status.message().contains("server.request_timeout"), "{}", status.message());
    let opening = books.accounts(&["alice"]);
    accepted(&mut running.client, opening).await;
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_rests_too_long_gives_its_place_back() {
    let books = Books::create();
    let keys = [("server.max_streams", "1"), ("server.stream_timeout", "200ms")];
    let mut running = books.serve_with(&keys).await;
    let mut silent = running.client.submit_stream(tokio_stream::pending()).await.unwrap().into_inner();
    let status = timeout(SOON, silent.message()).await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("server.stream_timeout"), "{}", status.message());
    a_stream_is_taken(&mut running.client).await;
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_takes_no_answers_holds_up_no_other() {
    let books = Books::create();
    let small = [
        ("queue.max_bytes", "1048576"),
        ("request.max_bytes", "1048576"),
        ("unit.max_bytes", "1048576"),
        // The deaf client's stream is cut off at the end.
        ("server.drain_timeout", "100ms"),
    ];
    let mut running = books.serve_with(&small).await;
    let mut deaf = deaf(&running).await;
    let _unread = deaf.submit_stream(large_messages(4)).await.unwrap();
    let one = tokio_stream::once(SubmitStreamRequest { number: 1, events: vec![Default::default()] });
    let mut answers = running.client.submit_stream(one).await.unwrap().into_inner();
    let answer = timeout(SOON, answers.message()).await.expect("another stream's answers hold nothing");
    assert_eq!(answer.unwrap().unwrap().number, 1);
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_no_answers_loses_its_connection() {
    let books = Books::create();
    let keys =
        [("server.max_streams", "1"), ("server.stream_messages", "2"), ("server.stream_timeout", "300ms")];
    // Fewer messages than are taken ahead, and more.
    for messages in [1, 8] {
        let mut running = books.serve_with(&keys).await;
        let mut deaf = deaf(&running).await;
        let mut unread = deaf.submit_stream(large_messages(messages)).await.unwrap().into_inner();
        let end = timeout(SOON, unread.message()).await.expect("the connection is closed");
        assert!(end.is_err(), "{end:?}");
        let next = tokio_stream::once(SubmitStreamRequest { number: 1, events: vec![Default::default()] });
        let mut answers = running.client.submit_stream(next).await.unwrap().into_inner();
        assert_eq!(answers.message().await.unwrap().unwrap().number, 1);
        running.server.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_too_many_is_closed_and_a_silent_one_too() {
    let books = Books::create();
    let keys = [("server.max_connections", "2"), ("server.handshake_timeout", "100ms")];
    let running = books.serve_with(&keys).await;
    let address = running.server.grpc();
    let began = Instant::now();
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut refused = TcpStream::connect(address).await.unwrap();
    assert_eq!(refused.read(&mut [0]).await.unwrap_or(0), 0, "the third connection is closed");
    assert_eq!(drained(&mut silent).await, 0, "nothing but what the server sends on its own");
    assert!(began.elapsed() >= Duration::from_millis(100));
    connect(&address.to_string()).await;
    running.server.stop().await.unwrap();
}

/// A client that makes no room for an answer's bytes.
async fn deaf(running: &Running) -> Client {
    let address = format!("http://{}", running.server.grpc());
    let endpoint = Endpoint::from_shared(address).unwrap().initial_stream_window_size(0);
    Client::new(endpoint.connect().await.unwrap())
}

/// Messages of an event each, which is none, of 300 kB; then silence.
fn large_messages(count: u64) -> impl Stream<Item = SubmitStreamRequest> + Send + 'static {
    let message = |number| {
        let event = SubmittedEvent { payload: vec![0; 300_000], ..SubmittedEvent::default() };
        SubmitStreamRequest { number, events: vec![event] }
    };
    tokio_stream::iter((1..=count).map(message)).chain(tokio_stream::pending())
}

/// Reads until the server closes; the bytes that were not HTTP/2 settings.
async fn drained(stream: &mut TcpStream) -> usize {
    let mut received = Vec::new();
    // A reset is a close as well.
    let _ = stream.read_to_end(&mut received).await;
    let is_settings = received.is_empty() || received[3] == 4;
    if is_settings { 0 } else { received.len() }
}
