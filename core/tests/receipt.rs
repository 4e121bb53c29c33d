//! Receipts of entries under the real log key: the proof holds, so it is the entry that must be right.

use ledger_core::batch::{BATCH_TYPE, Batch};
use ledger_core::checkpoint::Checkpoint;
use ledger_core::entry::{Content, Entry, EntrySignature};
use ledger_core::event::{Body, EVENT_TYPE, Event, PaymentRejected};
use ledger_core::genesis::Genesis;
use ledger_core::ids::{BlockHeight, LogIndex, PaymentId};
use ledger_core::receipt::{MemberReceipt, Receipt, ReceiptError, TlogProof, VerifiedReceipt};
use ledger_core::seal::Seal;
use ledger_crypto::note::VerifierKey;
use ledger_crypto::{Hash, SigningKey, dsse};
use ledger_merkle::build;

const ORIGIN: &str = "ledger.example/test";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn entry(content: Content) -> Vec<u8> {
    entry_in_group(1, 0, content)
}

fn entry_in_group(group_len: u16, group_index: u16, content: Content) -> Vec<u8> {
    Entry { recorded_at_nanos: 9, outcome: 0, group_len, group_index, content }.encode()
}

fn expiry() -> Vec<u8> {
    entry(Content::Expiry { payment_id: PaymentId([7; 16]) })
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

/// A seal of `entry_count` entries from `first_index` on.
fn seal(height: u64, first_index: u64, entry_count: u32) -> Vec<u8> {
    let previous_seal = if height == 0 { ledger_id() } else { [1; 32] };
    entry(Content::Seal(Box::new(Seal {
        height: BlockHeight(height),
        first_index: LogIndex(first_index),
        entry_count,
        previous_seal,
        block_root: [2; 32],
        log_root: [3; 32],
        account_count: 0,
        accounts_root: [4; 32],
        payment_count: 0,
        payments_root: [5; 32],
        key_count: 1,
        keys_root: [6; 32],
        totals_hash: [7; 32],
        params_hash: [8; 32],
    })))
}

/// The proof of `leaf` at `index` of a log of `size` entries.
fn proof(index: u64, size: u64, leaf: &[u8], extra: Vec<u8>) -> TlogProof {
    let mut leaves: Vec<Hash> = (0..size).map(|at| Entry::leaf_hash(&[at as u8])).collect();
    leaves[index as usize] = Entry::leaf_hash(leaf);
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root: build::root(&leaves) };
    let path = build::inclusion_path(&leaves, index as usize).unwrap();
    TlogProof { extra, index, path, checkpoint: checkpoint.sign(&key(1)).unwrap() }
}

fn log_key() -> VerifierKey {
    VerifierKey::new(ORIGIN, &key(1).public()).unwrap()
}

/// Of the entry at `index` of a log of five.
fn verify(index: u64, entry: Vec<u8>) -> Result<VerifiedReceipt, ReceiptError> {
    verify_in(index, 5, entry)
}

fn verify_in(index: u64, size: u64, entry: Vec<u8>) -> Result<VerifiedReceipt, ReceiptError> {
    let text = proof(index, size, &entry, entry.clone()).to_text();
    let receipt = Receipt::parse(&text).unwrap();
    assert_eq!(receipt.to_text(), text);
    let log_key = log_key();
    receipt.verify(&log_key, &ledger_id())
}

/// The field that is at fault.
fn refused(index: u64, entry: Vec<u8>) -> &'static str {
    field_of(verify(index, entry))
}

