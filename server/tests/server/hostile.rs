//! Input from somebody who wishes the server ill: it answers with a status or closes, and goes on serving.

use ledger_proto::v1::*;
use prost::bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;

use crate::raw::RawCodec;
use crate::support::{Books, Client, Running, accepted, channel};

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_not_http2_do_no_harm() {
    let (mut books, mut running) = served().await;
    let long = [b'x'; 100_000];
    for noise in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\x00\x00", &long]
    {
        let mut stream = TcpStream::connect(running.server.grpc()).await.unwrap();
        // The server may close while it is still being written to.
        let _ = stream.write_all(noise).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    still_serves(&mut books, &mut running.client).await;
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_not_the_message_are_refused() {
    let (mut books, mut running) = served().await;
    let address = running.server.grpc().to_string();
    let methods =
        ["Submit", "SubmitAtomic", "GetEvent", "GetAccount", "GetTile", "ListBlocks", "AwaitSealed"];
    for method in methods {
        for garbage in
            [&b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"[..], b"\x0a\xff\xff\xff\xff\x0f", b"\x0b"]
        {
            let status = raw_call(&address, &format!("/ledger.v1.LedgerService/{method}"), garbage).await;
            assert_ne!(status.code(), Code::Ok, "{method} {garbage:?}");
        }
    }
    let unknown = raw_call(&address, "/ledger.v1.LedgerService/Mint", b"").await;
    assert_eq!(unknown.code(), Code::Unimplemented);
    still_serves(&mut books, &mut running.client).await;
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_is_not_given_room_for_a_submission() {
    let (mut books, mut running) = served().await;
    let address = running.server.grpc().to_string();
    // Field 15, which no request has, of 1 MiB.
    let large = [&[0x7A, 0x80, 0x80, 0x40], &[0; 1 << 20][..]].concat();
    for path in [
        "ledger.v1.LedgerService/GetEvent",
        "ledger.v1.LedgerService/GetStatus",
        "grpc.health.v1.Health/Check",
    ] {
        let status = raw_call(&address, &format!("/{path}"), large.clone()).await;
        assert_eq!(status.code(), Code::ResourceExhausted, "{path}");
        assert!(status.message().contains("at most 65536 bytes"), "{path}: {}", status.message());
    }
    still_serves(&mut books, &mut running.client).await;
    running.server.stop().await.unwrap();
}

/// Two bytes each on the wire, a hundred in memory: counted before they are decoded.
#[tokio::test(flavor = "multi_thread")]
async fn a_million_events_without_fields_are_not_taken_in() {
    let (mut books, mut running) = served().await;
    let address = running.server.grpc().to_string();
    for (method, tag) in [
        ("Submit", 0x0a),
        ("SubmitAtomic", 0x0a),
        ("SubmitBatch", 0x12),
        ("SubmitStream", 0x12),
        ("DryRun", 0x0a),
    ] {
        let message = [tag, 0].repeat(1_000_000);
        let status = raw_call(&address, &format!("/ledger.v1.LedgerService/{method}"), message).await;
        assert_eq!(status.code(), Code::InvalidArgument, "{method}");
        assert!(status.message().starts_with("events: found 1000000"), "{method}: {}", status.message());
    }
    still_serves(&mut books, &mut running.client).await;
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn events_made_of_noise_are_rejected_one_by_one() {
    let (mut books, mut running) = served().await;
    let honest = books.transfer("world", "alice", 1);
    let mut events = Vec::new();
    for at in 0..honest.payload.len() {
        let mut broken = honest.clone();
        broken.payload[at] ^= 0x80;
        events.push(broken);
    }
    for length in [0, 1, 63, 65, 10_000] {
        let mut broken = honest.clone();
        broken.signatures[0].signature = vec![0xff; length];
        events.push(broken);
        let mut broken = honest.clone();
        broken.signatures[0].key = vec![0xff; length];
        events.push(broken);
    }
    let mut many = honest.clone();
    many.signatures = vec![many.signatures[0].clone(); 1_000];
    events.push(many);
    let foreign = SubmittedEvent { payload_type: "x".repeat(70_000), ..honest.clone() };
    events.push(foreign);
    let large = SubmittedEvent { payload: vec![0x0a; 1_000_000], ..honest.clone() };
    events.push(large);
    let count = events.len();
    let answered = running.client.submit(SubmitRequest { events }).await.unwrap().into_inner();
    assert_eq!(answered.results.len(), count);
    for (at, result) in answered.results.iter().enumerate() {
        assert!(matches!(result.answer, Some(submit_result::Answer::Rejected(_))), "event {at}: {result:?}");
    }
    accepted(&mut running.client, vec![honest]).await;
    still_serves(&mut books, &mut running.client).await;
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_and_names_of_the_wrong_form_are_named() {
    let (mut books, mut running) = served().await;
    let client = &mut running.client;
    let event = Some(get_event_request::Entry::EventId(vec![1; 17]));
    let account = GetAccountRequest { account: "x".repeat(10_000), as_of: None };
    let timeout = AwaitSealedRequest {
        entry: Some(await_sealed_request::Entry::LogIndex(0)),
        timeout_millis: u32::MAX,
    };
    let statuses = [
        ("event_id", client.get_event(GetEventRequest { entry: event }).await.unwrap_err()),
        ("entry", client.get_event(GetEventRequest { entry: None }).await.unwrap_err()),
        (
            "payment_id",
            client.get_payment(GetPaymentRequest { payment_id: vec![], as_of: None }).await.unwrap_err(),
        ),
        ("account", client.get_account(account).await.unwrap_err()),
        ("block", client.get_block(GetBlockRequest { block: None }).await.unwrap_err()),
        ("timeout_millis", client.await_sealed(timeout).await.unwrap_err()),
    ];
    for (field, status) in statuses {
        assert_eq!(status.code(), Code::InvalidArgument, "{field}");
        assert!(status.message().starts_with(&format!("{field}: found ")), "{}", status.message());
        assert!(status.message().len() < 300, "what came in is not sent back whole");
    }
    still_serves(&mut books, &mut running.client).await;
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_in_the_middle_leaves_nothing_open() {
    let (mut books, mut running) = served().await;
    for _ in 0..20 {
        let mut client = Client::new(channel(&running.server.grpc().to_string()).await);
        let events = (0..100).map(|_| books.transfer("world", "alice", 1)).collect();
        let endless = tokio_stream::StreamExt::chain(
            tokio_stream::once(SubmitStreamRequest { number: 1, events }),
            tokio_stream::pending(),
        );
        let answers = client.submit_stream(endless).await.unwrap();
        drop((answers, client));
    }
    still_serves(&mut books, &mut running.client).await;
    running.server.stop().await.unwrap();
}

async fn served() -> (Books, Running) {
    let mut books = Books::create();
    let mut running = books.serve().await;
    let opening = books.accounts(&["alice"]);
    accepted(&mut running.client, opening).await;
    (books, running)
}

async fn still_serves(books: &mut Books, client: &mut Client) {
    let event = books.transfer("world", "alice", 1);
    accepted(client, vec![event]).await;
}

async fn raw_call(address: &str, path: &str, message: impl AsRef<[u8]>) -> tonic::Status {
    let mut grpc = Grpc::new(channel(address).await);
    grpc.ready().await.unwrap();
    let request = tonic::Request::new(Bytes::copy_from_slice(message.as_ref()));
    let path = PathAndQuery::try_from(path).unwrap();
    match grpc.unary(request, path, RawCodec).await {
        Ok(_) => tonic::Status::ok(""),
        Err(status) => status,
    }
}
