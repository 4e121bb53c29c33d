//! No decoder panics on hostile bytes, and whatever a decoder accepts is what its encoder writes.

use std::sync::Arc;

use ledger_core::batch::Batch;
use ledger_core::checkpoint::Checkpoint;
use ledger_core::entry::{Content, Entry, EntrySignature};
use ledger_core::event::{EVENT_TYPE, Event};
use ledger_core::export;
use ledger_core::genesis::Genesis;
use ledger_core::ids::{AccountId, AccountIndex, BlockHeight, CurrencyCode, EventId, LogIndex, PaymentId};
use ledger_core::line::{LINE_BYTES, Line};
use ledger_core::number::{
    AccountKind, AccountStatus, CaptureMode, KeyStatus, Layer, PaymentStatus, ReleaseCause, Roles, Route,
    Side,
};
use ledger_core::posting::Posting;
use ledger_core::receipt::{Receipt, TlogProof};
use ledger_core::record::{AccountRecord, Counters, KeyRecord, PaymentRecord};
use ledger_core::seal::{SEAL_ENTRY_BYTES, Seal};
use proptest::prelude::*;

/// A decoder, then its encoder: the bytes that are written for what was accepted.
type Decoder = fn(&[u8]) -> Option<Vec<u8>>;

const DECODERS: [Decoder; 9] = [
    |bytes| Some(Event::decode(bytes).ok()?.encode()),
    |bytes| Some(Event::decode_batched(bytes).ok()?.encode()),
    |bytes| Some(Batch::decode(bytes).ok()?.encode()),
    |bytes| Some(Genesis::decode(bytes).ok()?.encode()),
    |bytes| Some(Entry::decode(bytes).ok()?.encode()),
    |bytes| Some(AccountRecord::decode(bytes).ok()?.encode()),
    |bytes| Some(PaymentRecord::decode(bytes).ok()?.encode()),
    |bytes| Some(KeyRecord::decode(bytes).ok()?.encode()),
    |bytes| Some(Line::decode(AccountIndex(3), bytes).ok()?.encode().to_vec()),
];

fn counters() -> Counters {
    Counters { posted_debits: 1, posted_credits: i128::MAX, pending_debits: 0, pending_credits: 200 }
}

fn entry(content: Content) -> Vec<u8> {
    Entry { recorded_at_nanos: 1 << 60, outcome: 0, group_len: 1, group_index: 0, content }.encode()
}

/// One valid encoding of each kind.
fn samples() -> Vec<Vec<u8>> {
    let event = Event { ledger_id: vec![1; 32], signers: vec![vec![2; 32]], ..Event::default() };
    let batch = Batch { ledger_id: vec![1; 32], count: 7, ..Batch::default() };
    let signatures = vec![EntrySignature { key: [2; 32], signature: [9; 64] }];
    let seal = Seal {
        height: BlockHeight(3),
        first_index: LogIndex(9),
        entry_count: 2,
        previous_seal: [1; 32],
        block_root: [2; 32],
        log_root: [3; 32],
        account_count: 4,
        accounts_root: [4; 32],
        payment_count: 5,
        payments_root: [5; 32],
        key_count: 6,
        keys_root: [6; 32],
        totals_hash: [7; 32],
        params_hash: [8; 32],
    };
    let currency = CurrencyCode::parse("USD").unwrap();
    let account = AccountRecord {
        status: AccountStatus::Frozen,
        kind: AccountKind::Cash,
        exponent: 2,
        currency,
        id: AccountId::parse("bank:usd").unwrap(),
        limit: 5,
        counters: counters(),
        opened_index: LogIndex(8),
        line_count: 2,
        statement_chain: [3; 32],
    };
    let payment = PaymentRecord {
        status: PaymentStatus::Voided,
        capture_mode: CaptureMode::Deferred,
        route: Route::Clearing,
        last_release: Some(ReleaseCause::Void),
        id: PaymentId([4; 16]),
        debtor: AccountIndex(0),
        creditor: AccountIndex(1),
        clearing: Some(AccountIndex(2)),
        currency,
        amount: 100,
        auth: 100,
        capt: 0,
        rel: 100,
        sett: 0,
        refd: 0,
        disp: 0,
        lost: 0,
        expires_at_nanos: 77,
        head: EventId([5; 16]),
        event_count: 3,
        last_index: LogIndex(30),
    };
    let key = KeyRecord {
        status: KeyStatus::Revoked,
        roles: Roles(17),
        key: [6; 32],
        registered_index: LogIndex(2),
        revoked_index: Some(LogIndex(9)),
        party: Arc::from("a party"),
        prefix: Arc::from("cust:"),
    };
    let line = Line {
        account: AccountIndex(3),
        number: 1,
        log_index: LogIndex(20),
        recorded_at_nanos: 1 << 60,
        posting: Posting { account: AccountIndex(3), layer: Layer::Pending, side: Side::Debit, delta: -5 },
        event_id: EventId([5; 16]),
        payment_id: PaymentId([4; 16]),
        after: counters(),
    };
    let payload_type = EVENT_TYPE.to_owned();
    vec![
        event.encode(),
        batch.encode(),
        entry(Content::Genesis { payload: Genesis::default().encode() }),
        entry(Content::Event {
            signatures: signatures.clone(),
            payload_type: payload_type.clone(),
            payload: event.encode(),
        }),
        entry(Content::Seal(Box::new(seal))),
        entry(Content::Expiry { payment_id: PaymentId([4; 16]) }),
        entry(Content::BatchHeader { signatures, payload: batch.encode() }),
        entry(Content::BatchedEvent { position: 4, payload_type, payload: event.encode() }),
        account.encode(),
        payment.encode(),
        key.encode(),
        line.encode().to_vec(),
    ]
}

