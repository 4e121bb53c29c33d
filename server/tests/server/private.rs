//! Private data over the service; and that an erasure leaves nothing of it in any file of the data directory.

use std::path::{Path, PathBuf};

use ledger_core::event::{Body, Event, MetadataErased};
use ledger_core::receipt::Receipt;
use ledger_core::sidecar::Sidecar as Private;
use ledger_proto::v1::get_metadata_response::Kept;
use ledger_proto::v1::{
    AwaitSealedRequest, EraseMetadataRequest, GetMetadataRequest, Sidecar, SubmitAtomicRequest,
    SubmitRequest, SubmitStreamRequest, SubmittedEvent, await_sealed_request, submit_result,
};
use tokio_stream::StreamExt;
use tonic::Code;

use crate::batches::batch;
use crate::process::Process;
use crate::support::{Books, Client, accepted, connect, is_accepted, transfer};

const READ: &[(&str, &str)] =
    &[("private.read", "true"), ("block.max_age", "20ms"), ("checkpoint.interval", "20ms")];

/// No files.
const NONE: [PathBuf; 0] = [];

/// An event that commits to `metadata`, with it beside.
fn private(books: &mut Books, salt: u8, metadata: &[u8]) -> SubmittedEvent {
    let sidecar = sidecar(salt, metadata);
    let commitment = Private { salt: sidecar.salt.clone(), metadata: sidecar.metadata.clone() }.commitment();
    let id = books.event_id();
    let event = Event {
        metadata_commitment: commitment.to_vec(),
        ..books.unsigned(id, transfer("world", "alice", 1))
    };
    SubmittedEvent { sidecar: Some(sidecar), ..books.signed(&event) }
}

/// A salt that stands nowhere else, and metadata.
fn sidecar(salt: u8, metadata: &[u8]) -> Sidecar {
    Sidecar {
        salt: format!("{salt:03}-salt-0123456789abcdef-{salt:03}-end").into_bytes()[..32].to_vec(),
        metadata: metadata.to_vec(),
    }
}

fn id_of(event: &SubmittedEvent) -> Vec<u8> {
    Event::decode(&event.payload).unwrap().event_id
}

fn erasing(books: &mut Books, target: &SubmittedEvent) -> SubmittedEvent {
    books
        .event(Body::MetadataErased(MetadataErased { event_id: id_of(target), reason: "REQUEST".to_owned() }))
}

async fn kept(client: &mut Client, event: &SubmittedEvent) -> Kept {
    let request = GetMetadataRequest { event_id: id_of(event) };
    client.get_metadata(request).await.unwrap().into_inner().kept.unwrap()
}

/// Files under `dir` that hold one of these byte strings.
fn files_with(dir: &Path, wanted: &[Vec<u8>]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(dir).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, wanted));
            continue;
        }
        // Some go away meanwhile.
        let bytes = std::fs::read(&path).unwrap_or_default();
        if wanted.iter().any(|wanted| bytes.windows(wanted.len()).any(|part| part == wanted)) {
            found.push(path);
        }
    }
    found
}

/// Salt and metadata of an event, as bytes to search for.
fn secrets(event: &SubmittedEvent) -> Vec<Vec<u8>> {
    let sidecar = event.sidecar.clone().unwrap();
    vec![sidecar.salt, sidecar.metadata]
}

