//! Events 1 and 2.

use ledger_core::code::Code::*;
use ledger_core::event::*;
use ledger_core::number::*;

use crate::peel::*;
use crate::world::*;

#[test]
fn initiated() {
    let mut world = World::new();
    world.initiate(PAYMENT, "cust:bob", "shop:m1", CaptureMode::Deferred, "");
    for party in ["anyone", "wallet"] {
        let mut event = world.event(initiation("cust:bob", "shop:m1", ""), &[party]);
        event.payment_id = event.event_id.clone();
        event.external_ref = "ORDER-1".to_owned();
        world.accept_event(&event, &[party]);
    }
    let mut event = world.event(initiation("cust:none", "shop:none", "rail:none"), &["anyone"]);
    event.payment_id = PAYMENT.to_vec();
    event.external_ref = "ORDER-1".to_owned();
    event.effective_date = 20_260_104;
    world.close_period(20_260_104);
    let rows: &[Row] = &[
        (PaymentAlreadyExists, "payment_id", "INITIATED", |_, draft| draft.event.payment_id = vec![2; 16]),
        (DuplicateExternalRef, "external_ref", "*", |_, draft| {
            draft.event.external_ref = "ORDER-2".to_owned()
        }),
        (DebtorAccountNotFound, "debtor", "", |_, draft| {
            body!(draft, PaymentInitiated).debtor = "fx:eur".to_owned()
        }),
        (CreditorAccountNotFound, "creditor", "", |_, draft| {
            body!(draft, PaymentInitiated).creditor = "rail:usd".to_owned()
        }),
        (AccountNotFound, "clearing_account", "", |_, draft| {
            body!(draft, PaymentInitiated).clearing_account = "cust:euro".to_owned();
        }),
        (AccountKindNotAllowed, "debtor", "CUSTOMER, MERCHANT, CASH, EXTERNAL", |_, draft| {
            body!(draft, PaymentInitiated).debtor = "cust:euro".to_owned()
        }),
        (AccountKindNotAllowed, "creditor", "CUSTOMER, MERCHANT, CASH, EXTERNAL", |_, draft| {
            body!(draft, PaymentInitiated).creditor = "shop:eur".to_owned()
        }),
        (AccountKindNotAllowed, "clearing_account", "CLEARING", |_, draft| {
            body!(draft, PaymentInitiated).clearing_account = "rail:eur".to_owned();
        }),
        (AccountCurrencyMismatch, "debtor", "USD", |_, draft| {
            body!(draft, PaymentInitiated).debtor = "cust:alice".to_owned()
        }),
        (AccountCurrencyMismatch, "clearing_account", "USD", |_, draft| {
            body!(draft, PaymentInitiated).clearing_account = "rail:usd".to_owned();
        }),
        (PeriodClosed, "effective_date", "20260104", |_, draft| draft.event.effective_date = 0),
    ];
    peel(&mut world, &mut draft(event, &["anyone"]), rows);
}

#[test]
fn rejected() {
    let mut world = World::new();
    world.initiate([1; 16], "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    world.initiate([2; 16], "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    world.advance([1; 16], authorize(10_000, 60));
    let rows: &[Row] = &[
        (PaymentNotFound, "payment_id", "", |_, draft| draft.event.payment_id = vec![1; 16]),
        (PaymentAccessDenied, "payment_id", "a key whose prefix covers debtor or creditor", |_, draft| {
            resign(draft, &["acquirer"])
        }),
        (PreviousEventMismatch, "previous_event_id", "*", |world, draft| move_to(world, draft, [1; 16])),
        (TransitionNotAllowed, "body", "AUTHORIZED", |world, draft| move_to(world, draft, [2; 16])),
        (PeriodClosed, "effective_date", "20260104", |_, draft| draft.event.effective_date = 0),
    ];
    let mut draft = stray(&mut world, reject());
    peel(&mut world, &mut draft, rows);
    let after = world.payment([2; 16]).unwrap();
    assert_eq!((after.status, after.event_count, after.auth), (PaymentStatus::Rejected, 2, 0));
    assert_eq!(after.head.0.to_vec(), draft.event.event_id);
    for body in [reject(), authorize(1, 60), void(), increase(1)] {
        let event = world.event_of([2; 16], body, &["acquirer"]);
        assert_eq!(code_of(&mut world, &event, &["acquirer"]), Some(TransitionNotAllowed), "it is final");
    }
}
