//! Event 6.

use ledger_core::code::Code::*;
use ledger_core::event::*;
use ledger_core::number::*;

use super::breaks::*;
use super::{Break, Guard, Table, event, without, world};
use crate::world::*;

fn captured(amount: u64, final_capture: bool, fees: Vec<Fee>, fx: Option<Fx>) -> Body {
    Body::PaymentCaptured(PaymentCaptured { amount, final_capture, fees, fx })
}

fn above_hold() -> Guard {
    event("above hold", CaptureExceedsHold, |_, draft| set_amount(draft, 10_001))
}

fn held() -> [Guard; 2] {
    [without("hold", TransitionNotAllowed), world("expired", AuthorizationExpired, expire)]
}

fn never_held() -> (&'static str, Vec<&'static str>, &'static str) {
    ("hold", vec!["expired"], "what was never held does not run out")
}

/// 100.00 are held, and 1.00 is left.
fn hold(world: &mut World, creditor: &str, rail: &str) {
    world.close_period(CLOSED_DAY);
    exhaust(world, "cust:alice");
    let left = if world.lacks("funds") { 10_000 } else { 10_100 };
    world.accept(transfer("world:usd", "cust:alice", "USD", left), &["op1"]);
    pay(world, "cust:alice", creditor, CaptureMode::Deferred, rail);
    if !world.lacks("hold") {
        attempt(world, authorize(10_000, 600));
    }
}

/// An account of kind CASH in euros, with room or without.
fn open_cash(world: &mut World) {
    world.open("bank:eur", "EUR", AccountKind::Cash);
    set_limit(world, "bank:eur", if world.lacks("room") { 0 } else { 20_000 });
}

/// Accounts of held money cannot be closed; a freeze does not stop its capture.
#[test]
fn captured_across_currencies() {
    let mut guards = vec![no_payment(), denied(), fee_account()];
    guards.extend([without("fx:usd", AccountNotFound), without("fx:eur", AccountNotFound)]);
    guards.extend(fee_terms());
    guards.extend([fx_currency(), stale()]);
    guards.extend(held());
    guards.push(above_hold());
    guards.extend(fx_due());
    guards.extend([period(), closed!("fx:eur"), closed!("bank:eur"), closed!("fee:usd"), closed!("fee:eur")]);
    guards.extend([without("funds", InsufficientFunds), without("room", CreditsExceedDebits)]);
    let table = Table {
        prepare: |world| {
            open_cash(world);
            hold(world, "bank:eur", "");
            for account in ["cust:alice", "bank:eur", "fx:eur", "fee:usd"] {
                attempt_status(world, account, AccountStatus::Frozen);
            }
        },
        good: |world| {
            let fees = four_fees("fee:eur", "EUR");
            at_head(world, captured(6_000, false, fees, Some(fx("EUR", 6_000, 1, 0))))
        },
        guards,
        apart: vec![
            ("fx:usd", vec!["expired"], "without the exchange account nothing was held"),
            ("fx:eur", vec!["fx:eur closed"], "it is not there"),
            ("fx currency", vec!["fx absent"], "what is absent has no currency"),
            ("fx absent", vec!["fx amount"], "what is absent has no amount"),
            never_held(),
        ],
    };
    table.check([22, 226, 5]);
}

#[test]
fn captured_into_clearing() {
    let mut guards = vec![no_payment(), denied(), fee_account()];
    guards.extend(fee_terms());
    guards.extend([fx_currency(), stale()]);
    guards.extend(held());
    guards.extend([above_hold(), fx_early(), period()]);
    guards.extend([closed!("fee:usd"), closed!("shop:eur"), closed!("fee:eur")]);
    guards.extend([without("funds", InsufficientFunds), without("creditor's funds", InsufficientFunds)]);
    let table = Table {
        prepare: |world| {
            hold(world, "shop:eur", "rail:usd");
            if !world.lacks("creditor's funds") {
                world.accept(transfer("world:eur", "shop:eur", "EUR", 1), &["op1"]);
            }
        },
        good: |world| at_head(world, captured(6_000, false, four_fees("fee:eur", "EUR"), None)),
        guards,
        apart: vec![never_held()],
    };
    table.check([18, 152, 1]);
}

