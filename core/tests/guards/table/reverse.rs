//! Event 13.

use ledger_core::code::Code::*;
use ledger_core::event::*;
use ledger_core::number::*;

use super::breaks::*;
use super::{Break, Guard, Table, event, without, world};
use crate::peel::*;
use crate::world::*;

const OTHER: [u8; 16] = [2; 16];

/// The events with a type's number, of one payment or of none, in order.
fn ids(world: &World, payment: &[u8], number: u32) -> Vec<Vec<u8>> {
    let wanted = |event: &&Event| event.payment_id == payment && event.body.number() == number;
    world
        .logged
        .iter()
        .map(|(_, event, _)| event)
        .filter(wanted)
        .map(|event| event.event_id.clone())
        .collect()
}

fn target_of(draft: &mut Draft) -> &mut Vec<u8> {
    &mut body!(draft, PaymentReversed).target_event_id
}

fn by_operator(mut event: Event) -> Draft {
    event.signers = sorted_keys(&["op1"]);
    draft(event, &["op1"])
}

fn no_target() -> Guard {
    event("no target", TargetEventNotFound, |_, draft| *target_of(draft) = vec![9; 16])
}

fn targets_apart() -> Vec<(&'static str, Vec<&'static str>, &'static str)> {
    let unknown = "what is not there is in no payment and of no type";
    vec![
        ("no target", vec!["elsewhere", "type", "again"], unknown),
        ("type", vec!["again"], "what cannot be reversed was not"),
    ]
}

/// Captured, reversed, captured again; then each by its place.
#[test]
fn of_a_payment() {
    let mut guards = vec![no_payment(), stale(), no_target()];
    guards.push(event("elsewhere", TargetNotInPayment, |world, draft| {
        *target_of(draft) = ids(world, &OTHER, 6)[1].clone();
    }));
    guards.push(event("type", TargetNotReversible, |world, draft| {
        let is_elsewhere = ids(world, &OTHER, 6).contains(target_of(draft));
        *target_of(draft) = ids(world, if is_elsewhere { &OTHER } else { &PAYMENT }, 3)[0].clone();
    }));
    guards.push(event("again", TargetAlreadyReversed, |world, draft| {
        let is_elsewhere = ids(world, &OTHER, 6).contains(target_of(draft));
        *target_of(draft) = ids(world, if is_elsewhere { &OTHER } else { &PAYMENT }, 6)[0].clone();
    }));
    guards.push(world("built on", ReversalBreaksPayment, |world| attempt(world, charge_back(1, None))));
    guards.push(period());
    guards.extend([closed!("bank:usd"), frozen!("bank:usd", Credit)]);
    guards.extend([closed!("shop:m1"), frozen!("shop:m1", Debit)]);
    guards.extend([without("room", CreditsExceedDebits), without("funds", InsufficientFunds)]);
    let mut apart = targets_apart();
    apart.extend(one_status!("bank:usd", "shop:m1"));
    let table = Table {
        prepare: |world| {
            world.close_period(CLOSED_DAY);
            world.open("x:usd", "USD", AccountKind::Dispute);
            for payment in [OTHER, PAYMENT] {
                let mut event = world.event(initiation("bank:usd", "shop:m1", ""), &["anyone"]);
                event.payment_id = payment.to_vec();
                world.accept_event(&event, &["anyone"]);
                world.advance(payment, authorize(10_000, 3_600));
                world.advance(payment, capture(2_000, false));
                let once = head(world, payment);
                let event = world.event_of(payment, reverse(&once), &["op1"]);
                world.accept_event(&event, &["op1"]);
                world.advance(payment, capture(5_000, true));
            }
            if world.lacks("room") {
                exhaust(world, "bank:usd");
            }
            if world.lacks("funds") {
                exhaust(world, "shop:m1");
            }
        },
        good: |world| {
            let target = ids(world, &PAYMENT, 6)[1].clone();
            by_operator(world.event_of(PAYMENT, reverse(&target), &["op1"]))
        },
        guards,
        apart,
    };
    table.check([14, 85, 6]);
}

/// The transfers after those that the world begins with.
fn transfers(world: &World) -> Vec<Vec<u8>> {
    ids(world, &[], 14).split_off(2)
}

#[test]
fn of_a_transfer() {
    let mut guards = vec![no_target()];
    guards.push(event("elsewhere", TargetNotInPayment, |world, draft| {
        *target_of(draft) = ids(world, &PAYMENT, 6)[1].clone();
    }));
    guards.push(event("type", TargetNotReversible, |world, draft| {
        let is_elsewhere = ids(world, &PAYMENT, 6).contains(target_of(draft));
        let of_its_kind = if is_elsewhere { ids(world, &PAYMENT, 1) } else { ids(world, &[], 15) };
        *target_of(draft) = of_its_kind[0].clone();
    }));
    guards.push(event("again", TargetAlreadyReversed, |world, draft| {
        let is_elsewhere = ids(world, &PAYMENT, 6).contains(target_of(draft));
        let reversed = if is_elsewhere { ids(world, &PAYMENT, 6) } else { transfers(world) };
        *target_of(draft) = reversed[0].clone();
    }));
    guards.push(period());
    guards.extend([closed!("bank:usd"), frozen!("bank:usd", Credit)]);
    guards.extend([closed!("cust:bob"), frozen!("cust:bob", Debit)]);
    guards.extend([without("room", CreditsExceedDebits), without("funds", InsufficientFunds)]);
    let mut apart = targets_apart();
    apart.extend(one_status!("bank:usd", "cust:bob"));
    let table = Table {
        prepare: |world| {
            world.close_period(CLOSED_DAY);
            pay(world, "cust:alice", "shop:m1", CaptureMode::Deferred, "");
            attempt(world, authorize(10_000, 3_600));
            attempt(world, capture(2_000, false));
            let captured = head(world, PAYMENT);
            let event = world.event_of(PAYMENT, reverse(&captured), &["op1"]);
            world.accept_event(&event, &["op1"]);
            attempt(world, capture(2_000, false));
            let again = world.accept(transfer("bank:usd", "cust:bob", "USD", 300), &["op1"]);
            world.accept(reverse(&again), &["op1"]);
            world.accept(transfer("bank:usd", "cust:bob", "USD", 300), &["op1"]);
            if world.lacks("room") {
                exhaust(world, "bank:usd");
            }
            if world.lacks("funds") {
                exhaust(world, "cust:bob");
            }
        },
        good: |world| {
            let target = transfers(world)[1].clone();
            by_operator(world.event(reverse(&target), &["op1"]))
        },
        guards,
        apart,
    };
    table.check([11, 49, 6]);
}