#[tokio::test(flavor = "multi_thread")]
async fn private_data_travels_with_every_kind_of_submission() {
    let mut books = Books::create();
    let mut running = books.serve_with(READ).await;
    let opening = books.accounts(&["alice"]);
    accepted(&mut running.client, opening).await;

    let single = private(&mut books, 1, b"by Submit");
    accepted(&mut running.client, vec![single.clone()]).await;
    let streamed = private(&mut books, 2, b"by SubmitStream");
    let message = SubmitStreamRequest { number: 1, events: vec![streamed.clone()] };
    let mut answers = running.client.submit_stream(tokio_stream::once(message)).await.unwrap().into_inner();
    answers.next().await.unwrap().unwrap().results.into_iter().for_each(|one| {
        is_accepted(one);
    });
    let (mut grouped, sidecar) = (
        books.group(vec![transfer("world", "alice", 1), transfer("world", "alice", 2)]),
        sidecar(3, b"by SubmitAtomic"),
    );
    let member = Event::decode(&grouped[1].payload).unwrap();
    let commitment =
        Private { salt: sidecar.salt.clone(), metadata: sidecar.metadata.clone() }.commitment().to_vec();
    grouped[1] = books.signed(&Event { metadata_commitment: commitment, ..member });
    grouped[1].sidecar = Some(sidecar);
    let answered =
        running.client.submit_atomic(SubmitAtomicRequest { events: grouped.clone() }).await.unwrap();
    answered.into_inner().results.into_iter().for_each(|one| {
        is_accepted(one);
    });

    let members = vec![private(&mut books, 4, b"by SubmitBatch"), books.transfer("world", "alice", 3)];
    let batch = batch(&mut books, members);
    let batched = batch.events[0].clone();
    let answered = running.client.submit_batch(batch.clone()).await.unwrap().into_inner();
    answered.results.into_iter().for_each(|one| {
        is_accepted(one);
    });
    let mut other = batch;
    other.events[0].sidecar.as_mut().unwrap().metadata.push(b'!');
    let again = running.client.submit_batch(other).await.unwrap().into_inner();
    assert!(again.results.into_iter().map(is_accepted).all(|recorded| recorded.already_exists));

    for event in [&single, &streamed, &grouped[1], &batched] {
        assert_eq!(kept(&mut running.client, event).await, Kept::Here(event.sidecar.clone().unwrap()));
    }
    assert!(matches!(kept(&mut running.client, &grouped[0]).await, Kept::Never(_)));
    let unknown = GetMetadataRequest { event_id: vec![7; 16] };
    assert_eq!(running.client.get_metadata(unknown).await.unwrap_err().code(), Code::NotFound);
    let malformed = GetMetadataRequest { event_id: vec![7; 15] };
    assert_eq!(running.client.get_metadata(malformed).await.unwrap_err().code(), Code::InvalidArgument);
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_s_data_is_turned_away_and_nobody_reads_unless_it_is_configured() {
    let mut books = Books::create();
    let mut running = books.serve().await;
    let opening = books.accounts(&["alice"]);
    accepted(&mut running.client, opening).await;
    let mut swapped = private(&mut books, 1, b"one");
    swapped.sidecar = Some(sidecar(1, b"two"));
    let mut large = private(&mut books, 1, b"one");
    large.sidecar = Some(sidecar(1, &[b'x'; 8_193]));
    let mut codes = Vec::new();
    let answered =
        running.client.submit(SubmitRequest { events: vec![swapped, large] }).await.unwrap().into_inner();
    for result in answered.results {
        match result.answer {
            Some(submit_result::Answer::Rejected(rejected)) => codes.push(rejected.name),
            other => panic!("not rejected: {other:?}"),
        }
    }
    assert_eq!(codes, ["METADATA_COMMITMENT_MISMATCH", "METADATA_TOO_LARGE"]);

    let kept = private(&mut books, 2, b"one");
    accepted(&mut running.client, vec![kept.clone()]).await;
    let status =
        running.client.get_metadata(GetMetadataRequest { event_id: id_of(&kept) }).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    assert!(status.message().contains("private.read"), "{}", status.message());
    let other = books.event(transfer("world", "alice", 1));
    let status =
        running.client.erase_metadata(EraseMetadataRequest { event: Some(other) }).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    running.server.stop().await.unwrap();
}

/// The erased data is in no file of the data directory: not after the erasure, not after the event was sent again, not
/// after a restart. Signature and proof hold before and after.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_is_in_no_file() {
    let mut books = Books::create();
    let process = Process::start_with(&books, READ);
    let mut client = connect(&process.grpc).await;
    let opening = books.accounts(&["alice"]);
    accepted(&mut client, opening).await;
    let erased = private(&mut books, 1, b"name: Alice Example");
    let stays = private(&mut books, 2, b"name: Bob Example");
    let index = accepted(&mut client, vec![erased.clone()]).await[0].log_index;
    // What follows lies in other logs and tables.
    for _ in 0..3 {
        let more = (0..200).map(|_| books.transfer("world", "alice", 1)).collect();
        accepted(&mut client, more).await;
    }
    accepted(&mut client, vec![stays.clone()]).await;
    proved(&books, &mut client, index).await;
    let dir = books.dir();
    for secret in secrets(&erased) {
        assert!(!files_with(&dir, &[secret]).is_empty(), "the search finds what is there");
    }

    let order = erasing(&mut books, &erased);
    for _ in 0..2 {
        let answered = client
            .erase_metadata(EraseMetadataRequest { event: Some(order.clone()) })
            .await
            .unwrap()
            .into_inner();
        let by = is_accepted(answered.result.unwrap()).log_index;
        assert!(answered.erased);
        assert_eq!(files_with(&dir, &secrets(&erased)), NONE);
        assert_eq!(kept(&mut client, &erased).await, Kept::ErasedBy(by));
    }
    assert!(accepted(&mut client, vec![erased.clone()]).await[0].already_exists);
    proved(&books, &mut client, index).await;
    assert_eq!(files_with(&dir, &secrets(&erased)), NONE, "after it was sent again");
    assert_eq!(kept(&mut client, &stays).await, Kept::Here(stays.sidecar.clone().unwrap()));

    process.signal("-TERM");
    assert!(process.ended().success());
    let process = Process::start_with(&books, READ);
    let mut client = connect(&process.grpc).await;
    assert!(accepted(&mut client, vec![erased.clone()]).await[0].already_exists);
    proved(&books, &mut client, index).await;
    assert_eq!(files_with(&dir, &secrets(&erased)), NONE, "after a restart");
    assert_eq!(kept(&mut client, &stays).await, Kept::Here(stays.sidecar.clone().unwrap()));
    process.signal("-TERM");
    assert!(process.ended().success());
}

