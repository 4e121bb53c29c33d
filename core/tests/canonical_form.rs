//! The canonical form of the signed messages, clause by clause: each refused variant gives its code and names its field.

use ledger_core::batch::Batch;
use ledger_core::code::Code;
use ledger_core::entry::{Content, Entry, EntrySignature, MAX_ENTRY_BYTES};
use ledger_core::event::{
    AccountLimitChanged, Body, EVENT_TYPE, Event, Fee, Fx, Leg, PaymentCaptured, PaymentInitiated,
    TransferPosted,
};
use ledger_core::number::{CaptureMode, Payer, Rounding, Side};
use proptest::prelude::*;

/// Header fields `event_id` (absent here) to 10, then a body.
const TRANSFER: [u8; 2] = [0x92, 0x02];
const CAPTURE: [u8; 2] = [0xD2, 0x01];

fn refused(payload: &[u8]) -> (Code, String) {
    let refusal = Event::decode(payload).unwrap_err();
    (refusal.code, refusal.detail.field)
}

/// A payload of one body: its tag, its length, its bytes.
fn body(tag: [u8; 2], bytes: &[u8]) -> Vec<u8> {
    [tag.as_slice(), &[bytes.len() as u8], bytes].concat()
}

#[test]
fn each_clause_has_its_code_and_its_field() {
    use Code::{
        EncodingNotCanonical as E302, EventTypeReserved as E306, EventTypeUnknown as E305,
        UnknownField as E303,
    };
    let empty_body = body(TRANSFER, &[]);
    let with = |head: &[u8]| [head, &empty_body].concat();
    let cases: [(&str, Vec<u8>, Code, &str); 34] = [
        ("nothing at all", vec![], E305, "body"),
        ("no body", vec![0x38, 1], E305, "body"),
        ("unknown body 44", vec![0xE2, 0x02, 0], E305, "field 44"),
        ("unknown body, not a message", vec![0xE0, 0x02, 0], E305, "field 44"),
        ("reserved body 28", vec![0xE2, 0x01, 0], E306, "field 28"),
        ("two bodies", with(&body(CAPTURE, &[])), E302, "field 34"),
        ("the same body twice", with(&empty_body), E302, "field 34"),
        ("a body and an unknown one", [&empty_body[..], &[0xE2, 0x02, 0]].concat(), E302, "field 44"),
        ("body of wire type varint", vec![0x90, 0x02, 1], E302, "field 34"),
        ("truncated body", vec![0x92, 0x02, 5, 0x0A], E302, "body"),
        ("unknown field 11", with(&[0x58, 1]), E303, "field 11"),
        ("unknown field 20", with(&[0xA2, 0x01, 0]), E303, "field 20"),
        ("unknown field and no body", vec![0x58, 1], E303, "field 11"),
        ("unknown field, its value not minimal", with(&[0x58, 0x81, 0]), E302, "field 11"),
        ("unknown field, then a fault", with(&[0x58, 1, 0x50, 1]), E302, "field 10"),
        ("unknown field in a body", body(TRANSFER, &[0x20, 1]), E303, "field 4"),
        ("unknown field in a leg", body(TRANSFER, &[0x0A, 2, 0x28, 1]), E303, "legs[0].field 5"),
        ("fields not ascending", with(&[0x40, 1, 0x38, 1]), E302, "field 7"),
        ("field twice", with(&[0x38, 1, 0x38, 1]), E302, "timestamp_nanos"),
        ("zero", with(&[0x38, 0]), E302, "timestamp_nanos"),
        ("empty bytes", with(&[0x0A, 0]), E302, "ledger_id"),
        ("empty string", with(&[0x4A, 0]), E302, "external_ref"),
        ("varint not minimal", with(&[0x38, 0x81, 0]), E302, "timestamp_nanos"),
        (
            "varint of 2^64",
            with(&[0x38, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02]),
            E302,
            "timestamp_nanos",
        ),
        ("uint32 of 2^31", with(&[0x40, 0x80, 0x80, 0x80, 0x80, 0x08]), E302, "effective_date"),
        ("bool of 2", body(CAPTURE, &[0x10, 2]), E302, "final_capture"),
        ("bool of 0", body(CAPTURE, &[0x10, 0]), E302, "final_capture"),
        ("unknown enum number", body(TRANSFER, &[0x0A, 2, 0x10, 3]), E302, "legs[0].side"),
        ("second leg at fault", body(TRANSFER, &[0x0A, 0, 0x0A, 2, 0x20, 0]), E302, "legs[1].amount"),
        ("control character", with(&[0x4A, 1, 0x1F]), E302, "external_ref"),
        ("DEL", with(&[0x4A, 1, 0x7F]), E302, "external_ref"),
        ("UTF-8", with(&[0x4A, 2, 0xC3, 0xA9]), E302, "external_ref"),
        ("wrong wire type", with(&[0x3A, 1, 1]), E302, "timestamp_nanos"),
        ("truncated string", vec![0x4A, 9, b'x'], E302, "external_ref"),
    ];
    for (clause, payload, code, field) in cases {
        assert_eq!(refused(&payload), (code, field.to_owned()), "{clause}");
    }
    for tag in [0x3B, 0x3C, 0x39, 0x3D, 0x3E, 0x3F, 0x00, 0x02] {
        assert_eq!(refused(&with(&[tag, 1])).0, E302, "tag {tag:#x}");
    }
    assert!(Event::decode(&empty_body).is_ok());
}

