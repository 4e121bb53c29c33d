//! Events 2 to 5 and 7.

use ledger_core::code::Code::*;
use ledger_core::event::*;
use ledger_core::number::*;

use super::breaks::*;
use super::{Break, Guard, Table, event, without, world};
use crate::world::*;

const NOTHING_HELD: &str = "without a hold there is nothing to release or to run out";
const RELEASED: &str = "what has run out is released: it is this pair by itself";

fn rejection() -> Guard {
    world("rejected", TransitionNotAllowed, |world| attempt(world, reject()))
}

#[test]
fn rejected() {
    let table = Table {
        prepare: |world| {
            world.close_period(CLOSED_DAY);
            pay(world, "cust:alice", "shop:m1", CaptureMode::Deferred, "");
        },
        good: |world| at_head(world, reject()),
        guards: vec![no_payment(), denied(), stale(), rejection(), period()],
        apart: vec![],
    };
    table.check([5, 10, 0]);
}

fn mode(world: &World) -> CaptureMode {
    if world.lacks("deferral") { CaptureMode::Immediate } else { CaptureMode::Deferred }
}

fn more_than_instructed() -> Guard {
    event("above instructed", AuthorizeExceedsInstructed, |_, draft| {
        body!(draft, PaymentAuthorized).amount = 10_001;
    })
}

/// 5.00 is what the debtor has.
fn more_than_available() -> Guard {
    event("funds", InsufficientFunds, |_, draft| {
        let amount = &mut body!(draft, PaymentAuthorized).amount;
        *amount = 501.max(*amount);
    })
}

#[test]
fn authorized_across_currencies() {
    let mut guards = vec![
        no_payment(),
        denied(),
        without("fx:usd", AccountNotFound),
        stale(),
        without("deferral", TransitionNotAllowed),
        rejection(),
        more_than_instructed(),
        period(),
    ];
    guards.extend([closed!("cust:bob"), frozen!("cust:bob", Debit)]);
    guards.extend([closed!("fx:usd"), frozen!("fx:usd", Credit), more_than_available()]);
    let mut apart = vec![("fx:usd", vec!["fx:usd closed", "fx:usd frozen"], "it is not there")];
    apart.extend(one_status!("cust:bob", "fx:usd"));
    let table = Table {
        prepare: |world| {
            world.close_period(CLOSED_DAY);
            pay(world, "cust:bob", "shop:jpy", mode(world), "");
        },
        good: |world| at_head(world, authorize(400, 60)),
        guards,
        apart,
    };
    table.check([13, 74, 4]);
}

/// A creditor of kind CASH has room for what it is to get, or not.
#[test]
fn authorized_for_cash() {
    let mut guards =
        vec![stale(), without("deferral", TransitionNotAllowed), more_than_instructed(), period()];
    guards.extend([closed!("cust:bob"), frozen!("cust:bob", Debit)]);
    guards.extend([closed!("bank:usd"), frozen!("bank:usd", Credit), more_than_available()]);
    guards.push(without("room", CreditsExceedDebits));
    let table = Table {
        prepare: |world| {
            world.close_period(CLOSED_DAY);
            set_limit(world, "bank:usd", if world.lacks("room") { 399 } else { 20_000 });
            pay(world, "cust:bob", "bank:usd", mode(world), "");
        },
        good: |world| at_head(world, authorize(400, 60)),
        guards,
        apart: one_status!("cust:bob", "bank:usd").to_vec(),
    };
    table.check([10, 43, 2]);
}

#[test]
fn authorized_into_clearing() {
    let mut guards =
        vec![stale(), without("deferral", TransitionNotAllowed), more_than_instructed(), period()];
    guards.extend([closed!("cust:bob"), frozen!("cust:bob", Debit)]);
    guards.extend([closed!("rail:usd"), frozen!("rail:usd", Credit), more_than_available()]);
    let table = Table {
        prepare: |world| {
            world.close_period(CLOSED_DAY);
            pay(world, "cust:bob", "shop:jpy", mode(world), "rail:usd");
        },
        good: |world| at_head(world, authorize(400, 60)),
        guards,
        apart: one_status!("cust:bob", "rail:usd").to_vec(),
    };
    table.check([9, 34, 2]);
}

/// A payment with a hold of 1.00, or not.
fn hold(world: &mut World, creditor: &str) {
    world.close_period(CLOSED_DAY);
    pay(world, "cust:alice", creditor, CaptureMode::Deferred, "");
    if !world.lacks("hold") {
        attempt(world, authorize(100, 600));
    }
}

fn held() -> [Guard; 3] {
    [
        without("hold", TransitionNotAllowed),
        world("expired", AuthorizationExpired, expire),
        world("voided", TransitionNotAllowed, |world| attempt(world, void())),
    ]
}

fn held_apart() -> Vec<(&'static str, Vec<&'static str>, &'static str)> {
    vec![("hold", vec!["expired", "voided"], NOTHING_HELD), ("expired", vec!["voided"], RELEASED)]
}

fn too_much_more() -> Guard {
    event("funds", InsufficientFunds, |_, draft| body!(draft, AuthorizationIncreased).amount = 200_000)
}

/// Debtor and counterparty of a hold cannot be closed.
#[test]
fn increased_across_currencies() {
    let mut guards = vec![no_payment(), denied(), without("fx:usd", AccountNotFound), stale()];
    guards.extend(held());
    guards.extend([period(), frozen!("cust:alice", Debit), frozen!("fx:usd", Credit), too_much_more()]);
    let mut apart = held_apart();
    apart.push(("fx:usd", vec!["expired", "voided"], NOTHING_HELD));
    apart.push(("fx:usd", vec!["fx:usd frozen"], "it is not there"));
    let table = Table {
        prepare: |world| hold(world, "shop:jpy"),
        good: |world| at_head(world, increase(11)),
        guards,
        apart,
    };
    table.check([11, 49, 6]);
}

#[test]
fn increased_for_cash() {
    let mut guards = vec![stale()];
    guards.extend(held());
    guards.extend([period(), frozen!("cust:alice", Debit), frozen!("bank:usd", Credit), too_much_more()]);
    guards.push(without("room", CreditsExceedDebits));
    let table = Table {
        prepare: |world| {
            set_limit(world, "bank:usd", if world.lacks("room") { 110 } else { 400_000 });
            hold(world, "bank:usd");
        },
        good: |world| at_head(world, increase(11)),
        guards,
        apart: held_apart(),
    };
    table.check([9, 33, 3]);
}

/// No freeze stops a release.
#[test]
fn released() {
    let frozen = |world: &mut World| {
        hold(world, "shop:m1");
        world.change_status("cust:alice", AccountStatus::Frozen);
        world.change_status("shop:m1", AccountStatus::Frozen);
    };
    let mut guards = vec![no_payment(), denied(), stale()];
    guards.extend(held());
    guards.push(event("whole hold", ReduceExceedsHold, |_, draft| {
        body!(draft, AuthorizationReduced).amount = 100;
    }));
    guards.push(period());
    let good = |world: &mut World| at_head(world, reduce(99));
    let reduced = Table { prepare: frozen, good, guards, apart: held_apart() };
    reduced.check([8, 25, 3]);

    let mut guards = vec![no_payment(), denied(), stale()];
    guards.extend(held());
    guards.push(period());
    let good = |world: &mut World| at_head(world, void());
    let voided = Table { prepare: frozen, good, guards, apart: held_apart() };
    voided.check([7, 18, 3]);
}