#[test]
fn captured_in_one_currency() {
    let mut guards = vec![fee_account()];
    guards.extend(fee_terms());
    guards.extend([fx_currency(), stale()]);
    guards.extend(held());
    guards.extend([above_hold(), fx_at_home(), period(), closed!("fee:usd")]);
    guards.push(without("funds", InsufficientFunds));
    guards.push(event("creditor's fee", InsufficientFunds, |_, draft| fees_of(draft)[3].amount = 10_002));
    let table = Table {
        prepare: |world| hold(world, "shop:m1", ""),
        good: |world| at_head(world, captured(6_000, false, four_fees("fee:usd", "USD"), None)),
        guards,
        apart: vec![never_held()],
    };
    table.check([14, 90, 1]);
}

fn rejection() -> Guard {
    world("rejected", TransitionNotAllowed, |world| attempt(world, reject()))
}

fn whole() -> [Guard; 2] {
    [
        event("in part", CaptureMustBeFull, |_, draft| set_amount(draft, 9_999)),
        event("not final", CaptureMustBeFull, |_, draft| {
            body!(draft, PaymentCaptured).final_capture = false;
        }),
    ]
}

/// 100.00 and three fees, or nothing at all.
fn fund_bob(world: &mut World) {
    set_limit(world, "cust:bob", if world.lacks("funds") { 10_002 } else { 10_003 });
}

#[test]
fn captured_at_once_across_currencies() {
    let mut guards = vec![no_payment(), denied(), fee_account()];
    guards.extend([without("fx:usd", AccountNotFound), without("fx:eur", AccountNotFound)]);
    guards.extend(fee_terms());
    guards.extend([fx_currency(), stale(), rejection()]);
    guards.extend(whole());
    guards.extend(fx_due());
    guards.push(period());
    guards.extend([closed!("cust:bob"), frozen!("cust:bob", Debit)]);
    guards.extend([closed!("fx:usd"), frozen!("fx:usd", Credit)]);
    guards.extend([closed!("fx:eur"), frozen!("fx:eur", Debit)]);
    guards.extend([closed!("bank:eur"), frozen!("bank:eur", Credit)]);
    guards.extend([closed!("fee:usd"), frozen!("fee:usd", Credit)]);
    guards.extend([closed!("fee:eur"), frozen!("fee:eur", Credit)]);
    guards.extend([without("funds", InsufficientFunds), without("room", CreditsExceedDebits)]);
    let mut apart = vec![
        ("fx:usd", vec!["fx:usd closed", "fx:usd frozen"], "it is not there"),
        ("fx:eur", vec!["fx:eur closed", "fx:eur frozen"], "it is not there"),
        ("fx currency", vec!["fx absent"], "what is absent has no currency"),
        ("fx absent", vec!["fx amount"], "what is absent has no amount"),
    ];
    apart.extend(one_status!("cust:bob", "fx:usd", "fx:eur", "bank:eur", "fee:usd", "fee:eur"));
    let table = Table {
        prepare: |world| {
            world.close_period(CLOSED_DAY);
            open_cash(world);
            fund_bob(world);
            pay(world, "cust:bob", "bank:eur", CaptureMode::Immediate, "");
        },
        good: |world| {
            let fees = four_fees("fee:eur", "EUR");
            at_head(world, captured(10_000, true, fees, Some(fx("EUR", 10_000, 1, 0))))
        },
        guards,
        apart,
    };
    table.check([30, 423, 12]);
}

#[test]
fn captured_at_once_into_clearing() {
    let mut guards = vec![fee_account()];
    guards.extend(fee_terms());
    guards.extend([fx_currency(), stale(), rejection()]);
    guards.extend(whole());
    guards.extend([fx_at_home(), period()]);
    guards.extend([closed!("cust:bob"), frozen!("cust:bob", Debit)]);
    guards.extend([closed!("rail:usd"), frozen!("rail:usd", Credit)]);
    guards.extend([closed!("fee:usd"), frozen!("fee:usd", Credit)]);
    guards.extend([closed!("shop:m1"), frozen!("shop:m1", Debit)]);
    guards.extend([without("funds", InsufficientFunds), without("creditor's funds", InsufficientFunds)]);
    let table = Table {
        prepare: |world| {
            world.close_period(CLOSED_DAY);
            fund_bob(world);
            if !world.lacks("creditor's funds") {
                world.accept(transfer("world:usd", "shop:m1", "USD", 1), &["op1"]);
            }
            pay(world, "cust:bob", "shop:m1", CaptureMode::Immediate, "rail:usd");
        },
        good: |world| at_head(world, captured(10_000, true, four_fees("fee:usd", "USD"), None)),
        guards,
        apart: one_status!("cust:bob", "rail:usd", "fee:usd", "shop:m1").to_vec(),
    };
    table.check([21, 206, 4]);
}
