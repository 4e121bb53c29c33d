//! Submit, SubmitStream, SubmitAtomic: what is recorded, in which order, and what leaves no trace.

use std::collections::HashSet;

use ledger_core::event::Body;
use ledger_proto::v1::{
    AwaitSealedRequest, GetEventRequest, GetStatusRequest, SubmitAtomicRequest, SubmitRequest,
    SubmitStreamRequest, SubmittedEvent, await_sealed_request, get_event_request, submit_result,
};
use tokio_stream::StreamExt;

use crate::support::{Books, Client, accepted, connect, is_accepted, recorded, transfer};

#[tokio::test(flavor = "multi_thread")]
async fn events_are_recorded_in_the_order_given_and_once() {
    let mut books = Books::create();
    let mut running = books.serve().await;
    let mut events = books.accounts(&["alice", "bob"]);
    events.push(books.transfer("world", "alice", 500));
    events.push(books.transfer("alice", "bob", 200));
    let first = accepted(&mut running.client, events.clone()).await;
    assert!(first.windows(2).all(|pair| pair[0].log_index + 1 == pair[1].log_index));
    assert!(first.iter().all(|one| !one.already_exists && one.outcome_name == "ACCEPTED"));

    let again = accepted(&mut running.client, events).await;
    for (before, now) in first.iter().zip(&again) {
        assert!(now.already_exists);
        assert_eq!((before.log_index, before.recorded_at_nanos), (now.log_index, now.recorded_at_nanos));
    }
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_recorded_with_its_reason() {
    let mut books = Books::create();
    let mut running = books.serve().await;
    let opening = books.accounts(&["alice"]);
    accepted(&mut running.client, opening).await;
    let overdraft = books.transfer("alice", "world", 1);
    let answered =
        running.client.submit(SubmitRequest { events: vec![overdraft] }).await.unwrap().into_inner();
    let refused = recorded(answered.results.into_iter().next().unwrap());
    assert_eq!((refused.outcome, refused.outcome_name.as_str()), (904, "INSUFFICIENT_FUNDS"));
    assert!(refused.detail.is_some());
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_admission_turns_away_leaves_no_trace() {
    let mut books = Books::create();
    let mut running = books.serve().await;
    let opening = books.accounts(&["alice"]);
    let opened = accepted(&mut running.client, opening).await;
    let last = opened.last().unwrap().log_index;
    let before = settled(&mut running.client, last).await;

    let mut forged = books.transfer("world", "alice", 1);
    forged.signatures[0].signature = vec![0; 64];
    let mut cut = books.transfer("world", "alice", 1);
    cut.payload.pop();
    let mut unsigned = books.transfer("world", "alice", 1);
    unsigned.signatures.clear();
    let zero = books.transfer("world", "alice", 0);
    let request = SubmitRequest { events: vec![forged, cut, unsigned, zero] };
    let answered = running.client.submit(request).await.unwrap().into_inner();
    let codes: Vec<_> = answered
        .results
        .into_iter()
        .map(|result| match result.answer {
            Some(submit_result::Answer::Rejected(rejected)) => rejected.name,
            other => panic!("not rejected: {other:?}"),
        })
        .collect();
    assert_eq!(codes, ["SIGNATURE_INVALID", "ENCODING_NOT_CANONICAL", "SIGNERS_MISMATCH", "AMOUNT_ZERO"]);
    assert_eq!(settled(&mut running.client, last).await, before);
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_accepted_or_refused_as_one() {
    let mut books = Books::create();
    let mut running = books.serve().await;
    let opening = books.accounts(&["alice", "bob"]);
    accepted(&mut running.client, opening).await;

    let good = vec![transfer("world", "alice", 5), transfer("alice", "bob", 5)];
    let outcomes = submit_group(&mut books, &mut running.client, good).await;
    assert_eq!(outcomes, [0, 0]);
    let bad = vec![transfer("world", "alice", 5), transfer("alice", "bob", 6)];
    let outcomes = submit_group(&mut books, &mut running.client, bad).await;
    assert_eq!(outcomes, [1001, 904]);
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_answered_in_order_while_it_goes_on() {
    let mut books = Books::create();
    let mut running = books.serve_with(&[("server.stream_messages", "2")]).await;
    let opening = books.accounts(&["alice"]);
    accepted(&mut running.client, opening).await;
    let messages: Vec<_> = (1..=40)
        .map(|number| {
            let events = (0..25).map(|_| books.transfer("world", "alice", 1)).collect();
            SubmitStreamRequest { number, events }
        })
        .collect();
    let answers = running.client.submit_stream(tokio_stream::iter(messages)).await.unwrap().into_inner();
    let answers: Vec<_> = answers.map(Result::unwrap).collect().await;
    assert!(answers.iter().map(|answer| answer.number).eq(1..=40));
    let indices: Vec<_> =
        answers.into_iter().flat_map(|answer| answer.results).map(|one| is_accepted(one).log_index).collect();
    assert_eq!(indices.len(), 1_000);
    assert!(indices.is_sorted() && indices.iter().collect::<HashSet<_>>().len() == 1_000);
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_connection_reads_what_the_first_was_answered() {
    let mut books = Books::create();
    let mut running = books.serve_with(&[("block.max_age", "1s"), ("checkpoint.interval", "1s")]).await;
    let reader = connect(&running.server.grpc().to_string()).await;
    let opening = books.accounts(&["alice"]);
    accepted(&mut running.client, opening).await;
    let events: Vec<_> = (0..10_000).map(|_| books.transfer("world", "alice", 1)).collect();
    let submitters = events.chunks(1_250).map(|events| {
        let (mut writer, mut reader, events) = (running.client.clone(), reader.clone(), events.to_vec());
        tokio::spawn(async move {
            for event in events {
                read_back(&mut writer, &mut reader, event).await;
            }
        })
    });
    for submitter in submitters.collect::<Vec<_>>() {
        submitter.await.unwrap();
    }
    running.server.stop().await.unwrap();
}

async fn read_back(writer: &mut Client, reader: &mut Client, event: SubmittedEvent) {
    let payload = event.payload.clone();
    let answered = writer.submit(SubmitRequest { events: vec![event] }).await.unwrap();
    let result = answered.into_inner().results.remove(0);
    let entry = Some(get_event_request::Entry::EventId(result.event_id.clone()));
    let index = is_accepted(result).log_index;
    let read = reader.get_event(GetEventRequest { entry }).await.unwrap().into_inner().entry.unwrap();
    assert_eq!((read.log_index, read.payload), (index, payload));
}

async fn submit_group(books: &mut Books, client: &mut Client, bodies: Vec<Body>) -> Vec<u32> {
    let events = books.group(bodies);
    let answered = client.submit_atomic(SubmitAtomicRequest { events }).await.unwrap().into_inner();
    answered.results.into_iter().map(|result| recorded(result).outcome).collect()
}

/// Next log index once everything before it is sealed: from then on only a new entry moves it.
async fn settled(client: &mut Client, last: u64) -> u64 {
    let entry = Some(await_sealed_request::Entry::LogIndex(last));
    client.await_sealed(AwaitSealedRequest { entry, timeout_millis: 0 }).await.unwrap();
    client.get_status(GetStatusRequest {}).await.unwrap().into_inner().next_log_index
}
