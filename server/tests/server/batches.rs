//! SubmitBatch: one signed header, a result per member, and where a member is read back.

use ledger_core::batch::{BATCH_TYPE, Batch};
use ledger_core::receipt;
use ledger_crypto::dsse;
use ledger_merkle::{build, leaf_hash};
use ledger_proto::v1::{
    AwaitSealedRequest, EntryKind, GetEventRequest, Signature, SubmitBatchRequest, SubmittedEvent,
    await_sealed_request, get_event_request, submit_result,
};
use tonic::Code;

use crate::support::{Books, accepted, recorded};

/// A batch of these events, signed by the operator.
pub fn batch(books: &mut Books, events: Vec<SubmittedEvent>) -> SubmitBatchRequest {
    let leaf = |event: &SubmittedEvent| leaf_hash(&dsse::message(&event.payload_type, &event.payload));
    let leaves: Vec<_> = events.iter().map(leaf).collect();
    let key = books.operator.public_bytes().to_vec();
    let payload = Batch {
        ledger_id: books.ledger_id.to_vec(),
        batch_id: books.event_id(),
        signers: vec![key.clone()],
        count: u32::try_from(events.len()).unwrap(),
        events_root: build::root(&leaves).to_vec(),
    }
    .encode();
    let signature = books.operator.sign(&dsse::message(BATCH_TYPE, &payload)).to_vec();
    let signatures = vec![Signature { key, signature }];
    let header = SubmittedEvent { payload_type: BATCH_TYPE.to_owned(), payload, signatures, sidecar: None };
    let member = |event| SubmittedEvent { signatures: Vec::new(), ..event };
    SubmitBatchRequest { header: Some(header), events: events.into_iter().map(member).collect() }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_member_has_its_result_and_its_place() {
    let mut books = Books::create();
    let mut running = books.serve().await;
    let opening = books.accounts(&["alice"]);
    accepted(&mut running.client, opening).await;
    let events = vec![
        books.transfer("world", "alice", 5),
        books.transfer("alice", "world", 6),
        books.transfer("alice", "world", 5),
    ];
    let request = batch(&mut books, events);
    let answered = running.client.submit_batch(request.clone()).await.unwrap().into_inner();
    let results: Vec<_> = answered.results.into_iter().map(recorded).collect();
    assert_eq!(results.iter().map(|result| result.outcome).collect::<Vec<_>>(), [0, 904, 0]);
    assert!(results.windows(2).all(|pair| pair[0].log_index + 1 == pair[1].log_index));
    let again = running.client.submit_batch(request).await.unwrap().into_inner();
    assert!(again.results.into_iter().map(recorded).all(|result| result.already_exists));

    let last = results[2].log_index;
    let entry = Some(get_event_request::Entry::LogIndex(last));
    let read = running.client.get_event(GetEventRequest { entry }).await.unwrap().into_inner().entry.unwrap();
    assert_eq!(read.kind(), EntryKind::BatchedEvent);
    let place = read.batch.unwrap();
    assert_eq!((place.header_log_index, place.position), (last - 3, 2));

    let entry = Some(await_sealed_request::Entry::LogIndex(last));
    let sealed = running.client.await_sealed(AwaitSealedRequest { entry, timeout_millis: 0 }).await;
    let text = String::from_utf8(sealed.unwrap().into_inner().tlog_proof).unwrap();
    let verified = receipt::verify_text(&text, &books.vkey, &books.ledger_id).unwrap();
    assert_eq!((verified.index, verified.event.is_some()), (last, true));
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_batch_is_turned_away() {
    let mut books = Books::create();
    let mut running = books.serve().await;
    let opening = books.accounts(&["alice"]);
    accepted(&mut running.client, opening).await;
    let events = vec![books.transfer("world", "alice", 1), books.transfer("world", "alice", 2)];
    let good = batch(&mut books, events.clone());
    let headless = SubmitBatchRequest { header: None, ..good.clone() };
    let empty = SubmitBatchRequest { events: Vec::new(), ..good.clone() };
    let signed = SubmitBatchRequest { events, ..good.clone() };
    for (request, field) in [(headless, "header"), (empty, "events"), (signed, "events[0].signatures")] {
        let status = running.client.submit_batch(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains(field), "{}", status.message());
    }
    let mut turned = good.clone();
    turned.events.swap(0, 1);
    let answered = running.client.submit_batch(turned).await.unwrap().into_inner();
    for result in answered.results {
        let Some(submit_result::Answer::Rejected(rejected)) = result.answer else { panic!("recorded") };
        assert_eq!((rejected.code, rejected.name.as_str()), (205, "BATCH_MISMATCH"));
    }
    let answered = running.client.submit_batch(good).await.unwrap().into_inner();
    assert!(answered.results.into_iter().map(recorded).all(|result| result.outcome == 0));
    running.server.stop().await.unwrap();
}
