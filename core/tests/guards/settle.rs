//! Event 9.

use ledger_core::code::Code::*;
use ledger_core::event::*;
use ledger_core::number::*;

use crate::peel::*;
use crate::world::*;

/// A payment of 100.00 into clearing, authorized for an hour.
fn held_for_clearing(world: &mut World, payment: [u8; 16], creditor: &str) {
    world.initiate(payment, "cust:alice", creditor, CaptureMode::Deferred, "rail:usd");
    world.advance(payment, authorize(10_000, 3_600));
}

#[test]
fn settled() {
    let mut world = World::new();
    world.initiate([1; 16], "cust:alice", "shop:m1", CaptureMode::Immediate, "");
    world.advance([1; 16], capture(10_000, true));
    held_for_clearing(&mut world, [2; 16], "shop:m1");
    held_for_clearing(&mut world, [3; 16], "shop:m1");
    world.advance([3; 16], capture(700, false));
    world.advance([3; 16], settle(100, None));
    let rows: &[Row] = &[
        (PaymentNotFound, "payment_id", "", |_, draft| draft.event.payment_id = vec![1; 16]),
        (PaymentAccessDenied, "payment_id", "a key whose prefix covers debtor or creditor", |_, draft| {
            resign(draft, &["acquirer"])
        }),
        (AccountCurrencyMismatch, "fx.counter_currency", "USD", |_, draft| {
            body!(draft, PaymentSettled).fx = Some(fx("USD", 1, 1, 1));
        }),
        (PreviousEventMismatch, "previous_event_id", "*", |world, draft| move_to(world, draft, [1; 16])),
        // On the direct route there is nothing to settle, and before a capture neither.
        (TransitionNotAllowed, "body", "SETTLED", |world, draft| move_to(world, draft, [2; 16])),
        (TransitionNotAllowed, "body", "AUTHORIZED", |world, draft| move_to(world, draft, [3; 16])),
        (SettleExceedsCaptured, "amount", "600", |_, draft| body!(draft, PaymentSettled).amount = 600),
        (FxNotAllowed, "fx", "absent", |_, draft| body!(draft, PaymentSettled).fx = None),
        (PeriodClosed, "effective_date", "20260104", |world, draft| {
            draft.event.effective_date = 0;
            freeze(world, "rail:usd", AccountStatus::DebitFrozen);
            freeze(world, "shop:m1", AccountStatus::CreditFrozen);
        }),
        (AccountDebitFrozen, "account", "DEBIT_FROZEN", |world, _| {
            freeze(world, "rail:usd", AccountStatus::Open)
        }),
        (AccountCreditFrozen, "account", "CREDIT_FROZEN", |world, _| {
            freeze(world, "shop:m1", AccountStatus::Open)
        }),
    ];
    let mut draft = stray(&mut world, settle(601, Some(fx("EUR", 1, 1, 1))));
    peel(&mut world, &mut draft, rows);
    let after = world.payment([3; 16]).unwrap();
    assert_eq!((after.capt, after.sett, after.event_count), (700, 700, 5));
    assert_eq!(world.account("rail:usd").posted(), 0);
    assert_eq!(world.account("shop:m1").posted(), 10_700);
    let event = world.event_of([3; 16], settle(1, None), &["acquirer"]);
    assert_eq!(code_of(&mut world, &event, &["acquirer"]), Some(SettleExceedsCaptured));
}

#[test]
fn settled_across_currencies() {
    let mut world = World::new();
    held_for_clearing(&mut world, [1; 16], "shop:eur");
    world.advance([1; 16], capture(10_000, true));
    let event = world.event_of([1; 16], settle(10_000, None), &["acquirer"]);
    let rows: &[Row] = &[
        (FxRequired, "fx", "a conversion to EUR", |_, draft| {
            body!(draft, PaymentSettled).fx = Some(fx("EUR", 9_235, 92_349, 5));
        }),
        (FxAmountMismatch, "fx.counter_amount", "9234", |_, draft| {
            body!(draft, PaymentSettled).fx = Some(fx("EUR", 9_234, 92_349, 5));
        }),
    ];
    let mut draft = draft(event, &["acquirer"]);
    peel(&mut world, &mut draft, rows);
    assert_eq!(world.account("rail:usd").posted(), 0);
    assert_eq!(world.account("fx:usd").counters.posted_credits, 10_000);
    assert_eq!(world.account("fx:eur").counters.posted_debits, 9_234);
    assert_eq!(world.account("shop:eur").posted(), 9_234);

    // FX(JPY) is not there: said before the payment's state, on the clearing route only.
    held_for_clearing(&mut world, [2; 16], "shop:jpy");
    let mut event = world.event_of([2; 16], settle(1, None), &["acquirer"]);
    event.previous_event_id = vec![3; 16];
    assert_eq!(code_of(&mut world, &event, &["acquirer"]), Some(AccountNotFound));
    world.initiate([3; 16], "cust:alice", "shop:jpy", CaptureMode::Deferred, "");
    let mut event = world.event_of([3; 16], settle(1, None), &["acquirer"]);
    event.previous_event_id = vec![3; 16];
    assert_eq!(code_of(&mut world, &event, &["acquirer"]), Some(PreviousEventMismatch));
}