/// Where a number is wrong, it is told.
#[test]
fn the_offending_value_is_told() {
    let with = |head: &[u8]| [head, &body(TRANSFER, &[])].concat();
    for (payload, value, limit) in [
        (with(&[0x40, 0x80, 0x80, 0x80, 0x80, 0x08]), "2147483648", "below 2^31"),
        (with(&[0x40, 0x80, 0x80, 0x80, 0x80, 0x20]), "8589934592", "below 2^31"),
        (body(CAPTURE, &[0x10, 2]), "2", "1, or absent"),
        (body(TRANSFER, &[0x0A, 2, 0x10, 3]), "3", "a number of its table"),
        (with(&[0x4A, 2, b'x', 0x1F]), "byte 0x1f", "0x20 to 0x7e"),
        (with(&[0x3A, 1, 1]), "wire type 2", "the wire type of the field"),
        (with(&[0x0D, 1]), "wire type 5", "the wire type of the field"),
        (with(&[0x90, 0x02, 1]), "wire type 0", "the wire type of the field"),
        (with(&[0x02, 1]), "field number 0", "1 to 2^29 - 1"),
    ] {
        let detail = Event::decode(&payload).unwrap_err().detail;
        assert_eq!((detail.value.as_str(), detail.limit.as_str()), (value, limit), "{}", detail.field);
    }
}

#[test]
fn present_and_empty_are_different_bytes() {
    let captured = |fees, fx| Event {
        body: Body::PaymentCaptured(PaymentCaptured { fees, fx, ..PaymentCaptured::default() }),
        ..Event::default()
    };
    for event in [
        captured(vec![], None),
        captured(vec![Fee::default()], None),
        captured(vec![Fee::default(), Fee::default()], Some(Fx::default())),
        Event { signers: vec![vec![]], ..Event::default() },
        Event { body: Body::AccountLimitChanged(AccountLimitChanged::default()), ..Event::default() },
    ] {
        assert_eq!(Event::decode(&event.encode()), Ok(event));
    }
}

/// A payload of exactly so many bytes.
fn payload_of(length: usize, signers: usize) -> Vec<u8> {
    let key = |number| vec![number; 32];
    let mut event = Event { signers: (1..=signers as u8).map(key).collect(), ..Event::default() };
    event.metadata_commitment = vec![7; 20_000];
    let rest = length - event.encode().len();
    event.metadata_commitment.extend(vec![7; rest]);
    let payload = event.encode();
    assert_eq!(payload.len(), length);
    payload
}