fn field_of(verified: Result<VerifiedReceipt, ReceiptError>) -> &'static str {
    match verified.unwrap_err() {
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
    assert!(verify(3, expiry()).unwrap().event.is_none());
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

#[test]
fn an_entry_stands_where_such_an_entry_may_stand() {
    let signed_event = |group: &[u8], len, at| {
        let event = Event {
            group: group.to_vec(),
            ..Event::decode(&event(ledger_id(), signers(&[key(2)]))).unwrap()
        };
        let payload = event.encode();
        let signatures = signed(EVENT_TYPE, &payload, &[key(2)]);
        let payload_type = EVENT_TYPE.to_owned();
        entry_in_group(len, at, Content::Event { signatures, payload_type, payload })
    };
    let header = |count| {
        let signers = signers(&[key(2)]);
        let payload = Batch { ledger_id: ledger_id().to_vec(), signers, count, ..Batch::default() }.encode();
        let signatures = signed(BATCH_TYPE, &payload, &[key(2)]);
        entry(Content::BatchHeader { signatures, payload })
    };
    let alone = || signed_event(&[], 1, 0);
    let group = [8; 32];
    // Index, size of the log, the entry, and the field that speaks against it; none when it may stand there.
    let rows = [
        (0, 2, genesis(), None),
        (1, 2, seal(0, 0, 1), None),
        (1, 5, seal(0, 0, 1), None),
        (4, 5, seal(1, 1, 3), None),
        (2, 4, alone(), None),
        (3, 5, signed_event(&group, 2, 1), None),
        (2, 5, signed_event(&group, 2, 0), None),
        (2, 5, header(1), None),
        (0, 1, genesis(), Some("size")),
        (0, 5, seal(0, 0, 1), Some("kind")),
        (2, 5, genesis(), Some("kind")),
        (1, 5, alone(), Some("kind")),
        (1, 5, expiry(), Some("kind")),
        (1, 5, header(1), Some("kind")),
        (1, 2, seal(1, 0, 2), Some("first_index")),
        (2, 5, seal(0, 0, 1), Some("first_index")),
        (4, 5, seal(1, 1, 4), Some("first_index")),
        (4, 5, seal(1, u64::MAX, 5), Some("first_index")),
        (4, 5, alone(), Some("kind")),
        (4, 5, expiry(), Some("kind")),
        (4, 5, header(1), Some("kind")),
        (2, 5, signed_event(&[], 2, 0), Some("group_len")),
        (2, 5, signed_event(&group, 1, 0), Some("group_len")),
        (2, 5, signed_event(&group, 2, 1), Some("group_len")),
        (3, 5, signed_event(&group, 2, 0), Some("group_len")),
        (2, 5, header(2), Some("count")),
    ];
    for (number, (index, size, entry, field)) in rows.into_iter().enumerate() {
        let verified = verify_in(index, size, entry);
        assert_eq!(verified.is_err().then(|| field_of(verified)), field, "row {number}");
    }
}

/// A member of a batch of three at `position`, before anything is done to it.
struct BatchMember {
    event: Event,
    batch: Batch,
    position: u32,
    payload_type: String,
    group: (u16, u16),
    index: u64,
    size: u64,
}

impl BatchMember {
    fn new() -> Self {
        let event = Event::decode(&event(ledger_id(), signers(&[key(2)]))).unwrap();
        let (ledger_id, signers) = (ledger_id().to_vec(), signers(&[key(2)]));
        let batch = Batch { ledger_id, signers, count: 3, ..Batch::default() };
        Self {
            event,
            batch,
            position: 1,
            payload_type: EVENT_TYPE.to_owned(),
            group: (1, 0),
            index: 4,
            size: 8,
        }
    }

    /// The receipt with every proof and signature right.
    fn verify(mut self) -> Result<VerifiedReceipt, ReceiptError> {
        let payload = self.event.encode();
        let mut leaves: Vec<Hash> = vec![[5; 32]; self.batch.count as usize];
        leaves[self.position as usize] =
            ledger_merkle::leaf_hash(&dsse::message(&self.payload_type, &payload));
        self.batch.events_root = build::root(&leaves).to_vec();
        let path = build::inclusion_path(&leaves, self.position as usize).unwrap();
        let header = self.batch.encode();
        let signatures = signed(BATCH_TYPE, &header, &[key(2)]);
        let header = entry(Content::BatchHeader { signatures, payload: header });
        let (position, payload_type) = (self.position, self.payload_type);
        let (len, at) = self.group;
        let member = entry_in_group(len, at, Content::BatchedEvent { position, payload_type, payload });
        let extra = MemberReceipt::extra(&member, &header, &path);
        let proof = proof(self.index, self.size, &member, extra);
        MemberReceipt::from_proof(proof)?.verify(&log_key(), &ledger_id())
    }
}

#[test]
fn a_member_is_of_its_batch_and_stands_behind_its_header() {
    assert!(BatchMember::new().verify().is_ok());
    type Change = fn(&mut BatchMember);
    let rows: [(&str, Change); 13] = [
        ("signers", |member| member.event.signers = signers(&[key(2), key(3)])),
        ("signers", |member| member.event.signers = signers(&[key(3)])),
        ("ledger_id", |member| member.event.ledger_id = vec![9; 32]),
        ("ledger_id", |member| member.batch.ledger_id = vec![9; 32]),
        ("type", |member| member.payload_type = "application/vnd.ledger.event.v2+protobuf".to_owned()),
        ("group_len", |member| member.group = (2, 0)),
        ("group_len", |member| member.event.group = vec![8; 32]),
        ("position", |member| {
            member.event.group = vec![8; 32];
            member.group = (3, 2);
        }),
        ("group_len", |member| {
            member.event.group = vec![8; 32];
            member.group = (4, 0);
        }),
        ("count", |member| member.index = 3),
        ("kind", |member| member.index = 7),
        ("count", |member| member.size = 7 - 1),
        ("count", |member| member.batch.count = 5),
    ];
    for (number, (field, change)) in rows.into_iter().enumerate() {
        let mut member = BatchMember::new();
        change(&mut member);
        assert_eq!(field_of(member.verify()), field, "row {number}");
    }
    let mut grouped = BatchMember::new();
    grouped.event.group = vec![8; 32];
    grouped.group = (2, 1);
    assert!(grouped.verify().is_ok());
}
