//! Events 3, 4, 5 and 7, and expiry.

use ledger_core::code::Code::*;
use ledger_core::event::*;
use ledger_core::number::*;

use crate::peel::*;
use crate::world::*;

#[test]
fn authorized() {
    let mut world = World::new();
    world.initiate(PAYMENT, "cust:euro", "shop:jpy", CaptureMode::Deferred, "");
    world.initiate([1; 16], "cust:alice", "shop:m1", CaptureMode::Immediate, "");
    let mut event = world.event_of([9; 16], authorize(10_001, 60), &["regional"]);
    event.previous_event_id = vec![3; 16];
    event.effective_date = 20_260_104;
    world.close_period(20_260_104);
    let rows: &[Row] = &[
        (PaymentNotFound, "payment_id", "", |_, draft| draft.event.payment_id = vec![1; 16]),
        (PaymentAccessDenied, "payment_id", "a key whose prefix covers debtor or creditor", |_, draft| {
            resign(draft, &["acquirer"])
        }),
        (PreviousEventMismatch, "previous_event_id", "*", |world, draft| {
            draft.event.previous_event_id = head(world, [1; 16])
        }),
        (TransitionNotAllowed, "body", "INITIATED", |world, draft| {
            world.initiate([2; 16], "cust:alice", "shop:m1", CaptureMode::Deferred, "");
            draft.event.payment_id = vec![2; 16];
            draft.event.previous_event_id = head(world, [2; 16]);
        }),
        (AuthorizeExceedsInstructed, "amount", "10000", |_, draft| {
            body!(draft, PaymentAuthorized).amount = 10_000
        }),
        (PeriodClosed, "effective_date", "20260104", |world, draft| {
            draft.event.effective_date = 0;
            world.change_status("cust:alice", AccountStatus::DebitFrozen);
            world.change_status("shop:m1", AccountStatus::Frozen);
        }),
        (AccountDebitFrozen, "account", "DEBIT_FROZEN", |world, _| {
            world.change_status("cust:alice", AccountStatus::CreditFrozen)
        }),
        (AccountCreditFrozen, "account", "FROZEN", |world, _| {
            world.change_status("shop:m1", AccountStatus::DebitFrozen);
            world.change_status("cust:alice", AccountStatus::Open);
            world.accept(transfer("cust:alice", "world:usd", "USD", 90_001), &["op1"]);
        }),
        (InsufficientFunds, "account", "available 9999, required 10000", |world, _| {
            world.accept(transfer("world:usd", "cust:alice", "USD", 1), &["op1"]);
        }),
    ];
    peel(&mut world, &mut draft(event, &["regional"]), rows);
    let held = world.payment([2; 16]).unwrap();
    assert_eq!((held.status, held.hold()), (PaymentStatus::Authorized, 10_000));
    let again = world.event_of([2; 16], authorize(1, 60), &["acquirer"]);
    assert_eq!(world.submit(sign(&again, &["acquirer"])).code(), Some(TransitionNotAllowed));
}

#[test]
fn a_hold_across_currencies_needs_the_exchange_account_of_the_payment() {
    let mut world = World::new();
    world.initiate(PAYMENT, "cust:euro", "shop:jpy", CaptureMode::Deferred, "");
    world.advance(PAYMENT, authorize(10_000, 60));
    assert_eq!(world.account("fx:eur").counters.pending_credits, 10_000);
    assert_eq!(world.account("shop:jpy").counters.pending_credits, 0);
    // FX(JPY) is not there: neither capture nor refund is possible, whatever the rest says.
    let capture = world.event_of(PAYMENT, capture(99_999, false), &["acquirer"]);
    assert_eq!(world.submit(sign(&capture, &["acquirer"])).code(), Some(AccountNotFound));
}