#[test]
fn each_sample_is_accepted_by_a_decoder() {
    for sample in samples() {
        assert!(
            DECODERS.iter().any(|decode| decode(&sample).as_ref() == Some(&sample)),
            "{}",
            hex::encode(sample)
        );
    }
    assert_eq!(samples()[9].len(), 205, "a payment record");
    assert_eq!(samples()[11].len(), LINE_BYTES, "a statement line");
    assert_eq!((samples()[4].len(), SEAL_ENTRY_BYTES), (316, 316), "a seal");
}

#[test]
fn nothing_is_accepted_cut_or_with_a_byte_more() {
    // Cutting a message may leave a whole one: a payload is only whole inside its entry.
    for sample in &samples()[2..] {
        for decode in DECODERS[4..].iter().filter(|decode| decode(sample).is_some()) {
            assert!((0..sample.len()).all(|end| decode(&sample[..end]).is_none()));
            assert!(decode(&[sample.as_slice(), &[0]].concat()).is_none());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_refused_or_canonical(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for decode in DECODERS {
            if let Some(written) = decode(&bytes) {
                prop_assert_eq!(&written, &bytes);
            }
        }
        let _ = Genesis::from_entry(&bytes);
        let _ = export::read_bundle(&bytes, u16::from(bytes.first().copied().unwrap_or(1)));
        let _ = export::read_tile(&bytes, 3);
    }

    #[test]
    fn mutated_samples_are_refused_or_canonical(
        sample in prop::sample::select(samples()),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        insert in any::<bool>(),
    ) {
        let mut bytes = sample;
        let at = at.index(bytes.len());
        if insert { bytes.insert(at, byte) } else { bytes[at] = byte }
        for decode in DECODERS {
            if let Some(written) = decode(&bytes) {
                prop_assert_eq!(&written, &bytes);
            }
        }
    }

    #[test]
    fn any_text_is_refused_or_canonical(
        head in "(c2sp.org/tlog-proof@v1\n)?(extra [A-Za-z=]{0,8}\n)?(index [0-9]{0,3}\n)?",
        rest in "([A-Za-z+/]{43}=\n){0,2}\n?.{0,40}",
    ) {
        let text = head + &rest;
        if let Ok(proof) = TlogProof::parse(&text) {
            prop_assert_eq!(proof.to_text(), text.clone());
        }
        if let Ok(receipt) = Receipt::parse(&text) {
            prop_assert_eq!(receipt.to_text(), text.clone());
        }
        let _ = Checkpoint::parse_text(&text);
    }
}
