//! The invariants say what an entry that the rules would never make breaks: its effects are changed, a way per row, and
//! the check names the invariant.

#[allow(dead_code, reason = "shared with other tests")]
mod world;

use std::sync::Arc;

use ledger_core::apply::{At, Effects, ExecutedEntry, Subject, apply};
use ledger_core::event::{Body, Event, PaymentCaptured};
use ledger_core::ids::{EventId, LogIndex, PaymentId};
use ledger_core::invariants::{Broken, Invariants};
use ledger_core::number::*;
use ledger_core::rebuild::{PaymentEntry, Rebuild, RebuildError};
use ledger_core::record::{AccountRecord, PaymentRecord};
use ledger_core::state::MemoryState;
use ledger_core::view::StateView;
use world::*;

/// A payment of 100.00 that is authorized, and a capture of 60.00 with a fee, not yet applied.
fn capture_of(world: &mut World) -> Event {
    world.accept(transfer("world:usd", "shop:m1", "USD", 1_000), &["op1"]);
    world.initiate(PAYMENT, "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    world.advance(PAYMENT, authorize(10_000, 600));
    let fees = vec![fee(Payer::Creditor, "fee:usd", "USD", 180)];
    let body = Body::PaymentCaptured(PaymentCaptured { amount: 6_000, fees, ..PaymentCaptured::default() });
    world.event_of(PAYMENT, body, &["acquirer"])
}

fn at(world: &World) -> At {
    let t_nanos = world.now_nanos + 1;
    At { t_nanos, log_index: LogIndex(world.next_index), recorded_at_nanos: t_nanos }
}

/// The invariant that an entry breaks.
fn broken(world: &World, event: &Event, outcome: u16, effects: &Effects) -> Option<&'static str> {
    let At { t_nanos, log_index, recorded_at_nanos } = at(world);
    let subject = Subject::Event { event, digest: [0; 32] };
    let executed = ExecutedEntry { log_index, recorded_at_nanos, t_nanos, outcome, subject, effects };
    named(world.invariants.clone().check_entry(&world.state, &executed), log_index)
}

fn named(checked: Result<(), Broken>, log_index: LogIndex) -> Option<&'static str> {
    match checked {
        Ok(()) => None,
        Err(Broken::Violated(violation)) => {
            assert_eq!(violation.log_index, log_index, "{violation}");
            Some(violation.invariant)
        }
        Err(Broken::View(error)) => panic!("{error}"),
    }
}

fn account(effects: &mut Effects, at: usize) -> &mut AccountRecord {
    Arc::make_mut(&mut effects.accounts[at].1)
}

fn payment(effects: &mut Effects) -> &mut PaymentRecord {
    Arc::make_mut(&mut effects.payments[0].1)
}

