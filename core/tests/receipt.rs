//! Receipts of entries under the real log key: the proof holds, so it is the entry that must be right.

use ledger_core::batch::{BATCH_TYPE, Batch};
use ledger_core::checkpoint::Checkpoint;
use ledger_core::entry::{Content, Entry, EntrySignature};
use ledger_core::event::{Body, EVENT_TYPE, Event, PaymentRejected};
use ledger_core::genesis::Genesis;
use ledger_core::ids::PaymentId;
use ledger_core::receipt::{Receipt, ReceiptError, VerifiedReceipt};
use ledger_crypto::note::VerifierKey;
use ledger_crypto::{Hash, SigningKey, dsse};
use ledger_merkle::build;

const ORIGIN: &str = "ledger.example/test";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn entry(content: Content) -> Vec<u8> {
    Entry { recorded_at_nanos: 9, outcome: 0, group_len: 1, group_index: 0, content }.encode()
}

fn genesis() -> Vec<u8> {
    Genesis { origin: ORIGIN.to_owned(), ..Genesis::default() }.to_entry(1)
}

fn ledger_id() -> Hash {
    Entry::leaf_hash(&genesis())
}

/// A payload signed by these keys, in the order of their bytes.
fn signed(payload_type: &str, payload: &[u8], keys: &[SigningKey]) -> Vec<EntrySignature> {
    let message = dsse::message(payload_type, payload);
    let sign = |key: &SigningKey| EntrySignature { key: key.public_bytes(), signature: key.sign(&message) };
    let mut signatures: Vec<EntrySignature> = keys.iter().map(sign).collect();
    signatures.sort_by_key(|signature| signature.key);
    signatures
}

fn signers(keys: &[SigningKey]) -> Vec<Vec<u8>> {
    let mut signers: Vec<Vec<u8>> = keys.iter().map(|key| key.public_bytes().to_vec()).collect();
    signers.sort();
    signers
}

fn event(ledger_id: Hash, signers: Vec<Vec<u8>>) -> Vec<u8> {
    let body = Body::PaymentRejected(PaymentRejected { reason: "A_REASON".to_owned() });
    Event { ledger_id: ledger_id.to_vec(), signers, body, ..Event::default() }.encode()
}

fn event_entry(payload: Vec<u8>, signatures: Vec<EntrySignature>) -> Vec<u8> {
    entry(Content::Event { signatures, payload_type: EVENT_TYPE.to_owned(), payload })
}

/// The receipt of `entry` at `index` of a log of five entries.
fn receipt(index: u64, entry: Vec<u8>) -> Receipt {
    let mut entries: Vec<Vec<u8>> = vec![genesis(), vec![1], vec![2], vec![3], vec![4]];
    entries[index as usize].clone_from(&entry);
    let leaves: Vec<Hash> = entries.iter().map(|entry| Entry::leaf_hash(entry)).collect();
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 5, root: build::root(&leaves) };
    let path = build::inclusion_path(&leaves, index as usize).unwrap();
    Receipt { index, entry, path, checkpoint: checkpoint.sign(&key(1)).unwrap() }
}

fn verify(index: u64, entry: Vec<u8>) -> Result<VerifiedReceipt, ReceiptError> {
    let log_key = VerifierKey::new(ORIGIN, &key(1).public()).unwrap();
    let receipt = receipt(index, entry);
    assert_eq!(Receipt::parse(&receipt.to_text()), Ok(receipt.clone()));
    receipt.verify(&log_key, &ledger_id())
}

/// The field that is at fault.
fn refused(index: u64, entry: Vec<u8>) -> &'static str {
    match verify(index, entry).unwrap_err() {
        ReceiptError::Field { field, .. } => field,
        other => panic!("{other}"),
    }
}

#[test]
fn entries_that_are_right_hold() {
    let keys = [key(2), key(3)];
    let payload = event(ledger_id(), signers(&keys));
    let signatures = signed(EVENT_TYPE, &payload, &keys);
    let verified = verify(3, event_entry(payload.clone(), signatures)).unwrap();
    assert_eq!((verified.index, verified.checkpoint.size), (3, 5));
    assert_eq!(verified.event, Event::decode(&payload).ok());

    assert_eq!(verify(0, genesis()).unwrap().entry.kind(), 0);
    assert!(verify(4, entry(Content::Expiry { payment_id: PaymentId([7; 16]) })).unwrap().event.is_none());
    let header =
        Batch { ledger_id: ledger_id().to_vec(), signers: signers(&keys), ..Batch::default() }.encode();
    let signatures = signed(BATCH_TYPE, &header, &keys);
    assert!(verify(2, entry(Content::BatchHeader { signatures, payload: header })).is_ok());
}

#[test]
fn entries_that_are_not_right_are_refused() {
    let (keys, others) = ([key(2), key(3)], [key(2), key(4)]);
    let payload = event(ledger_id(), signers(&keys));
    let good = signed(EVENT_TYPE, &payload, &keys);

    let other_ledger = event([9; 32], signers(&keys));
    let signatures = signed(EVENT_TYPE, &other_ledger, &keys);
    assert_eq!(refused(3, event_entry(other_ledger, signatures)), "ledger_id");
    assert_eq!(refused(3, event_entry(payload.clone(), signed(EVENT_TYPE, &payload, &others))), "signers");
    assert_eq!(refused(3, event_entry(payload.clone(), good[..1].to_vec())), "signers");
    let mut flipped = good.clone();
    flipped[1].signature[5] ^= 1;
    assert_eq!(refused(3, event_entry(payload.clone(), flipped)), "signature");
    let other_message = signed(BATCH_TYPE, &payload, &keys);
    assert_eq!(refused(3, event_entry(payload.clone(), other_message)), "signature");
    let weak = event(ledger_id(), vec![vec![0; 32]]);
    let signatures = vec![EntrySignature { key: [0; 32], signature: [0; 64] }];
    assert_eq!(refused(3, event_entry(weak, signatures)), "key");
    let payload_type = "application/vnd.ledger.event.v2+protobuf".to_owned();
    let content = Content::Event { signatures: good.clone(), payload_type, payload: payload.clone() };
    assert_eq!(refused(3, entry(content)), "type");
    assert!(matches!(verify(3, event_entry(vec![0xFF], good.clone())), Err(ReceiptError::Payload(_))));
    assert!(matches!(verify(3, vec![1, 1]), Err(ReceiptError::Entry(_))));

    let payload_type = EVENT_TYPE.to_owned();
    let member = Content::BatchedEvent { position: 0, payload_type, payload: payload.clone() };
    assert_eq!(refused(3, entry(member)), "kind");
    assert_eq!(refused(0, event_entry(payload, good)), "kind");
    assert_eq!(refused(3, genesis()), "kind");
    let other_genesis = Genesis { origin: "ledger.example/other".to_owned(), ..Genesis::default() };
    assert_eq!(refused(0, other_genesis.to_entry(1)), "ledger_id");
}
