//! Event 9.

use ledger_core::code::Code::*;
use ledger_core::event::*;
use ledger_core::number::*;

use super::breaks::*;
use super::{Break, Guard, Table, event, without};
use crate::world::*;

/// 100.00 captured into clearing; without the rail straight to the creditor.
fn capture_into_clearing(world: &mut World, creditor: &str) {
    world.close_period(CLOSED_DAY);
    let rail = if world.lacks("rail") { "" } else { "rail:usd" };
    pay(world, "cust:alice", creditor, CaptureMode::Immediate, rail);
    if !world.lacks("capture") {
        let crosses = world.account(creditor).currency.as_str() != "USD";
        let fx = (world.lacks("rail") && crosses).then(|| fx("EUR", 10_000, 1, 0));
        let body = PaymentCaptured { amount: 10_000, final_capture: true, fees: Vec::new(), fx };
        attempt(world, Body::PaymentCaptured(body));
    }
}

fn above_captured() -> Guard {
    event("above captured", SettleExceedsCaptured, |_, draft| set_amount(draft, 10_001))
}

fn settleable() -> [Guard; 2] {
    [without("capture", TransitionNotAllowed), without("rail", TransitionNotAllowed)]
}

#[test]
fn settled_across_currencies() {
    let mut guards = vec![no_payment(), denied()];
    guards.extend([without("fx:usd", AccountNotFound), without("fx:eur", AccountNotFound)]);
    guards.extend([fx_currency(), stale()]);
    guards.extend(settleable());
    guards.push(above_captured());
    guards.extend(fx_due());
    guards.push(period());
    guards.extend([closed!("rail:usd"), frozen!("rail:usd", Debit)]);
    guards.extend([closed!("fx:usd"), frozen!("fx:usd", Credit)]);
    guards.extend([closed!("fx:eur"), frozen!("fx:eur", Debit)]);
    guards.extend([closed!("bank:eur"), frozen!("bank:eur", Credit)]);
    guards.push(without("room", CreditsExceedDebits));
    let on_the_direct_route = "what is not settled needs no exchange";
    let mut apart = vec![
        ("fx:usd", vec!["rail"], on_the_direct_route),
        ("fx:eur", vec!["rail"], on_the_direct_route),
        ("fx:usd", vec!["fx:usd closed", "fx:usd frozen"], "it is not there"),
        ("fx:eur", vec!["fx:eur closed", "fx:eur frozen"], "it is not there"),
        ("fx currency", vec!["fx absent"], "what is absent has no currency"),
        ("fx absent", vec!["fx amount"], "what is absent has no amount"),
    ];
    apart.extend(one_status!("rail:usd", "fx:usd", "fx:eur", "bank:eur"));
    let table = Table {
        prepare: |world| {
            world.open("bank:eur", "EUR", AccountKind::Cash);
            set_limit(world, "bank:eur", if world.lacks("room") { 5_999 } else { 20_000 });
            capture_into_clearing(world, "bank:eur");
        },
        good: |world| at_head(world, settle(6_000, Some(fx("EUR", 6_000, 1, 0)))),
        guards,
        apart,
    };
    table.check([21, 198, 12]);
}

#[test]
fn settled_in_one_currency() {
    let mut guards = vec![fx_currency(), stale()];
    guards.extend(settleable());
    guards.extend([above_captured(), fx_at_home(), period()]);
    guards.extend([closed!("rail:usd"), frozen!("rail:usd", Debit)]);
    guards.extend([closed!("shop:m1"), frozen!("shop:m1", Credit)]);
    let table = Table {
        prepare: |world| capture_into_clearing(world, "shop:m1"),
        good: |world| at_head(world, settle(6_000, None)),
        guards,
        apart: one_status!("rail:usd", "shop:m1").to_vec(),
    };
    table.check([11, 53, 2]);
}
