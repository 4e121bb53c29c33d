//! Event 10.

use ledger_core::code::Code::*;
use ledger_core::event::*;
use ledger_core::number::*;

use crate::peel::*;
use crate::world::*;

#[test]
fn refunded() {
    let mut world = World::new();
    world.initiate([1; 16], "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    world.initiate([2; 16], "cust:alice", "shop:m1", CaptureMode::Immediate, "");
    world.advance([2; 16], capture(10_000, true));
    world.accept(transfer("shop:m1", "world:usd", "USD", 9_999), &["op1"]);
    let mut event = world.event_of([9; 16], refund(10_001, RefundCause::Merchant), &["regional"]);
    match &mut event.body {
        Body::PaymentRefunded(body) => body.fees = vec![fee(Payer::Creditor, "fee:none", "USD", 1)],
        _ => unreachable!(),
    }
    event.previous_event_id = vec![3; 16];
    event.effective_date = 20_260_104;
    world.close_period(20_260_104);
    let rows: &[Row] = &[
        (PaymentNotFound, "payment_id", "", |_, draft| draft.event.payment_id = vec![1; 16]),
        (PaymentAccessDenied, "payment_id", "a key whose prefix covers debtor or creditor", |_, draft| {
            resign(draft, &["shop"])
        }),
        (AccountNotFound, "fees[0].account", "", |_, draft| {
            body!(draft, PaymentRefunded).fees[0].account = "shop:m1".to_owned();
        }),
        (AccountKindNotAllowed, "fees[0].account", "FEE", |_, draft| {
            body!(draft, PaymentRefunded).fees[0].account = "fee:eur".to_owned();
        }),
        (AccountCurrencyMismatch, "fees[0].account", "USD", |_, draft| {
            body!(draft, PaymentRefunded).fees[0].account = "fee:usd".to_owned();
        }),
        (PreviousEventMismatch, "previous_event_id", "*", |world, draft| {
            draft.event.previous_event_id = head(world, [1; 16])
        }),
        (TransitionNotAllowed, "body", "INITIATED", |world, draft| {
            draft.event.payment_id = vec![2; 16];
            draft.event.previous_event_id = head(world, [2; 16]);
        }),
        (RefundExceedsRefundable, "amount", "10000", |_, draft| {
            let body = body!(draft, PaymentRefunded);
            body.amount = 10_000;
            body.fx = Some(fx("USD", 1, 1, 1));
        }),
        (FxNotAllowed, "fx", "absent", |_, draft| body!(draft, PaymentRefunded).fx = None),
        (PeriodClosed, "effective_date", "20260104", |world, draft| {
            draft.event.effective_date = 0;
            world.change_status("shop:m1", AccountStatus::DebitFrozen);
            world.change_status("cust:alice", AccountStatus::CreditFrozen);
        }),
        (AccountDebitFrozen, "account", "DEBIT_FROZEN", |world, _| {
            world.change_status("shop:m1", AccountStatus::Open)
        }),
        (AccountCreditFrozen, "account", "CREDIT_FROZEN", |world, _| {
            world.change_status("cust:alice", AccountStatus::Open)
        }),
        (InsufficientFunds, "account", "available 1, required 10001", |_, draft| {
            body!(draft, PaymentRefunded).cause = Some(RefundCause::Return);
        }),
    ];
    peel(&mut world, &mut draft(event, &["regional"]), rows);
    assert_eq!(world.account("shop:m1").posted(), 1 - 10_000 - 1, "the scheme has moved the money already");
    assert_eq!(world.payment([2; 16]).unwrap().status, PaymentStatus::Refunded);
    // An overdrawn merchant is repaid in parts: what raises headroom is never refused for funds.
    world.accept(transfer("world:usd", "shop:m1", "USD", 1), &["op1"]);
}
