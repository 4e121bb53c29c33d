//! Whose key may do what, on a real server; and what is turned away leaves no row in any family.

use std::collections::BTreeMap;
use std::path::Path;

use ledger_core::event::{Body, Event, KeyRegistered, KeyRevoked};
use ledger_crypto::SigningKey;
use ledger_proto::v1::{Signature, SubmitRequest, SubmittedEvent, submit_result};

use crate::support::{Books, Client, Running, accepted, signed_by, transfer};

const OWNER: u32 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_service_cannot_post_from_the_account_of_another() {
    let (mut books, mut running, shop, rival) = two_services().await;
    let own = by(&mut books, &shop, transfer("shop:one", "rival:one", 5));
    accepted(&mut running.client, vec![own]).await;

    let before = rows(&books.dir());
    let theirs = by(&mut books, &shop, transfer("rival:one", "shop:one", 5));
    let both = {
        // A signature of the rival beside does not lend its prefix to the shop's role, nor the other way round.
        let mut stranger = by(&mut books, &rival, transfer("shop:one", "rival:one", 5));
        stranger.signatures = by(&mut books, &shop, transfer("shop:one", "rival:one", 5)).signatures;
        stranger
    };
    let names = rejections(&mut running.client, vec![theirs, both]).await;
    assert_eq!(names, ["SIGNER_NOT_ACCOUNT_OWNER", "SIGNERS_MISMATCH"]);
    assert_eq!(rows(&books.dir()), before);
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_signs_no_more_and_what_it_signed_still_verifies() {
    let (mut books, mut running, shop, _) = two_services().await;
    let earlier = by(&mut books, &shop, transfer("shop:one", "rival:one", 5));
    let recorded = accepted(&mut running.client, vec![earlier.clone()]).await.remove(0);
    let prepared = by(&mut books, &shop, transfer("shop:one", "rival:one", 6));
    let revoked = KeyRevoked { key: shop.public_bytes().to_vec(), reason: "LOST".to_owned() };
    let revoked = books.event(Body::KeyRevoked(revoked));
    let last = accepted(&mut running.client, vec![revoked]).await.remove(0).log_index;

    let before = rows(&books.dir());
    let after = by(&mut books, &shop, transfer("shop:one", "rival:one", 7));
    let names = rejections(&mut running.client, vec![prepared, after]).await;
    assert_eq!(names, ["SIGNER_KEY_REVOKED", "SIGNER_KEY_REVOKED"]);
    assert_eq!(rows(&books.dir()), before);
    // A late retry of the earlier one still gets its original answer.
    let again = accepted(&mut running.client, vec![earlier]).await.remove(0);
    assert_eq!((again.log_index, again.already_exists), (recorded.log_index, true));

    let receipt = sealed_receipt(&mut running.client, recorded.log_index.max(last)).await;
    let receipt = ledger_core::receipt::Receipt::parse(&receipt).unwrap();
    receipt.verify(&books.vkey, &books.ledger_id).unwrap();
    let of_earlier = sealed_receipt(&mut running.client, recorded.log_index).await;
    let of_earlier = ledger_core::receipt::Receipt::parse(&of_earlier).unwrap();
    of_earlier.verify(&books.vkey, &books.ledger_id).unwrap();
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_turned_away_leaves_no_row_in_any_family() {
    let (mut books, mut running, shop, _) = two_services().await;
    let before = rows(&books.dir());
    let good = by(&mut books, &shop, transfer("shop:one", "rival:one", 5));

    let mut zeros = good.clone();
    zeros.signatures[0].signature = vec![0; 64];
    // The identity of the curve: small order, so anybody can sign for it.
    let mut weak = good.clone();
    let identity: Vec<u8> = std::iter::once(1).chain([0; 31]).collect();
    let event = Event { signers: vec![identity.clone()], ..Event::decode(&good.payload).unwrap() };
    weak.payload = event.encode();
    weak.signatures =
        vec![Signature { key: identity.clone(), signature: [&identity[..], &[0; 32]].concat() }];
    let elsewhere = Event { ledger_id: vec![9; 32], ..Event::decode(&good.payload).unwrap() };
    let elsewhere = signed_by(&elsewhere, &[&shop]);
    let registered_weak = {
        let body =
            KeyRegistered { key: identity, party: "weak".to_owned(), roles: OWNER, prefix: String::new() };
        let id = books.event_id();
        signed_by(&books.unsigned(id, Body::KeyRegistered(body)), &[&books.operator])
    };
    let names = rejections(&mut running.client, vec![zeros, weak, elsewhere, registered_weak]).await;
    assert_eq!(names, ["SIGNATURE_INVALID", "SIGNATURE_INVALID", "LEDGER_ID_MISMATCH", "SIGNERS_MISMATCH"]);
    assert_eq!(rows(&books.dir()), before);

    for (clause, payload, code) in golden_refused() {
        let mut refused = good.clone();
        refused.payload = payload;
        let answer =
            running.client.submit(SubmitRequest { events: vec![refused] }).await.unwrap().into_inner();
        match &answer.results[0].answer {
            Some(submit_result::Answer::Rejected(rejected)) => assert_eq!(rejected.code, code, "{clause}"),
            other => panic!("{clause}: {other:?}"),
        }
    }
    assert_eq!(rows(&books.dir()), before);
    running.server.stop().await.unwrap();
}

/// A server with an operator and two services, each the owner of the accounts under its own prefix.
async fn two_services() -> (Books, Running, SigningKey, SigningKey) {
    let mut books = Books::create();
    // No seal while rows are counted, and a first one soon enough for receipts.
    let mut running = books.serve_with(&[("block.max_age", "400ms")]).await;
    let (shop, rival) = (SigningKey::from_seed([11; 32]), SigningKey::from_seed([12; 32]));
    let mut events = books.accounts(&["shop:one", "rival:one"]);
    for (key, name) in [(&shop, "shop"), (&rival, "rival")] {
        let (party, prefix) = (name.to_owned(), format!("{name}:"));
        let body = KeyRegistered { key: key.public_bytes().to_vec(), party, roles: OWNER, prefix };
        let id = books.event_id();
        events.push(signed_by(&books.unsigned(id, Body::KeyRegistered(body)), &[&books.operator, key]));
        events.push(books.transfer("world", &format!("{name}:one"), 1_000));
    }
    let last = accepted(&mut running.client, events).await.pop().unwrap().log_index;
    sealed_receipt(&mut running.client, last).await;
    (books, running, shop, rival)
}

fn by(books: &mut Books, key: &SigningKey, body: Body) -> SubmittedEvent {
    let id = books.event_id();
    signed_by(&books.unsigned(id, body), &[key])
}

async fn rejections(client: &mut Client, events: Vec<SubmittedEvent>) -> Vec<String> {
    let answered = client.submit(SubmitRequest { events }).await.unwrap().into_inner();
    let name = |result: ledger_proto::v1::SubmitResult| match result.answer {
        Some(submit_result::Answer::Rejected(rejected)) => rejected.name,
        other => panic!("not rejected: {other:?}"),
    };
    answered.results.into_iter().map(name).collect()
}

async fn sealed_receipt(client: &mut Client, log_index: u64) -> String {
    let entry = Some(ledger_proto::v1::await_sealed_request::Entry::LogIndex(log_index));
    let request = ledger_proto::v1::AwaitSealedRequest { entry, ..Default::default() };
    let answered = client.await_sealed(request).await.unwrap().into_inner();
    String::from_utf8(answered.tlog_proof.to_vec()).unwrap()
}

/// Number of rows of every column family, and the last row of the log: what the store holds now, its WAL included,
/// read beside the server.
fn rows(dir: &Path) -> BTreeMap<String, (usize, Option<Vec<u8>>)> {
    let options = rocksdb::Options::default();
    let db = dir.join("db");
    let families = rocksdb::DB::list_cf(&options, &db).unwrap();
    let db = rocksdb::DB::open_cf_for_read_only(&options, &db, &families, false).unwrap();
    let of_family = |name: &String| {
        let family = db.cf_handle(name).unwrap();
        let all: Vec<_> = db.iterator_cf(family, rocksdb::IteratorMode::Start).map(Result::unwrap).collect();
        (name.clone(), (all.len(), all.last().map(|(key, value)| [&key[..], value].concat())))
    };
    families.iter().map(of_family).collect()
}

/// Clause, payload and code of the refused variants of the golden events.
fn golden_refused() -> Vec<(String, Vec<u8>, u32)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/golden/events.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert!(std::env::var_os("CI").is_none(), "the golden events are missing");
        eprintln!("skipped: the golden events are missing");
        return Vec::new();
    };
    let golden: serde_json::Value = serde_json::from_str(&text).unwrap();
    let refused = golden["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 29, "every refused variant is tried");
    let variant = |row: &serde_json::Value| {
        let clause = row["clause"].as_str().unwrap().to_owned();
        (
            clause,
            hex::decode(row["payload"].as_str().unwrap()).unwrap(),
            row["number"].as_u64().unwrap() as u32,
        )
    };
    refused.iter().map(variant).collect()
}
