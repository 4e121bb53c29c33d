//! Dry runs: they answer as the submission would, and leave nothing.

use ledger_core::event::Event;
use ledger_core::number::AccountKind;
use ledger_proto::v1::*;
use tonic::Code;

use crate::batches::batch;
use crate::support::{Books, Running, accepted, recorded, transfer};

/// No seal takes a place while places are compared.
const UNSEALED: &[(&str, &str)] = &[("block.max_age", "1h")];

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_answers_as_submit_would_and_records_nothing() {
    let mut books = Books::create();
    let Running { server, mut client } = books.serve_with(UNSEALED).await;
    let opening = books.accounts(&["alice"]);
    accepted(&mut client, opening).await;
    // The account of the second one is opened by the first; the fourth finds what the third left; the fifth is the
    // fourth with another body.
    let carol = books.account("carol", AccountKind::Customer);
    let funded = books.transfer("world", "carol", 100);
    let spent = books.transfer("carol", "alice", 80);
    let id = books.event_id();
    let too_much = books.unsigned(id, transfer("carol", "alice", 30));
    let conflict = books.signed(&Event { body: transfer("carol", "alice", 31), ..too_much.clone() });
    let too_much = books.signed(&too_much);
    let known = spent.clone();
    let mut forged = books.transfer("world", "alice", 1);
    forged.signatures[0].signature[0] ^= 1;
    let events = vec![carol, funded, spent, too_much, conflict, known, forged];

    let status = client.get_status(GetStatusRequest {}).await.unwrap().into_inner();
    let request = DryRunRequest { events: events.clone(), ..Default::default() };
    let tried = client.dry_run(request.clone()).await.unwrap().into_inner();
    let again = client.dry_run(request).await.unwrap().into_inner();
    let after = client.get_status(GetStatusRequest {}).await.unwrap().into_inner();
    assert_eq!(after.next_log_index, status.next_log_index, "nothing was recorded");
    let submitted = client.submit(SubmitRequest { events }).await.unwrap().into_inner();
    for ((tried, again), submitted) in tried.results.iter().zip(&again.results).zip(&submitted.results) {
        assert_eq!(outcome(tried), outcome(submitted));
        assert_eq!(outcome(again), outcome(submitted));
    }
    let names: Vec<_> = submitted.results.iter().map(|result| outcome(result).0).collect();
    assert_eq!(
        names,
        [
            "ACCEPTED",
            "ACCEPTED",
            "ACCEPTED",
            "INSUFFICIENT_FUNDS",
            "EVENT_ID_CONFLICT",
            "ACCEPTED",
            "SIGNATURE_INVALID"
        ]
    );
    // The conflict names the field although its original was decided in the same request.
    let Some(submit_result::Answer::Rejected(conflict)) = &submitted.results[4].answer else { panic!() };
    assert_eq!(conflict.detail.as_ref().unwrap().field, "body");

    let members = books.group(vec![transfer("world", "alice", 5), transfer("carol", "alice", 1_000)]);
    let tried = client
        .dry_run(DryRunRequest { events: members.clone(), atomic: true, batch_header: None })
        .await
        .unwrap()
        .into_inner();
    let submitted = client.submit_atomic(SubmitAtomicRequest { events: members }).await.unwrap().into_inner();
    for (tried, submitted) in tried.results.iter().zip(&submitted.results) {
        assert_eq!(outcome(tried), outcome(submitted));
        assert_eq!(recorded(tried.clone()).outcome, recorded(submitted.clone()).outcome);
    }
    let empty = client.dry_run(DryRunRequest::default()).await.unwrap_err();
    assert_eq!(empty.code(), Code::InvalidArgument);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_of_a_batch_answers_as_the_batch_would() {
    let mut books = Books::create();
    let Running { server, mut client } = books.serve_with(UNSEALED).await;
    let opening = books.accounts(&["alice"]);
    accepted(&mut client, opening).await;
    let events = vec![
        books.account("carol", AccountKind::Customer),
        books.transfer("world", "carol", 5),
        books.transfer("carol", "world", 6),
        books.transfer("carol", "world", 5),
    ];
    let good = batch(&mut books, events);
    let mut turned = good.clone();
    turned.events.swap(1, 2);
    let status = client.get_status(GetStatusRequest {}).await.unwrap().into_inner();
    for (request, codes) in [(&turned, [205; 4]), (&good, [0, 0, 904, 0]), (&good, [0, 0, 904, 0])] {
        let SubmitBatchRequest { header, events } = request.clone();
        let request = DryRunRequest { events, atomic: false, batch_header: header };
        let tried = client.dry_run(request).await.unwrap().into_inner();
        assert_eq!(tried.results.iter().map(code).collect::<Vec<_>>(), codes);
        assert_eq!(tried.read_at, status.next_log_index);
    }
    let SubmitBatchRequest { header, events } = good.clone();
    let tried = DryRunRequest { events, atomic: false, batch_header: header };
    let tried = client.dry_run(tried.clone()).await.unwrap().into_inner();
    let submitted = client.submit_batch(good.clone()).await.unwrap().into_inner();
    for (tried, submitted) in tried.results.into_iter().zip(submitted.results) {
        assert_eq!(outcome(&tried), outcome(&submitted));
        // The places that it foretold, for nothing came in between.
        let (tried, submitted) = (recorded(tried), recorded(submitted));
        assert_eq!(tried.log_index, submitted.log_index);
        assert!(!tried.already_exists && !submitted.already_exists);
    }
    let SubmitBatchRequest { header, events } = good;
    let both = DryRunRequest { events: events.clone(), atomic: true, batch_header: header.clone() };
    assert_eq!(client.dry_run(both).await.unwrap_err().code(), Code::InvalidArgument);
    let known = DryRunRequest { events, atomic: false, batch_header: header };
    let known = client.dry_run(known).await.unwrap().into_inner();
    assert!(known.results.into_iter().map(recorded).all(|result| result.already_exists));
    server.stop().await.unwrap();
}

/// 0 accepted, else the code of a refusal or rejection.
fn code(result: &SubmitResult) -> u32 {
    match result.answer.as_ref().unwrap() {
        submit_result::Answer::Recorded(recorded) => recorded.outcome,
        submit_result::Answer::Rejected(rejected) => rejected.code,
    }
}

/// What an answer says beside places and times.
fn outcome(result: &SubmitResult) -> (String, bool, Option<Detail>) {
    match result.answer.clone().unwrap() {
        submit_result::Answer::Recorded(recorded) => {
            (recorded.outcome_name, recorded.already_exists, recorded.detail)
        }
        submit_result::Answer::Rejected(rejected) => {
            // The place of the original differs when something else was recorded in between.
            let detail = rejected.detail.map(|detail| Detail { limit: String::new(), ..detail });
            (rejected.name, false, detail)
        }
    }
}
