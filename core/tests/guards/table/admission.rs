//! What admission says of an event with every kind of field: a refund with a fee, a conversion and private data.

use ledger_core::code::Code::*;
use ledger_core::event::*;
use ledger_core::number::*;
use ledger_core::sidecar::Sidecar;

use super::breaks::*;
use super::{Table, event};
use crate::peel::*;
use crate::world::*;

/// A UUID v7 of the first moments of 1970.
const TAKEN_ID: [u8; 16] = [0, 0, 0, 0, 0, 1, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0x01];

fn body(draft: &mut Draft) -> &mut PaymentRefunded {
    body!(draft, PaymentRefunded)
}

fn sidecar(bytes: usize) -> Sidecar {
    Sidecar { salt: vec![7; 32], metadata: vec![1; bytes] }
}

#[test]
fn admission_of_a_refund() {
    let guards = vec![
        event("ledger", LedgerIdMismatch, |_, draft| draft.event.ledger_id = vec![9; 32]),
        event("signatures", SignersMismatch, |_, draft| {
            draft.spoil.push(|submitted| submitted.signatures.push((public("op1"), vec![1; 64])));
        }),
        event("length", SignatureMalformed, |_, draft| {
            draft.spoil.push(|submitted| submitted.signatures[0].1 = vec![1; 63]);
        }),
        event("signature", SignatureInvalid, |_, draft| {
            draft.spoil.push(|submitted| submitted.signatures[0].1 = vec![1; 64]);
        }),
        event("unknown key", SignerKeyUnknown, |_, draft| sign_too(draft, "nobody")),
        event("revoked key", SignerKeyRevoked, |_, draft| sign_too(draft, "gone")),
        event("role", SignerRoleMissing, |_, draft| {
            draft.by[0] = "wallet";
            draft.event.signers = sorted_keys(&draft.by);
        }),
        event("nil id", EventIdNil, |_, draft| draft.event.event_id = vec![0; 16]),
        event("id", EventIdNotV7, |_, draft| {
            draft.event.event_id[0] = 1;
            draft.event.event_id[6] = 0x40;
        }),
        event("taken id", EventIdConflict, |_, draft| draft.event.event_id = TAKEN_ID.to_vec()),
        event("id ahead", EventIdFromFuture, |_, draft| draft.event.event_id[0] = 0x7f),
        event("timestamp", TimestampOutOfRange, |_, draft| draft.event.timestamp_nanos = 1),
        event("required", FieldRequired, |_, draft| body(draft).cause = None),
        event("not allowed", FieldNotAllowed, |_, draft| draft.event.external_ref = "REF".to_owned()),
        event("invalid", FieldInvalid, |_, draft| any_fx(draft).quote_ref = "Q".repeat(36)),
        event("currency", CurrencyUnknown, |_, draft| body(draft).fees[0].currency = "ZZZ".to_owned()),
        event("no decimals", CurrencyNotSupported, |_, draft| {
            body(draft).fees[1].currency = "XAU".to_owned();
        }),
        event("zero", AmountZero, |_, draft| body(draft).fees[0].amount = 0),
        event("too large", AmountTooLarge, |_, draft| body(draft).fees[1].amount = 10u64.pow(18)),
        event("account", AccountIdInvalid, |_, draft| body(draft).fees[0].account = "Fee".to_owned()),
        event("fees", FeesTooMany, |_, draft| {
            body(draft).fees.resize(9, fee(Payer::Creditor, "fee:eur", "EUR", 1));
        }),
        event("rate", FxRateOutOfRange, |_, draft| any_fx(draft).rate_mantissa = 0),
        event("reason", ReasonInvalid, |_, draft| body(draft).reason = "R".repeat(36)),
        event("metadata", MetadataTooLarge, |_, draft| {
            draft.spoil.push(|submitted| submitted.sidecar = Some(sidecar(8 * 1024 + 1)));
        }),
        event("commitment", MetadataCommitmentMismatch, |_, draft| {
            draft.spoil.push(|submitted| submitted.sidecar = Some(sidecar(2)));
        }),
        event("date", EffectiveDateInvalid, |_, draft| draft.event.effective_date = 20_260_106),
    ];
    let table = Table {
        prepare: |world| {
            let mut event = world.event(transfer("world:usd", "cust:bob", "USD", 1), &["op1"]);
            event.event_id = TAKEN_ID.to_vec();
            world.accept_event(&event, &["op1"]);
            pay(world, "cust:alice", "shop:eur", CaptureMode::Immediate, "");
            let fx = Some(fx("EUR", 10_000, 1, 0));
            let captured = PaymentCaptured { amount: 10_000, final_capture: true, fees: Vec::new(), fx };
            attempt(world, Body::PaymentCaptured(captured));
        },
        good: |world| {
            let fees = vec![fee(Payer::Creditor, "fee:eur", "EUR", 1); 2];
            let (fx, reason) = (Some(fx("EUR", 1_000, 1, 0)), "TEST".to_owned());
            let cause = Some(RefundCause::Merchant);
            let body = PaymentRefunded { amount: 1_000, cause, reason, fees, fx };
            let mut event = world.event_of(PAYMENT, Body::PaymentRefunded(body), &["acquirer"]);
            event.metadata_commitment = sidecar(1).commitment().to_vec();
            let mut draft = draft(event, &["acquirer"]);
            draft.spoil.push(|submitted| submitted.sidecar = Some(sidecar(1)));
            draft
        },
        guards,
        apart: vec![
            ("length", vec!["signature"], "it is of one length"),
            ("nil id", vec!["id", "taken id", "id ahead"], "zeros are no other id"),
            ("id", vec!["taken id"], "what is no UUID v7 was never taken"),
            ("taken id", vec!["id ahead"], "what is ahead was never taken"),
            ("metadata", vec!["commitment"], "what is too large is not compared"),
        ],
    };
    table.check([26, 318, 7]);
}

fn sign_too(draft: &mut Draft, name: &'static str) {
    draft.by.push(name);
    draft.event.signers = sorted_keys(&draft.by);
}
