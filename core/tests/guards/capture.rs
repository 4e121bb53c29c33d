//! Event 6.

use ledger_core::code::Code::*;
use ledger_core::event::*;
use ledger_core::number::*;

use crate::peel::*;
use crate::world::*;

#[test]
fn captured() {
    let mut world = World::new();
    world.initiate([1; 16], "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    world.initiate([2; 16], "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    world.advance([2; 16], authorize(10_000, 600));
    let fees = vec![fee(Payer::Debtor, "cust:bob", "EUR", 1), fee(Payer::Debtor, "fee:none", "USD", 1)];
    let body = PaymentCaptured { amount: 10_001, final_capture: false, fees, fx: Some(fx("EUR", 1, 1, 1)) };
    let mut event = world.event_of([9; 16], Body::PaymentCaptured(body), &["regional"]);
    event.previous_event_id = vec![3; 16];
    event.effective_date = 20_260_104;
    world.close_period(20_260_104);
    let rows: &[Row] = &[
        (PaymentNotFound, "payment_id", "", |_, draft| draft.event.payment_id = vec![1; 16]),
        (PaymentAccessDenied, "payment_id", "a key whose prefix covers debtor or creditor", |_, draft| {
            resign(draft, &["acquirer"])
        }),
        (AccountNotFound, "fees[1].account", "", |_, draft| {
            body!(draft, PaymentCaptured).fees[1].account = "fee:eur".to_owned()
        }),
        (AccountKindNotAllowed, "fees[0].account", "FEE", |_, draft| {
            body!(draft, PaymentCaptured).fees[0].account = "fee:eur".to_owned();
        }),
        (AccountCurrencyMismatch, "fees[0].payer", "EUR", |_, draft| {
            let fees = &mut body!(draft, PaymentCaptured).fees;
            fees[1].account = "fee:usd".to_owned();
            fees.remove(0);
        }),
        (AccountCurrencyMismatch, "fx.counter_currency", "USD", |_, draft| {
            body!(draft, PaymentCaptured).fx = Some(fx("USD", 1, 1, 1));
        }),
        (PreviousEventMismatch, "previous_event_id", "*", |world, draft| {
            draft.event.previous_event_id = head(world, [1; 16])
        }),
        (TransitionNotAllowed, "body", "INITIATED", |world, draft| {
            draft.event.payment_id = vec![2; 16];
            draft.event.previous_event_id = head(world, [2; 16]);
        }),
        (CaptureExceedsHold, "amount", "10000", |_, draft| body!(draft, PaymentCaptured).amount = 6_000),
        (FxNotAllowed, "fx", "absent", |_, draft| body!(draft, PaymentCaptured).fx = None),
        (PeriodClosed, "effective_date", "20260104", |world, draft| {
            draft.event.effective_date = 0;
            // A capture of held money goes through on frozen accounts; only funds stop its fee.
            world.accept(transfer("cust:alice", "world:usd", "USD", 90_000), &["op1"]);
            world.change_status("cust:alice", AccountStatus::Frozen);
            world.change_status("shop:m1", AccountStatus::Frozen);
        }),
        (InsufficientFunds, "account", "available 0, required 1", |_, draft| {
            body!(draft, PaymentCaptured).fees[0].payer = Some(Payer::Creditor)
        }),
    ];
    peel(&mut world, &mut draft(event, &["regional"]), rows);
    let after = world.payment([2; 16]).unwrap();
    assert_eq!((after.status, after.hold(), after.sett), (PaymentStatus::PartiallyCaptured, 4_000, 6_000));
    assert_eq!(world.account("shop:m1").posted(), 5_999);
    assert_eq!(world.account("fee:usd").posted(), 1);
}

#[test]
fn captured_at_once() {
    let mut world = World::new();
    world.initiate(PAYMENT, "cust:alice", "shop:eur", CaptureMode::Immediate, "");
    let event = world.event_of(PAYMENT, capture(9_999, false), &["acquirer"]);
    let rows: &[Row] = &[
        (CaptureMustBeFull, "amount", "10000", |_, draft| body!(draft, PaymentCaptured).amount = 10_000),
        (CaptureMustBeFull, "final_capture", "true", |_, draft| {
            body!(draft, PaymentCaptured).final_capture = true;
        }),
        (FxRequired, "fx", "a conversion to EUR", |_, draft| {
            body!(draft, PaymentCaptured).fx = Some(fx("EUR", 9_235, 92_349, 5));
        }),
        (FxAmountMismatch, "fx.counter_amount", "9234", |world, draft| {
            body!(draft, PaymentCaptured).fx = Some(fx("EUR", 9_234, 92_349, 5));
            freeze(world, "cust:alice", AccountStatus::DebitFrozen);
        }),
        // Nothing was held: an immediate capture heeds freezing.
        (AccountDebitFrozen, "account", "DEBIT_FROZEN", |world, _| {
            freeze(world, "cust:alice", AccountStatus::Open);
        }),
    ];
    peel(&mut world, &mut draft(event, &["acquirer"]), rows);
    let after = world.payment(PAYMENT).unwrap();
    assert_eq!((after.status, after.auth, after.capt), (PaymentStatus::Settled, 10_000, 10_000));
    assert_eq!(world.account("fx:usd").counters.posted_credits, 10_000);
    assert_eq!(world.account("fx:eur").counters.posted_debits, 9_234);
    assert_eq!(world.account("shop:eur").posted(), 9_234);
    let again = world.event_of(PAYMENT, capture(10_000, true), &["acquirer"]);
    assert_eq!(world.submit(sign(&again, &["acquirer"])).code(), Some(TransitionNotAllowed));
}

#[test]
fn captured_into_clearing() {
    let mut world = World::new();
    world.initiate(PAYMENT, "cust:alice", "shop:eur", CaptureMode::Deferred, "rail:usd");
    world.advance(PAYMENT, authorize(10_000, 600));
    assert_eq!(world.account("rail:usd").counters.pending_credits, 10_000);
    let with_fx = Body::PaymentCaptured(PaymentCaptured {
        fx: Some(fx("EUR", 1, 1, 1)),
        amount: 1,
        ..Default::default()
    });
    let event = world.event_of(PAYMENT, with_fx, &["acquirer"]);
    assert_eq!(world.submit(sign(&event, &["acquirer"])).code(), Some(FxNotAllowed));
    world.advance(PAYMENT, capture(7_000, true));
    let after = world.payment(PAYMENT).unwrap();
    assert_eq!((after.status, after.capt, after.rel, after.sett), (PaymentStatus::Captured, 7_000, 3_000, 0));
    assert_eq!(after.last_release, Some(ReleaseCause::FinalCapture));
    assert_eq!(world.account("rail:usd").posted(), 7_000);
    assert_eq!(world.account("rail:usd").counters.pending_credits, 0);
    let refund = world.event_of(PAYMENT, refund(1, RefundCause::Merchant), &["acquirer"]);
    assert_eq!(
        world.submit(sign(&refund, &["acquirer"])).code(),
        Some(TransitionNotAllowed),
        "nothing is settled"
    );
}