#[test]
fn voided_and_expired() {
    let mut world = World::new();
    world.initiate(PAYMENT, "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    let void_now = |world: &mut World| {
        let event = world.event_of(PAYMENT, void(), &["wallet"]);
        world.submit(sign(&event, &["wallet"])).code()
    };
    assert_eq!(void_now(&mut world), Some(TransitionNotAllowed), "nothing is held yet");
    world.advance(PAYMENT, authorize(10_000, 60));
    let expires_at = world.payment(PAYMENT).unwrap().expires_at_nanos;
    assert_eq!(expires_at, world.now_nanos + 60_000_000_000);
    let head_before = head(&world, PAYMENT);

    world.now_nanos = expires_at - 2;
    assert_eq!(world.expire_due(), 0, "one nanosecond early");
    world.now_nanos = expires_at - 1;
    assert_eq!(world.expire_due(), 1, "on time");
    let after = world.payment(PAYMENT).unwrap();
    assert_eq!(
        (after.status, after.rel, after.head.0.to_vec()),
        (PaymentStatus::Expired, 10_000, head_before)
    );
    assert_eq!(after.event_count, 2, "an expiry is no submitted event");
    assert_eq!(after.expires_at_nanos, expires_at, "stays once set");
    assert_eq!(world.account("cust:alice").counters.pending_debits, 0);
    assert_eq!(void_now(&mut world), Some(AuthorizationExpired));

    world.initiate([1; 16], "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    world.advance([1; 16], authorize(10_000, 60));
    world.advance([1; 16], capture(4_000, false));
    world.change_status("cust:alice", AccountStatus::Frozen);
    let event = world.event_of([1; 16], void(), &["wallet"]);
    assert_eq!(world.submit(sign(&event, &["wallet"])).code(), None, "releases are always allowed");
    let after = world.payment([1; 16]).unwrap();
    assert_eq!((after.status, after.rel), (PaymentStatus::Settled, 6_000));
    let event = world.event_of([1; 16], void(), &["wallet"]);
    assert_eq!(
        world.submit(sign(&event, &["wallet"])).code(),
        Some(TransitionNotAllowed),
        "nothing is held any more"
    );
}

#[test]
fn increased() {
    let mut world = World::new();
    world.initiate([1; 16], "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    world.initiate([2; 16], "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    world.initiate([3; 16], "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    world.initiate([4; 16], "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    world.advance([2; 16], authorize(100, 1));
    world.now_nanos += 1_000_000_000;
    world.expire_due();
    world.advance([3; 16], authorize(100, 3_000));
    world.advance([3; 16], void());
    world.advance([4; 16], authorize(100, 3_000));
    let rows: &[Row] = &[
        (PaymentNotFound, "payment_id", "", |_, draft| draft.event.payment_id = vec![1; 16]),
        (PaymentAccessDenied, "payment_id", "a key whose prefix covers debtor or creditor", |_, draft| {
            resign(draft, &["acquirer"])
        }),
        (PreviousEventMismatch, "previous_event_id", "*", |world, draft| move_to(world, draft, [1; 16])),
        (TransitionNotAllowed, "body", "INITIATED", |world, draft| move_to(world, draft, [2; 16])),
        (AuthorizationExpired, "expires_at_nanos", "*", |world, draft| move_to(world, draft, [3; 16])),
        (TransitionNotAllowed, "body", "VOIDED", |world, draft| move_to(world, draft, [4; 16])),
        (PeriodClosed, "effective_date", "20260104", |world, draft| {
            draft.event.effective_date = 0;
            freeze(world, "cust:alice", AccountStatus::DebitFrozen);
            freeze(world, "shop:m1", AccountStatus::CreditFrozen);
        }),
        (AccountDebitFrozen, "account", "DEBIT_FROZEN", |world, _| {
            freeze(world, "cust:alice", AccountStatus::Open)
        }),
        (AccountCreditFrozen, "account", "CREDIT_FROZEN", |world, _| {
            freeze(world, "shop:m1", AccountStatus::Open)
        }),
        (InsufficientFunds, "account", "available 99900, required 99901", |_, draft| {
            body!(draft, AuthorizationIncreased).amount = 99_900;
        }),
    ];
    let mut draft = stray(&mut world, increase(99_901));
    peel(&mut world, &mut draft, rows);
    let after = world.payment([4; 16]).unwrap();
    assert_eq!((after.auth, after.rel, after.hold()), (100_000, 0, 100_000), "above the instructed amount");
    assert_eq!(world.account("cust:alice").counters.pending_debits, 100_000);
    assert_eq!(world.account("shop:m1").counters.pending_credits, 100_000);
}

#[test]
fn increased_across_currencies() {
    let mut world = World::new();
    world.initiate(PAYMENT, "cust:alice", "shop:eur", CaptureMode::Deferred, "");
    world.advance(PAYMENT, authorize(100, 60));
    world.advance(PAYMENT, increase(11));
    assert_eq!(world.account("fx:usd").counters.pending_credits, 111);
    world.advance(PAYMENT, reduce(1));
    assert_eq!(world.account("fx:usd").counters.pending_credits, 110);
    assert_eq!(world.account("cust:alice").counters.pending_debits, 110);
    // In yen there is no exchange account, and that is said before anything about the payment's state.
    world.open("cust:yen", "JPY", AccountKind::Customer);
    world.initiate([1; 16], "cust:yen", "shop:eur", CaptureMode::Deferred, "");
    for body in [authorize(1, 60), increase(1)] {
        let mut event = world.event_of([1; 16], body, &["acquirer"]);
        event.previous_event_id = vec![3; 16];
        let refusal = world.submit(sign(&event, &["acquirer"])).refusal().unwrap();
        assert_eq!((refusal.code, refusal.detail.value.as_str()), (AccountNotFound, "FX JPY"));
    }
    for body in [reduce(1), void(), reject()] {
        let mut event = world.event_of([1; 16], body, &["acquirer"]);
        event.previous_event_id = vec![3; 16];
        assert_eq!(code_of(&mut world, &event, &["acquirer"]), Some(PreviousEventMismatch));
    }
    // On the clearing route no exchange account is needed for a hold.
    world.open("rail:jpy", "JPY", AccountKind::Clearing);
    world.initiate([2; 16], "cust:yen", "shop:eur", CaptureMode::Deferred, "rail:jpy");
    let event = world.event_of([2; 16], authorize(1, 60), &["acquirer"]);
    assert_eq!(code_of(&mut world, &event, &["acquirer"]), Some(InsufficientFunds));
}

#[test]
fn reduced() {
    let mut world = World::new();
    for payment in 1..=4 {
        world.initiate([payment; 16], "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    }
    world.advance([2; 16], authorize(100, 1));
    world.now_nanos += 1_000_000_000;
    world.expire_due();
    world.advance([3; 16], authorize(100, 3_000));
    world.advance([3; 16], capture(100, false));
    world.advance([4; 16], authorize(100, 3_000));
    world.change_status("cust:alice", AccountStatus::Frozen);
    world.change_status("shop:m1", AccountStatus::Frozen);
    let rows: &[Row] = &[
        (PaymentNotFound, "payment_id", "", |_, draft| draft.event.payment_id = vec![1; 16]),
        (PaymentAccessDenied, "payment_id", "a key whose prefix covers debtor or creditor", |_, draft| {
            resign(draft, &["acquirer"])
        }),
        (PreviousEventMismatch, "previous_event_id", "*", |world, draft| move_to(world, draft, [1; 16])),
        (TransitionNotAllowed, "body", "INITIATED", |world, draft| move_to(world, draft, [2; 16])),
        (AuthorizationExpired, "expires_at_nanos", "*", |world, draft| move_to(world, draft, [3; 16])),
        (TransitionNotAllowed, "body", "SETTLED", |world, draft| move_to(world, draft, [4; 16])),
        (ReduceExceedsHold, "amount", "99", |_, draft| body!(draft, AuthorizationReduced).amount = 99),
        (PeriodClosed, "effective_date", "20260104", |_, draft| draft.event.effective_date = 0),
    ];
    let mut draft = stray(&mut world, reduce(100));
    peel(&mut world, &mut draft, rows);
    let after = world.payment([4; 16]).unwrap();
    assert_eq!((after.auth, after.rel, after.hold()), (100, 99, 1), "frozen accounts do not stop a release");
    assert_eq!(after.last_release, Some(ReleaseCause::Reduction));
    assert_eq!(world.account("cust:alice").counters.pending_debits, 1);
    assert_eq!(world.account("shop:m1").counters.pending_credits, 1);
}

#[test]
fn voided() {
    let mut world = World::new();
    for payment in 1..=4 {
        world.initiate([payment; 16], "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    }
    world.advance([2; 16], authorize(100, 1));
    world.now_nanos += 1_000_000_000;
    world.expire_due();
    world.advance([3; 16], authorize(100, 3_000));
    world.advance([3; 16], capture(60, true));
    world.advance([4; 16], authorize(100, 3_000));
    let rows: &[Row] = &[
        (PaymentNotFound, "payment_id", "", |_, draft| draft.event.payment_id = vec![1; 16]),
        (PaymentAccessDenied, "payment_id", "a key whose prefix covers debtor or creditor", |_, draft| {
            resign(draft, &["acquirer"])
        }),
        (PreviousEventMismatch, "previous_event_id", "*", |world, draft| move_to(world, draft, [1; 16])),
        (TransitionNotAllowed, "body", "INITIATED", |world, draft| move_to(world, draft, [2; 16])),
        (AuthorizationExpired, "expires_at_nanos", "*", |world, draft| move_to(world, draft, [3; 16])),
        (TransitionNotAllowed, "body", "SETTLED", |world, draft| move_to(world, draft, [4; 16])),
        (PeriodClosed, "effective_date", "20260104", |_, draft| draft.event.effective_date = 0),
    ];
    let mut draft = stray(&mut world, void());
    peel(&mut world, &mut draft, rows);
    let after = world.payment([4; 16]).unwrap();
    assert_eq!((after.status, after.last_release), (PaymentStatus::Voided, Some(ReleaseCause::Void)));
}

#[test]
fn an_immediate_payment_never_expires() {
    let mut world = World::new();
    world.initiate(PAYMENT, "cust:alice", "shop:m1", CaptureMode::Immediate, "");
    world.advance(PAYMENT, capture(10_000, true));
    assert_eq!(world.payment(PAYMENT).unwrap().expires_at_nanos, 0);
    assert_eq!(world.state.payments().len(), 1);
    for body in [void(), increase(1), reduce(1)] {
        let event = world.event_of(PAYMENT, body, &["acquirer"]);
        assert_eq!(code_of(&mut world, &event, &["acquirer"]), Some(TransitionNotAllowed));
    }
}