#[test]
fn a_payload_is_as_long_as_an_entry_has_room() {
    for signers in [1, 8] {
        let room = ledger_core::entry::payload_room(EVENT_TYPE, signers);
        let payload = payload_of(room, signers);
        assert!(Event::decode(&payload).is_ok());
        let signatures = (1..=signers as u8).map(|key| EntrySignature { key: [key; 32], signature: [0; 64] });
        let content =
            Content::Event { signatures: signatures.collect(), payload_type: EVENT_TYPE.to_owned(), payload };
        let entry = Entry { recorded_at_nanos: 1, outcome: 0, group_len: 1, group_index: 0, content };
        assert_eq!(entry.encode().len(), MAX_ENTRY_BYTES);
        assert_eq!(Entry::decode(&entry.encode()), Ok(entry));

        let refusal = Event::decode(&payload_of(room + 1, signers)).unwrap_err();
        assert_eq!((refusal.code, refusal.detail.limit), (Code::PayloadTooLarge, room.to_string()));
    }
    let room = ledger_core::entry::batched_payload_room(EVENT_TYPE);
    assert!(Event::decode_batched(&payload_of(room, 1)).is_ok());
    assert_eq!(Event::decode_batched(&payload_of(room + 1, 1)).unwrap_err().code, Code::PayloadTooLarge);
    assert_eq!(Event::decode(&vec![0xFF; MAX_ENTRY_BYTES]).unwrap_err().code, Code::PayloadTooLarge);
    assert_eq!(Batch::decode(&vec![0xFF; MAX_ENTRY_BYTES]).unwrap_err().code, Code::PayloadTooLarge);
}

fn text() -> impl Strategy<Value = String> {
    "[ -~]{0,12}"
}

fn amount() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(127), Just(128), Just(u64::MAX), any::<u64>()]
}

fn small() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), Just(1), Just((1 << 31) - 1), 0_u32..(1 << 31)]
}

fn fx() -> impl Strategy<Value = Fx> {
    let rounding = prop_oneof![Just(None), Just(Some(Rounding::Floor)), Just(Some(Rounding::HalfEven))];
    (text(), amount(), amount(), small(), rounding, text()).prop_map(|fields| {
        let (counter_currency, counter_amount, rate_mantissa, rate_scale, rounding, quote_ref) = fields;
        Fx { counter_currency, counter_amount, rate_mantissa, rate_scale, rounding, quote_ref }
    })
}

fn any_body() -> impl Strategy<Value = Body> {
    let side = prop_oneof![Just(None), Just(Some(Side::Debit)), Just(Some(Side::Credit))];
    let leg = (text(), side, text(), amount()).prop_map(|(account, side, currency, amount)| Leg {
        account,
        side,
        currency,
        amount,
    });
    let payer = prop_oneof![Just(None), Just(Some(Payer::Debtor)), Just(Some(Payer::Creditor))];
    let fee = (text(), payer, text(), amount()).prop_map(|(account, payer, currency, amount)| Fee {
        payer,
        account,
        currency,
        amount,
    });
    let mode = prop_oneof![Just(None), Just(Some(CaptureMode::Immediate))];
    prop_oneof![
        (prop::collection::vec(leg, 0..5), text(), prop::collection::vec(any::<u8>(), 0..20)).prop_map(
            |(legs, purpose, related_payment_id)| Body::TransferPosted(TransferPosted {
                legs,
                purpose,
                related_payment_id
            })
        ),
        (amount(), any::<bool>(), prop::collection::vec(fee, 0..3), prop::option::of(fx())).prop_map(
            |(amount, final_capture, fees, fx)| Body::PaymentCaptured(PaymentCaptured {
                amount,
                final_capture,
                fees,
                fx
            })
        ),
        (amount(), text(), text(), text(), mode, text()).prop_map(
            |(amount, currency, debtor, creditor, capture_mode, clearing_account)| {
                Body::PaymentInitiated(PaymentInitiated {
                    amount,
                    currency,
                    debtor,
                    creditor,
                    capture_mode,
                    clearing_account,
                })
            }
        ),
    ]
}

fn any_event() -> impl Strategy<Value = Event> {
    let id = || prop::collection::vec(any::<u8>(), 0..33);
    let header = (id(), id(), id(), prop::collection::vec(id(), 0..4), id(), id());
    (header, amount(), small(), text(), any_body()).prop_map(
        |(header, timestamp_nanos, date, external_ref, body)| {
            let (ledger_id, event_id, payment_id, signers, group, metadata_commitment) = header;
            let previous_event_id = event_id.clone();
            let effective_date = date;
            Event {
                ledger_id,
                event_id,
                payment_id,
                previous_event_id,
                signers,
                group,
                timestamp_nanos,
                effective_date,
                external_ref,
                metadata_commitment,
                body,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(event in any_event()) {
        let payload = event.encode();
        prop_assert_eq!(Event::decode(&payload), Ok(event));
        prop_assert!(Event::decode(&[payload.as_slice(), &[0x38, 1]].concat()).is_err());
        for end in 0..payload.len() {
            prop_assert!(Event::decode(&payload[..end]).is_err(), "cut at {}", end);
        }
    }
}
