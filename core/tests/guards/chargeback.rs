//! Events 11 and 12.

use ledger_core::code::Code::*;
use ledger_core::event::*;
use ledger_core::number::*;

use crate::peel::*;
use crate::world::*;

fn paid(world: &mut World, payment: [u8; 16]) {
    world.initiate(payment, "cust:alice", "shop:m1", CaptureMode::Immediate, "");
    world.advance(payment, capture(10_000, true));
}

#[test]
fn chargeback_opened() {
    let mut world = World::new();
    world.initiate([1; 16], "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    paid(&mut world, [2; 16]);
    world.advance([2; 16], refund(1_000, RefundCause::Merchant));
    world.accept(transfer("shop:m1", "world:usd", "USD", 9_000), &["op1"]);
    let rows: &[Row] = &[
        (PaymentNotFound, "payment_id", "", |_, draft| draft.event.payment_id = vec![1; 16]),
        (PaymentAccessDenied, "payment_id", "a key whose prefix covers debtor or creditor", |_, draft| {
            resign(draft, &["acquirer"])
        }),
        (AccountNotFound, "dispute", "one account per currency", |world, _| {
            world.open("x:usd", "USD", AccountKind::Dispute)
        }),
        (AccountCurrencyMismatch, "fx.counter_currency", "USD", |_, draft| {
            body!(draft, ChargebackOpened).fx = Some(fx("USD", 1, 1, 1));
        }),
        (PreviousEventMismatch, "previous_event_id", "*", |world, draft| move_to(world, draft, [1; 16])),
        (TransitionNotAllowed, "body", "INITIATED", |world, draft| move_to(world, draft, [2; 16])),
        (ChargebackExceedsRefundable, "amount", "9000", |_, draft| {
            body!(draft, ChargebackOpened).amount = 9_000;
        }),
        (FxNotAllowed, "fx", "absent", |_, draft| body!(draft, ChargebackOpened).fx = None),
        (PeriodClosed, "effective_date", "20260104", |world, draft| {
            draft.event.effective_date = 0;
            freeze(world, "shop:m1", AccountStatus::Frozen);
            freeze(world, "x:usd", AccountStatus::Frozen);
        }),
    ];
    let mut draft = stray(&mut world, charge_back(9_001, Some(fx("EUR", 1, 1, 1))));
    peel(&mut world, &mut draft, rows);
    let after = world.payment([2; 16]).unwrap();
    assert_eq!((after.status, after.disp), (PaymentStatus::Disputed, 9_000));
    assert_eq!(world.account("shop:m1").posted(), -9_000, "the scheme has moved the money already");
    assert_eq!(world.account("x:usd").posted(), 9_000);
    let event = world.event_of([2; 16], refund(1, RefundCause::Return), &["acquirer"]);
    assert_eq!(code_of(&mut world, &event, &["acquirer"]), Some(RefundExceedsRefundable));
}

#[test]
fn chargeback_resolved() {
    let mut world = World::new();
    world.open("x:usd", "USD", AccountKind::Dispute);
    paid(&mut world, [1; 16]);
    paid(&mut world, [2; 16]);
    world.advance([2; 16], charge_back(5_000, None));
    let rows: &[Row] = &[
        (PaymentNotFound, "payment_id", "", |_, draft| draft.event.payment_id = vec![1; 16]),
        (PaymentAccessDenied, "payment_id", "a key whose prefix covers debtor or creditor", |_, draft| {
            resign(draft, &["acquirer"])
        }),
        (AccountCurrencyMismatch, "fx.counter_currency", "USD", |_, draft| {
            body!(draft, ChargebackResolved).fx = Some(fx("USD", 1, 1, 1));
        }),
        (PreviousEventMismatch, "previous_event_id", "*", |world, draft| move_to(world, draft, [1; 16])),
        (TransitionNotAllowed, "body", "SETTLED", |world, draft| move_to(world, draft, [2; 16])),
        (ResolveExceedsDisputed, "amount", "5000", |_, draft| {
            body!(draft, ChargebackResolved).amount = 3_000;
        }),
        (FxNotAllowed, "fx", "absent", |_, draft| body!(draft, ChargebackResolved).fx = None),
        (PeriodClosed, "effective_date", "20260104", |world, draft| {
            draft.event.effective_date = 0;
            for account in ["cust:alice", "shop:m1", "x:usd"] {
                freeze(world, account, AccountStatus::Frozen);
            }
        }),
    ];
    let mut draft = stray(&mut world, resolve(5_001, ChargebackResult::Won, Some(fx("EUR", 1, 1, 1))));
    peel(&mut world, &mut draft, rows);
    let after = world.payment([2; 16]).unwrap();
    assert_eq!((after.disp, after.lost, after.refundable()), (2_000, 0, 8_000));
    assert_eq!(world.account("shop:m1").posted(), 18_000);
    assert_eq!(world.account("x:usd").posted(), 2_000);

    let before = world.account("cust:alice").posted();
    world.advance([2; 16], resolve(2_000, ChargebackResult::Lost, None));
    let after = world.payment([2; 16]).unwrap();
    assert_eq!((after.disp, after.lost), (0, 2_000));
    assert_eq!(after.status, PaymentStatus::PartiallyRefunded);
    assert_eq!(world.account("cust:alice").posted(), before + 2_000);
    assert_eq!(world.account("x:usd").posted(), 0);
    world.advance([2; 16], charge_back(8_000, None));
    world.advance([2; 16], resolve(8_000, ChargebackResult::Lost, None));
    assert_eq!(world.payment([2; 16]).unwrap().status, PaymentStatus::ChargedBack);
}

#[test]
fn a_chargeback_across_currencies() {
    let mut world = World::new();
    world.initiate([1; 16], "cust:alice", "shop:eur", CaptureMode::Immediate, "");
    let captured = PaymentCaptured {
        amount: 10_000,
        final_capture: true,
        fees: Vec::new(),
        fx: Some(fx("EUR", 9_000, 9, 1)),
    };
    world.advance([1; 16], Body::PaymentCaptured(captured));
    // The exchange accounts are asked for before the dispute account; here only that is missing.
    let event = world.event_of([1; 16], charge_back(1_000, None), &["acquirer"]);
    let refusal = world.submit(sign(&event, &["acquirer"])).refusal().unwrap();
    assert_eq!((refusal.code, refusal.detail.value.as_str()), (AccountNotFound, "DISPUTE USD"));
    let resolved = world.event_of([1; 16], resolve(1, ChargebackResult::Lost, None), &["acquirer"]);
    let refusal = world.submit(sign(&resolved, &["acquirer"])).refusal().unwrap();
    assert_eq!((refusal.code, refusal.detail.value.as_str()), (AccountNotFound, "DISPUTE USD"));
    world.initiate([2; 16], "cust:alice", "shop:jpy", CaptureMode::Immediate, "");
    for body in [charge_back(1, None), resolve(1, ChargebackResult::Won, None)] {
        let event = world.event_of([2; 16], body, &["acquirer"]);
        let refusal = world.submit(sign(&event, &["acquirer"])).refusal().unwrap();
        assert_eq!((refusal.code, refusal.detail.value.as_str()), (AccountNotFound, "FX JPY"));
        tells(&refusal, "fx", "one account per currency");
    }
    world.open("x:usd", "USD", AccountKind::Dispute);
    // The way to the debtor needs no exchange account.
    let event = world.event_of([2; 16], resolve(1, ChargebackResult::Lost, None), &["acquirer"]);
    assert_eq!(code_of(&mut world, &event, &["acquirer"]), Some(TransitionNotAllowed));

    let event = world.event_of([1; 16], charge_back(1_000, None), &["acquirer"]);
    let rows: &[Row] = &[
        (FxRequired, "fx", "a conversion to EUR", |_, draft| {
            body!(draft, ChargebackOpened).fx = Some(fx("EUR", 901, 9, 1));
        }),
        (FxAmountMismatch, "fx.counter_amount", "900", |_, draft| {
            body!(draft, ChargebackOpened).fx = Some(fx("EUR", 900, 9, 1));
        }),
    ];
    let mut opened = draft(event, &["acquirer"]);
    peel(&mut world, &mut opened, rows);
    assert_eq!(world.account("x:usd").posted(), 1_000);
    assert_eq!(world.account("fx:usd").posted(), 10_000 - 1_000);
    assert_eq!(world.account("fx:eur").posted(), -9_000 + 900);
    assert_eq!(world.account("shop:eur").posted(), 9_000 - 900);

    let event = world.event_of([1; 16], resolve(600, ChargebackResult::Won, None), &["acquirer"]);
    let rows: &[Row] = &[
        (FxRequired, "fx", "a conversion to EUR", |_, draft| {
            body!(draft, ChargebackResolved).fx = Some(fx("EUR", 541, 9, 1));
        }),
        (FxAmountMismatch, "fx.counter_amount", "540", |_, draft| {
            body!(draft, ChargebackResolved).fx = Some(fx("EUR", 540, 9, 1));
        }),
    ];
    let mut won = draft(event, &["acquirer"]);
    peel(&mut world, &mut won, rows);
    assert_eq!(world.account("x:usd").posted(), 400);
    assert_eq!(world.account("fx:usd").posted(), 9_600);
    assert_eq!(world.account("fx:eur").posted(), -8_640);
    assert_eq!(world.account("shop:eur").posted(), 8_640);

    let lost = resolve(400, ChargebackResult::Lost, Some(fx("EUR", 360, 9, 1)));
    let event = world.event_of([1; 16], lost, &["acquirer"]);
    assert_eq!(
        code_of(&mut world, &event, &["acquirer"]),
        Some(FxNotAllowed),
        "it stays in the payment's currency"
    );
    world.advance([1; 16], resolve(400, ChargebackResult::Lost, None));
    assert_eq!(world.account("cust:alice").posted(), 90_000 + 400);
}

/// What the scheme has moved is booked, whatever the creditor has; that it went below its limit is told.
#[test]
fn a_chargeback_tells_whom_it_overdraws() {
    let mut world = World::new();
    world.open("x:usd", "USD", AccountKind::Dispute);
    paid(&mut world, [1; 16]);
    world.accept(transfer("shop:m1", "cust:bob", "USD", 9_500), &["op1"]);
    for (amount, left) in [(500, 0), (1, -1)] {
        let event = world.event_of([1; 16], charge_back(amount, None), &["acquirer"]);
        let Answer::Recorded(outcomes) = world.submit(sign(&event, &["acquirer"])) else {
            panic!("{event:?}")
        };
        assert_eq!((outcomes[0].number(), world.account("shop:m1").posted()), (0, left));
        let overdrawn =
            outcomes[0].effects.overdrawn.map(|index| &world.state.accounts()[index.0 as usize].id);
        assert_eq!(overdrawn.map(|id| id.as_str() == "shop:m1"), (left < 0).then_some(true));
    }
}