/// An order that is durable is carried out, whatever happens to the server that took it.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_erases_before_it_serves_again() {
    let mut books = Books::create();
    let process = Process::start_with(&books, READ);
    let mut client = connect(&process.grpc).await;
    let opening = books.accounts(&["alice"]);
    accepted(&mut client, opening).await;
    let events: Vec<_> =
        (10..30).map(|salt| private(&mut books, salt, format!("name: person {salt}").as_bytes())).collect();
    accepted(&mut client, events.clone()).await;
    let orders: Vec<_> = events.iter().map(|event| erasing(&mut books, event)).collect();
    // Submit answers when the orders are durable; the files are another matter.
    accepted(&mut client, orders).await;
    process.signal("-KILL");
    process.ended();

    let process = Process::start_with(&books, READ);
    let all: Vec<_> = events.iter().flat_map(secrets).collect();
    assert_eq!(files_with(&books.dir(), &all), NONE);
    let mut client = connect(&process.grpc).await;
    for event in &events {
        assert!(matches!(kept(&mut client, event).await, Kept::ErasedBy(_)));
    }
    process.signal("-TERM");
    assert!(process.ended().success());
}

/// Its receipt verifies with the log's key.
async fn proved(books: &Books, client: &mut Client, log_index: u64) {
    let entry = Some(await_sealed_request::Entry::LogIndex(log_index));
    let request = AwaitSealedRequest { entry, ..Default::default() };
    let proof = client.await_sealed(request).await.unwrap().into_inner().tlog_proof;
    let receipt = Receipt::parse(&String::from_utf8(proof).unwrap()).unwrap();
    receipt.verify(&books.vkey, &books.ledger_id).unwrap();
}
