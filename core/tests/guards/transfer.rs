//! Event 14.

use ledger_core::code::Code::*;
use ledger_core::event::*;
use ledger_core::number::*;

use crate::peel::*;
use crate::world::*;

#[test]
fn transferred() {
    let mut world = World::new();
    let mut first = world.event(transfer("world:usd", "cust:alice", "USD", 1), &["op1"]);
    first.external_ref = "T-1".to_owned();
    world.accept_event(&first, &["op1"]);
    world.change_status("cust:bob", AccountStatus::Closed);
    world.change_status("cust:alice", AccountStatus::DebitFrozen);
    let body = TransferPosted {
        legs: vec![
            leg("none:1", Side::Debit, "EUR", 101_000),
            leg("none:2", Side::Credit, "EUR", 101_000),
            leg("world:usd", Side::Debit, "USD", 1),
            leg("cust:bob", Side::Credit, "USD", 1),
        ],
        purpose: "TEST".to_owned(),
        related_payment_id: vec![9; 16],
    };
    let mut event = world.event(Body::TransferPosted(body), &["op1"]);
    event.external_ref = "T-1".to_owned();
    event.effective_date = 20_260_104;
    world.close_period(20_260_104);
    let rows: &[Row] = &[
        (PaymentNotFound, "related_payment_id", "", |_, draft| {
            body!(draft, TransferPosted).related_payment_id.clear()
        }),
        (DuplicateExternalRef, "external_ref", "*", |_, draft| draft.event.external_ref = "T-2".to_owned()),
        (AccountNotFound, "legs[0].account", "", |_, draft| {
            body!(draft, TransferPosted).legs[0].account = "cust:alice".to_owned();
        }),
        (AccountNotFound, "legs[1].account", "", |_, draft| {
            body!(draft, TransferPosted).legs[1].account = "world:eur".to_owned()
        }),
        (AccountCurrencyMismatch, "legs[0].account", "EUR", |_, draft| {
            let legs = &mut body!(draft, TransferPosted).legs;
            legs[1] = leg("world:usd", Side::Credit, "USD", 101_000);
            legs[0].currency = "USD".to_owned();
        }),
        (PeriodClosed, "effective_date", "20260104", |_, draft| draft.event.effective_date = 0),
        (AccountDebitFrozen, "account", "DEBIT_FROZEN", |world, _| {
            world.change_status("cust:alice", AccountStatus::Open)
        }),
        (AccountClosed, "account", "CLOSED", |_, draft| {
            body!(draft, TransferPosted).legs[3].account = "bank:usd".to_owned();
        }),
        (InsufficientFunds, "account", "available 100001, required 101000", |_, draft| {
            let legs = &mut body!(draft, TransferPosted).legs;
            legs[0].amount = 101;
            legs[1].amount = 101;
            legs[2].amount = 101;
            legs[3].amount = 101;
        }),
        (CreditsExceedDebits, "account", "available 100, required 101", |_, draft| {
            body!(draft, TransferPosted).legs.truncate(2)
        }),
    ];
    peel(&mut world, &mut draft(event, &["op1"]), rows);
}
