//! Events 11 and 12.

use ledger_core::code::Code::*;
use ledger_core::event::*;
use ledger_core::number::*;

use super::breaks::*;
use super::{Break, Guard, Table, event, without};
use crate::world::*;

/// 100.00 paid, and a creditor that has nothing left.
fn paid(world: &mut World, debtor: &str, creditor: &str, fx: Option<Fx>) {
    world.close_period(CLOSED_DAY);
    world.open("x:usd", "USD", AccountKind::Dispute);
    pay(world, debtor, creditor, CaptureMode::Immediate, "");
    if !world.lacks("capture") {
        let body = PaymentCaptured { amount: 10_000, final_capture: true, fees: Vec::new(), fx };
        attempt(world, Body::PaymentCaptured(body));
    }
    exhaust(world, creditor);
}

/// 50.00 of it in dispute.
fn disputed(world: &mut World, debtor: &str, creditor: &str, fx: Option<Fx>) {
    paid(world, debtor, creditor, fx.clone());
    if !world.lacks("chargeback") {
        attempt(world, charge_back(5_000, fx.map(|fx| Fx { counter_amount: 5_000, ..fx })));
    }
    if world.lacks("disputed money") && world.index_of("x:usd").is_some() {
        exhaust(world, "x:usd");
    }
}

/// The accounts of the currencies, of a payment that can have come so far without them only when nothing was captured.
fn exchange() -> [Guard; 3] {
    [
        without("fx:usd", AccountNotFound),
        without("fx:eur", AccountNotFound),
        without("x:usd", AccountNotFound),
    ]
}

fn above_settled() -> Guard {
    event("above settled", ChargebackExceedsRefundable, |_, draft| set_amount(draft, 10_001))
}

fn above_disputed() -> Guard {
    event("above disputed", ResolveExceedsDisputed, |_, draft| set_amount(draft, 5_001))
}

fn across_apart() -> Vec<(&'static str, Vec<&'static str>, &'static str)> {
    vec![
        ("fx:usd", vec!["fx:usd closed"], "it is not there"),
        ("fx:eur", vec!["fx:eur closed"], "it is not there"),
        ("x:usd", vec!["x:usd closed"], "it is not there"),
        ("fx currency", vec!["fx absent"], "what is absent has no currency"),
        ("fx absent", vec!["fx amount"], "what is absent has no amount"),
    ]
}

/// Frozen accounts do not refuse, closed ones do.
#[test]
fn opened_across_currencies() {
    let mut guards = vec![no_payment(), denied()];
    guards.extend(exchange());
    guards.extend([fx_currency(), stale(), without("capture", TransitionNotAllowed), above_settled()]);
    guards.extend(fx_due());
    guards.push(period());
    guards.extend([closed!("fx:usd"), closed!("x:usd"), closed!("shop:eur"), closed!("fx:eur")]);
    let table = Table {
        prepare: |world| {
            paid(world, "cust:alice", "shop:eur", Some(fx("EUR", 10_000, 1, 0)));
            for account in ["shop:eur", "x:usd"] {
                attempt_status(world, account, AccountStatus::Frozen);
            }
        },
        good: |world| at_head(world, charge_back(1_000, Some(fx("EUR", 1_000, 1, 0)))),
        guards,
        apart: across_apart(),
    };
    table.check([16, 115, 5]);
}

#[test]
fn opened_in_one_currency() {
    let mut guards = vec![fx_currency(), stale(), without("capture", TransitionNotAllowed)];
    guards.extend([above_settled(), fx_at_home(), period(), closed!("shop:m1"), closed!("x:usd")]);
    let table = Table {
        prepare: |world| paid(world, "cust:alice", "shop:m1", None),
        good: |world| at_head(world, charge_back(1_000, None)),
        guards,
        apart: vec![],
    };
    table.check([8, 28, 0]);
}

#[test]
fn won_across_currencies() {
    let mut guards = vec![no_payment(), denied()];
    guards.extend(exchange());
    guards.extend([fx_currency(), stale(), without("chargeback", TransitionNotAllowed), above_disputed()]);
    guards.extend(fx_due());
    guards.push(period());
    guards.extend([closed!("x:usd"), closed!("fx:usd"), closed!("fx:eur"), closed!("shop:eur")]);
    guards.push(without("disputed money", InsufficientFunds));
    let table = Table {
        prepare: |world| disputed(world, "cust:alice", "shop:eur", Some(fx("EUR", 10_000, 1, 0))),
        good: |world| {
            let won = ChargebackResult::Won;
            at_head(world, resolve(3_000, won, Some(fx("EUR", 3_000, 1, 0))))
        },
        guards,
        apart: across_apart(),
    };
    table.check([17, 131, 5]);
}

/// The debtor's limit holds, since only the creditor may end below its own.
#[test]
fn lost_to_cash() {
    let mut guards = vec![no_payment(), denied(), without("x:usd", AccountNotFound), fx_currency(), stale()];
    guards.extend([without("chargeback", TransitionNotAllowed), above_disputed(), fx_at_home(), period()]);
    guards.extend([closed!("x:usd"), closed!("bank:usd")]);
    guards.extend([without("disputed money", InsufficientFunds), without("room", CreditsExceedDebits)]);
    let table = Table {
        prepare: |world| {
            disputed(world, "bank:usd", "shop:m1", None);
            if world.lacks("room") {
                exhaust(world, "bank:usd");
            }
        },
        good: |world| at_head(world, resolve(3_000, ChargebackResult::Lost, None)),
        guards,
        apart: vec![("x:usd", vec!["x:usd closed"], "it is not there")],
    };
    table.check([13, 77, 1]);
}