#[test]
fn every_change_of_an_entry_is_named() {
    let mut world = World::new();
    let event = capture_of(&mut world);
    let honest = apply(&world.state, &event, at(&world)).unwrap();
    assert_eq!(broken(&world, &event, 0, &honest), None);
    // The postings: release on alice and on the shop, 60.00 from her to it, 1.80 from it to the fee account.
    assert_eq!(honest.postings.len(), 6);
    let fee_account = world.state.account_index("fee:usd").unwrap().unwrap();

    type Change = (&'static str, fn(&mut Effects));
    let changes: [Change; 20] = [
        ("I1", |effects| effects.postings[2].delta += 1),
        ("I2", |effects| effects.postings[2].delta = 0),
        ("I2", |effects| effects.postings[3].delta = -1),
        ("I1", |effects| effects.postings[4].layer = Layer::Pending),
        ("A1", |effects| account(effects, 0).counters.posted_debits += 1),
        ("A1", |effects| drop(effects.accounts.remove(0))),
        ("A5", |effects| account(effects, 0).line_count += 1),
        ("A5", |effects| effects.lines[0].number += 1),
        ("A5", |effects| effects.lines[1].after.posted_credits += 1),
        ("A5", |effects| effects.lines.truncate(5)),
        ("A6", |effects| account(effects, 1).status = AccountStatus::Closed),
        ("P5", |effects| account(effects, 0).kind = AccountKind::External),
        ("P1", |effects| payment(effects).sett += 1),
        ("P4", |effects| payment(effects).status = PaymentStatus::Captured),
        ("P2", |effects| payment(effects).head = EventId([9; 16])),
        ("P2", |effects| payment(effects).event_count += 1),
        ("P2", |effects| payment(effects).last_index = LogIndex(1)),
        ("P5", |effects| payment(effects).amount += 1),
        ("P3", |effects| payment(effects).auth += 1),
        ("G3", |effects| {
            let payment = payment(effects);
            payment.disp = 1;
            payment.status = payment.derived_status();
        }),
    ];
    for (number, (invariant, change)) in changes.into_iter().enumerate() {
        let mut changed = honest.clone();
        change(&mut changed);
        let found = broken(&world, &event, 0, &changed);
        // What is in dispute must have left the creditor first: that speaks before the dispute account does.
        let expected = if invariant == "G3" { "P7" } else { invariant };
        assert_eq!(found, Some(expected), "change {number}");
    }
    assert_eq!(broken(&world, &event, 704, &honest), Some("I5"));
    // The money goes to the fee account and not to the shop: every sum is right, the flow is not.
    let mut astray = honest.clone();
    swap_account(&world.state, &mut astray, 3, fee_account);
    assert_eq!(broken(&world, &event, 0, &astray), Some("P7"));
}

/// Moves one posting, with its line and counters, to another account that the entry touches.
fn swap_account(
    state: &MemoryState,
    effects: &mut Effects,
    posting: usize,
    to: ledger_core::ids::AccountIndex,
) {
    effects.postings[posting].account = to;
    for (index, record) in &mut effects.accounts {
        let before = state.account(*index).unwrap();
        let record = Arc::make_mut(record);
        record.counters = before.counters;
        record.line_count = before.line_count;
    }
    for (posting, line) in effects.postings.iter().zip(&mut effects.lines) {
        let (_, record) = effects.accounts.iter_mut().find(|(index, _)| *index == posting.account).unwrap();
        let record = Arc::make_mut(record);
        record.counters.post(*posting);
        record.line_count += 1;
        line.account = posting.account;
        line.posting = *posting;
        line.number = record.line_count;
        line.after = record.counters;
    }
}

#[test]
fn an_overdraft_and_an_early_expiry_are_named() {
    let mut world = World::new();
    let event = world.event(transfer("world:usd", "cust:alice", "USD", 5), &["op1"]);
    let mut effects = apply(&world.state, &event, at(&world)).unwrap();
    // Alice has 1,000.00: debit her 1,000.01 instead.
    for (posting, line) in effects.postings.iter_mut().zip(&mut effects.lines) {
        posting.delta = 100_001;
        posting.side = match posting.side {
            Side::Debit => Side::Credit,
            Side::Credit => Side::Debit,
        };
        line.posting = *posting;
    }
    let alice = world.state.account_index("cust:alice").unwrap().unwrap();
    swap_account(&world.state, &mut effects, 1, alice);
    assert_eq!(broken(&world, &event, 0, &effects), Some("A2"));

    world.initiate(PAYMENT, "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    world.advance(PAYMENT, authorize(10_000, 600));
    let At { t_nanos, log_index, recorded_at_nanos } = at(&world);
    let index = world.state.payment_index(&PaymentId(PAYMENT)).unwrap().unwrap();
    let effects = ledger_core::apply::expire(&world.state, index, at(&world)).unwrap();
    let subject = Subject::Expiry { payment_id: PaymentId(PAYMENT) };
    let executed =
        ExecutedEntry { log_index, recorded_at_nanos, t_nanos, outcome: 0, subject, effects: &effects };
    let checked = Invariants::default().check_entry(&world.state, &executed);
    assert_eq!(named(checked, log_index), Some("P6"));

    // A unit at the time of a hold that is due: its expiry is missing.
    world.now_nanos += 601_000_000_000;
    let event = world.event(transfer("world:usd", "cust:alice", "USD", 5), &["op1"]);
    let effects = apply(&world.state, &event, at(&world)).unwrap();
    assert_eq!(broken(&world, &event, 0, &effects), Some("P6"));
}

#[test]
fn a_payment_comes_out_of_its_own_entries() {
    let mut world = World::new();
    world.initiate(PAYMENT, "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    world.advance(PAYMENT, authorize(10_000, 600));
    world.advance(PAYMENT, capture(6_000, false));
    world.advance(PAYMENT, refund(1_500, RefundCause::Merchant));
    // What would stand in the way of each of them today.
    world.accept(transfer("cust:alice", "world:usd", "USD", 90_000), &["op1"]);
    world.change_status("cust:alice", AccountStatus::Frozen);
    world.now_nanos += 86_400_000_000_000;
    world.expire_due();
    world.close_period(20_260_105);

    let stored = world.payment(PAYMENT).unwrap();
    assert_eq!(stored.status, PaymentStatus::PartiallyRefunded);
    let index = world.state.payment_index(&PaymentId(PAYMENT)).unwrap().unwrap();
    let mut rebuild = Rebuild::new(&world.state, PaymentId(PAYMENT), index);
    assert!(rebuild.payment().is_none());
    let logged = || world.logged.iter().filter(|(_, event, _)| event.payment_id == PAYMENT);
    for (log_index, event, _) in logged() {
        let t_nanos = world.state.known_event(&EventId(event.event_id.clone().try_into().unwrap()));
        let t_nanos = t_nanos.unwrap().unwrap().recorded_at_nanos;
        let at = At { t_nanos, log_index: LogIndex(*log_index), recorded_at_nanos: t_nanos };
        rebuild.push(&PaymentEntry::Event(Box::new(event.clone())), at).unwrap();
    }
    let expired = At { t_nanos: stored.expires_at_nanos, log_index: stored.last_index, recorded_at_nanos: 0 };
    rebuild.push(&PaymentEntry::Expiry, expired).unwrap();
    assert_eq!(**rebuild.payment().unwrap(), stored);
    assert_eq!(rebuild.entry_count(), 5);

    // An entry left out: the next one does not follow.
    let mut rebuild = Rebuild::new(&world.state, PaymentId(PAYMENT), index);
    let (log_index, event, _) = logged().nth(1).unwrap();
    let at = At { t_nanos: 1, log_index: LogIndex(*log_index), recorded_at_nanos: 1 };
    let error = rebuild.push(&PaymentEntry::Event(Box::new(event.clone())), at).unwrap_err();
    assert!(matches!(error, RebuildError::Refused { log_index: LogIndex(at), .. } if at == *log_index));
    assert!(matches!(rebuild.push(&PaymentEntry::Expiry, at), Err(RebuildError::Idle { .. })));
}
